"""What a build that failed in part keeps, by what cibuildwheel printed and by the wheels' names."""

from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from support.rows import rows
from support.wheels import write_wheel
from wheelkit.builders import cibuildwheel
from wheelkit.builders.cache.entry import BuildRecord
from wheelkit.builders.handout import clear
from wheelkit.builders.parts import _parts, built_parts
from wheelkit.builders.results import UnitResult
from wheelkit.builders.units import BuildUnit, UnitKind
from wheelkit.errors import CheckFailedError
from wheelkit.machine.git import Checkout
from wheelkit.machine.process import Completed
from wheelkit.manifest import BuiltFile
from wheelkit.matrix import Interpreter, Target
from wheelkit.plan import Builder, NativeStep
from wheelkit.plan.model import HostSettings, reduced
from wheelkit.project.kinds import Kind
from wheelkit.project.read import Distribution

PLATFORM = "manylinux_2_28_x86_64"
DEMO = Distribution(name="demo", version="1.0", kind=Kind.NATIVE, source=Path("demo"))


def step(*tags: str, limited_api: bool = False) -> NativeStep:
    identifiers = tuple(f"{tag}-manylinux_x86_64" for tag in tags)
    return NativeStep(
        distribution=replace(DEMO, limited_api=limited_api),
        target=Target.parse(PLATFORM),
        builder=Builder.CIBUILDWHEEL,
        interpreters=tuple(map(Interpreter.parse, tags)),
        identifiers=identifiers,
        repair="repair",
        patterns=(),
        tests=(),
        env={"CIBW_BUILD": " ".join(identifiers), "A": "1"},
        settings={tag: HostSettings(environment={"B": tag}) for tag in tags},
    )


def unit(*steps: NativeStep) -> BuildUnit:
    return BuildUnit(distribution=DEMO, kind=UnitKind.NATIVE, steps=steps)


def result(built: BuildUnit, **files: tuple[str, ...]) -> UnitResult:
    described = tuple(
        BuiltFile(
            file=f"demo-1.0-{tags.replace('_', '-', 1)}-{PLATFORM}.whl",
            sha256="",
            size=1,
            kind="wheel",
            cells=cells,
        )
        for tags, cells in files.items()
    )
    record = BuildRecord(
        distribution="demo", version="1.0", source="", tools={}, files=described, seconds=1.0, notes=("x",)
    )
    return UnitResult(unit=built, record=record, checkout=Checkout())


def test_a_step_for_some_interpreters_says_nothing_of_the_others() -> None:
    part = reduced(step("cp311", "cp312", "cp313"), {"cp313", "cp311"})
    assert [interpreter.tag for interpreter in part.interpreters] == ["cp311", "cp313"]
    assert part.identifiers == ("cp311-manylinux_x86_64", "cp313-manylinux_x86_64")
    assert part.env == {"CIBW_BUILD": "cp311-manylinux_x86_64 cp313-manylinux_x86_64", "A": "1"}
    assert part.settings.keys() == {"cp311", "cp313"}


def test_a_part_is_what_one_wheel_serves() -> None:
    whole = unit(step("cp311", "cp312", "pp311"))
    parts = list(_parts(whole, whole.steps[0]))
    assert [part.part for part in parts] == ["cp311-cp312", "cp311", "cp312", "pp311"]
    assert parts[0].label == f"demo-{PLATFORM}-cp311-cp312"
    single = unit(step("cp311"))
    assert [part.part for part in _parts(single, single.steps[0])] == ["cp311"]


@rows(
    ("files", "parts"),
    [
        ({"cp311_cp311": ("cp311",), "pp311_pypy311_pp73": ("pp311",)}, ["cp311", "pp311"]),
        ({"cp311_abi3": ("cp311", "cp312")}, ["cp311-cp312"]),
        # It was not built for the oldest one, so it is not the wheel that the whole unit would have.
        ({"cp312_abi3": ("cp312",)}, []),
        ({"cp311_none": ("cp311", "cp312", "pp311")}, []),
        ({}, []),
    ],
)
def test_what_was_built_in_full_is_kept(files: dict[str, tuple[str, ...]], parts: list[str]) -> None:
    kept = list(built_parts(result(unit(step("cp311", "cp312", "pp311")), **files)))
    assert [one.unit.part for one in kept] == parts
    assert all(len(one.record.files) == 1 and not one.record.notes for one in kept)


