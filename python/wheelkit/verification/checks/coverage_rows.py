"""The rows of the matrix: targets with the files that installers pick there, every wheel in some row."""

from __future__ import annotations

import re
from operator import itemgetter
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.analysis.claims import claims
from wheelkit.analysis.floor import UNSATISFIED, linux_needs, linux_row_needs, needs
from wheelkit.analysis.python_api import declared_floor
from wheelkit.matrix import (
    Candidate,
    Interpreter,
    System,
    Target,
    admits_python,
    default_interpreters,
    pick,
)
from wheelkit.text import dotted, plural
from wheelkit.verification.checks.providers import provider_of, relevant_providers
from wheelkit.verification.model import CellCover, Cover, Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from wheelkit.analysis.floor import Needs
    from wheelkit.verification.contract import Contract, Promise
    from wheelkit.verification.release import Release
    from wheelkit.wheel import FileName, Wheel


ANY = "any"
# A pure wheel fits every target, so one of them stands for all.
_ANY_TARGET = "manylinux_2_28_x86_64"
# The row of wheels whose file names are not valid.
_NO_TAG = "no tag"
_GRAALPY_ABI = r"graalpy(\d{3})_(3\d+)_native"
_BUILD_TAG = r"(\d*)(.*)"
_SYSTEMS = tuple(System)  # the desktop's come first
# The architectures that most users have come first.
_ARCHS = ("x86_64", "amd64", "aarch64", "arm64", "universal2")


class RowSpec(Struct, frozen=True, kw_only=True):
    """A row to fill: ``judged``, or promised but judged ``elsewhere`` (``--native``).

    ``target`` is None for a platform tag that is no target, such as ``linux_x86_64``. ``promised`` are the
    interpreters of a promised target, None those of any other row: all.
    """

    name: str
    target: Target | None
    judged: bool = False
    elsewhere: bool = False
    promised: frozenset[str] | None = None

    def promises(self, interpreter: str) -> bool:
        """Return whether the cell of an interpreter is promised, or nothing is promised in particular."""
        return self.promised is None or interpreter in self.promised


def any_spec(*, judged: bool = False, elsewhere: bool = False) -> RowSpec:
    """Return the row of pure wheels."""
    return RowSpec(name=ANY, target=Target.parse(_ANY_TARGET), judged=judged, elsewhere=elsewhere)


def wheel_needs(wheel: Wheel, contract: Contract) -> Mapping[str, Needs]:
    """Return what a wheel needs of Linux, by C library, apart from the libraries that its providers have."""
    alone = linux_needs(wheel)
    if all(need.floor != UNSATISFIED for need in alone.values()):
        return alone
    providers = relevant_providers(wheel, contract)
    provided = (name for name in wheel.needed if provider_of(name, System.LINUX, providers))
    return linux_needs(wheel, frozenset(provided))


