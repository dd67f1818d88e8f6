"""The versions of a family and what its members ask of each other, read from its files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from wheelkit.config import DistributionConfig, normalise
from wheelkit.versions import texts
from wheelkit.versions.git import DEFAULT_TEMPLATE, tagged
from wheelkit.versions.model import Need, Place, Scheme, State, Versioned
from wheelkit.versions.places import at, find, toml
from wheelkit.versions.ranges import range_in

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wheelkit.config import Config
    from wheelkit.family import Family
    from wheelkit.project import Distribution
    from wheelkit.versions.model import Key

_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")
# Requirements of setup.cfg, one a line below their key; read, and not edited.
_CFG_LINE = re.compile(r"^[ \t]+(?P<requirement>[A-Za-z0-9][^\n#]*)$", re.MULTILINE)


def read(config: Config, family: Family) -> State:
    """Read where every version stands and which ranges siblings ask for; raises ProjectError for files that cannot be read."""
    members = {item.key: _versioned(config, item) for item in family.distributions}
    needs = tuple(need for item in family.distributions for need in _needs(item, members))
    return State(root=config.root.resolve(), members=members, needs=needs)


def settings(config: Config, key: str) -> DistributionConfig:
    """Give the configuration of one distribution, the defaults where it has none."""
    return config.distribution.get(key) or DistributionConfig()


def _versioned(config: Config, item: Distribution) -> Versioned:
    own = settings(config, item.key)
    scheme, places = find(item, own.version_files)
    found = tagged(item.source, own.tag or DEFAULT_TEMPLATE) if scheme is Scheme.TAGS else None
    return Versioned(distribution=item, scheme=scheme, places=places, tagged=found)


def _needs(item: Distribution, members: Mapping[str, Versioned]) -> Iterator[Need]:
    if not item.source.is_dir():
        return
    document = toml(item.source / "pyproject.toml")
    for key, text in _requirements(document):
        place = Place(path=item.source / "pyproject.toml", where=_where(key), text=text, at=key)
        if (need := _need(item, place, members)) is not None:
            yield need
    cfg = item.source / "setup.cfg"
    for match in _CFG_LINE.finditer(texts.read(cfg) or ""):
        place = Place(path=cfg, where="setup.cfg", text=match["requirement"].strip(), at=())
        if (need := _need(item, place, members, editable=False)) is not None:
            yield need


def _need(item: Distribution, place: Place, members: Mapping[str, Versioned], *, editable: bool = True) -> Need | None:
    match = _NAME.match(place.text)
    name = normalise(match[1]) if match else ""
    if name not in members or name == item.key:
        return None
    span = range_in(place.text)
    text = place.text[span.start : span.end] if span else ""
    return Need(dependent=item.key, sibling=name, place=place, range=text, editable=editable and span is not None)


def _requirements(document: Mapping[str, Any]) -> Iterator[tuple[Key, str]]:
    lists: list[Key] = [("project", "dependencies"), ("build-system", "requires")]
    for table in (("project", "optional-dependencies"), ("dependency-groups",)):
        names = at(document, *table)
        lists += [(*table, name) for name in names] if isinstance(names, dict) else []
    for key in lists:
        entries = at(document, *map(str, key))
        for index, text in enumerate(entries if isinstance(entries, list) else ()):
            if isinstance(text, str):
                yield (*key, index), text


def _where(key: Key) -> str:
    return ".".join(map(str, key[:-1])) + f"[{key[-1]}]"
