"""Coverage through the installer's eyes: which cell of the support matrix is served by which file."""

from __future__ import annotations

from sys import intern
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.analysis.claims import claims
from wheelkit.analysis.floor import needs
from wheelkit.analysis.python_api import declared_floor
from wheelkit.matrix import Candidate, Interpreter, System, Target, default_interpreters, pick
from wheelkit.text import dotted, plural, shorten_list
from wheelkit.verification.findings import finding
from wheelkit.verification.model import CellCover, Cover, Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from wheelkit.verification.contract import Contract, Promise
    from wheelkit.verification.model import Finding
    from wheelkit.verification.release import Dist, Release
    from wheelkit.wheel import FileName, Wheel


_ANY = "any"
# A pure wheel fits everywhere, so any target answers for all of them.
_SOME_TARGET = "manylinux_2_28_x86_64"
_NATIVE_COMMAND = "python -m wheelkit build --native"
_PURE_COMMAND = "python -m wheelkit build --pure"


class Line(Struct, frozen=True, kw_only=True):
    """One row to be filled: its name, the target that stands for it, and whether its missing cells are owed here."""

    label: str
    target: Target
    judged: bool
    elsewhere: bool = False


class Coverage(Struct, frozen=True, kw_only=True):
    """A release's rows of the matrix, and what is wrong with them."""

    rows: tuple[Row, ...]
    findings: tuple[Finding, ...]


def cover(release: Release, contract: Contract, *, whole: bool = True) -> Coverage:
    """Fill the matrix of one release; judge only what the project declared, and what was to be in this dist."""
    promise = contract.promise(release.distribution)
    lines = _lines(release, contract, promise, whole=whole)
    interpreters = _interpreters(release, promise)
    picked = {line: _picks(release, line, interpreters) for line in lines}
    rows = tuple(_row(release, line, interpreters, picked[line]) for line in lines)
    findings = [*_missing(release, contract, rows, lines), *_doubled(release)]
    if promise is None:
        rows += tuple(_rows_elsewhere(release, interpreters))
    if promise is not None and promise.matrix.declared:
        findings += _unpromised(release, picked.values())
    return Coverage(rows=rows, findings=tuple(findings))


def _lines(release: Release, contract: Contract, promise: Promise | None, *, whole: bool) -> tuple[Line, ...]:
    if promise is not None and not promise.native:
        judged = whole and contract.native is None
        return (Line(label=_ANY, target=Target.parse(_SOME_TARGET), judged=judged, elsewhere=not judged),)
    if promise is not None and promise.matrix.declared:
        return tuple(_promised(target, contract, whole=whole) for target in promise.matrix.targets)
    return tuple(_own_lines(release))


def _promised(target: Target, contract: Contract, *, whole: bool) -> Line:
    here = contract.native is None or target in contract.native
    return Line(
        label=target.tag,
        target=target,
        judged=here and (whole or contract.native is not None),
        elsewhere=not here,
    )


def _own_lines(release: Release) -> Iterator[Line]:
    """Where nothing is promised, the wheels' own oldest systems are the rows."""
    seen: dict[str, Line] = {}
    for wheel in release.wheels:
        if wheel.name is not None and wheel.name.any_platform:
            seen[_ANY] = Line(label=_ANY, target=Target.parse(_SOME_TARGET), judged=False)
            continue
        for target in _oldest(wheel):
            seen[target.tag] = Line(label=target.tag, target=target, judged=False)
    yield from sorted(seen.values(), key=_place)


_SYSTEMS = tuple(System)
# The architectures that most users have come first.
_ARCHS = ("x86_64", "amd64", "aarch64", "arm64", "universal2")


def _place(line: Line) -> tuple[object, ...]:
    target = line.target
    arch = _ARCHS.index(target.arch) if target.arch in _ARCHS else len(_ARCHS)
    return _SYSTEMS.index(target.system), target.libc, arch, target.arch, target.version


def _oldest(wheel: Wheel) -> Iterator[Target]:
    per_arch: dict[tuple[System, str, str], Target] = {}
    for claim in claims(wheel):
        if claim.target is None:
            continue
        arch = claim.archs[0] if len(claim.archs) == 1 and claim.system is System.MACOS else claim.target.arch
        key = claim.system, claim.target.libc, arch
        if key not in per_arch or claim.target.version < per_arch[key].version:
            per_arch[key] = claim.target
    yield from per_arch.values()


