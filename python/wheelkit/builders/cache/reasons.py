"""Why something has to be built again: how it differs from the most similar build in the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wheelkit.builders.cache.entry import CacheEntry, KeyInputs
    from wheelkit.builders.cache.store import Store


_SHOWN = 3
# Messages for a part that differs, by the first word of its name; {name} is the rest of the name.
_MESSAGES = {
    "variable ": "{name} changed",
    "tool ": "{name} changed",
    "image ": "the image {name} changed",
    "sibling ": "{name}, which it needs, changed",
    "settings ": "{name} changed",
    "interpreter ": "{name} changed",
    "compiler ": "the compiler changed",
}
_DIGEST_LENGTH = 64


def rebuild_reason(label: str, inputs: KeyInputs, store: Store) -> str:
    """Return in one line why the cache has no entry for these inputs."""
    if inputs.unknown:
        return inputs.unknown
    candidates = [tuple(_differences(entry, inputs, store)) for entry in store.latest(label)]
    if not candidates:
        return "never built before"
    differences = min(candidates, key=len)
    if not differences:
        return "its files are no longer in the cache"
    more = f" and {len(differences) - _SHOWN} more" if len(differences) > _SHOWN else ""
    return ", ".join(differences[:_SHOWN]) + more


def _differences(entry: CacheEntry, inputs: KeyInputs, store: Store) -> Iterator[str]:
    before, now = entry.parts, inputs.parts
    names = [name for name in dict.fromkeys((*now, *before)) if before.get(name) != now.get(name)]
    if "sources" in names:
        listing = store.listing(entry)
        yield from _file_changes(listing, inputs.files) if listing else ["its sources changed"]
    yield from dict.fromkeys(_part_change(name, before, now) for name in names if name != "sources")


def _file_changes(before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    yield from (f"{name} changed" for name in now if name in before and before[name] != now[name])
    yield from (f"{name} is new" for name in now if name not in before)
    yield from (f"{name} is gone" for name in before if name not in now)


def _part_change(name: str, before: Mapping[str, str], now: Mapping[str, str]) -> str:
    for prefix, message in _MESSAGES.items():
        if name.startswith(prefix):
            short = name.removeprefix(prefix)
            old, new = before.get(name, ""), now.get(name, "")
            if prefix == "tool " and all(version and len(version) < _DIGEST_LENGTH for version in (old, new)):
                return f"{short} {new} instead of {old}"
            return message.format(name=short)
    if name.startswith("step "):
        return f"the {name.split(' ', 2)[2]} changed"
    return f"{name} changed"
