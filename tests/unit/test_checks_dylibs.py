"""Where dyld finds the libraries of a wheel."""

from pathlib import Path

import pytest

from support import wheels
from support.rows import rows
from support.wheels import Part, macho, needs
from wheelkit.verification.checks import dylibs
from wheelkit.verification.contract import Contract
from wheelkit.wheel import Binary

LIBQ = "@rpath/libq.dylib"


def paths(*folders: str) -> tuple[wheels.Rpath, ...]:
    return tuple(wheels.Rpath(path=folder, how="rpath") for folder in folders)


def module(
    *needed: str, rpaths: tuple[str, ...] = (), member: str = "demo/_core.so", **facts: object
) -> Binary:
    return macho(member, needed=needs(*needed), rpaths=paths(*rpaths), **facts)


def library(member: str, *needed: str, rpaths: tuple[str, ...] = (), **facts: object) -> Binary:
    return module(*needed, rpaths=rpaths, member=member, **({"exports": ("go",), "kind": "shared"} | facts))


def program(member: str, *needed: str, rpaths: tuple[str, ...] = ()) -> Binary:
    return library(member, *needed, rpaths=rpaths, kind="executable")


def codes(folder: Path, *binaries: Binary, filename: str = wheels.MACOS) -> list[str]:
    members = {binary.member: "" for binary in binaries}
    wheel = wheels.facts(folder, filename, *binaries, members=members)
    return [finding.code for finding in dylibs.reachable(wheel, Contract())]


@rows(
    ("needed", "rpaths", "place", "expected"),
    [
        ("@loader_path/.dylibs/libq.dylib", (), "demo/.dylibs/libq.dylib", []),
        ("@loader_path/.dylibs/libq.dylib", (), "demo/dylibs/libq.dylib", ["WK511"]),
        ("@loader_path/../demo/libq.dylib", (), "demo/libq.dylib", []),
        (LIBQ, ("@loader_path/lib",), "demo/lib/libq.dylib", []),
        (LIBQ, ("@loader_path/",), "demo/libq.dylib", []),
        (LIBQ, ("@loader_path/lib",), "demo/other/libq.dylib", ["WK512"]),
        ("@rpath/lib/libq.dylib", ("@loader_path",), "demo/lib/libq.dylib", []),
        (LIBQ, (), "demo/.dylibs/libq.dylib", ["WK511"]),
        (LIBQ, ("@executable_path",), "demo/libq.dylib", ["WK512"]),
        (LIBQ, ("/opt/lib", "@loader_path"), "demo/libq.dylib", []),
        ("@executable_path/libq.dylib", (), "demo/libq.dylib", ["WK357"]),
        ("@executable_path/../demo/libq.dylib", (), "demo/libq.dylib", ["WK357"]),
        ("libq.dylib", (), "demo/libq.dylib", ["WK512"]),
        ("/usr/lib/libq.dylib", (), "demo/.dylibs/libq.dylib", []),
    ],
)
def test_names_of_a_module(
    tmp_path: Path, needed: str, rpaths: tuple[str, ...], place: str, expected: list[str]
) -> None:
    assert codes(tmp_path, module(needed, rpaths=rpaths), library(place)) == expected


def test_another_file_name(tmp_path: Path) -> None:
    renamed = library("demo/lib/other.dylib", name=LIBQ)
    assert codes(tmp_path, module(LIBQ, rpaths=("@loader_path/lib",)), renamed) == ["WK511"]


@pytest.mark.parametrize("how", ["weak", "lazy"])
def test_what_may_be_absent(tmp_path: Path, how: str) -> None:
    optional = macho("demo/_core.so", needed=needs(LIBQ, how=how))
    assert codes(tmp_path, optional, library("demo/lib/libq.dylib")) == []


@pytest.mark.parametrize("how", ["reexport", "upward"])
def test_what_has_to_be_there(tmp_path: Path, how: str) -> None:
    user = macho("demo/_core.so", needed=needs(LIBQ, how=how))
    assert codes(tmp_path, user, library("demo/lib/libq.dylib")) == ["WK512"]


def test_libraries_need_libraries(tmp_path: Path) -> None:
    user, lost = module("@loader_path/lib/liba.dylib"), library("demo/lib/libq.dylib")
    assert codes(tmp_path, user, library("demo/lib/liba.dylib", LIBQ), lost) == ["WK512"]
    assert codes(tmp_path, user, library("demo/lib/liba.dylib", LIBQ, rpaths=("@loader_path",)), lost) == []


def test_search_paths_of_those_that_load_a_library_count(tmp_path: Path) -> None:
    files = library("demo/lib/liba.dylib", LIBQ), library("demo/lib/libq.dylib")
    for needed in (("@loader_path/lib/liba.dylib",), (LIBQ, "@loader_path/lib/liba.dylib")):
        assert codes(tmp_path, module(*needed, rpaths=("@loader_path/lib",)), *files) == []


def test_a_name_that_another_module_has_found(tmp_path: Path) -> None:
    """Once another module is imported, the library serves this one: a repaired wheel is still suspect."""
    finds = module(LIBQ, rpaths=("@loader_path/.dylibs",), member="demo/first.so")
    assert codes(tmp_path, module(LIBQ), finds, library("demo/.dylibs/libq.dylib")) == ["WK512"]
    finds = module(LIBQ, rpaths=("@loader_path/lib",), member="demo/first.so")
    assert codes(tmp_path, module(LIBQ), finds, library("demo/lib/libq.dylib")) == []


def test_programs_have_their_own_folder(tmp_path: Path) -> None:
    needed = "@executable_path/../lib/liba.dylib"
    user = library("demo/lib/liba.dylib", "@executable_path/../lib/libq.dylib")
    files = user, library("demo/lib/libq.dylib")
    assert codes(tmp_path, program("demo/bin/tool", needed), *files) == []
    assert codes(tmp_path, program("demo/tool", needed), *files) == []


def test_plugins_are_loaded_by_what_has_their_libraries(tmp_path: Path) -> None:
    assert codes(tmp_path, library("demo/plugins/a.dylib", LIBQ), library("demo/lib/libq.dylib")) == []


def test_each_architecture_is_judged(tmp_path: Path) -> None:
    intel = Part(arch="x86_64", kind="bundle", exports=("PyInit__core",), os="macos", needed=needs(LIBQ))
    arm = Part(arch="arm64", kind="bundle", exports=("PyInit__core",), os="macos", needed=needs(LIBQ))
    both = wheels.binary("demo/_core.so", intel, arm, form="macho")
    thin = library("demo/libq.dylib")
    assert codes(tmp_path, both, thin) == ["WK512"]


def test_wheels_for_other_systems_are_not_judged(tmp_path: Path) -> None:
    assert codes(tmp_path, module(LIBQ), library("demo/lib/libq.dylib"), filename=wheels.LINUX) == []
