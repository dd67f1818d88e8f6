"""The result of a verification: findings and the support matrix. Every output format renders a Report."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from wheelkit.verification.comparison.model import Comparison


class Severity(StrEnum):
    """The harm that a finding does."""

    ERROR = "error"  # will not install, load or be accepted somewhere that the tag promises; fails the run
    WARNING = "warning"  # may not
    NOTE = "note"  # a choice worth knowing

    @property
    def rank(self) -> int:
        """The place in the order of harm, 0 for the worst."""
        return list(Severity).index(self)


class Finding(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One fact that a check reports; the JSON report has the fields in this order, without empty ones.

    ``what`` is one sentence with the fact; ``fix`` says what to do about it, as a command where possible.
    ``distribution`` is the one whose release this is about. ``file`` is the name of the wheel or sdist (empty
    for a missing cell), ``member`` the path inside it, ``where`` the target or distribution of the matrix
    row. ``accepted`` is the configured reason for ignoring the finding.
    """

    code: str
    severity: Severity
    what: str
    fix: str
    distribution: str = ""
    file: str = ""
    member: str = ""
    where: str = ""
    accepted: str = ""

    @property
    def fails(self) -> bool:
        """Whether this finding alone makes the run exit with 1, unless other severities do as well."""
        return self.fails_on(Severity.ERROR)

    def fails_on(self, severity: Severity) -> bool:
        """Whether this finding is at least of a severity, and not accepted."""
        return self.severity.rank <= severity.rank and not self.accepted


class Cover(StrEnum):
    """How a cell of the support matrix is covered."""

    WHEEL = "wheel"
    SDIST = "sdist"
    MISSING = "missing"
    ELSEWHERE = "elsewhere"  # promised, but not judged in this run (``--native``)
    UNPROMISED = "not promised"  # skipped, or not built by cibuildwheel


class CellCover(Struct, frozen=True, kw_only=True):
    """One cell: its interpreter, how it is covered, and the file that an installer picks, if there is one."""

    interpreter: str
    cover: Cover
    file: str | None = None


class Row(Struct, frozen=True, kw_only=True):
    """One row of the matrix: a distribution on a target.

    ``label`` says what covers the row (``abi3 wheel``, ``4 wheels``, ``missing``), ``needs`` what the wheels
    need and why (``manylinux_2_17: glibc 2.17``, ``macOS 11.0``), ``floor`` only what, ``size`` is the bytes
    of all wheels, ``codes`` are the findings. ``cross`` are the files that a manifest says were cross-built,
    so verified but never run. A missing cell is a finding where the row is ``judged``. With ``names_only``,
    contents of its wheels were not read, and those of ``unreadable`` files could not be.
    """

    distribution: str
    version: str
    target: str
    label: str
    needs: str
    size: int
    files: tuple[str, ...]
    codes: tuple[str, ...] = ()
    cross: tuple[str, ...] = ()
    cells: tuple[CellCover, ...]
    floor: str = ""
    judged: bool = False
    names_only: bool = False
    unreadable: tuple[str, ...] = ()

    @property
    def served(self) -> str:
        """The label, marked where wheels of the row were cross-built or could not be read."""
        return self.label + self._share(self.cross, "cross") + self._share(self.unreadable, "unreadable")

    def _share(self, files: tuple[str, ...], word: str) -> str:
        count = "" if set(files) >= set(self.files) else f"{len(files)} "
        return f", {count}{word}" if files else ""

    @property
    def verdict(self) -> str:
        """What is known of the row's wheels where they have no findings; empty without wheels."""
        if not self.files:
            return ""
        return "unreadable" if self.unreadable else "names only" if self.names_only else "fine"


class Report(Struct, frozen=True, kw_only=True):
    """The outcome of one verification; ``seconds`` is how long it took.

    ``fail_on`` is the least severity that fails the run. ``judged`` and ``unjudged`` are the distributions
    whose coverage was judged, or only shown; ``whole`` is false where only single files were given.
    ``comparisons`` are those with earlier releases, ``uncompared`` says which releases have none and why.
    ``components`` are the wheels with an SBOM, and how many components it names.
    """

    rows: tuple[Row, ...]
    findings: tuple[Finding, ...]
    wheels: int
    sdists: int
    seconds: float
    fail_on: Severity = Severity.ERROR
    judged: tuple[str, ...] = ()
    unjudged: tuple[str, ...] = ()
    whole: bool = True
    comparisons: tuple[Comparison, ...] = ()
    uncompared: tuple[str, ...] = ()
    components: tuple[tuple[str, int], ...] = ()

    @property
    def cross(self) -> int:
        """The number of cross-built wheels."""
        return len({name for row in self.rows for name in row.cross})

    @property
    def names_only(self) -> bool:
        """Whether the contents of wheels were not read."""
        return any(row.names_only for row in self.rows)

    @property
    def coverage(self) -> str:
        """How much of the coverage was judged."""
        return "judged" if not self.unjudged else "partly judged" if self.judged else "not judged"

    def fails(self, finding: Finding) -> bool:
        """Whether a finding makes the run exit with 1."""
        return finding.fails_on(self.fail_on)

    @property
    def ok(self) -> bool:
        """Whether no finding fails the run."""
        return not any(map(self.fails, self.findings))
