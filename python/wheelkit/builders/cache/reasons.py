"""Why something has to be built again: what is different from the build that is nearest to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wheelkit.builders.cache.entry import CacheEntry, KeyInputs
    from wheelkit.builders.cache.store import Store


_SHOWN = 3
# How the name of a part begins, and how people say that it is another.
_SAID = {
    "variable ": "{name} changed",
    "tool ": "{name} changed",
    "image ": "the image {name} changed",
    "sibling ": "{name}, which it needs, changed",
    "settings ": "{name} changed",
    "interpreter ": "{name} is another one",
    "compiler ": "the compiler changed",
}


def rebuild_reason(label: str, wanted: KeyInputs, store: Store) -> str:
    """Say in a line why there is no entry for these ingredients."""
    if wanted.unknown:
        return wanted.unknown
    nearest: tuple[str, ...] | None = None
    for entry in store.latest(label):
        found = tuple(_differences(entry, wanted, store))
        if nearest is None or len(found) < len(nearest):
            nearest = found
    if nearest is None:
        return "never built before"
    if not nearest:
        return "its files are not in the cache any more"
    more = f" and {len(nearest) - _SHOWN} more" if len(nearest) > _SHOWN else ""
    return ", ".join(nearest[:_SHOWN]) + more


def _differences(entry: CacheEntry, wanted: KeyInputs, store: Store) -> Iterator[str]:
    names = [
        name
        for name in dict.fromkeys((*wanted.parts, *entry.parts))
        if entry.parts.get(name) != wanted.parts.get(name)
    ]
    if "sources" in names:
        listed = store.listing(entry)
        yield from _files(listed, wanted.files) if listed else ["its sources changed"]
    yield from dict.fromkeys(_said(name, wanted.parts, entry.parts) for name in names if name != "sources")


def _files(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    yield from (f"{name} changed" for name in now if name in before and before[name] != now[name])
    yield from (f"{name} is new" for name in now if name not in before)
    yield from (f"{name} is gone" for name in before if name not in now)


def _said(name: str, now: Mapping[str, str], before: Mapping[str, str]) -> str:
    for start, words in _SAID.items():
        if name.startswith(start):
            short = name.removeprefix(start)
            said = words.format(name=short)
            versions = now.get(name, ""), before.get(name, "")
            known = start == "tool " and all(one and len(one) < len("0" * 32) for one in versions)
            return f"{short} {versions[0]} instead of {versions[1]}" if known else said
    if name.startswith("step "):
        return f"the {name.split(' ', 2)[2]} changed"
    if name == "wheelkit":
        return "wheelkit itself changed"
    return f"{name} changed"
