"""Which builder gets which unit, what the manifest says of it, and what the user is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from support.publishing import Notes
from support.wheels import write_wheel
from wheelkit.builders import dispatch
from wheelkit.builders.dispatch import Dispatcher
from wheelkit.builders.results import BuiltWheel, StepResult, UnitResult
from wheelkit.builders.sdist import SourceDist
from wheelkit.builders.units import BuildUnit, FirstWheel, Selection, UnitKind
from wheelkit.machine.git import Checkout
from wheelkit.machine.workspace import Workspace
from wheelkit.matrix import Interpreter, Target
from wheelkit.plan import Builder, NativeStep
from wheelkit.project.family import Family
from wheelkit.project.read import Distribution, Kind

DEMO = Distribution(name="demo", version="1.0", kind=Kind.NATIVE, source=Path("demo"))
LINUX, MAC, WINDOWS = "manylinux_2_28_x86_64", "macosx_11_0_arm64", "win_amd64"


def unit(builder: Builder, target: str = LINUX, steps: int = 1) -> BuildUnit:
    step = NativeStep(
        distribution=DEMO,
        target=Target.parse(target),
        builder=builder,
        interpreters=(Interpreter.parse("cp311"),),
        identifiers=("cp311-manylinux_x86_64",),
        repair="",
        patterns=(),
        tests=(),
    )
    return BuildUnit(distribution=DEMO, kind=UnitKind.NATIVE, steps=(step,) * steps)


PURE = BuildUnit(distribution=DEMO, kind=UnitKind.PURE)
SDIST = BuildUnit(distribution=DEMO, kind=UnitKind.SDIST)


@dataclass
class Results:
    """The part of a build's results that dispatching needs."""

    changed: bool = False
    cached: UnitResult | None = None
    store: None = None
    first_wheels: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    @property
    def plan(self) -> Any:
        return self

    family = Family(root=Path(), distributions=(DEMO,))
    out = None
    targets = (type("Row", (), {"target": Target.parse(LINUX), "why": "no container engine"})(),)

    def sibling_wheels(self, _distribution: Distribution) -> list[UnitResult]:
        return []

    def checkout(self, _distribution: Distribution) -> Checkout:
        return Checkout(commit="c" * 40)

    def look_up(self, asked: BuildUnit) -> UnitResult | None:
        self.asked.append(asked.label)
        return self.cached

    def find_part(self, _part: BuildUnit) -> None:
        return None

    def sources_unchanged(self, _distribution: Distribution) -> bool:
        return not self.changed


@dataclass
class Scene:
    folder: Path
    results: Results = field(default_factory=Results)
    notes: Notes = field(default_factory=Notes)
    log: list[str] = field(default_factory=list)
    cells: tuple[str, ...] = ("cp311",)
    compiler: str = ""

    def wheel(self, tags: str = f"cp311-cp311-{LINUX}") -> BuiltWheel:
        path = write_wheel(self.folder, f"demo-1.0-{tags}.whl")
        return BuiltWheel(path=path, cells=self.cells, tested=self.cells, compiler=self.compiler)

    def build(self, *units: BuildUnit, distribution: Distribution = DEMO) -> list[UnitResult]:
        workspace = Workspace(
            folder=self.folder,
            log=self.folder / "log",
            run=lambda _: pytest.fail("a program"),
            progress=self.notes,
        )
        dispatcher = Dispatcher(results=self.results, workspace=workspace)  # type: ignore[arg-type]  # enough of them
        mine = [replace(one, distribution=distribution) for one in units]
        return dispatcher.build(mine)


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    made = Scene(tmp_path)
    sdist = tmp_path / "demo-1.0.tar.gz"
    sdist.write_bytes(b"x")
    source = SourceDist(path=sdist, distribution=DEMO, sha256="5" * 64)

    def logged(name: str, make: Callable[..., Any]) -> Callable[..., Any]:
        def call(first: Any, *more: Any, fail_fast: bool = False) -> Any:
            assert not fail_fast
            made.log.append(f"{name} again" if any(isinstance(one, FirstWheel) for one in more) else name)
            return make(first)

        return call

    builders: dict[str, Callable[..., Any]] = {
        "pure": lambda _: made.wheel("py3-none-any"),
        "host": lambda _: StepResult(wheels=(made.wheel(),)),
        "cibuildwheel": lambda _: StepResult(wheels=(made.wheel(),)),
    }
    for name, make in builders.items():
        monkeypatch.setattr(getattr(dispatch, name), "build", logged(name, make))
    crossed = logged(
        "cross",
        lambda steps: [StepResult(wheels=(made.wheel(f"cp311-cp311-{step.target.tag}"),)) for step in steps],
    )
    monkeypatch.setattr(dispatch.cross, "build_all", crossed)
    monkeypatch.setattr(dispatch, "epoch_of", lambda _: None)
    monkeypatch.setattr(dispatch, "add_sboms", lambda built, *_: tuple(built))
    monkeypatch.setattr(dispatch.sdist, "make_sdist", logged("sdist", lambda _: source))
    monkeypatch.setattr(dispatch.sdist, "read_sdist", logged("cached sdist", lambda _: source))
    return made


