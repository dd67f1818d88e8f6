"""Each thing that decides about the bytes of a build has a part of its own in the key."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from support.command import git_commit
from wheelkit.builders.cache import key, tools
from wheelkit.builders.cache.entry import KeyInputs
from wheelkit.builders.cache.key import CacheKeyBuilder
from wheelkit.builders.cache.store import Store
from wheelkit.builders.units import BuildUnit, UnitKind
from wheelkit.machine.facts import Engine, Machine
from wheelkit.matrix import Interpreter, System, Target
from wheelkit.plan import Builder, NativeStep, Plan
from wheelkit.plan.model import HostSettings
from wheelkit.project import read
from wheelkit.project.family import Family

PROJECT = """[build-system]
requires = ["meson-python"]
build-backend = "mesonpy"
[project]
name = "demo"
version = "1.0"
"""
MACHINE = Machine(system=System.LINUX, arch="x86_64", libc="manylinux", libc_version=(2, 36))
ENGINE = Engine(name="docker", version="24.0", setting="docker")
SECRET = "hush-hush"  # noqa: S105 - a made-up one


@dataclass
class Images:
    """The digests of images, of which one may be unknown."""

    found: dict[str, str] = field(default_factory=lambda: {"image:1": "d" * 64})

    def digests(self, _step: NativeStep) -> dict[str, str]:
        return self.found


@dataclass
class Scene:
    folder: Path
    machine: Machine = MACHINE
    images: Images = field(default_factory=Images)
    environ: dict[str, str] = field(default_factory=dict)

    def step(self, **changes: Any) -> NativeStep:
        step = NativeStep(
            distribution=read.read(self.folder),
            target=Target.parse("manylinux_2_28_x86_64"),
            builder=Builder.HOST,
            interpreters=(Interpreter.parse("cp311"),),
            identifiers=("cp311-manylinux_x86_64",),
            argv=("uv", "build", sys.executable),
            repair="auditwheel",
            patterns=("libtorch*",),
            tests=("true",),
            env={"A": "1"},
            overridden=("before-all",),
            settings={"cp311": HostSettings(config_settings=(("a", "1"),), environment={"B": "1"})},
            lib_paths=(self.folder / "libs",),
        )
        return replace(step, **changes)

    def inputs(self, step: NativeStep | None = None, **siblings: str) -> KeyInputs:
        distribution = read.read(self.folder)
        steps = (step or self.step(),)
        plan = Plan(
            family=Family(root=self.folder, distributions=(distribution,)),
            machine=self.machine,
            out=self.folder / "dist",
            matrices={},
            targets=(),
            steps=steps,
        )
        unit = BuildUnit(distribution=distribution, kind=UnitKind.NATIVE, steps=steps)
        store = Store(folder=self.folder.parent / "cache", limit=10_000)
        return CacheKeyBuilder(plan, store, environ=self.environ).inputs(unit, siblings)


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    folder = tmp_path / "demo"
    (folder / "libs").mkdir(parents=True)
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / "a.c").write_text("int a;")
    (folder / "libs/libx.so").write_text("x")
    git_commit(folder)
    scene = Scene(folder)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(key, "Images", lambda *_: scene.images)
    monkeypatch.setattr(tools, "toolchain_parts", lambda *_: {"the system packages": "p"})
    monkeypatch.setattr(
        tools, "interpreter_parts", lambda found, packages, _: {"interpreter": f"{found[0]} {packages}"}
    )
    return scene


def differing(one: KeyInputs, other: KeyInputs) -> set[str]:
    names = one.parts.keys() | other.parts.keys()
    assert (one.key == other.key) == (one.parts == other.parts)
    return {name for name in names if one.parts.get(name) != other.parts.get(name)}


SETTINGS = {"cp311": HostSettings(config_settings=(("a", "2"),), environment={"B": "1"})}
VARIABLE = {"cp311": HostSettings(config_settings=(("a", "1"),), environment={"B": SECRET})}
STEPS: list[tuple[dict[str, Any], set[str]]] = [
    ({"identifiers": ("cp312",)}, {"step 0 builds"}),
    ({"interpreters": (Interpreter.parse("cp312"),)}, {"step 0 interpreters", "interpreter"}),
    ({"argv": ("uv", "build", "-v", sys.executable)}, {"step 0 command"}),
    ({"argv": ("uv", "build", "python")}, set()),  # where Python is decides nothing
    ({"repair": "other"}, {"step 0 repair"}),
    ({"patterns": ()}, {"step 0 excluded libraries"}),
    ({"tests": ("false",)}, {"step 0 tests"}),
    ({"env": {"A": SECRET}}, {"step 0 setting A"}),
    ({"overridden": ()}, {"step 0 overridden keys"}),
    ({"settings": SETTINGS}, {"step 0 config settings cp311"}),
    ({"settings": VARIABLE}, {"step 0 setting B cp311"}),
    ({"lib_paths": ()}, {"step 0 library folders", "libraries in libs"}),
    ({"target": Target.parse("manylinux_2_34_x86_64")}, {"target"}),
    (
        {"builder": Builder.CROSS},
        {"builder", *(f"tool {name}" for name in ("delocate", "delvewheel", "repairwheel", "abi3info"))},
    ),
]


@pytest.mark.parametrize(("changes", "parts"), STEPS)
def test_everything_in_a_step_decides(scene: Scene, changes: dict[str, Any], parts: set[str]) -> None:
    changed = scene.inputs(scene.step(**changes))
    assert differing(scene.inputs(), changed) == parts
    assert SECRET not in str(changed.parts)


def test_the_sources_siblings_libraries_and_settings_decide(scene: Scene) -> None:
    before = scene.inputs()
    assert scene.inputs().parts == before.parts
    assert differing(before, scene.inputs(core="1")) == {"sibling core"}
    scene.environ["CFLAGS"] = "-O0"
    assert differing(before, scene.inputs()) == {"variable CFLAGS"}
    scene.environ.clear()
    (scene.folder / "libs/libx.so").write_text("y")
    assert "libraries in libs" in differing(before, scene.inputs())
    (scene.folder / "libs/libx.so").write_text("x")
    (scene.folder / "a.c").write_text("int b;")
    assert differing(before, scene.inputs()) == {"sources"}


def test_wheelkit_itself_decides(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    before = scene.inputs()
    monkeypatch.setattr(tools, "wheelkit_digest", lambda: "other")
    assert differing(before, scene.inputs()) == {"wheelkit"}


def test_containers_count_instead_of_this_machine(scene: Scene) -> None:
    scene.machine = replace(MACHINE, engine=ENGINE)
    step = scene.step(builder=Builder.CIBUILDWHEEL)
    inputs = scene.inputs(step)
    assert (inputs.parts["image image:1"], inputs.unknown) == ("d" * 64, "")
    assert {"the machine", "interpreter", "the system packages"}.isdisjoint(inputs.parts)
    on_machine = scene.inputs(replace(step, target=Target.parse("macosx_11_0_arm64")))
    assert {"the machine", "the system packages"} <= on_machine.parts.keys()
    assert {"interpreter", "image image:1"}.isdisjoint(on_machine.parts)
    scene.images.found = {"image:1": "d" * 64, "image:2": ""}
    unknown = scene.inputs(step)
    assert unknown.unknown == "the digest of image:2 is not known here"
    assert unknown.parts.keys() == inputs.parts.keys()


def test_the_commit_decides_where_the_version_comes_from_git(scene: Scene) -> None:
    def commit() -> None:
        command = [
            "git",
            "-C",
            str(scene.folder),
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@localhost",
            "commit",
        ]
        subprocess.run([*command, "-q", "--allow-empty", "-m", "more"], check=True)

    before = scene.inputs()
    commit()
    assert differing(before, scene.inputs()) == set()
    versioned = PROJECT.replace('"meson-python"', '"setuptools-scm"').replace(
        "mesonpy", "setuptools.build_meta"
    )
    (scene.folder / "pyproject.toml").write_text(
        versioned.replace('version = "1.0"', 'dynamic = ["version"]')
    )
    git_commit(scene.folder)
    before = scene.inputs()
    commit()
    clean = scene.inputs()
    assert differing(before, clean) == {"the state of git"}
    state = clean.parts["the state of git"]
    assert len(state.split()) == 2
    (scene.folder / "a.c").write_text("int c;")
    dirty = scene.inputs()
    assert differing(clean, dirty) == {"the state of git", "sources"}
    assert len(dirty.parts["the state of git"].split()) == 4  # the version of a changed tree has the date
