"""Runs all checks over a dist, and puts the matrix and the findings together."""

from __future__ import annotations

import time
from operator import attrgetter
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from wheelkit.errors import ProjectError, UsageError, WheelError
from wheelkit.fast_packaging import normalise
from wheelkit.verification.checks import (
    DIST_CHECKS,
    RELEASE_CHECKS,
    WHEEL_CHECKS,
    Arriving,
    Dist,
    metadata,
    names,
    sdist_checks,
)
from wheelkit.verification.checks.coverage import cover
from wheelkit.verification.cross_built import crossed
from wheelkit.verification.findings import finding
from wheelkit.verification.model import Finding, Report, Row, Severity
from wheelkit.wheel import Sdist, Wheel, read_batches

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from wheelkit.matrix import Target
    from wheelkit.verification.checks import Contract, DistCheck, Release, ReleaseCheck, WheelCheck


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
    whole = any(path.is_dir() for path in paths)
    if contract.unnamed is not None and whole:
        contract = contract.for_dist({_distribution(path.name) for path in files})
    wheels = [path for path in files if path.suffix == ".whl"]
    sdists, unreadable = _read_sdists([path for path in files if path.suffix != ".whl"])
    judgement = _Judgement(contract, _ALL, known=(*known, *unreadable), whole=whole)
    arriving = Arriving((path.name for path in wheels), sdists)
    for batch in read_batches(wheels, contents=not shallow, threads=threads):
        for place, outcome in batch:
            judgement.judge_file(wheels[place], outcome)
            arriving.add(
                place,
                wheels[place].name,
                None if isinstance(outcome, WheelError) else outcome.without_contents(),
            )
        # Not before, since threads that compute only hinder each other.
        for release in arriving.complete():
            judgement.judge_release(release)
    for release in arriving.rest():
        judgement.judge_release(release)
    report, foreign = judgement.report(wheels=len(wheels), sdists=len(files) - len(wheels)), crossed(files)
    rows = tuple(_marked(row, foreign) for row in report.rows) if foreign else report.rows
    return replace(report, rows=rows, seconds=time.perf_counter() - started)


def judge(dist: Dist, findings: Sequence[Finding], contract: Contract, *, named: bool = False) -> Report:
    """Judge facts that were gathered already, together with what was found while they were.

    With ``named`` only the files' names and what an index tells of them are known, and only what follows from those is judged.
    """
    started = time.perf_counter()
    judgement = _Judgement(contract, _BY_NAME if named else _ALL, known=findings, whole=dist.whole)
    for wheel in dist.wheels:
        judgement.judge_wheel(wheel)
    for release in dist.releases:
        judgement.judge_release(release)
    report = judgement.report(wheels=len(dist.wheels), sdists=len(dist.sdists))
    return replace(report, seconds=time.perf_counter() - started)


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
        raise UsageError(
            f"{path} does not exist", hint="give the dist folder, or wheels:  wheelkit verify-matrix dist/"
        )
    elif _shipped(path):
        yield path
    else:
        raise UsageError(
            f"{path} is neither a folder nor a wheel or sdist",
            hint="give the dist folder, or .whl and .tar.gz files",
        )


def _distribution(filename: str) -> str:
    """Read the distribution's name from that of a file."""
    if filename.endswith(".whl"):
        return normalise(filename.partition("-")[0])
    return normalise(filename.removesuffix(".tar.gz").rpartition("-")[0])


def _shipped(path: Path) -> bool:
    return path.name.endswith((".whl", ".tar.gz"))


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
            findings.append(finding("WK112", what=_without_name(error.message, path), file=path.name))
    return tuple(sdists), findings


def _without_name(message: str, path: Path) -> str:
    """Drop the file's name from the front of a message: a finding shows it anyway."""
    for prefix in (str(path), path.name):
        if message.startswith(prefix):
            return (
                "it " + message.removeprefix(prefix).lstrip(": ")
                if not message.startswith(f"{prefix}:")
                else message[len(prefix) + 2 :]
            )
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


