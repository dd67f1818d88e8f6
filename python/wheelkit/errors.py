"""Every error that wheelkit raises, each class with its exit code.

The library raises; only the entry point prints and exits. A message says what happened and where; the hint
says what to do next, one line for each way.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class WheelkitError(Exception):
    """The base class of all errors that a user, a file, a tool or an index can cause.

    ``message`` is one or a few lines without a trailing newline, ``hint`` says what to do next, and
    ``detail`` holds lines to print between the two, for example a compiler's output or a list of problems.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "", detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.detail = detail


class CheckFailedError(WheelkitError):
    """A check, a test or a comparison failed."""


class WheelError(CheckFailedError):
    """A file cannot be read as a wheel."""


class UsageError(WheelkitError):
    """The command line names something that does not exist, or combines options that exclude each other."""

    exit_code = 2


class ConfigError(WheelkitError):
    """The configuration or the metadata is wrong; ``problems`` holds all mistakes, in file order."""

    exit_code = 2

    def __init__(self, source: Path | str, problems: Sequence[str], *, hint: str = "") -> None:
        self.source = source
        self.problems = tuple(problems)
        count = "1 mistake" if len(self.problems) == 1 else f"{len(self.problems)} mistakes"
        detail = "\n".join(self.problems)
        super().__init__(f"{count} in the configuration, {source}", hint=hint, detail=detail)


class ProjectError(WheelkitError):
    """A project folder or sdist cannot be built."""

    exit_code = 2


class OnlySettingsError(ProjectError):
    """A pyproject.toml has only the settings of tools and no project, like that of a workspace root."""


class MissingToolError(WheelkitError):
    """A program or service that the command needs is missing."""

    exit_code = 3


class ToolFailedError(WheelkitError):
    """An external program failed; ``log`` is the file with all its output."""

    exit_code = 4

    def __init__(self, message: str, *, hint: str = "", detail: str = "", log: Path | None = None) -> None:
        super().__init__(message, hint=hint, detail=detail)
        self.log = log


class IndexUnavailableError(WheelkitError):
    """An index does not answer, or its answer is not that of an index."""

    exit_code = 3


class IndexRefusedError(CheckFailedError):
    """An index rejected a file; trying again does not help."""


_NO_PERMISSION = "check the folder's owner and permissions, or choose another folder with --out"
_FILE_IN_THE_WAY = (
    "a file has the name of a folder to create; move it away, or choose another folder with --out"
)
_OUTPUT_HINTS = {
    errno.ENOSPC: "free some space on the disk, then run it again",
    getattr(errno, "EDQUOT", -1): "the disk quota is used up; free some space, then run it again",
    errno.EACCES: _NO_PERMISSION,
    errno.EPERM: _NO_PERMISSION,
    errno.EROFS: "the file system is read-only; choose another folder with --out",
    errno.ENOTDIR: _FILE_IN_THE_WAY,
    errno.EEXIST: _FILE_IN_THE_WAY,
}


class OutputError(WheelkitError):
    """A file or folder cannot be written, for example because no space is left."""

    exit_code = 4

    @classmethod
    def of(cls, error: OSError, path: Path | str) -> OutputError:
        """Build the error from the operating system's error about ``path``."""
        hint = _OUTPUT_HINTS.get(error.errno or 0, "choose another folder with --out")
        return cls(f"{error.filename or path} cannot be written: {error.strerror or error}", hint=hint)

    @classmethod
    def unexpected(cls, error: OSError) -> OutputError:
        """Build the error from an error of the operating system that no command foresees."""
        place = f"{error.filename}: " if error.filename else ""
        hint = _OUTPUT_HINTS.get(error.errno or 0, "check the disk, and the file's type and permissions")
        return cls(f"{place}{error.strerror or error}", hint=hint)


class InterruptedByUserError(WheelkitError):
    """The user pressed Ctrl-C, or the process got SIGTERM; no unfinished files are left behind."""

    exit_code = 130
