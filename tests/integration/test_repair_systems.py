"""Repair of real wheels for five targets, with one library to graft and one to exclude."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import platform
import shutil
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from support.native import Library, Toolchain, function, module
from wheelkit import wheel as wheels
from wheelkit.errors import CheckFailedError, ToolFailedError
from wheelkit.machine.process import LoggedRun
from wheelkit.repair.commands import RepairRecipe
from wheelkit.repair.run import Repaired, repair
from wheelkit.wheel.library_names import base_name, plain_name

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="shows that Linux repairs for all"),
    pytest.mark.skipif(importlib.util.find_spec("ziglang") is None, reason="needs the extra cross"),
]
TARGETS = (
    "manylinux_2_28_x86_64",
    "manylinux_2_28_aarch64",
    "macosx_10_13_x86_64",
    "macosx_11_0_arm64",
    "win_amd64",
)
# The pattern names no version; on Linux the library does. Libraries of Windows have no prefix, and no case.
EXCLUDES = ("libfulcrum.so", "libfulcrum.dylib", "FULCRUM.dll")
DECLARED = "int lever(int value);\nint fulcrum(int value);\n"


class LinkedWheel:
    """A raw wheel for one target, with the libraries that it needs: lever, which needs beam, and fulcrum."""

    def __init__(self, tag: str, folder: Path) -> None:
        self.tools = Toolchain(tag, folder)
        self.folder = folder
        self.beam = self.tools.library("beam", function("beam", "value + 1"))
        # fulcrum is in another folder, like a provider's library. lever needs it too: exclusion is recursive.
        self.fulcrum = self.tools.library(
            "fulcrum", function("fulcrum", "value * 2"), version="2", folder="provider"
        )
        self.lever = self.tools.library(
            "lever",
            function(
                "lever", "beam(value) + fulcrum(value)", "int beam(int value);\nint fulcrum(int value);"
            ),
            version="1",
            needs=(self.beam, self.fulcrum),
        )
        core = self.tools.extension(
            module(DECLARED, "lever((int)value) + fulcrum((int)value)"),
            (self.lever, self.fulcrum),
            rpath=str(folder),
        )
        self.raw = self.tools.wheel(folder / "raw", core, requires=("fulcrum>=2",))

    def repair(
        self,
        out: Path,
        *,
        wheel: Path | None = None,
        patterns: tuple[str, ...] = EXCLUDES,
        paths: tuple[Path, ...] | None = None,
    ) -> Repaired:
        given = (self.lever.path.parent, self.fulcrum.path.parent) if paths is None else paths
        recipe = RepairRecipe(target=self.tools.target, patterns=patterns, lib_paths=given)
        return repair(wheel or self.raw, recipe, out, LoggedRun(log=self.folder / "repair.log"))


@pytest.fixture(scope="module", params=TARGETS)
def linked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LinkedWheel:
    return LinkedWheel(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def linux(tmp_path_factory: pytest.TempPathFactory) -> LinkedWheel:
    return LinkedWheel("manylinux_2_28_x86_64", tmp_path_factory.mktemp("linux"))


def held(path: Path) -> set[str]:
    return {plain_name(binary.member) for binary in wheels.read(path).binaries if not binary.extension}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_the_same_list_has_the_same_outcome(linked: LinkedWheel, tmp_path: Path) -> None:
    done = linked.repair(tmp_path)
    assert held(done.path) == {linked.lever.name, linked.beam.name}
    assert sorted(map(plain_name, done.grafted)) == sorted([linked.lever.name, linked.beam.name])
    assert done.excluded == (linked.fulcrum.name,)
    # Two of the three patterns are for other systems.
    assert len(done.unmatched) == 2
    after = wheels.read(done.path)
    assert linked.fulcrum.name in {base_name(name) for name in after.needed}
    assert not [
        rpath.path for _, part in after.slices() for rpath in part.rpaths if rpath.path.startswith("/")
    ]
    assert after.name is not None
    assert linked.tools.target.tag in after.name.platforms


def test_without_the_list_all_of_it_is_grafted(linked: LinkedWheel, tmp_path: Path) -> None:
    done = linked.repair(tmp_path, patterns=())
    assert held(done.path) == {linked.lever.name, linked.beam.name, linked.fulcrum.name}
    assert done.excluded == ()


def test_a_repaired_wheel_repairs_to_itself(linked: LinkedWheel, tmp_path: Path) -> None:
    first = linked.repair(tmp_path / "first")
    second = linked.repair(tmp_path / "second", wheel=first.path, paths=())
    assert second.unchanged
    assert (second.path.name, sha256(second.path)) == (first.path.name, sha256(first.path))
    assert (second.grafted, second.excluded) == ((), first.excluded)


def test_the_source_date_decides_the_bytes(
    linked: LinkedWheel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1600000000")
    first, second = (linked.repair(tmp_path / name) for name in ("first", "second"))
    assert sha256(first.path) == sha256(second.path)
    with zipfile.ZipFile(first.path) as archive:
        assert {entry.date_time[:3] for entry in archive.infolist()} == {(2020, 9, 13)}


def test_verification_agrees(linked: LinkedWheel, tmp_path: Path) -> None:
    linked.repair(tmp_path / "dist")
    (tmp_path / "wheelkit.toml").write_text(
        f'[exclude]\nfulcrum = ["{"fulcrum.dll" if os.name == "nt" else EXCLUDES[0]}", '
        f'"{EXCLUDES[1]}", "{EXCLUDES[2]}"]\n'
    )
    command = [sys.executable, "-m", "wheelkit", "verify-matrix", "dist"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    shutil.rmtree(tmp_path / "dist")
    linked.repair(tmp_path / "dist", patterns=())
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "WK503" in done.stdout
    assert "fulcrum" in done.stdout


def test_the_command_shows_before_and_after(linked: LinkedWheel, tmp_path: Path) -> None:
    excludes = [word for pattern in EXCLUDES for word in ("--exclude", pattern)]
    paths = [
        word
        for path in (linked.lever.path.parent, linked.fulcrum.path.parent)
        for word in ("--lib-path", str(path))
    ]
    command = [
        sys.executable,
        "-m",
        "wheelkit",
        "repair",
        "--target",
        linked.tools.target.tag,
        *excludes,
        *paths,
        "--out",
        "out",
        str(linked.raw),
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert f"excluded: {linked.fulcrum.name}" in done.stderr
    (path,) = (tmp_path / "out").glob("*.whl")
    shown = [
        subprocess.run(
            [sys.executable, "-m", "wheelkit", "inspect", str(one)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for one in (linked.raw, path)
    ]
    before, after = shown
    assert linked.lever.name in before
    assert linked.beam.name not in before
    assert plain_name(linked.beam.name).split(".")[0] in after


def test_a_library_on_no_path_is_named_with_who_needs_it_and_where_was_looked(
    linked: LinkedWheel, tmp_path: Path
) -> None:
    (tmp_path / "partly").mkdir()
    lever: Library = linked.lever
    shutil.copy(lever.path, tmp_path / "partly")
    with pytest.raises((ToolFailedError, CheckFailedError)) as caught:
        linked.repair(tmp_path / "out", paths=(tmp_path / "partly",))
    message = f"{caught.value.message}\n{caught.value.detail}".lower()
    assert linked.beam.name.lower() in message
    assert f"needed by {lever.name}".lower() in message
    assert str(tmp_path / "partly").lower() in message
    assert "--lib-path" in caught.value.hint
    assert not (tmp_path / "out").exists()


OTHER = {
    "manylinux_2_28_x86_64": "manylinux_2_28_aarch64",
    "manylinux_2_28_aarch64": "manylinux_2_28_x86_64",
    "macosx_10_13_x86_64": "macosx_11_0_arm64",
    "macosx_11_0_arm64": "macosx_11_0_x86_64",
}


def stranger(linked: LinkedWheel, folder: Path) -> Path:
    """Make beam for another processor of the same system."""
    tag = linked.tools.target.tag
    if tag in OTHER:
        return Toolchain(OTHER[tag], folder).library("beam", function("beam", "value")).path
    # zig's C library for Windows on ARM takes a minute and a half the first time: its mark alone will do.
    data = bytearray(linked.beam.path.read_bytes())
    (header,) = struct.unpack_from("<I", data, 0x3C)
    struct.pack_into("<H", data, header + 4, 0xAA64)
    (folder / "lib").mkdir()
    path = folder / "lib" / linked.beam.name
    path.write_bytes(data)
    return path


def test_a_library_for_another_processor_is_named(linked: LinkedWheel, tmp_path: Path) -> None:
    path = stranger(linked, tmp_path)
    shutil.copy(linked.lever.path, path.parent)
    with pytest.raises((ToolFailedError, CheckFailedError)) as caught:
        linked.repair(tmp_path / "out", paths=(path.parent,))
    message = f"{caught.value.message}\n{caught.value.detail}"
    assert f"{path} is for" in message


@pytest.mark.skipif(platform.machine() != "x86_64", reason="the wheel is for x86_64")
def test_the_wheel_computes_where_its_provider_is_found(linux: LinkedWheel, tmp_path: Path) -> None:
    done = linux.repair(tmp_path / "out")
    with zipfile.ZipFile(done.path) as archive:
        archive.extractall(tmp_path / "site")
    command = [sys.executable, "-c", "from demo._core import compute; print(compute(20))"]
    away = {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
    alone = subprocess.run(
        command, cwd=tmp_path / "site", env=away, capture_output=True, text=True, check=False
    )
    assert "libfulcrum.so.2" in alone.stderr
    beside = subprocess.run(
        command,
        cwd=tmp_path / "site",
        env={**away, "LD_LIBRARY_PATH": str(linux.fulcrum.path.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert beside.stdout.strip() == str(20 + 1 + 40 + 40)


def test_a_wheel_for_two_systems_is_refused(linux: LinkedWheel, tmp_path: Path) -> None:
    mac = Toolchain("macosx_11_0_arm64", tmp_path / "mac")
    (tmp_path / "mac").mkdir(exist_ok=True)
    with zipfile.ZipFile(linux.raw) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    both = tmp_path / linux.raw.name
    members["demo/other.so"] = mac.library("beam", function("beam", "value")).path.read_bytes()
    with zipfile.ZipFile(both, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    with pytest.raises(CheckFailedError, match="binaries of 2 systems") as caught:
        linux.repair(tmp_path / "out", wheel=both)
    assert "macos: demo/other.so" in caught.value.detail


@pytest.fixture(scope="module", params=[tag for tag in TARGETS if tag.startswith("macosx")])
def mac(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> LinkedWheel:
    return LinkedWheel(request.param, tmp_path_factory.mktemp(request.param))


def page_hashes(data: bytes) -> tuple[list[bytes], list[bytes]]:
    """Return the stated and actual SHA-256 of each page of a signed thin 64-bit Mach-O file (TN3126)."""
    (count,) = struct.unpack_from("<I", data, 16)
    at, signature = 32, -1
    for _ in range(count):
        command, size = struct.unpack_from("<II", data, at)
        if command == 0x1D:  # LC_CODE_SIGNATURE
            (signature,) = struct.unpack_from("<I", data, at + 8)
        at += size
    assert signature > 0
    magic, _, blobs = struct.unpack_from(">III", data, signature)
    assert magic == 0xFADE0CC0
    places = [struct.unpack_from(">II", data, signature + 12 + 8 * index) for index in range(blobs)]
    directory = signature + next(place for slot, place in places if slot == 0)
    (magic, _, _, flags, hashes, _, _, slots, limit, width, kind, _, page) = struct.unpack_from(
        ">IIIIIIIIIBBBB", data, directory
    )
    assert (magic, width, kind) == (0xFADE0C02, 32, 2)
    assert flags & 2  # ad hoc
    assert limit == signature
    stated = [data[directory + hashes + 32 * slot :][:32] for slot in range(slots)]
    real = [
        hashlib.sha256(data[start : min(start + (1 << page), limit)]).digest()
        for start in range(0, limit, 1 << page)
    ]
    return stated, real


def test_what_was_edited_for_macos_is_signed_again(mac: LinkedWheel, tmp_path: Path) -> None:
    done = mac.repair(tmp_path)
    assert done.unsigned == ()  # the linker had signed ad hoc, if at all
    with zipfile.ZipFile(done.path) as archive:
        binaries = {
            name: archive.read(name) for name in archive.namelist() if name.endswith((".so", ".dylib"))
        }
    assert len(binaries) == 3
    for name, data in binaries.items():
        stated, real = page_hashes(data)
        assert stated == real, name
        assert page_hashes(data[:5000] + bytes([data[5000] ^ 1]) + data[5001:])[1] != stated


def test_a_library_that_is_too_new_for_the_target_is_refused(mac: LinkedWheel, tmp_path: Path) -> None:
    arch = mac.tools.target.arch
    newer = Toolchain(f"macosx_13_0_{arch}", tmp_path)
    for name in ("beam", "lever"):
        newer.library(name, function(name, "value"))
    with pytest.raises(CheckFailedError) as caught:
        mac.repair(tmp_path / "out", paths=(newer.folder / "lib",))
    assert mac.tools.target.tag in caught.value.message
    assert "demo/.dylibs/liblever.dylib needs macOS 13.0" in caught.value.detail


def test_a_signature_that_repair_invalidates_is_reported(
    mac: LinkedWheel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # No certificate is at hand: every signature that was there counts as somebody's.
    monkeypatch.setattr("wheelkit.repair.verify.has_identity_signature", lambda _: True)
    done = mac.repair(tmp_path)
    signed = [
        binary.member
        for binary in wheels.read(mac.raw).binaries
        if any(part.signed for part in binary.slices)
    ]
    assert list(done.unsigned) == signed


def test_the_command_says_that_there_was_nothing_to_do(linux: LinkedWheel, tmp_path: Path) -> None:
    first = linux.repair(tmp_path / "first")
    words = [
        "--target",
        "manylinux_2_28_x86_64",
        "--exclude",
        "libfulcrum.so",
        "--exclude",
        "nothing.dll",
        "--exclude",
        "libnothing*",
        "--json",
    ]
    command = [sys.executable, "-m", "wheelkit", "repair", *words, str(first.path)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    (row,) = json.loads(done.stdout)["wheels"]
    assert row["unchanged"] is True
    assert row["unmatched"] == ["libnothing*"]  # nothing.dll is for another system
    assert (tmp_path / row["file"]).read_bytes() == first.path.read_bytes()


def test_the_shipped_list_is_judged_as_a_whole(linux: LinkedWheel, tmp_path: Path) -> None:
    (tmp_path / "wheelkit.toml").write_text('[exclude]\ntorch = true\nfulcrum = ["libfulcrum.so"]\n')
    paths = ["--lib-path", str(linux.lever.path.parent)]
    command = [
        sys.executable,
        "-m",
        "wheelkit",
        "repair",
        "--target",
        "manylinux_2_28_x86_64",
        *paths,
        str(linux.raw),
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "libtorch_*.so*" in done.stderr  # nothing of torch is needed, so the whole list is idle
    assert "libfulcrum.so" not in [line.split('"')[1] for line in done.stderr.splitlines() if "WK504" in line]


def test_an_output_folder_that_cannot_be_written_is_named(linux: LinkedWheel, tmp_path: Path) -> None:
    (tmp_path / "dist").write_text("in the way")
    command = [
        sys.executable,
        "-m",
        "wheelkit",
        "repair",
        "--target",
        "manylinux_2_28_x86_64",
        str(linux.raw),
    ]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 4
    assert "dist cannot be written" in done.stderr
