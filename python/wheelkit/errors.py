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


class ReportedError(BaseException):
    """The base class of everything that ends a command with a message and an exit code.

    ``message`` is one or a few lines without a trailing newline, ``hint`` says what to do next, and
    ``detail`` holds lines to print between the two, for example a compiler's output or a list of problems.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "", detail: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.detail = detail


class WheelkitError(ReportedError, Exception):
    """The base class of all errors that a user, a file, a tool or an index can cause."""


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


class NothingToBuildError(ProjectError):
    """Nothing of what is selected can be built on this machine."""


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
_DISK_FULL = "free some space on the disk, then run it again"
_QUOTA = "the disk quota is used up; free some space, then run it again"
_READ_ONLY = "the file system is read-only; choose another folder with --out"
_IN_USE = "another program has the file open; close it (such as a running Python), then run it again"
_LONG_PATH = (
    "the path is too long for Windows; choose a folder with a shorter path, or allow long paths in Windows"
)
_OUTPUT_HINTS = {
    errno.ENOSPC: _DISK_FULL,
    getattr(errno, "EDQUOT", -1): _QUOTA,
    errno.EACCES: _NO_PERMISSION,
    errno.EPERM: _NO_PERMISSION,
    errno.EROFS: _READ_ONLY,
    errno.ENOTDIR: _FILE_IN_THE_WAY,
    errno.EEXIST: _FILE_IN_THE_WAY,
}
# Windows has numbers of its own ("System Error Codes"), of which Python maps only some to the right errno.
_WINDOWS_HINTS = {
    5: _NO_PERMISSION,
    19: _READ_ONLY,
    32: _IN_USE,
    33: _IN_USE,
    39: _DISK_FULL,
    80: _FILE_IN_THE_WAY,
    112: _DISK_FULL,
    123: "Windows does not allow this name; choose another folder with --out",
    183: _FILE_IN_THE_WAY,
    206: _LONG_PATH,
    225: "a virus scanner blocks the file; allow it there, or choose another folder with --out",
    1224: _IN_USE,
    1295: _QUOTA,
    1314: "allow symbolic links: turn on Windows' developer mode",
}
# Longer paths need an opt-in; without it Windows says that the file or folder does not exist.
_NOT_FOUND, _LONGEST_PATH = (2, 3), 247
_FULL_DISK_TEXTS = (
    "No space left on device",
    "not enough space on the disk",
    "[WinError 112]",
    "[WinError 39]",
)


def _system_hint(error: OSError, path: Path | str | None, otherwise: str) -> str:
    """Return what to do about an error of the operating system."""
    number = getattr(error, "winerror", None)
    if number is None:
        return _OUTPUT_HINTS.get(error.errno or 0, otherwise)
    if number in _NOT_FOUND and len(str(error.filename or path or "")) > _LONGEST_PATH:
        return _LONG_PATH
    return _WINDOWS_HINTS.get(number) or _OUTPUT_HINTS.get(error.errno or 0, otherwise)


def says_disk_full(output: str) -> bool:
    """Return whether a program's output says that the disk is full, as POSIX systems or Windows say it."""
    return any(text in output for text in _FULL_DISK_TEXTS)


class OutputError(WheelkitError):
    """A file or folder cannot be written, for example because no space is left."""

    exit_code = 4

    @classmethod
    def of(cls, error: OSError, path: Path | str) -> OutputError:
        """Build the error from the operating system's error about ``path``."""
        hint = _system_hint(error, path, "choose another folder with --out")
        return cls(f"{error.filename or path} cannot be written: {error.strerror or error}", hint=hint)

    @classmethod
    def unexpected(cls, error: OSError) -> OutputError:
        """Build the error from an error of the operating system that no command foresees."""
        place = f"{error.filename}: " if error.filename else ""
        hint = _system_hint(error, None, "check the disk, and the file's type and permissions")
        return cls(f"{place}{error.strerror or error}", hint=hint)


class ReaderGoneError(OutputError):
    """The program that reads standard output has ended, as ``head`` does, and nothing was changed.

    It is no mistake, so nobody is told.
    """


class InterruptedByUserError(ReportedError):
    """SIGINT, SIGTERM or SIGHUP came, or a job of several was ended because of another one.

    Like KeyboardInterrupt it is no Exception, so that what handles errors does not swallow it.
    """

    exit_code = 130
