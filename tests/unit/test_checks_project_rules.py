"""Promises beyond the matrix: allowed dependencies, a meta without code, bounded ranges inside the family."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from support import wheels
from support.rows import rows
from wheelkit import config
from wheelkit.matrix import Matrix
from wheelkit.project.family import Family
from wheelkit.project.kinds import Kind
from wheelkit.project.read import Distribution
from wheelkit.verification.checks import project_rules
from wheelkit.verification.contract import Contract, Promise, contract_of
from wheelkit.verification.model import Finding
from wheelkit.wheel import Wheel, read

META = "{info}/METADATA"
NOTHING = Promise(
    distribution="demo", kind=Kind.PURE, matrix=Matrix(targets=(), interpreters=(), declared=False)
)


def requiring(tmp_path: Path, *lines: str) -> Wheel:
    text = wheels.metadata("demo", "1.0", *(f"Requires-Dist: {line}" for line in lines), "Provides-Extra: x")
    return read(wheels.write_wheel(tmp_path, wheels.PURE, members={META: text}))


@rows(
    ("lines", "allowed", "message"),
    [
        ((), (), ""),
        (("six",), None, ""),
        (("six",), (), "the wheel requires six; allowed dependencies: none"),
        (("Typing.Extensions>=4", "numpy"), ("typing-extensions", "NUMPY"), ""),
        (
            ("numpy>=2", "six; python_version < '3'"),
            ("numpy",),
            'six; python_version < "3"; allowed dependencies: numpy',
        ),
        (("six; extra == 'x'",), (), ""),
        (("six; extra == 'x' and sys_platform == 'win32'",), (), ""),
        (("six; extra == 'x' or sys_platform != 'nowhere'",), (), "the wheel requires six"),
    ],
)
def test_dependencies(
    tmp_path: Path, lines: tuple[str, ...], allowed: tuple[str, ...] | None, message: str
) -> None:
    contract = Contract(promises={"demo": replace(NOTHING, dependencies=allowed)})
    found = list(project_rules.dependencies(requiring(tmp_path, *lines), contract))
    assert [one.code for one in found] == (["WK715"] if message else [])
    assert message in "".join(one.what for one in found)
    assert list(project_rules.dependencies(requiring(tmp_path, *lines), Contract())) == []


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"demo/__init__.py": ""}, "demo is a meta distribution, but contains demo/__init__.py"),
        ({"demo-1.0.data/scripts/run": "#!python\n"}, "demo-1.0.data/scripts/run"),
        ({"demo-1.0.data/data/share/demo.txt": "words"}, ""),
        ({}, ""),
    ],
)
def test_meta(tmp_path: Path, members: dict[str, str], message: str) -> None:
    wheel = read(wheels.write_wheel(tmp_path, wheels.PURE, members=members, package=False))

    def judged(kind: Kind) -> list[Finding]:
        return list(project_rules.meta(wheel, Contract(promises={"demo": replace(NOTHING, kind=kind)})))

    assert [one.code for one in judged(Kind.META)] == (["WK716"] if message else [])
    assert message in "".join(one.what for one in judged(Kind.META))
    assert judged(Kind.PURE) == []


@rows(
    ("line", "unbounded"),
    [
        ("demo-core>=1.0", True),
        ("Demo_Core", True),
        ("demo-core>=1; extra == 'x'", True),
        ("demo-core>1,!=1.3", True),
        ("demo-core>=1.0,<2", False),
        ("demo-core~=1.0", False),
        ("demo-core==1.0", False),
        ("demo[x]", False),
        ("other>=1", False),
    ],
)
def test_bounded_ranges(tmp_path: Path, line: str, unbounded: bool) -> None:  # noqa: FBT001 - a column of the table
    family = Contract(promises={name: replace(NOTHING, distribution=name) for name in ("demo", "demo-core")})
    wheel = requiring(tmp_path, line)
    assert [one.code for one in project_rules.bounded_ranges(wheel, family)] == (
        ["WK717"] if unbounded else []
    )
    assert list(project_rules.bounded_ranges(wheel, Contract())) == []


def test_the_configuration_promises(tmp_path: Path) -> None:
    table = {"distribution": {"demo": {"dependencies": [], "kind": "meta"}}}
    found = Distribution(name="demo", version="1.0", kind=Kind.PURE, source=tmp_path)
    made = contract_of(
        config.parse(table, source=None, root=tmp_path), Family(root=tmp_path, distributions=(found,))
    )
    assert (made.promises["demo"].dependencies, made.promises["demo"].kind) == ((), Kind.META)