def _interpreters(release: Release, promise: Promise | None) -> tuple[Interpreter, ...]:
    if promise is not None and promise.matrix.declared:
        return promise.matrix.interpreters
    required = next((wheel.metadata.get("Requires-Python") for wheel in release.wheels), "")
    try:
        released = default_interpreters(required)
    except ValueError:
        released = default_interpreters(None)
    # Free-threaded builds and PyPy get a column where a wheel is made for them.
    names = [wheel.name for wheel in release.wheels if wheel.name]
    special = {tag for name in names for tag in (*name.abis, *name.pythons)}.union(*map(_threaded, names))
    found_tags = sorted(tag for tag in special if _special(tag))
    return (*released, *(Interpreter.parse(tag) for tag in found_tags))


def _threaded(name: FileName) -> Iterator[str]:
    """Name the free-threaded interpreters that a wheel for their stable ABI serves, from its floor on (PEP 803)."""
    floor = declared_floor(name)
    if floor is not None and "abi3t" in name.abis:
        yield from (f"{one.tag}t" for one in default_interpreters(f">={dotted(floor)}"))


def _special(tag: str) -> bool:
    try:
        interpreter = Interpreter.parse(tag)
    except ValueError:
        return False
    return interpreter.free_threaded or interpreter.implementation != "cp"


def _candidate(wheel: Wheel) -> Candidate:
    build: tuple[()] | tuple[int, str] = ()
    if wheel.name is not None and wheel.name.build:
        digits = len(wheel.name.build) - len(wheel.name.build.lstrip("0123456789"))
        build = int(wheel.name.build[:digits] or 0), wheel.name.build[digits:]
    required = wheel.metadata.get("Requires-Python") or None
    return Candidate(filename=wheel.filename, tags=wheel.tags, build=build, requires_python=required)


def _picks(release: Release, line: Line, interpreters: Sequence[Interpreter]) -> list[str]:
    candidates = [_candidate(wheel) for wheel in release.wheels]
    chosen = (pick(candidates, line.target, interpreter) for interpreter in interpreters)
    return [candidate.filename if candidate else "" for candidate in chosen]


def _row(release: Release, line: Line, interpreters: Sequence[Interpreter], picks: Sequence[str]) -> Row:
    uncovered = Cover.ELSEWHERE if line.elsewhere else Cover.SDIST if release.sdists else Cover.MISSING
    cells = [
        CellCover(interpreter=interpreter.tag, cover=Cover.WHEEL if file else uncovered, file=file)
        for interpreter, file in zip(interpreters, picks, strict=True)
    ]
    files = tuple(dict.fromkeys(file for file in picks if file))
    wheels = [wheel for wheel in release.wheels if wheel.filename in files]
    if not wheels and not line.judged and not line.elsewhere:
        # Wheels for interpreters that no column is for, such as Python 3.6 and GraalPy.
        wheels = [wheel for wheel in release.wheels if line.target in _oldest(wheel)]
        files = tuple(wheel.filename for wheel in wheels)
    label = _label(wheels) or ("elsewhere" if line.elsewhere else "missing")
    return Row(
        distribution=release.distribution,
        version=release.version,
        target=line.label,
        label=intern(label),
        cells=tuple(cells),
        files=files,
        needs="" if line.label == _ANY else intern(needs(wheels, line.target)),
        size=sum(wheel.size for wheel in wheels),
        codes=("WK801",) if line.judged and not all(picks) else (),
    )


def _rows_elsewhere(release: Release, interpreters: Sequence[Interpreter]) -> Iterator[Row]:
    """Give a row to each platform tag of wheels that no target stands for: linux_x86_64, Android's, a tag that is not known here."""
    by_platform: dict[str, list[Wheel]] = {}
    for wheel in release.wheels:
        if (
            wheel.name is not None
            and not wheel.name.any_platform
            and not any(claim.target for claim in claims(wheel))
        ):
            by_platform.setdefault(wheel.name.platforms[0], []).append(wheel)
    for platform, wheels in by_platform.items():
        picks = [_served(wheels, platform, interpreter) for interpreter in interpreters]
        cells = (
            CellCover(interpreter=one.tag, cover=Cover.WHEEL if file else Cover.MISSING, file=file)
            for one, file in zip(interpreters, picks, strict=True)
        )
        yield Row(
            distribution=release.distribution,
            version=release.version,
            target=platform,
            label=_label(wheels),
            cells=tuple(cells),
            files=tuple(wheel.filename for wheel in wheels),
            needs="",
            size=sum(wheel.size for wheel in wheels),
            codes=(),
        )


