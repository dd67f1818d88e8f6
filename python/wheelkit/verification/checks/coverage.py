"""Coverage, as an installer sees it: which cells of the support matrix have no wheel, or two."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.matrix import Interpreter
from wheelkit.runners import runner_for
from wheelkit.text import shorten_list
from wheelkit.verification.checks.coverage_rows import (
    ANY,
    RowBuilder,
    RowSpec,
    any_spec,
    release_interpreters,
    wheel_needs,
)
from wheelkit.verification.findings import finding
from wheelkit.verification.model import Cover

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from wheelkit.analysis.floor import Needs
    from wheelkit.matrix import Matrix, Target
    from wheelkit.verification.contract import Contract, Promise
    from wheelkit.verification.model import Finding, Row
    from wheelkit.verification.release import Dist, Release


_NATIVE_COMMAND = "python -m wheelkit build --native"
_PURE_COMMAND = "python -m wheelkit build --pure"


class Coverage(Struct, frozen=True, kw_only=True):
    """The matrix rows of a release, what is wrong with them, and whether missing cells would be findings."""

    rows: tuple[Row, ...]
    findings: tuple[Finding, ...]
    judged: bool


def cover(
    release: Release,
    contract: Contract,
    *,
    whole: bool = True,
    linux: Mapping[Path, Mapping[str, Needs]] | None = None,
) -> Coverage:
    """Fill the matrix of one release; promised cells without a file are findings if the dist is ``whole``.

    ``linux`` is what the wheels need, by path; it is computed if it is not given.
    """
    promise = contract.promise(release.distribution)
    promised = _promised_specs(contract, promise, whole=whole)
    if linux is None:
        linux = {wheel.path: wheel_needs(wheel, contract) for wheel in release.wheels}
    interpreters = release_interpreters(release, promise)
    rows = RowBuilder(release=release, interpreters=interpreters, linux=linux).rows(promised)
    findings = [*_missing(release, contract, promised, rows), *_duplicates(release)]
    if promise is not None and promise.matrix.declared:
        findings += _unpromised(release, promised, rows)
    judged = any(spec.judged or spec.elsewhere for spec in promised)
    return Coverage(rows=tuple(rows), findings=tuple(findings), judged=judged)


def _promised_specs(contract: Contract, promise: Promise | None, *, whole: bool) -> Sequence[RowSpec]:
    """Return the rows that a project promises; none outside a project and without a support matrix."""
    if promise is None:
        return ()
    if not promise.native:
        judged = whole and contract.native is None
        return [any_spec(judged=judged, elsewhere=not judged)]
    if promise.matrix.declared:
        matrix = promise.matrix
        return [_promised_spec(matrix, target, contract, whole=whole) for target in matrix.targets]
    return ()


def _promised_spec(matrix: Matrix, target: Target, contract: Contract, *, whole: bool) -> RowSpec:
    elsewhere = contract.native is not None and target not in contract.native
    judged = not elsewhere and (whole or contract.native is not None)
    return RowSpec(
        name=target.tag,
        target=target,
        judged=judged,
        elsewhere=elsewhere,
        promised=frozenset(interpreter.tag for interpreter in matrix.interpreters_on(target)),
    )


def _missing(
    release: Release, contract: Contract, specs: Iterable[RowSpec], rows: Iterable[Row]
) -> Iterator[Finding]:
    effect = "users there would build from the sdist" if release.sdists else "users there cannot install it"
    for spec, row in zip(specs, rows, strict=False):  # further rows are not promised
        promised = [cell for cell in row.cells if spec.promises(cell.interpreter)]
        gaps = [cell.interpreter for cell in promised if cell.cover is not Cover.WHEEL]
        if not spec.judged or not gaps:
            continue
        name = f"{release.distribution} {release.version}" if spec.name == ANY else spec.name
        partly = len(gaps) < len(promised)
        cells = f" for {shorten_list(gaps, 6)}" if partly else ""
        names = [wheel.name for wheel in release.all_wheels if wheel.name and wheel.filename in row.files]
        stable = any(file_name.stable for file_name in names)
        fix = _build_command(spec, contract, gaps if partly and not stable else ())
        yield finding("WK801", f"{name} has no wheel{cells}; {effect}", fix=fix, where=spec.name)


def _build_command(spec: RowSpec, contract: Contract, gaps: Sequence[str]) -> str:
    """Return how to build a row; ``gaps`` are the interpreters without a wheel of their own."""
    if spec.name == ANY or spec.target is None:
        return f"build it:  {_PURE_COMMAND}"
    if contract.native is not None:
        versions = " ".join(Interpreter.parse(gap).request for gap in gaps)
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


def _unpromised(release: Release, specs: Iterable[RowSpec], rows: Iterable[Row]) -> Iterator[Finding]:
    pairs = zip(specs, rows, strict=False)  # further rows are not promised
    used = {cell.file for spec, row in pairs for cell in row.cells if spec.promises(cell.interpreter)}
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
