"""The findings of all checks and the support matrix as they stand: the one object that every output is rendered from."""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Severity(StrEnum):
    """How bad a finding is: an error fails the run, a warning deserves a look, a note only informs."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


class Finding(Struct, frozen=True, kw_only=True):
    """One fact that a check reports.

    ``file`` is the wheel's or sdist's file name (empty for a missing cell), ``member`` the path inside it; ``what`` one
    sentence with the fact, ``fix`` what to do about it, ready to be typed where that is possible; ``where`` names
    the target or distribution that the table row carries, ``distribution`` whose release it is about. ``accepted`` holds the configured
    reason for turning it off.
    """

    code: str
    severity: Severity
    what: str
    fix: str
    file: str = ""
    member: str = ""
    where: str = ""
    distribution: str = ""
    accepted: str = ""

    @property
    def fails(self) -> bool:
        """Whether this finding alone makes the run exit with 1."""
        return self.severity is Severity.ERROR and not self.accepted


class Cover(StrEnum):
    """How one cell of the support matrix is served."""

    WHEEL = "wheel"
    SDIST = "sdist"
    MISSING = "missing"
    ELSEWHERE = "elsewhere"  # promised, but not judged in this run (``--native``)


class CellCover(Struct, frozen=True, kw_only=True, gc=False):
    """One cell: its interpreter, how it is served, and by which file."""

    interpreter: str
    cover: Cover
    file: str = ""


class Row(Struct, frozen=True, kw_only=True, gc=False):
    """One line of the matrix: a distribution on a target, with what its wheels need, weigh and the verdict.

    ``label`` says what serves the row (``abi3 wheel``, ``4 wheels``, ``missing``), ``needs`` the computed floor
    (``glibc 2.17``, ``macOS 11.0``, ``python3.dll``), ``size`` bytes of all wheels of the row, ``codes`` the codes found; ``cross``
    are those of its files that a manifest says were cross-built: proven from their bytes, and never run.
    """

    distribution: str
    version: str
    target: str
    label: str
    cells: tuple[CellCover, ...]
    files: tuple[str, ...]
    needs: str
    size: int
    codes: tuple[str, ...]
    cross: tuple[str, ...] = ()

    @property
    def served(self) -> str:
        """The label, with a mark where wheels of the row were cross-built."""
        if not self.cross:
            return self.label
        return (
            f"{self.label}, cross"
            if set(self.cross) >= set(self.files)
            else f"{self.label}, {len(self.cross)} cross"
        )


class Report(Struct, frozen=True, kw_only=True):
    """The outcome of one verification: the matrix, the findings, and what was looked at in how many seconds."""

    rows: tuple[Row, ...]
    findings: tuple[Finding, ...]
    wheels: int
    sdists: int
    seconds: float

    @property
    def cross(self) -> int:
        """How many wheels were cross-built."""
        return len({name for row in self.rows for name in row.cross})

    @property
    def ok(self) -> bool:
        """Whether nothing that was found fails the run."""
        return not any(finding.fails for finding in self.findings)
