"""Errors of the operating system become one message with what to do, on Windows by its own numbers."""

from __future__ import annotations

import errno
import os

import pytest

from wheelkit.errors import OutputError, says_disk_full


def windows_error(number: int, code: int, path: str = "dist") -> OSError:
    """Return the error that Python raises on Windows, with the errno to which it maps the number."""
    error = OSError(code, f"what Windows says about {number}", path)
    error.winerror = number  # type: ignore[attr-defined]  # only there on Windows
    return error


@pytest.mark.parametrize(
    ("number", "code", "hint"),
    [
        (5, errno.EACCES, "check the folder's owner and permissions"),
        (32, errno.EACCES, "another program has the file open"),
        (33, errno.EACCES, "another program has the file open"),
        (1224, errno.EINVAL, "another program has the file open"),
        (112, errno.ENOSPC, "free some space on the disk"),
        (39, errno.EINVAL, "free some space on the disk"),
        (206, errno.ENOENT, "the path is too long for Windows"),
        (19, errno.EACCES, "the file system is read-only"),
        (123, errno.EINVAL, "Windows does not allow this name"),
        (183, errno.EEXIST, "a file has the name of a folder to create"),
        (1295, errno.EINVAL, "the disk quota is used up"),
        (9999, errno.ENOSPC, "free some space on the disk"),
        (9999, errno.EINVAL, "choose another folder with --out"),
    ],
)
def test_windows_numbers_say_what_to_do(number: int, code: int, hint: str) -> None:
    error = OutputError.of(windows_error(number, code), "out")
    assert error.message == f"dist cannot be written: what Windows says about {number}"
    assert error.hint.startswith(hint)
    assert error.exit_code == 4


@pytest.mark.parametrize("number", [2, 3])
def test_a_path_that_windows_cannot_find_because_it_is_long(number: int) -> None:
    too_long = OutputError.unexpected(windows_error(number, errno.ENOENT, "C:\\" + "a" * 245))
    assert too_long.hint.startswith("the path is too long for Windows")
    in_bounds = OutputError.unexpected(windows_error(number, errno.ENOENT, "C:\\" + "a" * 244))
    assert in_bounds.hint == "check the disk, and the file's type and permissions"
    elsewhere = OutputError.unexpected(OSError(errno.ENOENT, os.strerror(errno.ENOENT), "a" * 300))
    assert elsewhere.hint == "check the disk, and the file's type and permissions"


@pytest.mark.parametrize(
    ("output", "full"),
    [
        ("ld: final link failed: No space left on device\n", True),
        ("There is not enough space on the disk.\n", True),
        ("OSError: [WinError 112] Es steht nicht genug Speicherplatz zur Verf\u00fcgung", True),
        ("PermissionError: [WinError 32] in use", False),
        ("error: no space between the words", False),
    ],
)
def test_a_full_disk_is_known_by_a_programs_output(output: str, full: bool) -> None:  # noqa: FBT001 - parametrized
    assert says_disk_full(output) == full
