"""Members of the family that another one needs to be built come from the run that builds it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.cibuildwheel_reader import read_options, write_project
from support.smoke_wheels import make
from wheelkit.builders.siblings import Wheelhouse, needed
from wheelkit.errors import ProjectError, UsageError
from wheelkit.machine.process import Command, Completed
from wheelkit.machine.progress import Progress
from wheelkit.machine.workspace import Workspace
from wheelkit.matrix import Interpreter, Target
from wheelkit.plan import Builder, NativeStep
from wheelkit.project.family import Family
from wheelkit.project.kinds import Kind
from wheelkit.project.read import Distribution

LINUX = Target.parse("manylinux_2_28_x86_64")
INTERPRETERS = tuple(map(Interpreter.parse, ("cp311", "cp312")))


def member(
    name: str, *needs: str, build: tuple[str, ...] = (), kind: Kind = Kind.PURE, **facts: Any
) -> Distribution:
    return Distribution(
        name=name,
        version="1.0",
        kind=kind,
        source=Path(name),
        dependencies=needs,
        build_requires=build,
        **facts,
    )


def family(*members: Distribution) -> Family:
    return Family(root=Path(), distributions=members)


def step(item: Distribution, builder: Builder = Builder.HOST) -> NativeStep:
    return NativeStep(
        distribution=item,
        target=LINUX,
        builder=builder,
        interpreters=INTERPRETERS,
        identifiers=("cp311-manylinux_x86_64",),
        repair="",
        patterns=(),
        tests=(),
    )


@pytest.fixture
def seen() -> list[Command]:
    return []


@pytest.fixture
def workspace(tmp_path: Path, seen: list[Command]) -> Workspace:
    def run(command: Command, /) -> Completed:
        seen.append(command)
        return Completed(returncode=0, output="")

    return Workspace(folder=tmp_path, log=tmp_path / "log", run=run, progress=Progress())


def test_what_a_build_needs_is_followed_through_the_family() -> None:
    gen = member("Gen", "base[fast]", extras={"more": ("far",)})
    members = (member("base", "click", extras={"fast": ("speed",)}), member("speed"), member("far"), gen)
    pure, native = (
        member("tool", "far", build=("gen>=1", "hatchling")),
        member("core", "far", build=("gen",), kind=Kind.NATIVE),
    )
    assert set(needed(pure, family(*members, pure))) == {"gen", "base", "speed"}
    assert set(needed(native, family(*members, native))) == {"gen", "base", "speed", "far"}
    assert needed(gen, family(gen)) == ()


def test_the_siblings_are_tied_to_their_files(
    tmp_path: Path, workspace: Workspace, seen: list[Command]
) -> None:
    gen, core = member("gen"), member("core", build=("gen",), kind=Kind.NATIVE)
    wheelhouse = Wheelhouse(family=family(gen, core))
    path = make(tmp_path / "made", "gen")
    wheelhouse.add("gen", [path])
    own = wheelhouse.for_step(step(core), workspace)
    own.run(Command(argv=("x",), env={"KEPT": "1"}))
    (command,) = seen
    files = {command.env[name] for name in ("UV_CONSTRAINT", "UV_BUILD_CONSTRAINT", "PIP_CONSTRAINT")}
    (line,) = Path(files.pop()).read_text().splitlines()
    assert not files
    assert command.env["KEPT"] == "1"
    assert line.startswith(f"gen @ {path.as_uri()}#sha256=")
    assert wheelhouse.for_step(step(member("alone", kind=Kind.NATIVE)), workspace) is workspace


def test_each_interpreter_gets_its_own_wheel_of_a_native_sibling(
    tmp_path: Path, workspace: Workspace, seen: list[Command]
) -> None:
    gen, core = member("gen", kind=Kind.NATIVE), member("core", build=("gen",), kind=Kind.NATIVE)
    wheelhouse = Wheelhouse(family=family(gen, core))
    wheelhouse.add(
        "gen",
        [make(tmp_path / "made", "gen", tag=f"{one}-{one}-manylinux_2_28_x86_64") for one in INTERPRETERS],
    )
    wheelhouse.add("gen", [make(tmp_path / "made", "gen", tag="cp312-cp312-win_amd64")])
    wheelhouse.for_step(step(core), workspace).run(Command(argv=("x",)))
    lines = Path(seen[0].env["UV_CONSTRAINT"]).read_text().splitlines()
    assert [(line.split("-1.0-")[1].split("-")[0], line.split(" ; ")[1]) for line in lines] == [
        ("cp311", 'python_version == "3.11"'),
        ("cp312", 'python_version == "3.12"'),
    ]


def test_inside_a_container_the_files_stand_where_it_mounts_them(
    tmp_path: Path, workspace: Workspace, seen: list[Command], monkeypatch: pytest.MonkeyPatch
) -> None:
    gen, core = (
        member("gen"),
        member("core", build=("gen",), kind=Kind.NATIVE, cibuildwheel={"environment-pass": ["MINE"]}),
    )
    wheelhouse = Wheelhouse(family=family(gen, core))
    path = make(tmp_path / "made", "gen")
    wheelhouse.add("gen", [path])
    wheelhouse.for_step(step(core, Builder.CIBUILDWHEEL), workspace).run(Command(argv=("x",)))
    env = seen[0].env
    assert env["CIBW_ENVIRONMENT_PASS_LINUX"].split() == [
        "UV_BUILD_CONSTRAINT",
        "UV_CONSTRAINT",
        "PIP_CONSTRAINT",
    ]
    write_project(tmp_path / "core", core.cibuildwheel)
    options = read_options(tmp_path / "core", {**env, "MINE": "1"}).build_options("cp311-manylinux_x86_64")
    assert [one.name for one in options.environment.assignments] == [
        "MINE",
        "UV_BUILD_CONSTRAINT",
        "UV_CONSTRAINT",
        "PIP_CONSTRAINT",
    ]
    inside = env["UV_BUILD_CONSTRAINT"]
    assert inside.startswith("/host/")
    assert Path(inside.removeprefix("/host")).read_text().startswith(f"gen @ file:///host{path}#sha256=")
    monkeypatch.setenv("CIBW_CONTAINER_ENGINE", "podman; disable_host_mount: true")
    with pytest.raises(UsageError, match="core needs gen to be built, but the container cannot see"):
        wheelhouse.for_step(step(core, Builder.CIBUILDWHEEL), workspace)


def test_a_sibling_that_was_not_made_is_never_left_to_an_index(tmp_path: Path, workspace: Workspace) -> None:
    gen, core, tool = (
        member("gen"),
        member("core", build=("gen",), kind=Kind.NATIVE),
        member("tool", build=("gen",)),
    )
    wheelhouse = Wheelhouse(family=family(gen, core, tool))
    for attempt in (
        lambda: wheelhouse.for_step(step(core), workspace),
        lambda: wheelhouse.for_build(tool, workspace),
    ):
        with pytest.raises(ProjectError, match=r"needs gen, of the same family, to be built"):
            attempt()
    wheelhouse.add("gen", [make(tmp_path / "made", "gen", tag="cp311-cp311-win_amd64")])
    with pytest.raises(ProjectError, match="no wheel of it for manylinux_2_28_x86_64"):
        wheelhouse.for_step(step(core), workspace)
    assert wheelhouse.for_build(gen, workspace) is workspace