def log(*sections: str) -> str:
    return "".join(f"Building {tag}-manylinux_x86_64 wheel\nTesting wheel...\n" for tag in sections)


@rows(
    ("tags", "sections", "there", "good", "failed", "handed"),
    [
        # The second of three fails its test: its wheel is there, and that of the first.
        (
            "cp311 cp312 cp313",
            "cp311 cp312",
            "cp311-cp311 cp312-cp312",
            "cp311-cp311",
            "cp312",
            "cp312-cp312",
        ),
        # It fails to compile: there is no wheel of it.
        ("cp311 cp312", "cp311 cp312", "cp311-cp311", "cp311-cp311", "cp312", ""),
        # Nothing came out of the container.
        ("cp311 cp312", "cp311 cp312", "", "", "cp312", ""),
        # The one wheel of a stable ABI fails on the second interpreter.
        ("cp311 cp312 cp313", "cp311 cp312", "cp311-abi3", "", "cp311 cp312 cp313", "cp311-abi3"),
        # It does not compile, which is the same for all of them; PyPy's may.
        ("limited cp311 cp312 pp311", "cp311", "", "", "cp311 cp312", ""),
        # PyPy's fails after it.
        ("limited cp311 cp312 pp311", "cp311 cp312 pp311", "cp311-abi3", "cp311-abi3", "pp311", ""),
    ],
)
def test_what_a_failed_run_of_cibuildwheel_leaves(  # noqa: PLR0913, PLR0917 - columns of a table
    tags: str, sections: str, there: str, good: str, failed: str, handed: str, tmp_path: Path
) -> None:
    paths = [write_wheel(tmp_path, f"demo-1.0-{tag}-{PLATFORM}.whl") for tag in there.split()]
    completed = Completed(returncode=1, output=log(*sections.split()))
    error = CheckFailedError("a test failed")
    limited = "limited" in tags
    made = step(*(tag for tag in tags.split() if tag != "limited"), limited_api=limited)
    left = cibuildwheel._partial(made, completed, error, paths)
    names = [wheel.path.name for wheel in left.wheels]
    assert names == [f"demo-1.0-{tag}-{PLATFORM}.whl" for tag in good.split()]
    (failure,) = left.failures
    assert (failure.error, failure.interpreters) == (error, tuple(failed.split()))
    assert handed in str(failure.wheel)
    assert bool(handed) == (failure.wheel is not None)


@rows(
    ("code", "output", "expected"),
    [
        (1, log("cp311"), True),
        (9, log("cp311"), True),  # the audit
        (1, "Running before_all...\n", False),
        (7, log("cp311"), False),  # the engine
        (5, log("cp311"), False),  # a pure wheel
        (-9, log("cp311"), False),
        (1, log("cp311") + "Cannot connect to the Docker daemon\n", False),
        (1, log("cp311") + "OSError: [Errno 28] No space left on device\n", False),
    ],
)
def test_only_what_is_about_one_build_leaves_others_to_try(code: int, output: str, expected: bool) -> None:  # noqa: FBT001 - a column
    assert cibuildwheel._is_of_one_build(Completed(returncode=code, output=output)) is expected


def test_what_was_handed_out_goes_when_it_is_built_again(tmp_path: Path) -> None:
    built = result(unit(step("cp311")))
    mine, other = tmp_path / "failed" / built.unit.label, tmp_path / "failed/another"
    for folder in (mine, other):
        folder.mkdir(parents=True)
        (folder / "x.whl").touch()
    clear([built], tmp_path)
    assert (mine.exists(), other.exists()) == (False, True)
    (other / "x.whl").unlink()
    other.rmdir()
    clear([built], tmp_path)
    assert list(tmp_path.iterdir()) == []