def test_each_unit_goes_to_its_builder_and_the_sdist_comes_first(scene: Scene) -> None:
    units = [
        unit(Builder.CROSS, MAC),
        PURE,
        unit(Builder.HOST),
        unit(Builder.CIBUILDWHEEL),
        unit(Builder.CROSS),
    ]
    built = scene.build(*units)
    assert scene.log == ["sdist", "pure", "host", "cibuildwheel", "cross"]
    assert [(one.unit.label, one.unit.builder_name) for one in built] == [
        ("demo-sdist", "pure"),
        ("demo-any", "pure"),
        (f"demo-{LINUX}", "host"),
        (f"demo-{LINUX}", "cibuildwheel"),
        (f"demo-{MAC}", "cross"),
        (f"demo-{LINUX}", "cross"),
    ]
    assert [next(iter(one.paths)).rpartition("-")[2] for one in built[-2:]] == [f"{MAC}.whl", f"{LINUX}.whl"]
    assert [file.kind for one in built for file in one.record.files] == ["sdist", *["wheel"] * 5]
    assert {(one.record.source, one.checkout.commit) for one in built} == {("5" * 64, "c" * 40)}


def test_a_cross_build_needs_zig_and_every_build_a_folder_to_write_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log: list[str] = []
    monkeypatch.setattr(dispatch, "find_zig", lambda: log.append("zig"))
    monkeypatch.setattr(dispatch, "require_writable", lambda out: log.append(f"{out.name} is writable"))

    def required(builder: Builder, *, native: bool = True) -> list[str]:
        log.clear()
        plan = SimpleNamespace(out=tmp_path / "dist", steps=unit(builder).steps)
        order: Any = SimpleNamespace(plan=plan, selection=Selection(native=native))
        dispatch.require_buildable(order)
        return log

    assert required(Builder.CROSS) == ["dist is writable", "zig"]
    assert required(Builder.CROSS, native=False) == ["dist is writable"]
    assert required(Builder.HOST) == ["dist is writable"]


def test_units_without_a_cross_build_start_none(scene: Scene) -> None:
    scene.build(PURE)
    assert scene.log == ["sdist", "pure"]


def test_a_cross_build_shares_its_time_among_its_units(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter((0.0, 1.0, 10.0, 16.0))  # of the sdist, then of both wheels together
    monkeypatch.setattr(dispatch.time, "monotonic", lambda: next(moments))
    built = scene.build(unit(Builder.CROSS, MAC), unit(Builder.CROSS, WINDOWS, steps=2))
    assert [one.record.seconds for one in built] == [1.0, 3.0, 3.0]
    assert [len(one.record.files) for one in built] == [1, 1, 2]


def test_the_sdist_comes_from_the_cache_unless_it_was_given(scene: Scene) -> None:
    (fresh,) = [one for one in scene.build(SDIST) if one.unit.kind is UnitKind.SDIST]
    scene.results.cached = fresh
    assert [one.unit.kind for one in scene.build(PURE)] == [UnitKind.PURE]
    assert scene.log == ["sdist", "cached sdist", "pure"]
    scene.results.asked.clear()
    given = replace(DEMO, source=scene.folder / "demo-1.0.tar.gz")
    assert [one.unit.kind for one in scene.build(PURE, distribution=given)] == [UnitKind.SDIST, UnitKind.PURE]
    assert scene.results.asked == []


def test_the_wheel_that_showed_the_kind_is_taken_with_its_sdist(scene: Scene) -> None:
    first = FirstWheel(sdist=scene.folder / "demo-1.0.tar.gz", path=scene.wheel("py3-none-any").path)
    scene.results.first_wheels["demo"] = first
    scene.results.cached = scene.build(PURE)[0]
    scene.results.asked.clear()
    scene.log.clear()
    assert [one.unit.kind for one in scene.build(PURE)] == [UnitKind.SDIST, UnitKind.PURE]
    assert (scene.log, scene.results.asked) == (["cached sdist", "pure again"], [])


def test_sources_that_changed_meanwhile_are_reported(scene: Scene) -> None:
    scene.build(SDIST)
    assert scene.notes.notes == []
    scene.results.changed = True
    scene.build(SDIST)
    assert scene.notes.notes == [
        "the sources of demo changed while the sdist was built; this build is not cached"
    ]


def test_the_host_builder_says_why_it_is_used_and_notes_are_kept_for_the_cache(scene: Scene) -> None:
    scene.cells = ()
    scene.compiler = "gcc 12"
    built = scene.build(unit(Builder.HOST), unit(Builder.CIBUILDWHEEL))
    untested = "not tested on cp311: not installed here, or skipped"
    assert scene.notes.notes == ["using the host builder (no container engine)", untested, untested]
    assert [one.record.notes for one in built] == [(), (untested,), (untested,)]
    assert [one.record.tools.get("compiler") for one in built] == [None, "gcc 12", "gcc 12"]


@pytest.mark.parametrize(
    ("asked", "tools"),
    [
        (PURE, ("uv",)),
        (SDIST, ("uv",)),
        (unit(Builder.HOST), ("uv", "auditwheel")),
        (unit(Builder.CROSS), ("uv", "ziglang", "auditwheel")),
        (unit(Builder.CROSS, MAC), ("uv", "ziglang", "delocate")),
        (unit(Builder.CIBUILDWHEEL), ("cibuildwheel",)),
        (unit(Builder.CIBUILDWHEEL, MAC), ("cibuildwheel", "delocate")),
        (unit(Builder.CIBUILDWHEEL, WINDOWS), ("cibuildwheel", "delvewheel")),
    ],
)
def test_a_manifest_names_the_tools_that_made_the_files(asked: BuildUnit, tools: tuple[str, ...]) -> None:
    assert dispatch._tools(asked) == tools