class RowBuilder(Struct, frozen=True, kw_only=True):
    """Fills the rows of one release; ``linux`` is what its wheels need of Linux, by path."""

    release: Release
    interpreters: tuple[Interpreter, ...]
    linux: Mapping[Path, Mapping[str, Needs]]

    def rows(self, promised: Sequence[RowSpec]) -> list[Row]:
        """Return the promised rows, and those of the targets and tags that only the other wheels claim.

        A wheel that no interpreter of the columns picks, such as one for Python 3.6, is in its target's row.
        """
        wheels = self.release.all_wheels
        picks = {spec: self._picks(spec) for spec in promised}
        homes = {wheel.path: _admitting(wheel, promised) for wheel in _unused(wheels, picks.values())}
        strays = [wheel for wheel in wheels if homes.get(wheel.path) == []]
        pure = [wheel for wheel in wheels if wheel.name and wheel.name.any_platform]
        # A pure wheel beside native ones is what all other systems get.
        strays += pure if len(pure) < len(wheels) else []
        names = {spec.name for spec in promised}
        picks |= {spec: self._picks(spec) for spec in _claimed_specs(strays) if spec.name not in names}
        idle: dict[str, list[Wheel]] = {}
        for wheel in _unused(wheels, picks.values()):
            for name in homes[wheel.path] or _homes(wheel):
                idle.setdefault(name, []).append(wheel)
        return [self._row(spec, picked, idle.get(spec.name, ())) for spec, picked in picks.items()]

    def _picks(self, spec: RowSpec) -> list[Wheel | None]:
        wheels = {_candidate(wheel): wheel for wheel in self._eligible(spec)}
        picked = (_pick(wheels, spec, interpreter) for interpreter in self.interpreters)
        return [wheels[candidate] if candidate else None for candidate in picked]

    def _eligible(self, spec: RowSpec) -> Sequence[Wheel]:
        """Return the wheels that can be picked; the row of pure wheels shows what serves other systems."""
        wheels = self.release.all_wheels
        if spec.name != ANY:
            return wheels
        pure = [wheel for wheel in wheels if any(tag.platform == ANY for tag in wheel.tags)]
        return pure or wheels

    def _row(self, spec: RowSpec, picked: Sequence[Wheel | None], idle: Iterable[Wheel]) -> Row:
        release = self.release
        wheels = list({wheel.path: wheel for wheel in (*picked, *idle) if wheel is not None}.values())
        uncovered = Cover.ELSEWHERE if spec.elsewhere else Cover.SDIST if release.sdists else Cover.MISSING
        needed = self._needs(spec, wheels)
        cells = _cells(self.interpreters, picked, uncovered, spec)
        gap = any(cell.cover is uncovered for cell in cells)
        return Row(
            distribution=release.distribution,
            version=release.version,
            target=spec.name,
            label=_label(wheels, spec) or ("elsewhere" if spec.elsewhere else "missing"),
            cells=cells,
            files=tuple(wheel.filename for wheel in wheels),
            needs=str(needed) if needed else "",
            floor=needed.floor if needed else "",
            size=sum(wheel.size for wheel in wheels),
            codes=("WK801",) if spec.judged and gap else (),
            judged=spec.judged,
            names_only=any(wheel.shallow and wheel.readable for wheel in wheels),
            unreadable=tuple(wheel.filename for wheel in wheels if not wheel.readable),
        )

    def _needs(self, spec: RowSpec, wheels: Sequence[Wheel]) -> Needs | None:
        if spec.name == ANY:
            return None
        if spec.target is not None:
            return needs(wheels, spec.target, self.linux)
        # ELF files for Android need nothing of Linux.
        tagged = [wheel for wheel in wheels if any(claim.system is System.LINUX for claim in claims(wheel))]
        return linux_row_needs(self.linux.get(wheel.path, {}) for wheel in tagged)


def _unused(wheels: Iterable[Wheel], picks: Iterable[Iterable[Wheel | None]]) -> list[Wheel]:
    used = {wheel.path for picked in picks for wheel in picked if wheel}
    return [wheel for wheel in wheels if wheel.path not in used]


def _admitting(wheel: Wheel, promised: Iterable[RowSpec]) -> list[str]:
    """Return the promised rows on whose targets a wheel installs, with an interpreter that fits."""
    platforms = [platform.lower() for platform in wheel.name.platforms] if wheel.name else []
    return [
        spec.name
        for spec in promised
        if (ANY in platforms if spec.name == ANY else spec.target and any(map(spec.target.admits, platforms)))
    ]


def _claimed_specs(wheels: Iterable[Wheel]) -> list[RowSpec]:
    """Return the rows that wheels claim: their oldest targets, other platform tags, and any platform."""
    specs: dict[str, RowSpec] = {}
    for wheel in wheels:
        targets = {target.tag: target for target in _oldest_targets(wheel)}
        for name in _homes(wheel):
            specs[name] = any_spec() if name == ANY else RowSpec(name=name, target=targets.get(name))
    return sorted(specs.values(), key=_row_order)


def _homes(wheel: Wheel) -> list[str]:
    """Return the rows that a wheel belongs to by its own tags."""
    if wheel.name is None:
        return [_NO_TAG]
    if wheel.name.any_platform:
        return [ANY]
    return [target.tag for target in _oldest_targets(wheel)] or [wheel.name.platforms[0]]


def _row_order(spec: RowSpec) -> tuple[object, ...]:
    target = spec.target
    if target is None or spec.name == ANY:
        return (1 + (spec.name == ANY) + 2 * (spec.name == _NO_TAG),)
    arch = _ARCHS.index(target.arch) if target.arch in _ARCHS else len(_ARCHS)
    return 0, _SYSTEMS.index(target.system), target.libc, arch, target.arch, target.version


