"""Files that two distributions of one dist install to one path."""

from collections.abc import Mapping
from pathlib import Path

from support import wheels
from support.rows import rows
from wheelkit.analysis.together import installable_together
from wheelkit.verification.contract import Contract
from wheelkit.verification.run import verify
from wheelkit.wheel.names import parse_file_name

OVERLAPS = {"WK227", "WK229"}
A, B = "acme_a-1.0-py3-none-any.whl", "acme_b-1.0-py3-none-any.whl"


def found(folder: Path, files: Mapping[str, Mapping[str, str]]) -> list[tuple[str, str]]:
    for filename, members in files.items():
        wheels.write_wheel(folder, filename, members=members, package=False)
    report = verify([folder], Contract())
    return [(finding.code, finding.what) for finding in report.findings if finding.code in OVERLAPS]


@rows(
    ("first", "second", "code"),
    [
        ({"acme/x.py": "1"}, {"acme/x.py": "2"}, "WK227"),
        ({"acme/x.py": "1"}, {"acme/x.py": "1"}, "WK229"),
        ({"acme/x.py": "1", "acme/y.py": "1"}, {"acme/x.py": "1", "acme/y.py": "2"}, "WK227"),
        ({"acme/x.py": "1"}, {"acme/y.py": "2"}, ""),
        ({"acme/x.py": "1"}, {"acme_b-1.0.data/purelib/acme/x.py": "2"}, "WK227"),
        ({"acme_a-1.0.data/data/share/x": "1"}, {"acme_b-1.0.data/data/share/x": "2"}, "WK227"),
        ({"share/x": "1"}, {"acme_b-1.0.data/data/share/x": "2"}, ""),
        ({"acme_a-1.0.data/headers/x.h": "1"}, {"acme_b-1.0.data/headers/x.h": "2"}, ""),
        (
            {"{info}/entry_points.txt": "[console_scripts]\nacme = a:b\n"},
            {"acme_b-1.0.data/scripts/acme": "2"},
            "WK227",
        ),
    ],
)
def test_two_distributions(
    tmp_path: Path, first: Mapping[str, str], second: Mapping[str, str], code: str
) -> None:
    assert [one for one, _ in found(tmp_path, {A: first, B: second})] == ([code] if code else [])


def test_one_cause_is_one_finding(tmp_path: Path) -> None:
    many = {f"acme/{number}.py": "1" for number in range(9)}
    third = "acme_c-1.0-py3-none-any.whl"
    results = found(
        tmp_path, {A: {**many, "tests/x.py": "a"}, B: dict.fromkeys(many, "2"), third: {"tests/x.py": "c"}}
    )
    assert results == [
        (
            "WK227",
            "acme-a, acme-b install different files to one path: acme/0.py, acme/1.py, acme/2.py and 6 more",
        ),
        ("WK227", "acme-a, acme-c install different files to one path: tests/x.py"),
    ]


def test_wheels_of_one_distribution_do_not_collide(tmp_path: Path) -> None:
    other = A.replace("py3-none-any", "cp311-cp311-win_amd64")
    files = {A: {"acme/x.py": "1"}, other: {"acme/x.py": "2"}, B: {"acme_b/x.py": "1"}}
    assert found(tmp_path, files) == []


@rows(
    ("first", "second", "expected"),
    [
        ("py3-none-any", "cp311-cp311-win_amd64", True),
        ("cp311-cp311-win_amd64", "cp311-cp311-win_arm64", False),
        ("cp311-cp311-win_amd64", "cp312-cp312-win_amd64", False),
        ("cp311-abi3-win_amd64", "cp312-cp312-win_amd64", True),
        ("cp312-abi3-win_amd64", "cp311-cp311-win_amd64", False),
        ("cp311-abi3-win_amd64", "cp313-cp313t-win_amd64", False),
        ("cp313-cp313-win_amd64", "cp313-cp313t-win_amd64", False),
        ("cp311-cp311-manylinux_2_17_x86_64", "cp311-cp311-manylinux_2_28_x86_64", True),
        ("cp311-cp311-manylinux_2_17_x86_64", "cp311-cp311-musllinux_1_2_x86_64", False),
        ("cp311-cp311-linux_x86_64", "cp311-cp311-musllinux_1_2_x86_64", True),
        ("cp311-cp311-manylinux2014_x86_64", "cp311-cp311-manylinux2014_aarch64", False),
        ("cp311-cp311-macosx_11_0_universal2", "cp311-cp311-macosx_12_0_arm64", True),
        ("cp311-cp311-macosx_10_13_x86_64", "cp311-cp311-macosx_12_0_arm64", False),
        ("cp313-cp313-ios_13_0_arm64_iphoneos", "cp313-cp313-ios_15_0_arm64_iphoneos", True),
        ("cp313-cp313-ios_13_0_arm64_iphoneos", "cp313-cp313-ios_13_0_arm64_iphonesimulator", False),
        ("cp313-cp313-ios_13_0_arm64_iphoneos", "cp313-cp313-win_amd64", False),
        ("py2.py3-none-any", "pp311-pypy311_pp73-win_amd64", True),
        ("cp311-cp311-win_amd64", "pp311-pypy311_pp73-win_amd64", False),
        ("cp36-cp36m-win_amd64", "cp36-cp36m-win_amd64", True),
    ],
)
def test_wheels_that_one_machine_installs(first: str, second: str, *, expected: bool) -> None:
    one, other = parse_file_name(f"a-1.0-{first}.whl"), parse_file_name(f"b-1.0-{second}.whl")
    assert installable_together(one, other) is expected
    assert installable_together(other, one) is expected
