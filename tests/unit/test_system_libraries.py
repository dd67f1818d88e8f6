"""The libraries that macOS, Windows and the interpreters bring."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import wheels
from support.rows import rows
from wheelkit.analysis.libraries import (
    _WINDOWS_DLLS,
    graalpy_dll,
    of_macos,
    of_windows,
    pypy_dll,
    python_needed,
)

# Not in the lists of delvewheel: the runtime of C, which comes with CPython, and a file with another suffix.
OTHERS = {"vcruntime140.dll", "vcruntime140_1.dll", "bthprops.cpl"}
# What extension modules on the index need the most.
COMMON = (
    "advapi32", "bcrypt", "bcryptprimitives", "comctl32", "comdlg32", "crypt32", "d3d11", "d3d12",
    "dbghelp", "dnsapi", "dwmapi", "dxgi", "gdi32", "gdiplus", "hid", "imm32", "iphlpapi", "kernel32",
    "mf", "mfplat", "mfreadwrite", "mpr", "mswsock", "msvcrt", "ncrypt", "netapi32", "ntdll", "ole32",
    "oleaut32", "opengl32", "pdh", "powrprof", "propsys", "psapi", "rpcrt4", "secur32", "setupapi",
    "shell32", "shlwapi", "ucrtbase", "user32", "userenv", "uxtheme", "version", "winhttp", "wininet",
    "winmm", "wintrust", "ws2_32", "wsock32", "wtsapi32",
)  # fmt: skip


def test_no_dll_is_said_to_be_of_windows_that_delvewheel_would_graft() -> None:
    lists = pytest.importorskip("delvewheel._dll_list")
    names = set().union(*lists.ignore_names.values())
    assert set(_WINDOWS_DLLS) - names == OTHERS


def test_what_modules_need_of_windows_is_known() -> None:
    assert [name for name in COMMON if not of_windows(f"{name}.dll")] == []


@rows(("name", "of_system"), [
    ("KERNEL32.dll", True),
    ("kernel32", False),
    ("VCRUNTIME140.dll", True),
    ("VCRUNTIME140_1.dll", True),
    ("bthprops.cpl", True),
    ("MSVCP140.dll", False),
    ("api-ms-win-crt-runtime-l1-1-0.dll", True),
    ("API-MS-WIN-CORE-FILE-L1-2-0.DLL", True),
    ("ext-ms-win-ntuser-window-l1-1-0.dll", True),
    ("api-ms-win-crt-runtime-l1-1-0", False),
    ("my-api-ms-win-crt.dll", False),
    ("libgomp-1.dll", False),
])  # fmt: skip
def test_dlls_of_windows(name: str, of_system: bool) -> None:  # noqa: FBT001
    assert of_windows(name) is of_system


@rows(("name", "of_system"), [
    ("/usr/lib/libSystem.B.dylib", True),
    ("/System/Library/Frameworks/Accelerate.framework/Versions/A/Accelerate", True),
    ("/usr/local/lib/libq.dylib", False),
    ("@rpath/usr/lib/libq.dylib", False),
    ("/Library/Frameworks/Python.framework/Versions/3.11/Python", False),
])  # fmt: skip
def test_libraries_of_macos(name: str, of_system: bool) -> None:  # noqa: FBT001
    assert of_macos(name) is of_system


@rows(("name", "tag"), [
    ("libpypy3.11-c.dll", "pp311"), ("LIBPYPY3.10-C.DLL", "pp310"), ("libpypy2.7-c.dll", None),
    ("libpypy3.11-c.dll.x", None), ("python3.dll", None),
])  # fmt: skip
def test_the_dlls_of_pypy(name: str, tag: str | None) -> None:
    assert pypy_dll(name) == tag


def test_the_dll_of_graalpy() -> None:
    assert graalpy_dll("Python-Native.dll")
    assert not graalpy_dll("python3.dll")


@rows(("needed", "found"), [
    (("python3.dll", "KERNEL32.dll"), {"python3.dll"}),
    (("Python311.dll",), {"python311.dll"}),
    (("libpypy3.11-c.dll",), {"libpypy3.11-c.dll"}),
    (("python-native.dll",), {"python-native.dll"}),
    (("q.dll",), set()),
])  # fmt: skip
def test_the_dlls_of_interpreters_that_a_wheel_loads(
    needed: tuple[str, ...], found: set[str], tmp_path: Path
) -> None:
    module = wheels.pe("demo/_core.cp311-win_amd64.pyd", needed=wheels.needs(*needed))
    assert python_needed(wheels.facts(tmp_path, wheels.WINDOWS, module)) == found
