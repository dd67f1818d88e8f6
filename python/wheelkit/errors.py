"""Every error that wheelkit raises, each class with its exit code.

The library raises; only the entry point prints and exits. A message says what happened and where; the
hint says what to do next, one line per way out.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class WheelkitError(Exception):
    """The root of all errors that a user can cause or meet.

    ``message`` is one or a few lines without a trailing newline, ``hint`` the way out, ``detail`` further lines to show
    between the two (a compiler's own words, a list of problems).
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "", detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.detail = detail


class CheckFailedError(WheelkitError):
    """A check, a test or a comparison said no."""

    exit_code = 1


class WheelError(CheckFailedError):
    """A file that should be a wheel cannot be read as one."""


class UsageError(WheelkitError):
    """The command line asks for something that does not exist or does not fit together."""

    exit_code = 2


class ConfigError(WheelkitError):
    """The configuration or the project's metadata is wrong; ``problems`` holds every mistake found, in file order."""

    exit_code = 2

    def __init__(self, source: Path | str, problems: Sequence[str], *, hint: str = "") -> None:
        self.source = source
        self.problems = tuple(problems)
        count = "1 mistake" if len(self.problems) == 1 else f"{len(self.problems)} mistakes"
        detail = "\n".join(self.problems)
        super().__init__(f"{count} in the configuration, {source}", hint=hint, detail=detail)


class ProjectError(WheelkitError):
    """A project folder or sdist that cannot be built as it is."""

    exit_code = 2


class OnlySettingsError(ProjectError):
    """A pyproject.toml that holds settings of tools and describes no project, as that of a workspace."""


class MissingToolError(WheelkitError):
    """A program or a service that the task needs is not there."""

    exit_code = 3


class ToolFailedError(WheelkitError):
    """An external program ended with an error; ``log`` names the file that holds all it printed."""

    exit_code = 4

    def __init__(self, message: str, *, hint: str = "", detail: str = "", log: Path | None = None) -> None:
        super().__init__(message, hint=hint, detail=detail)
        self.log = log


class IndexUnavailableError(WheelkitError):
    """An index that does not answer, or not as an index does."""

    exit_code = 3


class IndexRefusedError(CheckFailedError):
    """An index that will not take a file; trying again changes nothing."""


_OUTPUT_HINTS = {
    errno.ENOSPC: "free some space on the disk, then run it again",
    getattr(errno, "EDQUOT", -1): "the disk quota is used up; free some space, then run it again",
    errno.EACCES: "check the folder's owner and permissions, or choose another with --out",
    errno.EPERM: "check the folder's owner and permissions, or choose another with --out",
    errno.EROFS: "the file system is read-only; choose another folder with --out",
    errno.ENOTDIR: "a file stands where a folder is needed; move it away, or choose another folder with --out",
    errno.EEXIST: "a file stands where a folder is needed; move it away, or choose another folder with --out",
}


class OutputError(WheelkitError):
    """A folder or file that wheelkit has to write cannot be written (read-only, no space left)."""

    exit_code = 4

    @classmethod
    def of(cls, error: OSError, path: Path | str) -> OutputError:
        """Translate what the operating system said about ``path``."""
        hint = _OUTPUT_HINTS.get(error.errno or 0, "choose another folder, or mend this one")
        return cls(f"{error.filename or path} cannot be written: {error.strerror or error}", hint=hint)


class InterruptedByUserError(WheelkitError):
    """Ctrl-C, or a polite request to stop; nothing half-finished was left behind."""

    exit_code = 130
