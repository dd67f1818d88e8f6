"""Put together what is known of a wheel's components: who names them, and which binaries contain them."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from wheelkit.analysis.components import (
    is_version,
    known_libraries,
    known_library,
    recognise,
    upstream_version,
)
from wheelkit.analysis.named_libraries import names_file
from wheelkit.analysis.sboms import hex_digest, read_sboms
from wheelkit.sbom.model import Component
from wheelkit.sbom.packages import owning_package
from wheelkit.wheel.contents import read_binaries
from wheelkit.wheel.library_names import base_name, is_graft, plain_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from wheelkit.analysis.components import KnownLibrary, Recognised
    from wheelkit.analysis.sboms import SbomComponent
    from wheelkit.sbom.model import SbomSources
    from wheelkit.wheel import Wheel


class _Facts(Struct, frozen=True, kw_only=True):
    """What a wheel itself says: its grafted libraries, texts in its binaries, and SBOMs of other tools."""

    wheel: Wheel
    grafts: tuple[str, ...]
    recognised: tuple[Recognised, ...]
    others: tuple[SbomComponent, ...]

    def members_with(self, library: KnownLibrary, version: str) -> tuple[str, ...]:
        """Return the binaries that contain a library, in that version if it is known."""
        found = [one for one in self.recognised if one.library.name == library.name]
        same = [one for one in found if not (one.version and version) or is_version(version, one.version)]
        return tuple(one.member for one in same if one.member not in self.grafts)

    @property
    def own_binaries(self) -> tuple[str, ...]:
        """The binaries that were compiled with the project."""
        return tuple(binary.member for binary in self.wheel.binaries if binary.member not in self.grafts)


def compose(wheel: Wheel, sources: SbomSources) -> tuple[Component, ...]:
    """Return the components of a repaired wheel, sorted, each with the members that contain it if known."""
    texts = [one for member, contents in read_binaries(wheel) for one in recognise(member, contents)]
    facts = _Facts(
        wheel=wheel,
        grafts=tuple(binary.member for binary in wheel.binaries if is_graft(binary.member)),
        recognised=tuple(texts),
        others=tuple(one for sbom in read_sboms(wheel) if not sbom.own for one in sbom.components),
    )
    crates = {(one.name, one.version) for one in facts.others if one.purl.startswith("pkg:cargo/")}
    found = [one for one in sources.found if not (crates and one.purl.startswith("pkg:cargo/"))]
    static = _merged(sources.declared, found)
    grafted = list(_grafted(facts, sources, static))
    of_grafts = {one.name for one in grafted}
    compiled = [_placed(one, facts) for one in static if one.name not in of_grafts]
    complete = (_with_known_facts(one) for one in (*grafted, *compiled))
    return tuple(sorted(complete, key=lambda one: (one.name.lower(), one.version, one.files)))


def _merged(declared: Iterable[Component], found: Iterable[Component]) -> list[Component]:
    """Return each component once: what the configuration says counts, and the sources add to it."""
    merged: dict[tuple[str, str], Component] = {}
    for component in (*declared, *found):
        key = _key(component)
        before = merged.get((key, "")) or merged.get((key, upstream_version(component.version)))
        if before is None:
            is_declared = component.origin == "configuration"
            merged[key, "" if is_declared else upstream_version(component.version)] = component
        elif before.version in {"", component.version} or not component.version:
            fields = {name: getattr(before, name) or getattr(component, name) for name in _FILLED}
            merged = {
                place: replace(before, **fields) if one is before else one for place, one in merged.items()
            }
    return list(merged.values())


_FILLED = ("version", "license", "purl", "cpe", "url", "sha256", "vcs")


def _key(component: Component) -> str:
    known = known_library(component.name)
    return (known.name if known else component.name).lower()


def _grafted(facts: _Facts, sources: SbomSources, static: Sequence[Component]) -> Iterator[Component]:
    """Yield the component of each grafted library: declared, a system package, or only a file."""
    digests = {member.name: hex_digest(member.digest) for member in facts.wheel.members}
    for member in facts.grafts:
        component = _declared_file(member, static)
        original = sources.grafts.get(base_name(member))
        if component is None and original is not None:
            component = owning_package(original)
        if component is None:
            component = _named_by_others(member, facts.others) or Component(
                name=plain_name(member).partition(".so")[0].removesuffix(".dylib").removesuffix(".dll"),
                origin="file",
            )
        yield replace(component, files=(member,), digest=digests[member])


def _declared_file(member: str, static: Iterable[Component]) -> Component | None:
    """Return the component that is declared with a pattern for the file, or that is known by its name."""
    for component in static:
        if any(_matches(member, pattern) for pattern in component.patterns):
            return component
        known = known_library(component.name)
        if not component.patterns and known is not None and known.is_file(member):
            return component
    return None


def _named_by_others(member: str, others: Iterable[SbomComponent]) -> Component | None:
    """Return what another tool's SBOM, such as auditwheel's from a container, says of a file."""
    for one in others:
        if names_file(one, member):
            return Component(
                name=one.name, version=one.version, purl=one.purl, cpe=one.cpe, origin="auditwheel"
            )
    return None


def _placed(component: Component, facts: _Facts) -> Component:
    """Add the binaries that contain a component: as declared, by its texts, or the only one that can."""
    own = facts.own_binaries
    if component.patterns:
        members = tuple(name for name in own if any(_matches(name, one) for one in component.patterns))
    else:
        known = known_library(component.name)
        members = facts.members_with(known, component.version) if known is not None else ()
        if not members and len(own) == 1 and (known is None or not known.marker):
            members = own
    return replace(component, files=members)


def _matches(member: str, pattern: str) -> bool:
    return fnmatchcase(member, pattern) or fnmatchcase(plain_name(member), pattern)


def _with_known_facts(component: Component) -> Component:
    """Add the CPE, by which scanners find C libraries, and the license of a well-known library."""
    known = known_library(component.name)
    if known is None and component.digest:
        known = next((one for one in known_libraries() if one.is_file(component.files[0])), None)
    if known is None:
        return component
    version = upstream_version(component.version)
    cpe = component.cpe or (known.cpe_of(version) if version else "")
    return replace(component, cpe=cpe, license=component.license or known.license)
