"""Run all checks over a dist, and combine the findings with the support matrix."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from msgspec.structs import replace

from wheelkit.errors import ProjectError, WheelError
from wheelkit.verification.checks import ALL_CHECKS, NAME_CHECKS
from wheelkit.verification.checks.coverage import cover
from wheelkit.verification.cross_built import mark_cross_built
from wheelkit.verification.files import collect_files, distribution_of
from wheelkit.verification.findings import finding
from wheelkit.verification.model import Finding, Report, Row, Severity
from wheelkit.verification.release import Dist, ReleaseCollector
from wheelkit.wheel import Sdist, Wheel, read_batches

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from wheelkit.matrix import Target
    from wheelkit.verification.checks import CheckSet
    from wheelkit.verification.contract import Contract
    from wheelkit.verification.overlaps import OverlapCollector
    from wheelkit.verification.release import Release


_SEVERITIES = tuple(Severity)


def verify(  # noqa: PLR0913 (public: two positional arguments, the others by name)
    paths: Sequence[Path],
    contract: Contract,
    *,
    native: Sequence[Target] | None = None,
    shallow: bool = False,
    threads: int | None = None,
    known: Sequence[Finding] = (),
) -> Report:
    """Verify a dist folder, or single wheels and sdists, against a contract.

    ``native`` limits the judgment of coverage to these targets. ``shallow`` reads only names, tags and
    METADATA. ``known`` are findings from elsewhere about the same files. Raises UsageError if there is
    nothing to verify, MissingToolError if a table that a check needs is not installed.
    """
    started = time.perf_counter()
    if native is not None:
        contract = replace(contract, native=tuple(native))
    files = collect_files(paths)
    whole = any(path.is_dir() for path in paths)
    contract = replace(contract, beside=files)
    if whole:
        contract = contract.for_dist({distribution_of(path.name) for path in files})
    wheels = [path for path in files if path.suffix == ".whl"]
    outcomes = [_read_sdist(path) for path in files if path.suffix != ".whl"]
    sdists = [outcome for outcome in outcomes if isinstance(outcome, Sdist)]
    unreadable = [outcome for outcome in outcomes if isinstance(outcome, Finding)]
    verifier = _Verifier(contract, ALL_CHECKS, (*known, *unreadable), whole=whole)
    verifier.compare(path.name for path in wheels)
    collector = ReleaseCollector((path.name for path in wheels), sdists)
    for batch in read_batches(wheels, contents=not shallow, threads=threads):
        for index, outcome in batch:
            verifier.check_file(wheels[index], outcome)
            wheel = None if isinstance(outcome, WheelError) else outcome.without_contents()
            collector.add(index, wheels[index].name, wheel)
        # Only after the batch: the threads that read it would compete for the processor.
        for release in collector.complete():
            verifier.check_release(release)
    for release in collector.rest():
        verifier.check_release(release)
    report = verifier.report(wheels=len(wheels), sdists=len(files) - len(wheels))
    rows = mark_cross_built(report.rows, files)
    return replace(report, rows=rows, seconds=time.perf_counter() - started)


def verify_facts(
    dist: Dist, known: Sequence[Finding], contract: Contract, *, by_name: bool = False
) -> Report:
    """Verify facts that are already gathered; ``known`` are findings from gathering them.

    With ``by_name`` only file names and what an index lists are known, and only checks that need no more run.
    """
    started = time.perf_counter()
    verifier = _Verifier(contract, NAME_CHECKS if by_name else ALL_CHECKS, known, whole=dist.whole)
    verifier.compare(wheel.filename for wheel in dist.wheels)
    for wheel in dist.wheels:
        verifier.check_wheel(wheel)
    for release in dist.releases:
        verifier.check_release(release)
    report = verifier.report(wheels=len(dist.wheels), sdists=len(dist.sdists))
    return replace(report, seconds=time.perf_counter() - started)


def _read_sdist(path: Path) -> Sdist | Finding:
    from wheelkit.wheel.sdist import read_sdist

    try:
        return read_sdist(path)
    except ProjectError as error:
        return finding("WK112", _without_name(error.message, path), file=path.name)


def _without_name(message: str, path: Path) -> str:
    """Drop the file's name from the beginning of a message: a report shows it anyway."""
    for name in (str(path), path.name):
        message = message.removeprefix(f"{name}: ")
        if message.startswith(f"{name} "):
            return f"it{message.removeprefix(name)}"
    return message


