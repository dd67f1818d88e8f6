"""Top-level names, empty wheels, bytecode, and the .dist-info and .data folders."""

from pathlib import Path

import pytest

from support import wheels
from support.rows import rows
from wheelkit.matrix import Matrix
from wheelkit.project.kinds import Kind
from wheelkit.verification.checks import toplevel
from wheelkit.verification.contract import Contract, Promise
from wheelkit.wheel import Wheel, read


def reported_names(folder: Path, *names: str, filename: str = wheels.PURE, text: str = "") -> list[str]:
    distribution, version, *_ = filename.split("-")
    members = {
        **dict.fromkeys(names, "x"),
        "{info}/METADATA": wheels.metadata(distribution, version, *([text] if text else [])),
    }
    wheel = read(wheels.write_wheel(folder, filename, members=members))
    findings = list(toplevel.names(wheel, Contract()))
    assert {finding.code for finding in findings} <= {"WK217"}
    return [finding.member for finding in findings]


@rows(
    ("name", "expected"),
    [
        ("tests/test_x.py", ["tests/"]),
        ("demo/tests/test_x.py", []),
        ("docs/index.rst", ["docs/"]),
        ("demo-1.0.data/purelib/examples/one.py", ["examples/"]),
        ("demo-1.0.data/data/share/examples/one.txt", []),
        ("setup.py", ["setup.py"]),
        ("conftest.py", ["conftest.py"]),
        ("__init__.py", ["__init__.py"]),
        ("demo/__init__.py", []),
        ("testing.py", []),
        ("README.md", []),
        (".tox/x", [".tox/"]),
        ("json/__init__.py", ["json/"]),
        ("json.py", ["json.py"]),
        ("json.cpython-311-x86_64-linux-gnu.so", ["json.cpython-311-x86_64-linux-gnu.so"]),
        ("jsonic.py", []),
        ("demo/json.py", []),
        ("distutils/__init__.py", []),  # removed in Python 3.12
        ("_thread.py", []),
    ],
)
def test_names_at_the_top(tmp_path: Path, name: str, expected: list[str]) -> None:
    assert reported_names(tmp_path, name) == expected


def test_the_distributions_own_name_is_its_own(tmp_path: Path) -> None:
    assert reported_names(tmp_path, "build/__init__.py", filename="build-1.0-py3-none-any.whl") == []
    assert reported_names(tmp_path, "build/__init__.py", filename="builder-1.0-py3-none-any.whl") == [
        "build/"
    ]


@pytest.mark.parametrize(
    ("requires", "expected"),
    [(">=3.5,<3.9", []), (">=3.9", ["typing.py"]), ("<3.12", ["typing.py"]), ("?", ["typing.py"])],
)
def test_a_backport_excludes_pythons_with_the_module(
    tmp_path: Path, requires: str, expected: list[str]
) -> None:
    assert reported_names(tmp_path, "typing.py", text=f"Requires-Python: {requires}") == expected


def test_several_names_are_one_finding(tmp_path: Path) -> None:
    wheel = read(
        wheels.write_wheel(
            tmp_path, wheels.PURE, members={"tests/a.py": "", "docs/b.md": "", "json.py": "", "ast.py": ""}
        )
    )
    shared, shadowed = toplevel.names(wheel, Contract())
    assert shared.what == "top-level names that other distributions also use: tests/, docs/"
    assert shadowed.what == "shadowed by standard library modules of the same name: json.py, ast.py"


@rows(
    ("name", "expected"),
    [
        ("my-demo/__init__.py", ["my-demo/__init__.py"]),
        ("my_demo/__init__.py", []),
        ("demo-1.0.data/purelib/2demo/__init__.py", ["2demo/__init__.py"]),
        ("class/__init__.py", ["class/__init__.py"]),
        ("my_demo/migrations/0001-first/__init__.py", []),
        ("my-demo-stubs/__init__.pyi", []),
        ("my_demo-stubs/__init__.py", []),
        ("demo.libs/libz.so.1", []),
    ],
)
def test_packages_that_cannot_be_imported(tmp_path: Path, name: str, expected: list[str]) -> None:
    wheel = read(wheels.write_wheel(tmp_path, wheels.PURE, members={name: "", "demo/__init__.py": ""}))
    findings = list(toplevel.unimportable(wheel, Contract()))
    assert [finding.member for finding in findings] == expected
    assert {finding.code for finding in findings} <= {"WK220"}


