"""Where the libraries that a wheel needs are searched for, and which file is taken."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from binaries import elf as assembled
from support import wheels
from support.rows import rows
from support.wheels import Rpath, elf, macho, needs, pe
from wheelkit.matrix import Target
from wheelkit.repair import search as search_module
from wheelkit.repair.commands import RepairRecipe
from wheelkit.repair.search import (
    ExternalLibraries,
    _search_folders,
    find_external_libraries,
    is_system_library,
)
from wheelkit.wheel import Binary

LINUX, WINDOWS, MACOS = (
    Target.parse(tag) for tag in ("manylinux_2_28_x86_64", "win_amd64", "macosx_11_0_arm64")
)
MODULE = "demo/_core.cpython-311-x86_64-linux-gnu.so"


def library(path: Path, machine: int = 62, run: str = "") -> Path:
    """Write a library that needs libc.so.6 and libm.so.6, with a search path."""
    binary = assembled.tiny(assembled.Shape(machine=machine))
    data = (
        binary.data.replace(b"$ORIGIN/../tiny.libs:/opt/tiny", run.encode().ljust(30, b"\0"))
        if run
        else binary.data
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def search(
    folder: Path,
    *binaries: Binary,
    environ: Mapping[str, str] | None = None,
    target: Target = LINUX,
    **options: Any,
) -> ExternalLibraries:
    filename = {LINUX: wheels.LINUX, WINDOWS: wheels.WINDOWS, MACOS: wheels.MACOS}[target]
    members = {binary.member: "" for binary in binaries}
    wheel = wheels.facts(folder / "wheel", filename, *binaries, members=members)
    return find_external_libraries(wheel, RepairRecipe(target=target, **options), environ or {})


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> Path:
    (tmp_path / "wheel").mkdir()
    return tmp_path


def test_each_library_is_listed_with_what_needs_it(folder: Path) -> None:
    path = library(folder / "lib/libq.so.1")
    first, second = (
        elf(MODULE, needed=needs("libq.so.1", "libc.so.6")),
        elf("demo/b.so", needed=needs("libq.so.1")),
    )
    found = search(folder, first, second, lib_paths=(path.parent,))
    assert found.found == {"libq.so.1": path}
    assert found.needed_by == {
        "libq.so.1": [MODULE, "demo/b.so"],
        "libc.so.6": [MODULE, "libq.so.1"],
        "libm.so.6": ["libq.so.1"],
    }
    assert path.parent in found.searched
    assert found.describe("libq.so.1").startswith(
        f"libq.so.1 (needed by {MODULE}, demo/b.so): searched in {path.parent}"
    )
    assert found.describe("LIBQ.so.1").startswith(f"LIBQ.so.1 (needed by {MODULE}, demo/b.so): ")


def test_what_the_wheel_has_and_what_is_excluded_is_not_searched(folder: Path) -> None:
    needed = needs("libown.so", "libtorch.so.2", "libq.so")
    binaries = (elf(MODULE, needed=needed), elf("demo.libs/libown.so"))
    found = search(folder, *binaries, patterns=("libtorch*",))
    assert found.needed_by == {"libtorch.so.2": [MODULE], "libq.so": [MODULE]}
    assert found.excluded(RepairRecipe(target=LINUX, patterns=("libtorch*",))) == ("libtorch.so.2",)
    assert found.found == {}


def test_the_folders_in_order(folder: Path) -> None:
    """The recipe's folders come first, then the variable's, as long as they exist."""
    mine, variable = library(folder / "mine/libq.so"), library(folder / "variable/libq.so")
    environ = {"LD_LIBRARY_PATH": os.pathsep.join(["", str(folder / "none"), str(variable.parent)])}
    binary = elf(MODULE, needed=needs("libq.so"))
    assert search(folder, binary, environ=environ).found == {"libq.so": variable}
    assert search(folder, binary, environ=environ, lib_paths=(mine.parent,)).found == {"libq.so": mine}
    assert search(folder, binary, environ={"PATH": str(variable.parent)}).found == {}
    assert (
        folder / "none" not in search(folder, elf(MODULE, needed=needs("libz9.so")), environ=environ).searched
    )


# The search path of a library that was found, and where the next one is, from the folder of the first.
PATHS = [
    ("$ORIGIN/../deep", "deep/libm9.so6", True),
    ("${ORIGIN}/../deep", "deep/libm9.so6", True),
    ("$ORIGIN", "lib/libm9.so6", True),
    ("$ORIGIN/x:$ORIGIN/y", "lib/y/libm9.so6", True),
    ("deep", "lib/deep/libm9.so6", False),
    ("$ORIGIN/x", "lib/libm9.so6", True),  # in the folder of the first
    ("$ORIGIN/x", "libm9.so6", False),
]


@rows(("run", "place", "reached"), PATHS)
def test_libraries_of_libraries(run: str, place: str, reached: bool, tmp_path: Path) -> None:  # noqa: FBT001
    (tmp_path / "wheel").mkdir(exist_ok=True)
    first = library(tmp_path / "lib/libq.so.1", run=run)
    first.write_bytes(first.read_bytes().replace(b"libm.so.6\0", b"libm9.so6\0"))
    second = library(tmp_path / place)
    found = search(tmp_path, elf(MODULE, needed=needs("libq.so.1"), rpaths=()), lib_paths=(first.parent,))
    assert ("libm9.so6" in found.found) == reached
    if reached:
        assert found.found["libm9.so6"].resolve() == second


def test_absolute_paths_of_the_wheels_own_files(folder: Path) -> None:
    place = library(folder / "abs/libq.so")
    for rpaths in (
        (Rpath(path=f"/none:{place.parent}"),),
        (Rpath(path="$ORIGIN"), Rpath(path=str(place.parent))),
    ):
        assert search(folder, elf(MODULE, needed=needs("libq.so"), rpaths=rpaths)).found == {"libq.so": place}
    # The folder of a file in the wheel is unknown.
    assert search(folder, elf(MODULE, needed=needs("libq.so"), rpaths=(Rpath(path="$ORIGIN"),))).found == {}
    direct = macho("demo/x.so", "arm64", needed=needs(str(place)))
    found = search(folder, direct, target=MACOS)
    assert found.wrong_machine == {"libq.so": f"{place} is for elf x86_64"}


def test_a_library_for_another_machine_is_passed_over_and_told(folder: Path) -> None:
    wrong, right = library(folder / "arm/libq.so", machine=183), library(folder / "x86/libq.so")
    (folder / "text").mkdir()
    (folder / "text/libq.so").write_text("not a library")
    (folder / "damaged").mkdir()
    (folder / "damaged/libq.so").write_bytes(b"\x7fELF\x02")
    binary = elf(MODULE, needed=needs("libq.so"))
    places = (folder / "text", folder / "damaged", wrong.parent)
    found = search(folder, binary, lib_paths=places)
    assert (found.found, found.wrong_machine) == ({}, {"libq.so": f"{wrong} is for elf aarch64"})
    assert found.describe("libq.so") == f"libq.so (needed by {MODULE}): {wrong} is for elf aarch64"
    found = search(folder, binary, lib_paths=(*places, right.parent))
    assert (found.found, found.wrong_machine) == ({"libq.so": right}, {})


def test_windows_ignores_the_case_of_names(folder: Path) -> None:
    module = pe(
        "demo/_core.cp311-win_amd64.pyd", needed=needs("OWN.dll", "Other.DLL", "python3.dll", "KERNEL32.dll")
    )
    found = search(folder, module, pe("demo.libs/own.dll"), target=WINDOWS)
    assert list(found.needed_by) == ["Other.DLL", "python3.dll", "KERNEL32.dll"]
    assert "searched in no folder" in replace(found, searched={}).describe("other.dll")
    assert list(search(folder, elf(MODULE, needed=needs("OWN.so")), elf("demo/own.so")).needed_by) == [
        "OWN.so"
    ]


@rows(("name", "target", "of_system"), [
    ("libc.so.6", LINUX, True),
    ("libq.so", LINUX, False),
    ("libz.so.1", LINUX, True),
    ("/usr/lib/libSystem.B.dylib", MACOS, True),
    ("@rpath/libq.dylib", MACOS, False),
    ("KERNEL32.dll", WINDOWS, True),
    ("python311.dll", WINDOWS, True),
    ("q.dll", WINDOWS, False),
])  # fmt: skip
def test_what_every_system_has(name: str, target: Target, of_system: bool) -> None:  # noqa: FBT001
    assert is_system_library(name, target) is of_system


def test_the_folders_of_the_loader_come_last(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    configured = ["/usr/lib/x86_64-linux-gnu", "/opt/lib", "# a comment", "include other"]
    monkeypatch.setattr(search_module.Path, "is_dir", lambda _path: True)
    monkeypatch.setattr(search_module.Path, "glob", lambda _path, pattern: [Path(pattern)])
    monkeypatch.setattr(search_module, "_read_lines", lambda _path: [f" {line} \n" for line in configured])
    found = [
        str(path)
        for path in _search_folders(
            RepairRecipe(target=LINUX, lib_paths=(folder,)), {"LD_LIBRARY_PATH": "/x:/y"}
        )
    ]
    loader = ["/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64"]
    assert found == [str(folder), "/x", "/y", "/usr/lib/x86_64-linux-gnu", "/opt/lib", *loader]
    for target, names in ((MACOS, ("DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH")), (WINDOWS, ("PATH",))):
        environ = {name: f"/{name}" for name in ("LD_LIBRARY_PATH", *names)}
        found = [str(path) for path in _search_folders(RepairRecipe(target=target), environ)]
        assert found == [f"/{name}" for name in names]
