"""What --target and --only select of a matrix, the same for plan and build."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from support.rows import rows
from wheelkit import config, matrix, plan
from wheelkit.builders.dist_folder import with_other_cells
from wheelkit.cli import build, selectors
from wheelkit.cli import plan as plan_command
from wheelkit.errors import UsageError
from wheelkit.machine.facts import Engine, Machine
from wheelkit.manifest import Manifest, describe
from wheelkit.matrix import System
from wheelkit.plan import NativeStep
from wheelkit.project.family import Family
from wheelkit.project.kinds import Kind
from wheelkit.project.read import Distribution

MACHINE = Machine(
    system=System.LINUX, arch="x86_64", engine=Engine(name="podman", version="4", setting="podman")
)
MUSL = "musllinux_x86_64"
TARGETS = ["manylinux_2_28_x86_64", "musllinux_1_2_x86_64", "win_amd64"]


def steps(only: str, targets: str = "", *, limited_api: bool = False, **table: Any) -> tuple[NativeStep, ...]:
    document = {"matrix": {"targets": TARGETS, "interpreters": ["cp311", "cp312", "cp313", "cp314t"]}}
    loaded = config.parse(document, source=None, root=Path("project"), validators=(matrix.validate,))
    member = Distribution(
        name="momentum",
        version="1",
        kind=Kind.NATIVE,
        source=Path("project"),
        backend="mesonpy",
        limited_api=limited_api,
        cibuildwheel=table,
    )
    request = plan.PlanRequest(
        machine=MACHINE,
        out=Path("dist"),
        targets=tuple(targets.split()),
        identifiers=tuple(only.split()),
        environ={},
    )
    return plan.make_plan(loaded, Family(root=Path("project"), distributions=(member,)), request).steps


@rows(
    ("only", "targets", "limited_api", "expected"),
    [
        ("cp312-manylinux_x86_64", "", False, [["cp312-manylinux_x86_64"]]),
        (f"cp313-{MUSL} cp311-{MUSL}", "", False, [[f"cp311-{MUSL}", f"cp313-{MUSL}"]]),
        (f"cp312-manylinux_x86_64 cp312-{MUSL}", TARGETS[1], False, [[f"cp312-{MUSL}"]]),
        # One wheel serves all of them, built on the oldest.
        ("cp312-manylinux_x86_64", "", True, [[f"cp31{minor}-manylinux_x86_64" for minor in (1, 2, 3)]]),
        ("cp314t-manylinux_x86_64", "", True, [["cp314t-manylinux_x86_64"]]),
        ("cp312-win_amd64", "", False, []),  # not on this machine
    ],
)  # fmt: skip
def test_only_the_named_builds_are_planned(
    only: str,
    targets: str,
    limited_api: bool,  # noqa: FBT001 - a column
    expected: list[list[str]],
) -> None:
    planned = steps(only, targets, limited_api=limited_api)
    assert [list(step.identifiers) for step in planned] == expected
    for step in planned:
        assert step.env["CIBW_BUILD"].split() == list(step.identifiers)
        assert len(step.interpreters) == len(step.identifiers)


def test_a_selected_build_is_the_same_as_among_all() -> None:
    table = {"skip": "cp311-*", "test-command": "pytest"}
    (whole, _), (one,) = steps("", **table), steps("cp312-manylinux_x86_64", **table)
    assert whole.env["CIBW_SKIP"] == ""
    assert {**one.env, "CIBW_BUILD": whole.env["CIBW_BUILD"]} == whole.env


@rows(
    ("only", "targets", "message", "hint"),
    [
        ("cp312-manylinux_x86", "", "cp312-manylinux_x86: not in the matrix", "did you mean cp312-man"),
        ("zzz", "", "zzz: not in the matrix", "wheelkit plan --identifiers lists the builds"),
        ("cp312-win_amd64", TARGETS[1], f"cp312-win_amd64: not among the builds for {TARGETS[1]}", ""),
    ],
)  # fmt: skip
def test_what_is_no_build_is_refused(only: str, targets: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as raised:
        steps(only, targets)
    assert raised.value.message == message
    assert hint in raised.value.hint


def test_plan_and_build_have_the_same_selectors() -> None:
    shared = set(selectors.Selectors.__struct_fields__)
    for command in (build.command, plan_command.command):
        assert shared <= {parameter.name for parameter in command.params}
    chosen = selectors.Selectors(
        native=True,
        pure=False,
        sdist=False,
        cross=False,
        targets=("a",),
        identifiers=("b", "c"),
        builder="auto",
    )
    assert chosen.words() == " --native --target a --only b --only c"
    assert (chosen.selection(()).native, chosen.selection(()).sdist) == (True, False)
    everything = replace(chosen, native=False, targets=(), identifiers=())
    assert everything.words() == ""
    assert everything.selection(()).sdist
    only = replace(everything, identifiers=("b",))
    assert (only.selection(()).native, only.selection(()).pure) == (True, False)


def manifest(folder: Path, *tags: str, source: str = "s") -> Manifest:
    files = []
    for tag in tags:
        path = folder / f"demo-1.0-{tag}-{tag}-manylinux_2_28_x86_64.whl"
        path.write_text(tag)
        files.append(describe(path, "wheel", cells=(tag,)))
    return Manifest(
        distribution="demo",
        version="1.0",
        target="manylinux_2_28_x86_64",
        builder="host",
        source=source,
        commit="",
        dirty=False,
        created="now",
        tools={},
        files=tuple(files),
    )


def test_the_manifest_of_some_builds_keeps_the_others_of_the_same_sdist(tmp_path: Path) -> None:
    earlier = manifest(tmp_path, "cp311", "cp312", "cp313")
    new = manifest(tmp_path, "cp312")
    assert with_other_cells(new, tmp_path) == new
    (tmp_path / earlier.filename).write_text(earlier.to_json())
    merged = with_other_cells(new, tmp_path)
    assert [file.cells for file in merged.files] == [("cp311",), ("cp313",), ("cp312",)]
    assert with_other_cells(manifest(tmp_path, "cp312", source="t"), tmp_path).files == new.files
    (tmp_path / earlier.files[0].file).write_text("changed")
    assert [file.cells for file in with_other_cells(new, tmp_path).files] == [("cp313",), ("cp312",)]
