"""Run all checks over a dist, and combine the findings with the support matrix."""

from __future__ import annotations

import time
from itertools import chain
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from wheelkit.errors import ProjectError, WheelError
from wheelkit.fast_packaging import release as release_numbers
from wheelkit.verification.checks import ALL_CHECKS, NAME_CHECKS
from wheelkit.verification.checks.coverage import cover
from wheelkit.verification.checks.coverage_rows import wheel_needs
from wheelkit.verification.cross_built import mark_cross_built
from wheelkit.verification.files import collect_files, distribution_of, find_passed_over
from wheelkit.verification.findings import finding
from wheelkit.verification.model import Finding, Report, Row, Severity
from wheelkit.verification.release import Dist, ReleaseCollector, release_key
from wheelkit.wheel import Headers, Sdist, Wheel, read_batches
from wheelkit.wheel.names import parse_file_name, parse_version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from wheelkit.analysis.floor import Needs
    from wheelkit.matrix import Target
    from wheelkit.verification.checks import CheckSet
    from wheelkit.verification.comparison.facts import ReleaseFacts, WheelFacts
    from wheelkit.verification.comparison.model import Comparison
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
    fail_on: Severity = Severity.ERROR,
    observe: Callable[[Wheel], None] | None = None,
) -> Report:
    """Verify a dist folder, or single wheels and sdists, against a contract.

    ``native`` limits the judgment of coverage to these targets. ``shallow`` reads only names, tags and
    METADATA. ``known`` are findings from elsewhere about the same files. ``fail_on`` is the least severity
    that fails. ``observe`` is called with each wheel as it is read. Raises UsageError if there is nothing to
    verify, MissingToolError if a table that a check needs is not installed.
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
    passed_over = [_pass_over(path) for path in find_passed_over(paths)]
    known = (*known, *unreadable, *passed_over)
    verifier = _Verifier(contract, ALL_CHECKS, known, whole=whole, fail_on=fail_on)
    verifier.compare(path.name for path in wheels)
    collector = ReleaseCollector((path.name for path in wheels), sdists)
    for batch in read_batches(wheels, contents=not shallow, threads=threads):
        for index, outcome in batch:
            if observe is not None and isinstance(outcome, Wheel):
                observe(outcome)
            collector.add(index, verifier.check_file(wheels[index], outcome))
        # Only after the batch: the threads that read it would compete for the processor.
        for release in collector.complete():
            verifier.check_release(release)
    for release in collector.rest():
        verifier.check_release(release)
    report = verifier.report(wheels=len(wheels), sdists=len(files) - len(wheels))
    rows = mark_cross_built(report.rows, files)
    return replace(report, rows=rows, seconds=time.perf_counter() - started)


def verify_facts(
    dist: Dist,
    known: Sequence[Finding],
    contract: Contract,
    *,
    by_name: bool = False,
    fail_on: Severity = Severity.ERROR,
) -> Report:
    """Verify facts that are already gathered; ``known`` are findings from gathering them.

    With ``by_name`` only file names and what an index lists are known, and only checks that need no more run.
    """
    started = time.perf_counter()
    checks = NAME_CHECKS if by_name else ALL_CHECKS
    verifier = _Verifier(contract, checks, known, whole=dist.whole, fail_on=fail_on)
    verifier.compare(wheel.filename for wheel in dist.wheels)
    for wheel in dist.wheels:
        verifier.check_wheel(wheel)
    for release in dist.releases:
        verifier.check_release(release)
    count = len(dist.wheels) + len(dist.unreadable)
    report = verifier.report(wheels=count, sdists=len(dist.sdists))
    return replace(report, seconds=time.perf_counter() - started)


def _read_sdist(path: Path) -> Sdist | Finding:
    from wheelkit.wheel.sdist import read_sdist

    try:
        return read_sdist(path)
    except ProjectError as error:
        return finding("WK112", _without_name(error.message, path), file=path.name)


def _pass_over(path: Path) -> Finding:
    return finding("WK153", "it is neither a wheel nor a .tar.gz sdist", file=path.name)


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
        self,
        contract: Contract,
        checks: CheckSet,
        known: Sequence[Finding],
        *,
        whole: bool,
        fail_on: Severity,
    ) -> None:
        self._contract, self._checks, self._whole, self._known = contract, checks, whole, known
        self._fail_on = fail_on
        self._known_files = {item.file for item in known}
        self._rows: list[Row] = []
        self._findings: list[Finding] = []
        self._wheels: list[Wheel] = []
        self._sdists: list[Sdist] = []
        self._unreadable: list[Wheel] = []
        self._judged: set[str] = set()
        self._unjudged: set[str] = set()
        # What each wheel needs of Linux: it follows from symbols that are dropped when it has been checked.
        self._linux: dict[Path, Mapping[str, Needs]] = {}
        # The distribution of each file that a check of the whole dist or a known finding can be about.
        self._owners: dict[str, str] = {}
        self._overlaps: OverlapCollector | None = None
        # What is compared of each wheel with an earlier release: it follows from what is dropped as well.
        self._facts: dict[Path, WheelFacts | None] = {}
        self._comparisons: list[Comparison] = []
        self._components: dict[str, int] = {}

    def compare(self, filenames: Iterable[str]) -> None:
        """Compare what the wheels install, if these files are of several distributions."""
        if len(set(map(distribution_of, filenames))) > 1:
            from wheelkit.verification.overlaps import OverlapCollector

            self._overlaps = OverlapCollector()

    def check_file(self, path: Path, outcome: Wheel | WheelError) -> Wheel:
        """Check a wheel, or report that it could not be read; return what the checks of releases need."""
        if isinstance(outcome, WheelError):
            what = _without_name(outcome.message, path)
            wheel = unreadable_wheel(path)
            self._add([finding("WK101", what, fix=outcome.hint, file=path.name)], wheel.distribution)
            return wheel
        self.check_wheel(outcome)
        return outcome.without_contents()

    def check_wheel(self, wheel: Wheel) -> None:
        """Run the checks of single wheels, and remember what it installs if there are others."""
        if self._overlaps is not None:
            self._overlaps.add(wheel)
        contract = self._contract
        found = chain.from_iterable(check(wheel, contract) for check in self._checks.wheel)
        self._add(found, wheel.distribution, wheel.filename)
        self._linux[wheel.path] = wheel_needs(wheel, self._contract)
        if wheel.sboms:
            from wheelkit.analysis.sboms import count_components

            self._components[wheel.filename] = count_components(wheel)
        if release_key(wheel.distribution, wheel.version) in contract.earlier.releases:
            from wheelkit.verification.comparison.gather import wheel_facts

            self._facts[wheel.path] = wheel_facts(wheel)

    def check_release(self, release: Release) -> None:
        """Run the checks of releases, of their sdists and of coverage."""
        linux = {wheel.path: self._linux.pop(wheel.path) for wheel in release.wheels}
        coverage = cover(release, self._contract, whole=self._whole, linux=linux)
        self._rows += coverage.rows
        (self._judged if coverage.judged else self._unjudged).add(release.distribution)
        self._add(coverage.findings, release.distribution)
        for sdist in release.sdists:
            for sdist_check in self._checks.sdist:
                self._add(sdist_check(sdist, self._contract), sdist.distribution, sdist.filename)
        for release_check in self._checks.release:
            self._add(release_check(release, self._contract), release.distribution)
        if (earlier := self._contract.earlier.releases.get(release.key)) is not None:
            self._compare_with(earlier, release, coverage.rows)
        self._keep(release)

    def _compare_with(self, earlier: ReleaseFacts, release: Release, rows: Sequence[Row]) -> None:
        """Compare a release with an earlier one, and report what users lose."""
        from wheelkit.verification.checks.losses import losses
        from wheelkit.verification.comparison.compare import compare
        from wheelkit.verification.comparison.facts import release_facts
        from wheelkit.verification.comparison.gather import wheel_facts

        found = [self._facts.pop(wheel.path, None) or wheel_facts(wheel) for wheel in release.all_wheels]
        later = release_facts(
            release.distribution,
            release.version,
            filter(None, found),
            sdists=(sdist.requires_python or "" for sdist in release.sdists),
        )
        comparison = compare(earlier, later, self._judges)
        self._comparisons.append(comparison)
        self._add(losses(comparison, rows), release.distribution)

    def _judges(self, platform: str) -> bool:
        """Return whether a wheel that is absent for a platform is missing, and not just elsewhere."""
        from wheelkit.verification.comparison.serve import platforms_of

        native = self._contract.native
        if native is None:
            return self._whole
        return any(name == platform for target in native for name, _, _ in platforms_of(target.tag))

    def _keep(self, release: Release) -> None:
        promised = self._contract.promise(release.distribution) is not None
        if promised:
            self._wheels += release.wheels
            self._sdists += release.sdists
            self._unreadable += release.unreadable
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
        dist = Dist(
            wheels=tuple(self._wheels),
            sdists=tuple(self._sdists),
            whole=self._whole,
            unreadable=tuple(self._unreadable),
        )
        of_dist = (item for check in self._checks.dist for item in check(dist, self._contract))
        overlaps = self._overlaps.findings() if self._overlaps is not None else ()
        for item in (*self._known, *of_dist, *overlaps):
            self._add([item], self._owners.get(item.file, item.where))
        findings = sorted(self._findings, key=_finding_order)
        return Report(
            rows=tuple(_with_codes(in_version_order(self._rows), findings, self._fail_on)),
            findings=tuple(findings),
            wheels=wheels,
            sdists=sdists,
            seconds=0.0,
            fail_on=self._fail_on,
            judged=tuple(sorted(self._judged)),
            unjudged=tuple(sorted(self._unjudged)),
            whole=self._whole,
            comparisons=tuple(sorted(self._comparisons, key=lambda one: (one.distribution, one.version))),
            uncompared=self._contract.earlier.gaps,
            components=tuple(sorted(self._components.items())),
        )


def unreadable_wheel(path: Path) -> Wheel:
    """Return a wheel that could not be read, as its file name describes it."""
    try:
        name, fields = parse_file_name(path.name), {}
    except ValueError:
        name, fields = None, {"name": (distribution_of(path.name),), "version": ("",)}
    return Wheel(
        path=path,
        size=_size(path),
        name=name,
        metadata=Headers(fields=fields),
        shallow=True,
        readable=False,
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # a link that leads nowhere
        return 0


def in_version_order(rows: Iterable[Row]) -> list[Row]:
    """Return the rows by distribution and version, those of a release in their own order."""
    rows = list(rows)
    versions = {row.version for row in rows}
    if all(map(release_numbers, versions)):
        keys: dict[str, Any] = {version: release_numbers(version) for version in versions}
    else:  # pre-releases, epochs, and what is no version
        parsed = {version: parse_version(version) for version in versions}
        keys = {version: (number is not None, number) for version, number in parsed.items()}
    return sorted(rows, key=lambda row: (row.distribution, keys[row.version], row.version))


def _finding_order(item: Finding) -> tuple[int, str, str, str]:
    return _SEVERITIES.index(item.severity), item.code, item.file, item.what


def _with_codes(rows: Iterable[Row], findings: Iterable[Finding], fail_on: Severity) -> Iterator[Row]:
    """Add to each row the codes of its files and cells, without accepted ones and notes that fail nothing."""
    by_place: dict[str | tuple[str, str], list[tuple[int, str]]] = {}
    for index, item in enumerate(findings):
        if item.fails_on(Severity.WARNING) or item.fails_on(fail_on):
            place = item.file or (item.distribution, item.where)
            by_place.setdefault(place, []).append((index, item.code))
    for row in rows:
        places: list[str | tuple[str, str]] = [*row.files, (row.distribution, row.target)]
        codes = sorted({code for place in places for code in by_place.get(place, ())})
        yield replace(row, codes=tuple(dict.fromkeys(code for _, code in codes)))
