"""Runs all checks over a dist, and puts the matrix and the findings together."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from wheelkit.checks import DIST_CHECKS, RELEASE_CHECKS, WHEEL_CHECKS, Dist, metadata, names, sdist_checks
from wheelkit.checks.catalogue import found
from wheelkit.checks.coverage import cover
from wheelkit.checks.crossed import crossed
from wheelkit.errors import ProjectError, UsageError, WheelError
from wheelkit.plain import normalise
from wheelkit.report.model import Finding, Report, Row, Severity
from wheelkit.wheel import Sdist, Wheel, read_each

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from wheelkit.checks import Contract, DistCheck, ReleaseCheck, WheelCheck
    from wheelkit.matrix import Target

_ORDER = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}


def verify(  # noqa: PLR0913 (two facts and four wishes, all named at the call)
    paths: Sequence[Path],
    contract: Contract,
    *,
    native: Sequence[Target] | None = None,
    shallow: bool = False,
    threads: int | None = None,
    known: Sequence[Finding] = (),
) -> Report:
    """Verify a dist folder, or single wheels and sdists, against a contract.

    With ``native`` only those targets' coverage is judged. ``shallow`` reads names, tags and METADATA, and leaves the bytes alone.
    ``known`` are findings from elsewhere about the same files.
    Raises UsageError where there is nothing to verify, MissingToolError where a table that a check needs is not installed.
    """
    started = time.perf_counter()
    if native is not None:
        contract = replace(contract, native=tuple(native))
    files = collect(paths)
    if contract.unnamed is not None and any(path.is_dir() for path in paths):
        contract = contract.for_dist({_distribution(path.name) for path in files})
    wheels, findings = _judged_wheels([path for path in files if path.suffix == ".whl"], contract, shallow=shallow, threads=threads)
    sdists, unreadable = _read_sdists([path for path in files if path.suffix != ".whl"])
    dist = Dist(wheels=wheels, sdists=sdists, whole=any(path.is_dir() for path in paths))
    report, foreign = _report(dist, (*known, *findings, *unreadable), contract, _ALL), crossed(files)
    return replace(
        report,
        rows=tuple(replace(row, cross=tuple(name for name in row.files if name in foreign)) for row in report.rows),
        wheels=sum(path.suffix == ".whl" for path in files),
        sdists=sum(path.suffix != ".whl" for path in files),
        seconds=time.perf_counter() - started,
    )


def judge(dist: Dist, findings: Sequence[Finding], contract: Contract, *, named: bool = False) -> Report:
    """Judge facts that were gathered already, together with what was found while they were.

    With ``named`` only the files' names and what an index tells of them are known, and only what follows from those is judged.
    """
    started = time.perf_counter()
    checks = _BY_NAME if named else _ALL
    own = (item for wheel in dist.wheels for item in _of_wheel(wheel, contract, checks))
    return replace(_report(dist, (*findings, *own), contract, checks), seconds=time.perf_counter() - started)


def _report(dist: Dist, findings: Iterable[Finding], contract: Contract, checks: _Checks) -> Report:
    """Judge what lies above the single wheels, and put everything together."""
    rows, judged = _judge(dist, contract, checks)
    owners = {item.filename: item.distribution for item in dist.wheels} | {item.filename: item.distribution for item in dist.sdists}
    accepted = tuple(sorted((_accepted(item, owners, contract) for item in (*findings, *judged)), key=_order))
    return Report(
        rows=tuple(_with_codes(row, accepted) for row in rows),
        findings=accepted,
        wheels=len(dist.wheels),
        sdists=len(dist.sdists),
        seconds=0.0,
    )


def collect(paths: Iterable[Path]) -> tuple[Path, ...]:
    """List the wheels and sdists that the paths mean, each once; raise UsageError with what is wrong."""
    files: dict[Path, None] = {}
    for path in paths:
        files.update(dict.fromkeys(_files_of(path)))
    return tuple(files)


def _files_of(path: Path) -> Iterator[Path]:
    if path.is_dir():
        found_here = sorted(item for item in path.iterdir() if _shipped(item) and item.is_file())
        if not found_here:
            raise UsageError(f"{path} holds no wheel and no sdist", hint="build them first:  wheelkit build")
        yield from found_here
    elif not path.exists():
        raise UsageError(f"{path} does not exist", hint="give the dist folder, or wheels:  wheelkit verify-matrix dist/")
    elif _shipped(path):
        yield path
    else:
        raise UsageError(f"{path} is neither a folder nor a wheel or sdist", hint="give the dist folder, or .whl and .tar.gz files")


def _distribution(filename: str) -> str:
    """Read the distribution's name from that of a file."""
    if filename.endswith(".whl"):
        return normalise(filename.partition("-")[0])
    return normalise(filename.removesuffix(".tar.gz").rpartition("-")[0])


