"""The interpreters that tags reach, against the tags that packaging makes for each of them."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from packaging import tags as theirs

from support import wheels
from support.rows import rows
from wheelkit.analysis import reach
from wheelkit.matrix import NEWEST_CPYTHON_MINOR, Interpreter
from wheelkit.wheel import read

MINORS = range(2, NEWEST_CPYTHON_MINOR + 1)
PYTHONS = (
    "cp3",
    "cp31",
    "py3",
    "py4",
    "py2",
    *(f"{kind}3{minor}" for kind in ("cp", "py", "pp") for minor in MINORS),
)
FLAGS = ("", "m", "d", "dm", "t", "td", "mu", "dmu", "u", "tm")
ABIS = (
    "none", "abi3", "abi3t", "pypy311_pp73", *(f"cp3{minor}{flags}" for minor in MINORS for flags in FLAGS)
)  # fmt: skip


def flags_of(minor: int, *, debug: bool) -> tuple[str, ...]:
    """Return the ABI flags of CPython's builds (packaging, _cpython_abis)."""
    letter = "d" if debug else ""
    if minor >= 13:
        return (letter, f"t{letter}")
    if minor >= 8:
        return (letter,)
    return (f"{letter}m",) if minor > 2 else (f"{letter}m", f"{letter}mu", letter, f"{letter}u")


def accepted(interpreter: str, minor: int, abis: list[str]) -> set[tuple[str, str]]:
    version, walk = (3, minor), theirs.cpython_tags if interpreter.startswith("cp") else None
    if walk is not None:
        tags = [*walk(version, abis, ["platform"])]
    else:
        tags = [*theirs.generic_tags(interpreter, abis, ["platform"])]
    tags += theirs.compatible_tags(version, interpreter, ["platform"])
    return {(tag.interpreter, tag.abi) for tag in tags}


@rows("minor", MINORS)
@rows("threaded", ["", "t"])
def test_cpython_accepts_what_packaging_says(minor: int, threaded: str) -> None:
    if threaded and minor < 13:
        return
    flags = [flag for flag in flags_of(minor, debug=False) if ("t" in flag) == bool(threaded)]
    wanted = set[tuple[str, str]]().union(
        *(accepted(f"cp3{minor}", minor, [f"cp3{minor}{flag}"]) for flag in flags)
    )
    interpreter = Interpreter.parse(f"cp3{minor}{threaded}")
    ours = {pair for pair in product(PYTHONS, ABIS) if reach.accepts(interpreter, *pair)}
    assert ours == {pair for pair in wanted if pair[0] in PYTHONS}


@pytest.mark.parametrize("minor", [10, 11])
def test_pypy_accepts_what_packaging_says(minor: int) -> None:
    wanted = accepted(f"pp3{minor}", minor, [f"pypy3{minor}_pp73"])
    ours = {pair for pair in product(PYTHONS, ABIS) if reach.accepts(Interpreter.parse(f"pp3{minor}"), *pair)}
    assert ours == {pair for pair in wanted if pair[0] in PYTHONS and pair[1] in ABIS}


def test_pairs_that_no_interpreter_accepts_are_those_that_packaging_makes_for_none() -> None:
    wanted: set[tuple[str, str]] = set()
    for minor, debug in product(MINORS, (False, True)):
        for flag in flags_of(minor, debug=debug):
            wanted |= accepted(f"cp3{minor}", minor, [f"cp3{minor}{flag}"])
        wanted |= accepted(f"pp3{minor}", minor, [f"pypy3{minor}_pp73"])
    pythons = [python for python in PYTHONS if python[:3] in {"cp3", "py3", "pp3"} and python != "cp31"]
    ours = {pair for pair in product(pythons, ABIS) if reach.accepted_together(*pair)}
    assert ours == {pair for pair in wanted if pair[0] in pythons and pair[1] in ABIS}


@rows(
    ("tags", "required", "expected"),
    [
        ("cp314-none", "", "cp314 cp314t"),
        ("cp312-none", "", "cp312"),
        ("py3-none", ">=3.12", "cp312 cp313 cp314 cp315 cp313t cp314t cp315t"),
        ("py3-none", ">=3.12,<3.13", "cp312"),
        ("cp313-abi3", "", "cp313 cp314 cp315"),
        ("cp314-abi3.abi3t", "", "cp314 cp315 cp314t cp315t"),
        ("cp311-abi3.abi3t", ">=3.15", "cp315 cp315t"),
        ("cp36-cp36m", "", "cp36"),
        ("cp313-cp313t", "", "cp313t"),
        ("pp311-pypy311_pp73", "", "pp311"),
        ("cp310-cp310d", "", ""),
        ("cp27-cp27mu", "", ""),
    ],
)
def test_the_interpreters_of_a_wheel(tmp_path: Path, tags: str, required: str, expected: str) -> None:
    lines = (f"Requires-Python: {required}",) if required else ()
    filename = f"demo-1.0-{tags}-manylinux_2_17_x86_64.whl"
    members = {"{info}/METADATA": wheels.metadata("demo", "1.0", *lines)}
    wheel = read(wheels.write_wheel(tmp_path, filename, members=members))
    assert " ".join(map(str, reach.reached(wheel))) == expected