def _oldest_targets(wheel: Wheel) -> list[Target]:
    """Return the oldest target that the wheel claims for each system, C library and architecture."""
    oldest: dict[tuple[System, str, str], Target] = {}
    for claim in claims(wheel):
        if claim.target is not None:
            single = claim.system is System.MACOS and len(claim.archs) == 1
            key = claim.system, claim.target.libc, claim.archs[0] if single else claim.target.arch
            if key not in oldest or claim.target.version < oldest[key].version:
                oldest[key] = claim.target
    return list(oldest.values())


def release_interpreters(release: Release, promise: Promise | None) -> tuple[Interpreter, ...]:
    """Return the columns of a release: the promised interpreters, or those that exist and are supported."""
    if promise is not None and promise.matrix.declared:
        return promise.matrix.interpreters
    required = next((wheel.metadata.get("Requires-Python") for wheel in release.wheels), "")
    try:
        released = default_interpreters(required)
    except ValueError:
        released = default_interpreters(None)
    names = [wheel.name for wheel in release.all_wheels if wheel.name]
    tags = {tag for name in names for tag in (*name.abis, *name.pythons)}.union(*map(_free_threaded, names))
    return (*released, *(special for tag in sorted(tags) if (special := _special(tag)) is not None))


def _free_threaded(name: FileName) -> Iterator[str]:
    """Yield the free-threaded interpreters that an abi3t wheel serves, from its floor on (PEP 803)."""
    floor = declared_floor(name)
    if floor is not None and "abi3t" in name.abis:
        yield from (f"{interpreter.tag}t" for interpreter in default_interpreters(f">={dotted(floor)}"))


def _special(tag: str) -> Interpreter | None:
    """Return the free-threaded or other than CPython interpreter of a tag, None for any other tag."""
    try:
        interpreter = Interpreter.parse(re.sub(_GRAALPY_ABI, r"gp\2_\1", tag))
    except ValueError:
        return None
    return interpreter if interpreter.free_threaded or interpreter.implementation != "cp" else None


def _candidate(wheel: Wheel) -> Candidate:
    match = re.fullmatch(_BUILD_TAG, wheel.name.build) if wheel.name and wheel.name.build else None
    build = (int(match[1] or 0), match[2]) if match else ()
    required = wheel.metadata.get("Requires-Python") or None
    return Candidate(filename=wheel.filename, tags=wheel.tags, build=build, requires_python=required)


def _pick(candidates: Iterable[Candidate], spec: RowSpec, interpreter: Interpreter) -> Candidate | None:
    if spec.target is not None:
        return pick(candidates, spec.target, interpreter)
    ranks = {tag: rank for rank, tag in enumerate(interpreter.tags([spec.name.lower()]))}
    fitting = []
    for candidate in candidates:
        accepted = [ranks[tag] for tag in candidate.tags if tag in ranks]
        if accepted and admits_python(candidate.requires_python, interpreter):
            fitting.append((min(accepted), candidate))
    return min(fitting, key=itemgetter(0))[1] if fitting else None


def _cells(
    interpreters: Sequence[Interpreter], picked: Sequence[Wheel | None], uncovered: Cover, spec: RowSpec
) -> tuple[CellCover, ...]:
    cells = []
    for interpreter, wheel in zip(interpreters, picked, strict=True):
        absent = uncovered if spec.promises(interpreter.tag) else Cover.UNPROMISED
        cells.append(
            CellCover(
                interpreter=interpreter.tag,
                cover=Cover.WHEEL if wheel else absent,
                file=wheel.filename if wheel else None,
            )
        )
    return tuple(cells)


def _label(wheels: Sequence[Wheel], spec: RowSpec) -> str:
    if len(wheels) != 1 or wheels[0].name is None:
        pure = sum(wheel.name is not None and wheel.name.any_platform for wheel in wheels)
        mixed = f", {pure} pure" if spec.name != ANY and 0 < pure < len(wheels) else ""
        return f"{plural(len(wheels), 'wheel')}{mixed}" if wheels else ""
    name = wheels[0].name
    kind = "pure" if name.any_platform else "abi3" if name.stable else "1"
    return f"{kind} wheel"
