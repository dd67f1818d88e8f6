"""Which verdicts are remembered for which inputs, and how warnings are shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct
from msgspec.structs import replace

from wheelkit.builders.cache.entry import BuildRecord
from wheelkit.builders.results import UnitResult
from wheelkit.builders.units import BuildUnit, UnitKind
from wheelkit.builders.verify import _warnings, verification_key
from wheelkit.config import Provider
from wheelkit.machine.git import Checkout
from wheelkit.manifest import BuiltFile
from wheelkit.matrix import Absence, AbsentCell, Interpreter, Matrix, Target
from wheelkit.project.kinds import Kind
from wheelkit.project.read import Distribution
from wheelkit.verification.comparison.facts import Earlier, ReleaseFacts
from wheelkit.verification.contract import Contract, Promise
from wheelkit.verification.findings import finding

NAME = "demo-1.0-cp312-cp312-linux_x86_64.whl"
TARGET = Target.parse("manylinux_2_28_x86_64")
PROMISE = Promise(
    distribution="demo",
    kind=Kind.NATIVE,
    matrix=Matrix(
        targets=(TARGET,),
        interpreters=(Interpreter.parse("cp312"),),
        declared=True,
        absent=(AbsentCell(target="win32", interpreter="cp312", why=Absence.SKIPPED, selector="*-win32"),),
        unused=("pp*",),
    ),
    max_size=1000,
    dependencies=("numpy",),
    ignore={"WK601": "reason"},
)
CONTRACT = Contract(
    promises={"demo": PROMISE},
    exclude=(Provider(name="torch", linux=("a",), macos=("b",), windows=("c",), distributions=("torch",)),),
    runners={"*": "ubuntu"},
    native=(TARGET,),
    unnamed=PROMISE,
    earlier=Earlier(
        releases={"demo==0.9": ReleaseFacts(distribution="demo", version="0.9", origin="pypi")},
        gaps=("other 1.0 was not compared",),
    ),
)


def result(sha256: str = "0" * 64, name: str = "demo.whl") -> UnitResult:
    distribution = Distribution(name="demo", version="1.0", kind=Kind.PURE, source=Path("demo"))
    record = BuildRecord(
        distribution="demo",
        version="1.0",
        source="",
        tools={},
        files=(BuiltFile(file=name, sha256=sha256, size=1, kind="wheel"),),
        seconds=0.0,
    )
    unit = BuildUnit(distribution=distribution, kind=UnitKind.PURE)
    return UnitResult(unit=unit, record=record, checkout=Checkout(commit="", changed=()))


def changes(value: Any) -> Iterator[Any]:
    """Yield copies of a value, each with one field changed, however deep it lies."""
    if isinstance(value, Struct):
        for name in value.__struct_fields__:
            for changed in changes(getattr(value, name)):
                yield replace(value, **{name: changed})
    elif isinstance(value, Enum):
        yield from (member for member in type(value) if member is not value)
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, (int, str)):
        yield value + type(value)(1)
    elif isinstance(value, tuple) and value:
        yield (*value, *value[:1])
        yield from ((changed, *value[1:]) for changed in changes(value[0]))
    elif isinstance(value, Mapping):
        ((key, first),) = value.items()
        yield from ({key: changed} for changed in changes(first))
        yield {f"{key}-2": first}
    elif value != ():
        pytest.fail(f"{value!r} cannot be changed")


def test_every_field_of_a_contract_is_part_of_the_key() -> None:
    contracts = [replace(CONTRACT, beside=(Path(NAME),))]
    contracts += [Contract(), CONTRACT, *changes(CONTRACT), replace(CONTRACT, native=None, unnamed=None)]
    changed = {
        name
        for contract in contracts
        for name in Contract.__struct_fields__
        if getattr(contract, name) != getattr(CONTRACT, name)
    }
    assert changed == set(Contract.__struct_fields__)
    keys = [verification_key([result()], contract) for contract in contracts]
    assert len(set(keys)) == len(keys)


def test_the_whole_files_are_part_of_the_key() -> None:
    same = {
        verification_key([result("a", "x"), result("b", "y")], CONTRACT),
        verification_key([result("b", "y"), result("a", "x")], CONTRACT),
    }
    assert len(same) == 1
    others = {
        verification_key(files, CONTRACT)
        for files in ([result("a", "x")], [result("a", "y")], [result("b", "x")], [])
    }
    assert len(others | same) == 5


def test_one_warning_about_several_files_is_one_line() -> None:
    findings = (
        ("WK718", "a.whl", "no markup"),
        ("WK718", "b.whl", "no markup"),
        ("WK718", "c.whl", "another"),
        ("WK709", "", "too old"),
        ("WK711", "a.whl", "a note"),
    )
    lines = _warnings([finding(code, what=what, file=file) for code, file, what in findings])
    assert lines == ["WK718  a.whl and 1 more: no markup", "WK718  c.whl: another", "WK709  too old"]
