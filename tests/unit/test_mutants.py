from __future__ import annotations

import ast
import tomllib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from mutation.c_code import c_mutants
from mutation.mutants import Mutant, draw, plain
from mutation.python_code import python_mutants
from mutation.tables import table_mutants

ROOT = Path(__file__).resolve().parents[2]
SURVIVORS = ROOT / "tests" / "mutation" / "survivors.toml"
Find = Callable[[str, bytes], list[Mutant]]

PYTHON = {
    "comparison": ("x = a < b", {"x = a <= b"}),
    "and/or": ("x = a and b", {"x = a or b"}),
    "not": ("x = not a", {"x = (a)"}),
    "arithmetic": ("x = a + b", {"x = a - b"}),
    "condition": ("if a:\n    x = b", {"if not (a):\n    x = b"}),
    "flag": ("x = f(key=True)", {"x = f(key=False)"}),
    "number": ("x = 5", {"x = 6", "x = 4"}),
    "text": ('x = "ab"', {"x = 'aXb'"}),
    "swapped arguments": ("x = f(a, b, c)", {"x = f(b, a, c)"}),
    "swapped branches": ("x = a if b else c", {"x = (c) if (b) else (a)"}),
    "deleted statement": ("f(a)", {"pass"}),
    "deleted raise": ("raise E from None", {"pass"}),
    "deleted yield": ("def f():\n    yield a", {"def f():\n    False and (yield a)"}),
    "returned constant": (
        "def f() -> bool:\n    return a",
        {f"def f() -> bool:\n    return {b}" for b in (True, False)},
    ),
}
LEFT_ALONE = (
    '"""A docstring."""',
    'x: "str"',
    'x = f"{a} and 5"',
    '__all__ = ["x"]',
    "import a",
    "if TYPE_CHECKING:\n    x = 1",
    'x = cast("int", a)',
    "def f(a: int = b) -> Literal['x']: ...",
)
TABLE = """\
[one]
severity = "error"
title = "for people"
names = ["a", "b"]

[two]
count = 3
"""
TABLE_CHANGES = {
    "dropped row": {TABLE[TABLE.index("[two]") :], TABLE[: TABLE.index("[two]")]},
    "severity": {TABLE.replace('"error"', f'"{other}"') for other in ("warning", "note")},
    "dropped item": {TABLE.replace('["a", "b"]', other) for other in ('["b"]', '["a", ]')},
    "number": {TABLE.replace("3", "4")},
}
C_CODE = """\
/* a + b: 1 */
bool f(int a)
{
    call(a, "1 + 1");
    if (a == 2) {
        return true;
    }
    const int b = a + a;
}
"""
C_CHANGES = {
    "deleted statement": {C_CODE.replace('call(a, "1 + 1");', ";")},
    "operator": {C_CODE.replace("==", "!="), C_CODE.replace("a + a", "a - a")},
    "number": {C_CODE.replace("2", other) for other in "13"},
    "condition": {C_CODE.replace("a == 2", "!(a == 2)")},
    "result": {C_CODE.replace("true", "false")},
}


def changes(find: Find, source: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for mutant in find("file", source.encode()):
        found.setdefault(mutant.kind, set()).add(mutant.apply(source.encode()).decode())
    return found


@pytest.mark.parametrize("kind", PYTHON)
def test_python_is_changed(kind: str) -> None:
    source, changed = PYTHON[kind]
    assert changes(python_mutants, source) == {kind: changed}


@pytest.mark.parametrize("source", LEFT_ALONE)
def test_what_decides_nothing_is_left_alone(source: str) -> None:
    assert changes(python_mutants, source) == {}


def test_tables_are_changed_but_not_their_prose() -> None:
    assert changes(table_mutants, TABLE) == TABLE_CHANGES


def test_c_is_changed_but_not_its_comments_and_texts() -> None:
    assert changes(c_mutants, C_CODE) == C_CHANGES


def test_mutants_of_real_files_can_be_parsed() -> None:
    path = ROOT / "python" / "wheelkit" / "verification" / "checks" / "abi.py"
    for mutant in python_mutants("abi.py", path.read_bytes()):
        ast.parse(mutant.apply(path.read_bytes()))
    for path in (ROOT / "python" / "wheelkit" / "data").glob("*.toml"):
        for mutant in table_mutants(path.name, path.read_bytes())[::20]:
            tomllib.loads(mutant.apply(path.read_bytes()).decode())


def test_files_are_drawn_by_weight_and_the_seed_repeats_it(tmp_path: Path) -> None:
    for name in ("long.py", "short.py"):
        (tmp_path / name).write_text("".join(f"x = {number}\n" for number in range(100)))
    weights = {"long.py": 300.0, "short.py": 100.0}
    drawn = draw(tmp_path, weights, 40, 1, python_mutants)
    assert Counter(mutant.file for mutant in drawn) == {"long.py": 30, "short.py": 10}
    assert len(set(drawn)) == 40
    assert drawn == draw(tmp_path, weights, 40, 1, python_mutants)
    assert drawn != draw(tmp_path, weights, 40, 2, python_mutants)
    assert {mutant.first // 26 for mutant in drawn} == {0, 1, 2, 3}
    # No more can be drawn than there are.
    assert len(draw(tmp_path, {"short.py": 1.0}, 500, 1, python_mutants)) == 200


def test_listed_survivors_still_exist() -> None:
    for row in tomllib.loads(SURVIVORS.read_text()).get("survivor", []):
        source = (ROOT / row["file"]).read_bytes()
        find = {".py": python_mutants, ".toml": table_mutants}.get(Path(row["file"]).suffix, c_mutants)
        assert row["old"] in plain(source.decode()), row
        assert (row["old"], row["new"]) in {mutant.texts(source) for mutant in find(row["file"], source)}, row
        assert row["reason"], row
