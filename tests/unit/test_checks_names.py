from collections.abc import Mapping
from pathlib import Path

import pytest

from support import wheels
from support.rows import rows
from wheelkit.verification.checks import names
from wheelkit.verification.contract import Contract
from wheelkit.wheel import Binary, read

CHECKS = (names.file_name, names.tags, names.contradiction, names.identity, names.wheel_file, names.purelib)
INFO = "{info}/WHEEL"
META = "{info}/METADATA"


def codes(path: Path) -> list[str]:
    wheel = read(path)
    return [finding.code for check in CHECKS for finding in check(wheel, Contract())]


@pytest.mark.parametrize(
    "filename",
    [
        wheels.LINUX,
        "my_demo-1.0-py2.py3-none-any.whl",
        "demo-1.0.post1-cp311-abi3-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
    ],
)
def test_good_names(tmp_path: Path, filename: str) -> None:
    assert codes(wheels.write_wheel(tmp_path, filename)) == []


@pytest.mark.parametrize(
    ("filename", "code", "expected"),
    [
        ("Demo-1.0-py3-none-any.whl", "WK202", "demo-1.0-py3-none-any.whl"),
        ("my.demo-1.0-py3-none-any.whl", "WK202", "my_demo-1.0-py3-none-any.whl"),
        ("demo-1.00-py3-none-any.whl", "WK743", "demo-1.0-py3-none-any.whl"),
        ("demo-1.0.RC1-py3-none-any.whl", "WK743", "demo-1.0rc1-py3-none-any.whl"),
        ("demo-1.0-py3-none-Win_AMD64.whl", "WK743", "demo-1.0-py3-none-win_amd64.whl"),
    ],
)
def test_not_normalised(tmp_path: Path, filename: str, code: str, expected: str) -> None:
    wheel = read(wheels.write_wheel(tmp_path, filename))
    (finding,) = names.file_name(wheel, Contract())
    assert finding.code == code
    assert expected in finding.fix


def test_a_name_that_is_none(tmp_path: Path) -> None:
    good = wheels.write_wheel(tmp_path, wheels.PURE)
    assert codes(good.rename(tmp_path / "demo-1.0-py3-none.whl")) == ["WK201"]


@rows(
    ("code", "members"),
    [
        ("WK203", {INFO: wheels.wheel_file(wheels.ABI3)}),
        ("WK204", {META: wheels.metadata("other")}),
        ("WK204", {META: wheels.metadata("demo", "1.1")}),
        ("WK205", {INFO: wheels.wheel_file(wheels.LINUX, Root_Is_Purelib="true")}),
        ("WK721", {INFO: wheels.wheel_file(wheels.LINUX, Root_Is_Purelib="maybe")}),
        ("WK721", {INFO: wheels.wheel_file(wheels.LINUX, Root_Is_Purelib="False")}),
        (
            "WK721",
            {INFO: wheels.wheel_file(wheels.LINUX).replace("Root-Is", "root-is").replace("false", "0")},
        ),
        ("WK206", {INFO: wheels.wheel_file(wheels.LINUX, Build="1")}),
        ("WK207", {INFO: wheels.wheel_file(wheels.LINUX, Wheel_Version="2.0")}),
        ("WK207", {INFO: ""}),
        ("WK207", {INFO: wheels.wheel_file(wheels.LINUX, Wheel_Version="1")}),
        ("WK207", {INFO: wheels.wheel_file(wheels.LINUX, Wheel_Version="1.\u00b2")}),
        ("WK207", {INFO: wheels.wheel_file(wheels.LINUX, Wheel_Version="01.0")}),
        ("WK207", {INFO: "\n" + wheels.wheel_file(wheels.LINUX)}),
        (
            "WK207",
            {INFO: wheels.wheel_file(wheels.LINUX, Generator="\udcff").encode("utf-8", "surrogateescape")},
        ),
        ("WK207", {INFO: wheels.wheel_file(wheels.LINUX).replace("Wheel-V", "wheel-v")}),
        ("", {INFO: wheels.wheel_file(wheels.LINUX, Wheel_Version="0.1")}),
        ("", {INFO: wheels.wheel_file(wheels.LINUX, Wheel_Version="1.9")}),
        ("", {META: wheels.metadata("DEMO", "1.0.0")}),
    ],
)
def test_disagreements(tmp_path: Path, code: str, members: Mapping[str, str]) -> None:
    assert sorted(set(codes(wheels.write_wheel(tmp_path, members=members)))) == ([code] if code else [])


@pytest.mark.parametrize(
    ("abi", "made", "expected"),
    [
        ("py3-none", wheels.elf("demo/tool", kind="executable", exports=()), ["WK211"]),
        ("py3-none", wheels.elf("demo/_core.so"), ["WK205"]),
        ("cp311-abi3", wheels.elf("demo/tool", kind="executable", exports=()), ["WK205"]),
    ],
)
def test_what_goes_to_purelib_by_mistake(tmp_path: Path, abi: str, made: Binary, expected: list[str]) -> None:
    filename = wheels.LINUX.replace("cp311-cp311", abi)
    wheel = wheels.facts(
        tmp_path, filename, made, members={INFO: wheels.wheel_file(filename, Root_Is_Purelib="true")}
    )
    assert [finding.code for finding in names.purelib(wheel, Contract())] == expected