def wheel_with(folder: Path, *names: str, requires: str = "") -> Wheel:
    metadata = wheels.metadata("demo", "1.0", *([f"Requires-Dist: {requires}"] if requires else []))
    return read(
        wheels.write_wheel(
            folder,
            wheels.PURE,
            members={**dict.fromkeys(names, "x"), "{info}/METADATA": metadata},
            package=False,
        )
    )


def promised(kind: Kind) -> Contract:
    return Contract(
        promises={
            "demo": Promise(
                distribution="demo", kind=kind, matrix=Matrix(targets=(), interpreters=(), declared=True)
            )
        }
    )


def test_a_wheel_without_files_is_an_error(tmp_path: Path) -> None:
    (finding,) = toplevel.nothing(wheel_with(tmp_path), Contract())
    assert (finding.code, finding.fails) == ("WK218", True)
    assert (
        list(toplevel.nothing(read(tmp_path / wheels.PURE, contents=False), Contract())) == []
    )  # a shallow read sees no members


@pytest.mark.parametrize(
    "name", ["demo.py", "demo/types.pyi", "demo-1.0.data/scripts/demo", "demo-1.0.data/data/share/demo.json"]
)
def test_any_installed_file_will_do(tmp_path: Path, name: str) -> None:
    assert list(toplevel.nothing(wheel_with(tmp_path, name), Contract())) == []


@pytest.mark.parametrize(
    ("contract", "count"), [(Contract(), 0), (promised(Kind.META), 0), (promised(Kind.PURE), 1)]
)
def test_an_empty_wheel_with_dependencies_is_a_meta_distribution(
    tmp_path: Path, contract: Contract, count: int
) -> None:
    assert len(list(toplevel.nothing(wheel_with(tmp_path, requires="demo-core"), contract))) == count


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (("demo/a.py", "demo/__pycache__/a.cpython-312.pyc"), ["demo/__pycache__/a.cpython-312.pyc"]),
        (
            ("demo/a.py", "demo/__pycache__/a.cpython-312.opt-1.pyc"),
            ["demo/__pycache__/a.cpython-312.opt-1.pyc"],
        ),
        (("a.py", "__pycache__/a.cpython-312.pyc"), ["__pycache__/a.cpython-312.pyc"]),
        (("demo/a.py", "demo/a.pyc"), ["demo/a.pyc"]),
        (("demo/a.pyc",), []),
        (("demo/__pycache__/a.cpython-312.pyc",), []),
        (("demo/a.py", "other/__pycache__/a.cpython-312.pyc"), []),
    ],
)
def test_bytecode_next_to_its_source(tmp_path: Path, names: tuple[str, ...], expected: list[str]) -> None:
    findings = list(toplevel.compiled(wheel_with(tmp_path, *names), Contract()))
    assert [finding.member for finding in findings] == expected
    assert {finding.code for finding in findings} <= {"WK219"}


def folder_codes(folder: Path, *names: str) -> list[str]:
    wheel = read(wheels.write_wheel(folder, members=dict.fromkeys(names, "x")))
    return [
        finding.code for check in (toplevel.dist_info, toplevel.data) for finding in check(wheel, Contract())
    ]


@rows(
    ("name", "expected"),
    [
        ("demo-0.9.dist-info/METADATA", ["WK209"]),
        ("demo/demo-0.9.dist-info/METADATA", []),
        ("demo-1.0.data/scripts/demo", []),
        ("demo-1.0.data/purelib/demo.py", []),
        ("demo-1.0.data/etc/demo", ["WK210"]),
        ("demo-1.1.data/scripts/demo", ["WK210"]),
        ("demo.data/scripts/demo", ["WK210"]),
        ("demo/x.data/scripts/demo", []),
    ],
)
def test_folders(tmp_path: Path, name: str, expected: list[str]) -> None:
    assert folder_codes(tmp_path, name) == expected
