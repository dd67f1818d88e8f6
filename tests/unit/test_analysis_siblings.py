"""The required distribution that a library of another wheel is left to."""

from __future__ import annotations

from pathlib import Path

from support import wheels
from support.rows import rows
from support.wheels import Rpath, elf, needs
from wheelkit.analysis.siblings import sibling_of

MODULE = "demo/_core.cpython-311-x86_64-linux-gnu.so"


def sibling(
    folder: Path, library: str, *requires: str, run: str = "", beside: tuple[Path, ...] = ()
) -> str | None:
    binary = elf(MODULE, needed=needs(library), rpaths=(Rpath(path=run),) if run else ())
    text = wheels.metadata("demo", "1.0", *(f"Requires-Dist: {line}" for line in requires))
    members = {"{info}/METADATA": text, "demo/__init__.py": "", MODULE: ""}
    wheel = wheels.facts(folder, wheels.LINUX, binary, members=members)
    return sibling_of(wheel, library, [MODULE], beside)


# A library, what the wheel requires and where it searches, and who brings the library.
CASES: list[tuple[str, tuple[str, ...], str, str | None]] = [
    ("librmm.so", ("librmm-cu12",), "", "librmm-cu12"),
    ("librmm.so", ("rmm",), "", "rmm"),
    ("librmm.so", ("other",), "", None),
    ("librmm.so", (), "", None),
    ("/usr/lib/librmm.so", ("librmm",), "", None),
    ("librender.so.1", ("acme-render",), "", "acme-render"),
    ("libQt6Core.so.6", ("PyQt6-Qt6",), "$ORIGIN/../Qt6/lib", "PyQt6-Qt6"),
    ("libQt6Core.so.6", ("PyQt6-Qt6",), "", "PyQt6-Qt6"),
    ("libGfx.so.6", ("PyQt6-Qt6",), "$ORIGIN/../Qt6/lib", "PyQt6-Qt6"),
    ("libGfx.so.6", ("PyQt6-Qt6",), "$ORIGIN/../demo.libs", None),
    ("libother.so", ("acme",), "$ORIGIN/../acme/lib", "acme"),
    ("libother.so", ("acme", "acme-tools"), "$ORIGIN/../acme/tools2/lib", "acme"),
    ("libother.so", ("demo-base==1.0",), "", "demo-base"),
    ("libother.so", ("demo-base==1.0.*",), "", "demo-base"),
    ("libother.so", ("demo-base>=1.0",), "", None),
    ("libother.so", ("demo-base==1.1",), "", None),
    ("libother.so", ("demo-base==1.*",), "", None),
    ("libother.so", ("base==1.0",), "", None),
    ("libstdc++.so.6", ("demo-base==1.0",), "", None),
]  # fmt: skip


@rows(("library", "requires", "run", "expected"), CASES)
def test_who_brings_a_library(
    library: str, requires: tuple[str, ...], run: str, expected: str | None, tmp_path: Path
) -> None:
    assert sibling(tmp_path, library, *requires, run=run) == expected


# Words that say nothing: a library of this name belongs to no distribution that has the word in its own.
GENERIC = (
    "bin binary core cpp cpu cuda dev dist essentials gpu headers lib libs native packages py python python3 "
    "runtime site src tools wheel"
)


@rows("word", GENERIC.split())
def test_words_that_tell_nothing(word: str, tmp_path: Path) -> None:
    assert sibling(tmp_path, "libother.so", f"acme-{word}", run=f"$ORIGIN/../{word}/x") is None
    assert (
        sibling(tmp_path, "libother.so", f"acme-{word}z9", run=f"$ORIGIN/../{word}z9/x") == f"acme-{word}z9"
    )


def test_the_wheels_beside_decide_for_their_distribution(tmp_path: Path) -> None:
    (tmp_path / "dist").mkdir()
    linux, windows = (name.replace("demo", "rmm") for name in (wheels.LINUX, wheels.WINDOWS))
    files = {"rmm/librmm.so": "", "rmm/liba.so": ""}
    beside = wheels.write_wheel(tmp_path / "dist", linux, members=files)
    assert sibling(tmp_path, "librmm.so", "rmm", beside=(beside,)) == "rmm"
    assert sibling(tmp_path, "liba.so", "rmm", beside=(beside,)) == "rmm"
    assert sibling(tmp_path, "librmm2.so", "rmm", beside=(beside,)) is None
    elsewhere = wheels.write_wheel(tmp_path / "dist", windows, members=files)
    broken = tmp_path / "not-a-wheel.whl"
    assert sibling(tmp_path, "liba.so", "rmm", beside=(elsewhere, broken)) is None
