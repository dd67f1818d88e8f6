"""The result of a verification: findings and the support matrix. Every output format renders a Report."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Severity(StrEnum):
    """The harm that a finding does."""

    ERROR = "error"  # will not install, load or be accepted somewhere that the tag promises; fails the run
    WARNING = "warning"  # may not
    NOTE = "note"  # a choice worth knowing


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
        """Whether this finding alone makes the run exit with 1."""
        return self.severity is Severity.ERROR and not self.accepted


class Cover(StrEnum):
    """How a cell of the support matrix is covered."""

    WHEEL = "wheel"
    SDIST = "sdist"
    MISSING = "missing"
    ELSEWHERE = "elsewhere"  # promised, but not judged in this run (``--native``)


class CellCover(Struct, frozen=True, kw_only=True):
    """One cell: its interpreter, how it is covered, and the file that an installer picks, if there is one."""

    interpreter: str
    cover: Cover
    file: str | None = None


class Row(Struct, frozen=True, kw_only=True):
    """One row of the matrix: a distribution on a target.

    ``label`` says what covers the row (``abi3 wheel``, ``4 wheels``, ``missing``), ``needs`` what the wheels
    need (``glibc 2.17``, ``macOS 11.0``, ``python3.dll``), ``size`` is the bytes of all wheels, ``codes`` are
    the findings. ``cross`` are the files that a manifest says were cross-built, so verified but never run.
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

    @property
    def served(self) -> str:
        """The label, marked where wheels of the row were cross-built."""
        if not self.cross:
            return self.label
        count = "" if set(self.cross) >= set(self.files) else f"{len(self.cross)} "
        return f"{self.label}, {count}cross"


class Report(Struct, frozen=True, kw_only=True):
    """The outcome of one verification; ``seconds`` is how long it took."""

    rows: tuple[Row, ...]
    findings: tuple[Finding, ...]
    wheels: int
    sdists: int
    seconds: float

    @property
    def cross(self) -> int:
        """The number of cross-built wheels."""
        return len({name for row in self.rows for name in row.cross})

    @property
    def ok(self) -> bool:
        """Whether no finding fails the run."""
        return not any(finding.fails for finding in self.findings)
