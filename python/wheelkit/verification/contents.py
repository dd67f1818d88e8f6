"""What wheels consist of, collected while they are verified, for reports that show it."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.fast_packaging import normalise

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.wheel import Wheel


class Part(Struct, frozen=True, kw_only=True):
    """A part of a wheel's unpacked bytes; ``kind`` is code, debug, grafted, python, metadata or other."""

    name: str
    kind: str
    size: int


class Component(Struct, frozen=True, kw_only=True):
    """What an SBOM in a wheel names, and the binaries that contain it."""

    name: str
    version: str
    files: tuple[str, ...]


class WheelContents(Struct, frozen=True, kw_only=True):
    """One wheel: its bytes on disk and unpacked by part, the projects it requires, and its components."""

    file: str
    distribution: str
    version: str
    size: int
    parts: tuple[Part, ...]
    requires: tuple[str, ...] = ()
    components: tuple[Component, ...] = ()

    @property
    def unpacked(self) -> int:
        """The bytes of all parts."""
        return sum(part.size for part in self.parts)


class ContentsCollector:
    """Keeps the contents of each wheel that is read; ``contents`` are in the order of their names."""

    def __init__(self) -> None:
        self._by_file: dict[str, WheelContents] = {}

    def add(self, wheel: Wheel) -> None:
        """Keep what a wheel consists of."""
        if not wheel.shallow and wheel.readable:
            self._by_file[wheel.filename] = contents_of(wheel)

    @property
    def contents(self) -> tuple[WheelContents, ...]:
        """The contents of all wheels so far."""
        return tuple(self._by_file[name] for name in sorted(self._by_file))


def contents_of(wheel: Wheel) -> WheelContents:
    """Return what a wheel consists of, the largest part first."""
    parts = sorted(_parts(wheel), key=lambda part: (-part.size, part.name, part.kind))
    requirements = (_name(text) for text in wheel.metadata.all("Requires-Dist"))
    return WheelContents(
        file=wheel.filename,
        distribution=wheel.distribution,
        version=wheel.version,
        size=wheel.size,
        parts=tuple(parts),
        requires=tuple(sorted({name for name in requirements if name})),
        components=tuple(_components(wheel)),
    )


def _name(requirement: str) -> str:
    """Return the normalized name of a requirement that everybody gets; empty for one of an extra."""
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        parsed = Requirement(requirement)
    except InvalidRequirement:
        return ""
    return "" if parsed.marker and "extra" in str(parsed.marker) else normalise(parsed.name)


def _parts(wheel: Wheel) -> Iterator[Part]:
    """Yield each binary, in code and debug sections, and the other files by their package and kind."""
    binaries = {binary.member: binary for binary in wheel.binaries}
    others: Counter[tuple[str, str]] = Counter()
    for member in wheel.members:
        if member.directory:
            continue
        binary = binaries.get(member.name)
        if binary is None:
            others[_place(member.name), _kind(member.name)] += member.size
            continue
        debug = min(member.size, sum(slice_.debug_bytes for slice_ in binary.slices))
        kind = "grafted" if _is_grafted(member.name) else "code"
        if member.size > debug:
            yield Part(name=member.name, kind=kind, size=member.size - debug)
        if debug:
            yield Part(name=member.name, kind="debug", size=debug)
    yield from (Part(name=name, kind=kind, size=size) for (name, kind), size in others.items() if size)


def _is_grafted(member: str) -> bool:
    """Return whether it is in the folder of auditwheel or delvewheel (.libs), or of delocate (.dylibs)."""
    folder = member.rpartition("/")[0]
    return folder.endswith((".libs", ".dylibs"))


def _place(member: str) -> str:
    """Return the package of a file, down to its second level."""
    return "/".join(member.split("/")[:-1][:2]) or member


def _kind(member: str) -> str:
    if ".dist-info/" in member:
        return "metadata"
    return "python" if member.endswith((".py", ".pyi")) else "other"


def _components(wheel: Wheel) -> Iterator[Component]:
    if not wheel.sboms:
        return
    from wheelkit.analysis.sboms import read_sboms

    seen = set()
    for sbom in read_sboms(wheel):
        for component in sbom.components:
            key = (component.name, component.version)
            if key not in seen:
                seen.add(key)
                yield Component(name=component.name, version=component.version, files=component.files)
