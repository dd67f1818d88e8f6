"""Wheels that install nothing, and bytecode that should have stayed at home."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import wheels
from wheelkit.matrix import Matrix
from wheelkit.project.read import Kind
from wheelkit.verification.checks import toplevel
from wheelkit.verification.contract import Contract, Promise
from wheelkit.wheel import Wheel, read


def wheel(folder: Path, *names: str, requires: str = "") -> Wheel:
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
    (finding,) = toplevel.nothing(wheel(tmp_path), Contract())
    assert (finding.code, finding.fails) == ("WK218", True)
    assert (
        list(toplevel.nothing(read(tmp_path / wheels.PURE, contents=False), Contract())) == []
    )  # a glance sees no members


@pytest.mark.parametrize(
    "name", ["demo.py", "demo/types.pyi", "demo-1.0.data/scripts/demo", "demo-1.0.data/data/share/demo.json"]
)
def test_anything_that_is_installed_will_do(tmp_path: Path, name: str) -> None:
    assert list(toplevel.nothing(wheel(tmp_path, name), Contract())) == []


@pytest.mark.parametrize(
    ("contract", "count"), [(Contract(), 0), (promised(Kind.META), 0), (promised(Kind.PURE), 1)]
)
def test_what_only_requires_others_is_a_meta_distribution(
    tmp_path: Path, contract: Contract, count: int
) -> None:
    assert len(list(toplevel.nothing(wheel(tmp_path, requires="demo-core"), contract))) == count


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
def test_bytecode_is_told_where_its_source_is_there(
    tmp_path: Path, names: tuple[str, ...], expected: list[str]
) -> None:
    found = list(toplevel.compiled(wheel(tmp_path, *names), Contract()))
    assert [one.member for one in found] == expected
    assert {one.code for one in found} <= {"WK219"}