@rows(
    ("tags", "expected"),
    [
        ("cp311-abi3", []),
        ("cp311-cp311", []),
        ("cp36-cp36m", []),
        ("cp27-cp27mu", []),
        ("cp314-cp314t", []),
        ("cp315-abi3.abi3t", []),
        ("pp311-pypy311_pp73", []),
        ("py3-none", []),
        ("cp310.cp311-cp311", []),
        ("graalpy312-graalpy250_312_native", []),
        ("cp37-cp37m", []),
        ("cp310-cp310d", []),
        ("cp27-none", []),
        ("cp311-cp312", ["WK214"]),
        ("cp39-cp39m", ["WK214"]),
        ("cp37-cp37", ["WK214"]),
        ("cp312-cp312t", ["WK214"]),
        ("cp31-abi3", ["WK214"]),
        ("cp3-none", ["WK214"]),
        ("py3-cp311", ["WK214"]),
        ("pp311-abi3", ["WK214"]),
        ("py3-abi3", ["WK214"]),
        ("cp311-pypy311_pp73", ["WK214"]),
        ("pp310-pypy311_pp73", ["WK214"]),
    ],
)
def test_tags_that_no_interpreter_accepts_together(tmp_path: Path, tags: str, expected: list[str]) -> None:
    assert codes(wheels.write_wheel(tmp_path, f"demo-1.0-{tags}-manylinux_2_17_x86_64.whl")) == expected


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("cp311-none", []),
        ("py3-none", []),
        ("cp311-abi3", ["WK214"]),
        ("cp311-cp311", ["WK214"]),
        ("cp311-abi3.none", []),
    ],
)
def test_only_wheels_without_an_abi_are_for_any_platform(
    tmp_path: Path, tags: str, expected: list[str]
) -> None:
    wheel = read(wheels.write_wheel(tmp_path, f"demo-1.0-{tags}-any.whl"))
    assert [finding.code for finding in names.contradiction(wheel, Contract())] == expected


@pytest.mark.parametrize(
    ("platforms", "expected"),
    [
        ("macosx_13_0_x86_64", []),
        ("macosx_13_6_x86_64", ["WK230"]),
        ("macosx_13_0_x86_64.macosx_13_6_x86_64", ["WK231"]),
        ("manylinux_2_28_amd64", ["WK230"]),
        ("manylinux_2_28_amd64.linux_amd64", ["WK230", "WK230"]),
        ("any", []),
    ],
)
def test_tags_that_no_installer_makes(tmp_path: Path, platforms: str, expected: list[str]) -> None:
    wheel = read(wheels.write_wheel(tmp_path, f"demo-1.0-py3-none-{platforms}.whl"))
    assert [finding.code for finding in names.platforms(wheel, Contract())] == expected


def test_the_tag_that_was_meant_is_named(tmp_path: Path) -> None:
    wheel = read(wheels.write_wheel(tmp_path, "demo-1.0-py3-none-macosx_10_15_arm64.whl"))
    (finding,) = names.platforms(wheel, Contract())
    assert finding.what == (
        "no installer makes the platform tag macosx_10_15_arm64: macOS for arm64 begins at 11.0"
    )
    assert finding.fix == "tag the wheel macosx_11_0_arm64"


@pytest.mark.parametrize(
    ("member", "exports", "expected"),
    [
        ("demo-1.0.data/purelib/demo/_core.so", ("PyInit__core",), ["WK205"]),
        ("demo-1.0.data/purelib/demo/libcore.so", ("go",), ["WK211"]),
        ("demo-1.0.data/platlib/demo/_core.so", ("PyInit__core",), []),
        ("demo/_core.so", ("PyInit__core",), []),
    ],
)
def test_what_is_native_goes_to_platlib(
    tmp_path: Path, member: str, exports: tuple[str, ...], expected: list[str]
) -> None:
    wheel = wheels.facts(tmp_path, wheels.LINUX, wheels.elf(member, exports=exports))
    assert [finding.code for finding in names.purelib(wheel, Contract())] == expected


def test_compressed_tags_are_expanded(tmp_path: Path) -> None:
    filename = "demo-1.0-py2.py3-none-any.whl"
    fewer = wheels.wheel_file(filename).replace("Tag: py2-none-any\n", "")
    joined = fewer.replace("Tag: py3-none-any", "Tag: py2.py3-none-any")
    assert codes(wheels.write_wheel(tmp_path, filename, members={INFO: fewer})) == ["WK203"]
    assert codes(wheels.write_wheel(tmp_path, filename, members={INFO: joined})) == []
    renamed = fewer.replace("py3-none-any", "py3-none-win32")
    (both,) = names.tags(read(wheels.write_wheel(tmp_path, filename, members={INFO: renamed})), Contract())
    assert both.what == "only the file name has py2-none-any, py3-none-any; only WHEEL has py3-none-win32"


def test_build_tag(tmp_path: Path) -> None:
    filename = "demo-1.0-2-py3-none-any.whl"
    with_build = {INFO: wheels.wheel_file(filename, Build="2")}
    assert codes(wheels.write_wheel(tmp_path, filename, members=with_build)) == []
    assert codes(wheels.write_wheel(tmp_path, filename)) == ["WK206"]


def test_another_dist_info(tmp_path: Path) -> None:
    assert codes(wheels.write_wheel(tmp_path, dist_info="demo-2.0.dist-info")) == ["WK204"]
    assert codes(wheels.write_wheel(tmp_path, dist_info="Demo-1.0.dist-info")) == []
    assert codes(wheels.write_wheel(tmp_path, dist_info="-.dist-info")) == ["WK204"]
    assert codes(wheels.write_wheel(tmp_path, dist_info="demo.dist-info")) == []


def test_platlib_without_native_code(tmp_path: Path) -> None:
    purelib = {INFO: wheels.wheel_file(wheels.PURE, Root_Is_Purelib="false")}
    assert codes(wheels.write_wheel(tmp_path, wheels.PURE, members=purelib)) == ["WK208"]
    assert codes(wheels.write_wheel(tmp_path, wheels.PURE)) == []
