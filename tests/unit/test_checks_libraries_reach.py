from pathlib import Path

import pytest

from support import wheels
from support.wheels import elf, macho, needs, pe
from wheelkit.verification.checks import libraries
from wheelkit.verification.contract import Contract
from wheelkit.wheel import Binary

GRAFTED, BESIDE = "demo.libs/libq-1a2b3c4d.so.1", "demo/libq-1a2b3c4d.so.1"


def user(*rpaths: str, member: str = "demo/_core.cpython-311-x86_64-linux-gnu.so", **facts: object) -> Binary:
    paths = tuple(wheels.Rpath(path=path) for path in rpaths)
    return elf(member, **({"needed": needs("libq-1a2b3c4d.so.1", "libc.so.6"), "rpaths": paths} | facts))


def codes(folder: Path, filename: str, made: Binary, place: str, name: str | None = None) -> list[str]:
    library = wheels.binary(
        place, wheels.Part(exports=("go",), name=name), form="macho" if "macosx" in filename else "elf"
    )
    wheel = wheels.facts(folder, filename, made, library, members={place: "", made.member: ""})
    return [finding.code for finding in libraries.reachable(wheel, Contract())]


@pytest.mark.parametrize(
    ("made", "place", "expected"),
    [
        (user("$ORIGIN/../demo.libs"), GRAFTED, []),
        (user("${ORIGIN}/../demo.libs"), GRAFTED, []),
        (user("/opt/lib:$ORIGIN/../demo.libs"), GRAFTED, []),
        (user("/opt/lib", "$ORIGIN/../demo.libs"), GRAFTED, []),
        (user("$ORIGIN/../other.libs"), GRAFTED, ["WK511"]),
        (user("$ORIGINAL/../demo.libs"), GRAFTED, ["WK511"]),
        (user(), GRAFTED, ["WK511"]),
        (user("$ORIGIN"), BESIDE, []),
        (user(), BESIDE, ["WK512"]),
        (user(exports=("go",)), GRAFTED, []),
        (user(needed=needs("libq-1a2b3c4d.so.1", how="weak")), GRAFTED, []),
        (user("$ORIGIN/../demo.libs", member="demo-1.0.data/platlib/demo/_core.so"), GRAFTED, []),
        (user("$ORIGIN/../demo.libs", member="demo-1.0.data/platlib/_core.so"), GRAFTED, ["WK511"]),
    ],
)
def test_search_paths_lead_to_the_library(
    tmp_path: Path, made: Binary, place: str, expected: list[str]
) -> None:
    assert codes(tmp_path, wheels.LINUX, made, place) == expected


def test_a_library_is_found_by_its_file_name_alone(tmp_path: Path) -> None:
    made = user("$ORIGIN/../demo.libs")
    assert codes(tmp_path, wheels.LINUX, made, "demo.libs/renamed.so", "libq-1a2b3c4d.so.1") == ["WK511"]
    assert codes(tmp_path, wheels.LINUX, made, GRAFTED, "another-soname.so") == []


@pytest.mark.parametrize(
    ("needed", "rpaths", "place", "expected"),
    [
        ("@loader_path/.dylibs/libq.dylib", (), "demo/.dylibs/libq.dylib", []),
        ("@loader_path/.dylibs/libq.dylib", (), "demo/dylibs/libq.dylib", ["WK511"]),
        ("@loader_path/../demo/libq.dylib", (), "demo/libq.dylib", []),
        ("@rpath/libq.dylib", ("@loader_path/lib",), "demo/lib/libq.dylib", []),
        ("@rpath/libq.dylib", ("@loader_path/",), "demo/libq.dylib", []),
        ("@rpath/libq.dylib", ("@loader_path/lib",), "demo/other/libq.dylib", ["WK512"]),
        ("@rpath/lib/libq.dylib", ("@loader_path",), "demo/lib/libq.dylib", []),
        ("@rpath/libq.dylib", (), "demo/.dylibs/libq.dylib", ["WK511"]),
        ("/usr/lib/libq.dylib", (), "demo/.dylibs/libq.dylib", []),
    ],
)
def test_names_of_macos(
    tmp_path: Path, needed: str, rpaths: tuple[str, ...], place: str, expected: list[str]
) -> None:
    paths = tuple(wheels.Rpath(path=path) for path in rpaths)
    assert codes(tmp_path, wheels.MACOS, macho(needed=needs(needed), rpaths=paths), place) == expected


def test_windows_is_not_judged(tmp_path: Path) -> None:
    wheel = wheels.facts(
        tmp_path, wheels.WINDOWS, pe(needed=needs("q.dll")), pe("demo/lib/q.dll", exports=("go",))
    )
    assert list(libraries.reachable(wheel, Contract())) == []