def _shipped(path: Path) -> bool:
    return path.name.endswith((".whl", ".tar.gz"))


def _judged_wheels(
    files: Sequence[Path], contract: Contract, *, shallow: bool, threads: int | None
) -> tuple[tuple[Wheel, ...], list[Finding]]:
    """Read the wheels, and judge each while other threads read the next ones."""
    findings: list[Finding] = []
    wheels: dict[int, Wheel] = {}
    for place, outcome in read_each(files, contents=not shallow, threads=threads):
        if isinstance(outcome, WheelError):
            path = files[place]
            findings.append(found("WK101", what=_without_name(outcome.message, path), fix=outcome.hint, file=path.name))
        else:
            findings += _of_wheel(outcome, contract, _ALL)
            wheels[place] = outcome.without_contents()
    return tuple(wheels[place] for place in sorted(wheels)), findings


def _of_wheel(wheel: Wheel, contract: Contract, checks: _Checks) -> Iterator[Finding]:
    for check in checks.wheels:
        yield from check(wheel, contract)


def _read_sdists(files: Sequence[Path]) -> tuple[tuple[Sdist, ...], list[Finding]]:
    if not files:
        return (), []
    from wheelkit.wheel.sdist import read_sdist

    sdists: list[Sdist] = []
    findings: list[Finding] = []
    for path in files:
        try:
            sdists.append(read_sdist(path))
        except ProjectError as error:
            findings.append(found("WK112", what=_without_name(error.message, path), file=path.name))
    return tuple(sdists), findings


def _without_name(message: str, path: Path) -> str:
    """Drop the file's name from the front of a message: a finding shows it anyway."""
    for prefix in (str(path), path.name):
        if message.startswith(prefix):
            return "it " + message.removeprefix(prefix).lstrip(": ") if not message.startswith(f"{prefix}:") else message[len(prefix) + 2 :]
    return message


class _Checks(Struct, frozen=True, kw_only=True):
    """Which checks are run: of single wheels, of releases, of the whole dist; those of sdists are loaded when there is one."""

    wheels: tuple[WheelCheck, ...]
    releases: tuple[ReleaseCheck, ...]
    dists: tuple[DistCheck, ...]
    sdists: bool


_ALL = _Checks(wheels=WHEEL_CHECKS, releases=RELEASE_CHECKS, dists=DIST_CHECKS, sdists=True)
_BY_NAME = _Checks(
    wheels=(names.file_name, metadata.python_tags, metadata.local_version),
    releases=(metadata.sdist_missing, metadata.unserved_pythons),
    dists=(),
    sdists=False,
)


def _judge(dist: Dist, contract: Contract, checks: _Checks) -> tuple[list[Row], list[Finding]]:
    rows: list[Row] = []
    of_sdists, of_both = sdist_checks() if dist.sdists and checks.sdists else ((), ())
    findings = [item for sdist in dist.sdists for sdist_check in of_sdists for item in sdist_check(sdist, contract)]
    for release in dist.releases:
        coverage = cover(release, contract, whole=dist.whole)
        rows += coverage.rows
        findings += [replace(item, distribution=release.distribution) for item in coverage.findings]
        findings += [item for release_check in (*checks.releases, *of_both) for item in release_check(release, contract)]
    findings += [item for dist_check in checks.dists for item in dist_check(dist, contract)]
    return rows, findings


def _accepted(finding: Finding, owners: Mapping[str, str], contract: Contract) -> Finding:
    """Mark a finding that the project turned off for the distribution it is about, with the reason."""
    owner = finding.distribution or owners.get(finding.file, finding.where)
    promise = contract.promise(owner)
    reason = promise.ignore.get(finding.code, "") if promise else ""
    return replace(finding, accepted=reason, distribution=owner)


def _with_codes(row: Row, findings: Iterable[Finding]) -> Row:
    """Name in a row what was found in its files or of its cells; notes and accepted findings are no verdict."""
    own = (item.code for item in findings if item.severity is not Severity.NOTE and not item.accepted and _concerns(item, row))
    return replace(row, codes=tuple(dict.fromkeys(own)))


def _concerns(finding: Finding, row: Row) -> bool:
    if finding.file:
        return finding.file in row.files
    return finding.distribution == row.distribution and finding.where == row.target


def _order(finding: Finding) -> tuple[int, str, str, str]:
    return _ORDER[finding.severity], finding.code, finding.file, finding.what
