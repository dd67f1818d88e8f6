"""What is found out about machines of other systems, and the newest target that each supports."""

from __future__ import annotations

import pytest

from support.rows import rows
from wheelkit.machine import facts
from wheelkit.matrix import System

Patch = pytest.MonkeyPatch
# The system and processor by Python's names, the version of macOS, and the newest target.
MACHINES = [
    ("Windows", "AMD64", "", "win_amd64"),
    ("Windows", "x86", "", "win32"),
    ("Windows", "ARM64", "", "win_arm64"),
    ("Darwin", "arm64", "14.4.1", "macosx_14_0_arm64"),
    ("Darwin", "arm64", "11", "macosx_11_0_arm64"),
    ("Darwin", "x86_64", "10.15.7", "macosx_10_15_x86_64"),
    ("Darwin", "x86_64", "10", "macosx_10_0_x86_64"),
]


@rows(("system", "arch", "version", "target"), MACHINES)
def test_windows_and_macos(system: str, arch: str, version: str, target: str, monkeypatch: Patch) -> None:
    monkeypatch.setattr(facts.platform, "system", lambda: system)
    monkeypatch.setattr(facts.platform, "machine", lambda: arch)
    monkeypatch.setattr(facts.platform, "mac_ver", lambda: (version, ("", "", ""), arch))
    found = facts.detect(containers=False)
    assert found.system is (System.WINDOWS if system == "Windows" else System.MACOS)
    assert (found.libc, found.engine, found.aarch32) == ("", None, False)
    assert facts.own_target(found).tag == target


@rows(("answer", "libc", "target"), [
    ("glibc 2.36", ("manylinux", (2, 36)), "manylinux_2_36_x86_64"),
    ("glibc 2.36.9000", ("manylinux", (2, 36)), "manylinux_2_36_x86_64"),
    ("", ("musllinux", (1, 2)), "musllinux_1_2_x86_64"),
    (None, ("musllinux", (1, 2)), "musllinux_1_2_x86_64"),
    (ValueError("unknown"), ("musllinux", (1, 2)), "musllinux_1_2_x86_64"),
])  # fmt: skip
def test_the_c_library_of_linux(answer: object, libc: object, target: str, monkeypatch: Patch) -> None:
    def confstr(name: str) -> object:
        assert name == "CS_GNU_LIBC_VERSION"
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(facts.platform, "system", lambda: "Linux")
    monkeypatch.setattr(facts.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(facts.os, "confstr", confstr, raising=False)
    found = facts.detect(containers=False)
    assert (found.libc, found.libc_version) == libc
    assert facts.own_target(found).tag == target