def _served(wheels: Sequence[Wheel], platform: str, interpreter: Interpreter) -> str:
    accepted = frozenset(interpreter.tags([platform]))
    return next((wheel.filename for wheel in wheels if not accepted.isdisjoint(wheel.tags)), "")


def _label(wheels: Sequence[Wheel]) -> str:
    if len(wheels) != 1 or wheels[0].name is None:
        return plural(len(wheels), "wheel") if wheels else ""
    name = wheels[0].name
    kind = "pure" if name.any_platform else "abi3" if name.stable else "1"
    return f"{kind} wheel"


def _missing(
    release: Release, contract: Contract, rows: Iterable[Row], lines: Iterable[Line]
) -> Iterator[Finding]:
    for row, line in zip(rows, lines, strict=True):
        gaps = [cell.interpreter for cell in row.cells if cell.cover in {Cover.MISSING, Cover.SDIST}]
        if line.judged and gaps:
            users = (
                "users there would build from the sdist"
                if release.sdists
                else "users there cannot install it"
            )
            owed = "" if len(gaps) == len(row.cells) else f" for {shorten_list(gaps, 6)}"
            name = f"{release.distribution} {release.version}" if line.label == _ANY else line.label
            apart = bool(owed) and not any(
                wheel.name and wheel.name.stable for wheel in release.wheels if wheel.filename in row.files
            )
            fix = _how(line, contract, gaps if apart else ())
            yield finding("WK801", what=f"{name} has no wheel{owed}; {users}", fix=fix, where=line.label)


def _how(line: Line, contract: Contract, gaps: Sequence[str]) -> str:
    """Say what builds a line; ``gaps`` are the interpreters that lack a wheel of their own where others have one."""
    if line.label == _ANY:
        return f"build it:  {_PURE_COMMAND}"
    if contract.native is not None:
        lacking = [Interpreter.parse(gap).python for gap in gaps]
        have = (
            f", once Python {shorten_list(lacking)} is here (uv python install {' '.join(lacking)})"
            if lacking
            else ""
        )
        return f"build it here{have}:  {_NATIVE_COMMAND}"
    from wheelkit.runners import runner_for

    runner = runner_for(line.target, contract.runners)
    where = (
        runner.label if runner else f"a {line.target.arch} machine (no hosted runner has that architecture)"
    )
    return f"build it on {where}:  {_NATIVE_COMMAND}"


def _doubled(release: Release) -> Iterator[Finding]:
    """Report pairs of wheels that claim the same tag: only a build tag or chance decides which of them users get."""
    by_tag: dict[object, list[str]] = {}
    for wheel in release.wheels:
        for tag in wheel.tags:
            by_tag.setdefault(tag, []).append(wheel.filename)
    groups = dict.fromkeys(tuple(files) for files in by_tag.values() if len(files) > 1)
    for files in groups:
        yield finding("WK802", what=f"{' and '.join(files)} serve the same cells", file=files[0])


def _unpromised(release: Release, picked: Iterable[Iterable[str]]) -> Iterator[Finding]:
    used = {file for files in picked for file in files}
    for wheel in release.wheels:
        if wheel.filename not in used:
            yield finding("WK803", what="no cell of the support matrix takes this wheel", file=wheel.filename)


def absent(dist: Dist, contract: Contract) -> Iterator[Finding]:
    """Report distributions of the project of which the dist holds no file at all."""
    if not dist.whole:
        return
    there = {release.distribution for release in dist.releases}
    for name, promise in contract.promises.items():
        if name not in there and promise.matrix.declared and (promise.native or contract.native is None):
            yield finding("WK804", what=f"{name} has neither a wheel nor an sdist here", where=name)