class _Judgement:
    """What is found of files and releases, one after the other; so that any number of them can be judged, only their rows are kept.

    Of the project's own distributions all is kept that the checks of the whole dist ask for. ``known`` are findings from elsewhere.
    """

    def __init__(self, contract: Contract, checks: _Checks, *, known: Iterable[Finding], whole: bool) -> None:
        self._contract, self._checks, self._whole = contract, checks, whole
        self._known = tuple(known)
        self._named = {item.file for item in self._known}
        self._rows: list[Row] = []
        self._findings: list[Finding] = []
        self._wheels: list[Wheel] = []
        self._sdists: list[Sdist] = []
        self._owners: dict[str, str] = {}

    def judge_file(self, path: Path, outcome: Wheel | WheelError) -> None:
        """Judge what was read of a file, or that it could not be read."""
        if isinstance(outcome, WheelError):
            self._note(
                [
                    finding(
                        "WK101", what=_without_name(outcome.message, path), fix=outcome.hint, file=path.name
                    )
                ]
            )
        else:
            self.judge_wheel(outcome)

    def judge_wheel(self, wheel: Wheel) -> None:
        """Run the checks of single wheels."""
        self._note(
            (item for check in self._checks.wheels for item in check(wheel, self._contract)),
            wheel.distribution,
        )

    def judge_release(self, release: Release) -> None:
        """Run the checks of releases and of sdists; all of the release's wheels are known."""
        coverage = cover(release, self._contract, whole=self._whole)
        self._rows += coverage.rows
        self._note(coverage.findings, release.distribution)
        of_sdists, of_both = sdist_checks() if release.sdists and self._checks.sdists else ((), ())
        for sdist in release.sdists:
            for sdist_check in of_sdists:
                self._note(sdist_check(sdist, self._contract), sdist.distribution)
        for release_check in (*self._checks.releases, *of_both):
            self._note(release_check(release, self._contract), release.distribution)
        self._keep(release)

    def _keep(self, release: Release) -> None:
        own = self._contract.promise(release.distribution) is not None
        files = [*(one.filename for one in release.wheels), *(one.filename for one in release.sdists)]
        self._owners.update((file, release.distribution) for file in files if own or file in self._named)
        if own:
            self._wheels += release.wheels
            self._sdists += release.sdists

    def _note(self, findings: Iterable[Finding], owner: str = "") -> None:
        self._findings += (_accepted(item, item.distribution or owner, self._contract) for item in findings)

    def report(self, *, wheels: int, sdists: int) -> Report:
        """Judge what lies above the releases, and put everything together."""
        dist = Dist(wheels=tuple(self._wheels), sdists=tuple(self._sdists), whole=self._whole)
        above = (item for check in self._checks.dists for item in check(dist, self._contract))
        for item in (*self._known, *above):
            self._note([item], self._owners.get(item.file, item.where))
        self._findings.sort(key=_order)
        self._rows.sort(key=attrgetter("version"))
        self._rows.sort(key=attrgetter("distribution"))
        rows = tuple(_with_codes(self._rows, self._findings))
        return Report(rows=rows, findings=tuple(self._findings), wheels=wheels, sdists=sdists, seconds=0.0)


def _accepted(finding: Finding, owner: str, contract: Contract) -> Finding:
    """Mark a finding that the project turned off for the distribution it is about, with the reason."""
    promise = contract.promise(owner)
    reason = promise.ignore.get(finding.code, "") if promise else ""
    return replace(finding, accepted=reason, distribution=owner)


def _with_codes(rows: Iterable[Row], findings: Iterable[Finding]) -> Iterator[Row]:
    """Name in each row what was found in its files or of its cells; notes and accepted findings are no verdict."""
    places: dict[str | tuple[str, str], list[int]] = {}
    codes: list[str] = []
    for item in findings:
        if item.severity is not Severity.NOTE and not item.accepted:
            places.setdefault(item.file or (item.distribution, item.where), []).append(len(codes))
            codes.append(item.code)
    for row in rows:
        about = [places.get(file, ()) for file in row.files] + [
            places.get((row.distribution, row.target), ())
        ]
        own = tuple(dict.fromkeys(codes[place] for place in sorted(set().union(*about))))
        yield row if own == row.codes else replace(row, codes=own)


def _marked(row: Row, foreign: frozenset[str]) -> Row:
    """Name in a row the wheels that were cross-built."""
    cross = tuple(name for name in row.files if name in foreign)
    return replace(row, cross=cross) if cross else row


def _order(finding: Finding) -> tuple[int, str, str, str]:
    return _ORDER[finding.severity], finding.code, finding.file, finding.what
