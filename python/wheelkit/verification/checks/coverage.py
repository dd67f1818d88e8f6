"""Coverage, as an installer sees it: which file serves each cell of the support matrix."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.analysis.claims import claims
from wheelkit.analysis.floor import needs
from wheelkit.analysis.python_api import declared_floor
from wheelkit.matrix import Candidate, Interpreter, System, Target, default_interpreters, pick
from wheelkit.runners import runner_for
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
# A pure wheel fits every target, so one of them stands for all.
_ANY_TARGET = "manylinux_2_28_x86_64"
_NATIVE_COMMAND = "python -m wheelkit build --native"
_PURE_COMMAND = "python -m wheelkit build --pure"
_BUILD_TAG = re.compile(r"(\d*)(.*)")
_SYSTEMS = tuple(System)
# The architectures that most users have come first.
_ARCHS = ("x86_64", "amd64", "aarch64", "arm64", "universal2")


class Coverage(Struct, frozen=True, kw_only=True):
    """The matrix rows of a release, and what is wrong with them."""

    rows: tuple[Row, ...]
    findings: tuple[Finding, ...]


class _RowSpec(Struct, frozen=True, kw_only=True):
    """A row to fill, and its target: ``judged``, or promised but judged ``elsewhere`` (``--native``)."""

    name: str
    target: Target
    judged: bool
    elsewhere: bool = False


def cover(release: Release, contract: Contract, *, whole: bool = True) -> Coverage:
    """Fill the matrix of one release; promised cells without a file are findings if the dist is ``whole``."""
    promise = contract.promise(release.distribution)
    specs = _row_specs(release, contract, promise, whole=whole)
    interpreters = _interpreters(release, promise)
    rows = [_spec_row(release, spec, interpreters) for spec in specs]
    findings = [*_missing(release, contract, specs, rows), *_duplicates(release)]
    if promise is None:
        rows += _other_rows(release, interpreters)
    elif promise.matrix.declared:
        findings += _unpromised(release, rows)
    return Coverage(rows=tuple(rows), findings=tuple(findings))


def _row_specs(
    release: Release, contract: Contract, promise: Promise | None, *, whole: bool
) -> Sequence[_RowSpec]:
    if promise is not None and not promise.native:
        judged = whole and contract.native is None
        return [_RowSpec(name=_ANY, target=Target.parse(_ANY_TARGET), judged=judged, elsewhere=not judged)]
    if promise is not None and promise.matrix.declared:
        return [_promised_spec(target, contract, whole=whole) for target in promise.matrix.targets]
    return _claimed_specs(release)


def _promised_spec(target: Target, contract: Contract, *, whole: bool) -> _RowSpec:
    elsewhere = contract.native is not None and target not in contract.native
    judged = not elsewhere and (whole or contract.native is not None)
    return _RowSpec(name=target.tag, target=target, judged=judged, elsewhere=elsewhere)


def _claimed_specs(release: Release) -> list[_RowSpec]:
    """Return the rows of a release without promises: the oldest systems that its wheels claim."""
    specs: dict[str, _RowSpec] = {}
    for wheel in release.wheels:
        if wheel.name is not None and wheel.name.any_platform:
            specs[_ANY] = _RowSpec(name=_ANY, target=Target.parse(_ANY_TARGET), judged=False)
        else:
            for target in _oldest_targets(wheel):
                specs[target.tag] = _RowSpec(name=target.tag, target=target, judged=False)
    return sorted(specs.values(), key=_row_order)


def _row_order(spec: _RowSpec) -> tuple[object, ...]:
    target = spec.target
    arch = _ARCHS.index(target.arch) if target.arch in _ARCHS else len(_ARCHS)
    return _SYSTEMS.index(target.system), target.libc, arch, target.arch, target.version


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


def _interpreters(release: Release, promise: Promise | None) -> tuple[Interpreter, ...]:
    """Return the columns of a release: the promised interpreters, or those that exist and are supported."""
    if promise is not None and promise.matrix.declared:
        return promise.matrix.interpreters
    required = next((wheel.metadata.get("Requires-Python") for wheel in release.wheels), "")
    try:
        released = default_interpreters(required)
    except ValueError:
        released = default_interpreters(None)
    names = [wheel.name for wheel in release.wheels if wheel.name]
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
        interpreter = Interpreter.parse(tag)
    except ValueError:
        return None
    return interpreter if interpreter.free_threaded or interpreter.implementation != "cp" else None


def _candidate(wheel: Wheel) -> Candidate:
    match = _BUILD_TAG.fullmatch(wheel.name.build) if wheel.name and wheel.name.build else None
    build = (int(match[1] or 0), match[2]) if match else ()
    required = wheel.metadata.get("Requires-Python") or None
    return Candidate(filename=wheel.filename, tags=wheel.tags, build=build, requires_python=required)


def _spec_row(release: Release, spec: _RowSpec, interpreters: Sequence[Interpreter]) -> Row:
    candidates = [_candidate(wheel) for wheel in release.wheels]
    picked = [pick(candidates, spec.target, interpreter) for interpreter in interpreters]
    files = [candidate.filename if candidate else None for candidate in picked]
    wheels = [wheel for wheel in release.wheels if wheel.filename in files]
    if not wheels and not spec.judged and not spec.elsewhere:
        # Wheels for interpreters without a column, such as Python 3.6 and GraalPy.
        wheels = [wheel for wheel in release.wheels if spec.target in _oldest_targets(wheel)]
    uncovered = Cover.ELSEWHERE if spec.elsewhere else Cover.SDIST if release.sdists else Cover.MISSING
    return Row(
        distribution=release.distribution,
        version=release.version,
        target=spec.name,
        label=_label(wheels) or ("elsewhere" if spec.elsewhere else "missing"),
        cells=_cells(interpreters, files, uncovered),
        files=tuple(dict.fromkeys(filter(None, files))) or tuple(wheel.filename for wheel in wheels),
        needs="" if spec.name == _ANY else needs(wheels, spec.target),
        size=sum(wheel.size for wheel in wheels),
        codes=("WK801",) if spec.judged and not all(files) else (),
    )


def _other_rows(release: Release, interpreters: Sequence[Interpreter]) -> Iterator[Row]:
    """Yield a row for each platform tag that is no target: linux_x86_64, Android's, an unknown tag."""
    by_platform: dict[str, list[Wheel]] = {}
    for wheel in release.wheels:
        platform_wheel = wheel.name is not None and not wheel.name.any_platform
        if wheel.name and platform_wheel and not any(claim.target for claim in claims(wheel)):
            by_platform.setdefault(wheel.name.platforms[0], []).append(wheel)
    for platform, wheels in by_platform.items():
        files = [_served(wheels, platform, interpreter) for interpreter in interpreters]
        yield Row(
            distribution=release.distribution,
            version=release.version,
            target=platform,
            label=_label(wheels),
            cells=_cells(interpreters, files, Cover.MISSING),
            files=tuple(wheel.filename for wheel in wheels),
            needs="",
            size=sum(wheel.size for wheel in wheels),
        )


