from pathlib import Path

import pytest

from support import wheels
from wheelkit.verification.checks import toplevel
from wheelkit.verification.contract import Contract
from wheelkit.wheel import read


def told(folder: Path, *names: str, filename: str = wheels.PURE, text: str = "") -> list[str]:
    distribution, version, *_ = filename.split("-")
    members = {
        **dict.fromkeys(names, "x"),
        "{info}/METADATA": wheels.metadata(distribution, version, *([text] if text else [])),
    }
    wheel = read(wheels.write_wheel(folder, filename, members=members))
    findings = list(toplevel.names(wheel, Contract()))
    assert {one.code for one in findings} <= {"WK217"}
    return [str(one.member) for one in findings]


@pytest.mark.parametrize(
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
        ("distutils/__init__.py", []),  # Python itself has it no more
        ("_thread.py", []),
    ],
)
def test_names_at_the_top(tmp_path: Path, name: str, expected: list[str]) -> None:
    assert told(tmp_path, name) == expected


def test_the_distributions_own_name_is_its_own(tmp_path: Path) -> None:
    assert told(tmp_path, "build/__init__.py", filename="build-1.0-py3-none-any.whl") == []
    assert told(tmp_path, "build/__init__.py", filename="builder-1.0-py3-none-any.whl") == ["build/"]


@pytest.mark.parametrize(
    ("requires", "expected"),
    [(">=3.5,<3.9", []), (">=3.9", ["typing.py"]), ("<3.12", ["typing.py"]), ("?", ["typing.py"])],
)
def test_a_backport_keeps_out_those_who_have_the_module(
    tmp_path: Path, requires: str, expected: list[str]
) -> None:
    assert told(tmp_path, "typing.py", text=f"Requires-Python: {requires}") == expected


def test_several_are_told_as_one(tmp_path: Path) -> None:
    wheel = read(
        wheels.write_wheel(
            tmp_path, wheels.PURE, members={"tests/a.py": "", "docs/b.md": "", "json.py": "", "ast.py": ""}
        )
    )
    shared, hidden = toplevel.names(wheel, Contract())
    assert (
        shared.what
        == "installed at the top of site-packages, where other distributions have theirs: tests/, docs/"
    )
    assert hidden.what == "shadowed by standard library modules of the same name: json.py, ast.py"


@pytest.mark.parametrize(
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
def test_packages_that_no_import_statement_can_spell(tmp_path: Path, name: str, expected: list[str]) -> None:
    wheel = read(wheels.write_wheel(tmp_path, wheels.PURE, members={name: "", "demo/__init__.py": ""}))
    findings = list(toplevel.unimportable(wheel, Contract()))
    assert [one.member for one in findings] == expected
    assert {one.code for one in findings} <= {"WK220"}
