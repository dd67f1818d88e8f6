"""METADATA against packaging, the tags, other wheels, and the description against docutils."""

from pathlib import Path

import pytest

from support import wheels
from support.rows import rows
from wheelkit.matrix import Matrix, Target
from wheelkit.project.kinds import Kind
from wheelkit.verification.checks import index_metadata, metadata
from wheelkit.verification.contract import Contract, Promise
from wheelkit.verification.release import Dist, Release
from wheelkit.wheel import Sdist, Wheel, read

META = "{info}/METADATA"
CP310 = wheels.LINUX.replace("cp311", "cp310")


def codes(wheel: Wheel) -> list[str]:
    checks = (
        index_metadata.valid,
        metadata.python_tags,
        index_metadata.local_version,
        index_metadata.direct_references,
    )
    return [finding.code for check in checks for finding in check(wheel, Contract())]


@rows(
    ("filename", "lines", "expected"),
    [
        (wheels.LINUX, (), []),
        (
            wheels.LINUX,
            ("Requires-Python: >=3.9", "Requires-Dist: six; extra == 'x'", "Provides-Extra: x"),
            [],
        ),
        (wheels.LINUX, ("Requires-Python: at least 3.9",), ["WK701"]),
        (wheels.LINUX, ("Requires-Dist: six >>> 1",), ["WK701"]),
        (wheels.LINUX, ("Summary: a\n  b",), ["WK701"]),
        (wheels.LINUX, ("License: a\n  b",), []),
        (CP310, ("Requires-Python: >=3.11",), ["WK702"]),
        (CP310, ("Requires-Python: >=3.10.4",), []),
        (wheels.ABI3.replace("cp311", "cp38"), ("Requires-Python: >=3.11",), []),
        (wheels.ABI3, ("Requires-Python: <3.11",), ["WK702"]),
        (wheels.ABI3, ("Requires-Python: >=3.9,<3.12",), []),
        (wheels.ABI3.replace("cp311", "py3"), ("Requires-Python: >=3.9",), []),
        (wheels.PURE, ("Requires-Dist: six @ https://example.org/six.whl",), ["WK720"]),
        (wheels.PURE, ("Requires-Dist: six>=1",), []),
        (wheels.PURE, ("Requires-Python: >=3.11",), []),
        (wheels.PURE, ("Requires-Python: >=4",), ["WK702"]),
        (wheels.PURE, ("Requires-Python: >=3.12,<3.11",), ["WK702"]),
        (wheels.PURE, ("Requires-Python: >=3.11,<3.12",), []),
        (wheels.PURE, ("Requires-Python: ==3.11.4",), []),
        (wheels.PURE, ("Requires-Python: >3.11.4,<3.11.6",), []),
        (wheels.PURE, ("Requires-Python: <3.10.2,>=3.10",), []),
        (wheels.PURE, ("Requires-Python: <3",), ["WK702"]),
        ("demo-1.0-py2.py3-none-any.whl", ("Requires-Python: <3",), []),
        ("demo-1.0-py2-none-any.whl", ("Requires-Python: >=3.6",), ["WK702"]),
        ("demo-1.0-py27-none-any.whl", ("Requires-Python: <2.7",), ["WK702"]),
        ("demo-1.0-py311-none-any.whl", ("Requires-Python: <3.10",), ["WK702"]),
        ("demo-1.0-py310-none-any.whl", ("Requires-Python: >=3.12",), []),
        ("demo-1.0-py4-none-any.whl", ("Requires-Python: >=4",), []),
        ("demo-1.0-pp310-pypy310_pp73-manylinux_2_17_x86_64.whl", ("Requires-Python: >=3.11",), ["WK702"]),
        ("demo-1.0-pp311-pypy311_pp73-manylinux_2_17_x86_64.whl", ("Requires-Python: >=3.11",), []),
        (
            "demo-1.0-graalpy311-graalpy242_311_native-manylinux_2_17_x86_64.whl",
            ("Requires-Python: >=3.12",),
            ["WK702"],
        ),
        ("demo-1.0-cp310.cp311-none-any.whl", ("Requires-Python: >=3.12",), ["WK702"]),
        ("demo-1.0-cp310.cp311-none-any.whl", ("Requires-Python: >=3.11",), []),
        ("demo-1.0+cpu-py3-none-any.whl", (), ["WK703"]),
    ],
)
def test_metadata(tmp_path: Path, filename: str, lines: tuple[str, ...], expected: list[str]) -> None:
    version = filename.split("-")[1]
    wheel = read(
        wheels.write_wheel(tmp_path, filename, members={META: wheels.metadata("demo", version, *lines)})
    )
    assert codes(wheel) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            b"\xef\xbb\xbf" + wheels.metadata().encode(),
            "METADATA begins with a byte order mark, which hides its first field: pip and uv refuse it",
        ),
        (
            wheels.metadata("demo", "1.0", "Author: J\u00f6rg").encode("latin-1"),
            "METADATA is not UTF-8 in line 4, and pip refuses it",
        ),
        (wheels.metadata("demo", "1.0", "Name: other"), "METADATA is not valid: 'name' is given 2 times"),
    ],
)
def test_the_message_says_what_the_parser_does_not(tmp_path: Path, text: str | bytes, words: str) -> None:
    (finding,) = index_metadata.valid(read(wheels.write_wheel(tmp_path, members={META: text})), Contract())
    assert (finding.code, finding.what) == ("WK701", words)


def test_a_field_newer_than_the_metadata_version_is_a_note(tmp_path: Path) -> None:
    text = wheels.metadata("demo", "1.0", "License-File: LICENSE").replace("2.4", "2.1")
    assert codes(read(wheels.write_wheel(tmp_path, members={META: text}))) == ["WK706"]
    newer = wheels.metadata("demo", "1.0", "License-File: LICENSE")
    assert codes(read(wheels.write_wheel(tmp_path, members={META: newer}))) == []