def _served(wheels: Sequence[Wheel], platform: str, interpreter: Interpreter) -> str | None:
    accepted = frozenset(interpreter.tags([platform]))
    return next((wheel.filename for wheel in wheels if not accepted.isdisjoint(wheel.tags)), None)


def _cells(
    interpreters: Sequence[Interpreter], files: Sequence[str | None], uncovered: Cover
) -> tuple[CellCover, ...]:
    return tuple(
        CellCover(interpreter=interpreter.tag, cover=Cover.WHEEL if file else uncovered, file=file)
        for interpreter, file in zip(interpreters, files, strict=True)
    )


def _label(wheels: Sequence[Wheel]) -> str:
    if len(wheels) != 1 or wheels[0].name is None:
        return plural(len(wheels), "wheel") if wheels else ""
    name = wheels[0].name
    kind = "pure" if name.any_platform else "abi3" if name.stable else "1"
    return f"{kind} wheel"


def _missing(
    release: Release, contract: Contract, specs: Iterable[_RowSpec], rows: Iterable[Row]
) -> Iterator[Finding]:
    effect = "users there would build from the sdist" if release.sdists else "users there cannot install it"
    for spec, row in zip(specs, rows, strict=True):
        gaps = [cell.interpreter for cell in row.cells if cell.cover is not Cover.WHEEL]
        if not spec.judged or not gaps:
            continue
        name = f"{release.distribution} {release.version}" if spec.name == _ANY else spec.name
        partly = len(gaps) < len(row.cells)
        cells = f" for {shorten_list(gaps, 6)}" if partly else ""
        stable = any(one.name and one.name.stable for one in release.wheels if one.filename in row.files)
        fix = _build_command(spec, contract, gaps if partly and not stable else ())
        yield finding("WK801", f"{name} has no wheel{cells}; {effect}", fix=fix, where=spec.name)


def _build_command(spec: _RowSpec, contract: Contract, gaps: Sequence[str]) -> str:
    """Return how to build a row; ``gaps`` are the interpreters without a wheel of their own."""
    if spec.name == _ANY:
        return f"build it:  {_PURE_COMMAND}"
    if contract.native is not None:
        versions = " ".join(Interpreter.parse(gap).python for gap in gaps)
        first = f"install the interpreters:  uv python install {versions}; then " if gaps else ""
        return f"{first}build it here:  {_NATIVE_COMMAND}"
    runner = runner_for(spec.target, contract.runners)
    machine = f"a {spec.target.arch} machine (no hosted runner has that architecture)"
    return f"build it on {runner.label if runner else machine}:  {_NATIVE_COMMAND}"


def _duplicates(release: Release) -> Iterator[Finding]:
    """Report wheels with a tag in common: a build tag or chance decides which of them users get."""
    by_tag: dict[object, list[str]] = {}
    for wheel in release.wheels:
        for tag in wheel.tags:
            by_tag.setdefault(tag, []).append(wheel.filename)
    for files in dict.fromkeys(tuple(files) for files in by_tag.values() if len(files) > 1):
        yield finding("WK802", f"{' and '.join(files)} serve the same cells", file=files[0])


def _unpromised(release: Release, rows: Iterable[Row]) -> Iterator[Finding]:
    used = {cell.file for row in rows for cell in row.cells}
    for wheel in release.wheels:
        if wheel.filename not in used:
            yield finding("WK803", "no cell of the support matrix uses this wheel", file=wheel.filename)


def absent(dist: Dist, contract: Contract) -> Iterator[Finding]:
    """Report the project's distributions without any file in the dist."""
    if not dist.whole:
        return
    present = {release.distribution for release in dist.releases}
    for name, promise in contract.promises.items():
        if name not in present and promise.matrix.declared and (promise.native or contract.native is None):
            yield finding("WK804", f"the dist has no wheel and no sdist of {name}", where=name)