class _Verifier:
    """Runs checks on one file and one release after the other, and keeps their findings and matrix rows.

    Only the project's own wheels are kept, for the checks of the whole dist, to bound the memory.
    """

    def __init__(
        self, contract: Contract, checks: CheckSet, known: Sequence[Finding], *, whole: bool
    ) -> None:
        self._contract, self._checks, self._whole, self._known = contract, checks, whole, known
        self._known_files = {item.file for item in known}
        self._rows: list[Row] = []
        self._findings: list[Finding] = []
        self._wheels: list[Wheel] = []
        self._sdists: list[Sdist] = []
        # The distribution of each file that a check of the whole dist or a known finding can be about.
        self._owners: dict[str, str] = {}
        self._overlaps: OverlapCollector | None = None

    def compare(self, filenames: Iterable[str]) -> None:
        """Compare what the wheels install, if these files are of several distributions."""
        if len(set(map(distribution_of, filenames))) > 1:
            from wheelkit.verification.overlaps import OverlapCollector

            self._overlaps = OverlapCollector()

    def check_file(self, path: Path, outcome: Wheel | WheelError) -> None:
        """Check a wheel, or report that it could not be read."""
        if isinstance(outcome, WheelError):
            what = _without_name(outcome.message, path)
            self._add([finding("WK101", what, fix=outcome.hint, file=path.name)])
        else:
            self.check_wheel(outcome)

    def check_wheel(self, wheel: Wheel) -> None:
        """Run the checks of single wheels, and remember what it installs if there are others."""
        if self._overlaps is not None:
            self._overlaps.add(wheel)
        for check in self._checks.wheel:
            self._add(check(wheel, self._contract), wheel.distribution, wheel.filename)

    def check_release(self, release: Release) -> None:
        """Run the checks of releases, of their sdists and of coverage."""
        coverage = cover(release, self._contract, whole=self._whole)
        self._rows += coverage.rows
        self._add(coverage.findings, release.distribution)
        for sdist in release.sdists:
            for sdist_check in self._checks.sdist:
                self._add(sdist_check(sdist, self._contract), sdist.distribution, sdist.filename)
        for release_check in self._checks.release:
            self._add(release_check(release, self._contract), release.distribution)
        self._keep(release)

    def _keep(self, release: Release) -> None:
        promised = self._contract.promise(release.distribution) is not None
        if promised:
            self._wheels += release.wheels
            self._sdists += release.sdists
        files: tuple[Wheel | Sdist, ...] = (*release.wheels, *release.sdists)
        for file in files:
            if promised or file.filename in self._known_files:
                self._owners[file.filename] = release.distribution

    def _add(self, findings: Iterable[Finding], distribution: str = "", file: str = "") -> None:
        """Add findings of a distribution, with the file and the reason to accept them filled in."""
        for item in findings:
            owner = item.distribution or distribution
            promise = self._contract.promise(owner)
            accepted = promise.ignore.get(item.code, "") if promise else ""
            file_name = item.file or file
            self._findings.append(replace(item, file=file_name, distribution=owner, accepted=accepted))

    def report(self, *, wheels: int, sdists: int) -> Report:
        """Run the checks of the whole dist and return the report."""
        dist = Dist(wheels=tuple(self._wheels), sdists=tuple(self._sdists), whole=self._whole)
        of_dist = (item for check in self._checks.dist for item in check(dist, self._contract))
        overlaps = self._overlaps.findings() if self._overlaps is not None else ()
        for item in (*self._known, *of_dist, *overlaps):
            self._add([item], self._owners.get(item.file, item.where))
        findings = sorted(self._findings, key=_finding_order)
        sorted_rows = sorted(self._rows, key=lambda row: (row.distribution, row.version))
        rows = tuple(_with_codes(sorted_rows, findings))
        return Report(rows=rows, findings=tuple(findings), wheels=wheels, sdists=sdists, seconds=0.0)


def _finding_order(item: Finding) -> tuple[int, str, str, str]:
    return _SEVERITIES.index(item.severity), item.code, item.file, item.what


def _with_codes(rows: Iterable[Row], findings: Iterable[Finding]) -> Iterator[Row]:
    """Add to each row the codes of its files and cells, without those of notes and accepted findings."""
    by_place: dict[str | tuple[str, str], list[tuple[int, str]]] = {}
    for index, item in enumerate(findings):
        if item.severity is not Severity.NOTE and not item.accepted:
            place = item.file or (item.distribution, item.where)
            by_place.setdefault(place, []).append((index, item.code))
    for row in rows:
        places: list[str | tuple[str, str]] = [*row.files, (row.distribution, row.target)]
        codes = sorted({code for place in places for code in by_place.get(place, ())})
        yield replace(row, codes=tuple(dict.fromkeys(code for _, code in codes)))