@pytest.mark.parametrize(
    "text", ["", "nonsense", "Name: demo\n", b"Metadata-Version: 2.4\nName: d\xff\nVersion: 1.0\n"]
)
def test_metadata_that_is_none(tmp_path: Path, text: str | bytes) -> None:
    assert set(codes(read(wheels.write_wheel(tmp_path, members={META: text})))) == {"WK701"}


def release(*made: Wheel, sdists: tuple[Sdist, ...] = ()) -> Release:
    return Release(distribution="demo", version="1.0", wheels=made, sdists=sdists)


def test_wheels_that_differ(tmp_path: Path) -> None:
    first = read(
        wheels.write_wheel(
            tmp_path,
            wheels.LINUX,
            members={META: wheels.metadata("demo", "1.0", "Requires-Dist: six", "Requires-Dist: attrs")},
        )
    )
    turned = read(
        wheels.write_wheel(
            tmp_path,
            wheels.MACOS,
            members={META: wheels.metadata("demo", "1.0", "Requires-Dist: attrs", "Requires-Dist: six")},
        )
    )
    odd = read(
        wheels.write_wheel(
            tmp_path, wheels.WINDOWS, members={META: wheels.metadata("demo", "1.0", "Requires-Dist: six")}
        )
    )
    assert list(metadata.same_metadata(release(first, turned), Contract())) == []
    (finding,) = metadata.same_metadata(release(first, turned, odd), Contract())
    assert (finding.code, finding.file) == ("WK704", wheels.WINDOWS)


def test_a_release_without_sdist(tmp_path: Path) -> None:
    wheel = read(wheels.write_wheel(tmp_path))
    matrix = Matrix(targets=(), interpreters=(), declared=False)
    contract = Contract(promises={"demo": Promise(distribution="demo", kind=Kind.NATIVE, matrix=matrix)})
    sdist = Sdist(
        path=tmp_path / "demo-1.0.tar.gz", size=1, distribution="demo", version="1.0", requires_python=None
    )
    assert [finding.code for finding in metadata.sdist_missing(release(wheel), contract)] == ["WK705"]
    assert list(metadata.sdist_missing(release(wheel, sdists=(sdist,)), contract)) == []
    assert list(metadata.sdist_missing(release(wheel), Contract())) == []
    here = Contract(promises=contract.promises, native=(Target.parse("win_amd64"),))
    assert list(metadata.sdist_missing(release(wheel), here)) == []


NOTHING = Matrix(targets=(), interpreters=(), declared=False)
FAMILY = Contract(
    promises={
        name: Promise(distribution=name, kind=Kind.NATIVE, matrix=NOTHING) for name in ("demo", "demo-core")
    }
)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("demo-core >=1.0,<1.1", []),
        ("demo_core ==1.0", []),
        ("demo-core", []),
        ("demo-core ~=0.9.0", ["WK707"]),
        ("Demo.Core >=2; extra == 'x'", ["WK707"]),
        ("other >=9", []),
    ],
)
def test_family_ranges(tmp_path: Path, line: str, expected: list[str]) -> None:
    core = read(wheels.write_wheel(tmp_path, "demo_core-1.0-py3-none-any.whl"))
    user = read(
        wheels.write_wheel(tmp_path, members={META: wheels.metadata("demo", "1.0", f"Requires-Dist: {line}")})
    )
    dist = Dist(wheels=(core, user), sdists=())
    assert [finding.code for finding in metadata.family_ranges(dist, FAMILY)] == expected
    assert list(metadata.family_ranges(dist, Contract())) == []


def test_dev_versions_satisfy_the_range_that_names_them(tmp_path: Path) -> None:
    core = read(wheels.write_wheel(tmp_path, "demo_core-1.0.dev3-py3-none-any.whl"))
    user = read(
        wheels.write_wheel(
            tmp_path, members={META: wheels.metadata("demo", "1.0", "Requires-Dist: demo-core>=1.0.dev3,<2")}
        )
    )
    assert list(metadata.family_ranges(Dist(wheels=(core, user), sdists=()), FAMILY)) == []


@pytest.mark.parametrize(
    ("required", "filenames", "expected"),
    [
        (">=3.11", [wheels.ABI3], []),
        (">=3.9", [wheels.ABI3], ["WK709"]),
        (">=3.8", [wheels.LINUX.replace("cp311", "cp39")], ["WK709"]),
        (">=3.9", [wheels.ABI3, wheels.LINUX.replace("cp311", "cp39")], []),
        (">=3.9", [wheels.PURE], []),
        ("", [wheels.ABI3], []),
    ],
)
def test_pythons_without_a_wheel(
    tmp_path: Path, required: str, filenames: list[str], expected: list[str]
) -> None:
    lines = (f"Requires-Python: {required}",) if required else ()
    made = [
        read(wheels.write_wheel(tmp_path, name, members={META: wheels.metadata("demo", "1.0", *lines)}))
        for name in filenames
    ]
    assert [finding.code for finding in metadata.unserved_pythons(release(*made), FAMILY)] == expected
    assert list(metadata.unserved_pythons(release(*made), Contract())) == []


def test_the_message_names_the_versions(tmp_path: Path) -> None:
    made = read(
        wheels.write_wheel(
            tmp_path, wheels.ABI3, members={META: wheels.metadata("demo", "1.0", "Requires-Python: >=3.9")}
        )
    )
    (finding,) = metadata.unserved_pythons(release(made), FAMILY)
    assert finding.what == "Requires-Python >=3.9 admits 3.9, 3.10, but the oldest wheel is for 3.11"
