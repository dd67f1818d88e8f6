from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from support.rows import rows
from wheelkit import config, matrix, plan
from wheelkit.errors import ConfigError, MissingToolError, UsageError
from wheelkit.machine.facts import Engine, Machine
from wheelkit.matrix import COMMON_TARGETS, LINUX_ARCHS, System, Target
from wheelkit.plan import Builder, Plan
from wheelkit.plan.cibuildwheel import image
from wheelkit.project.family import Family
from wheelkit.project.kinds import Kind
from wheelkit.project.read import Distribution

if TYPE_CHECKING:
    from wheelkit.config import Config


PODMAN = Engine(name="podman", version="4.3.1", setting="podman")
LINUX = Machine(system=System.LINUX, arch="x86_64", libc="manylinux", libc_version=(2, 36), engine=PODMAN)
BARE = Machine(
    system=System.LINUX,
    arch="x86_64",
    libc="manylinux",
    libc_version=(2, 36),
    engine_problem="docker is not installed",
)
MACHINES = {
    "manylinux_2_28_x86_64": LINUX,
    "manylinux_2_28_aarch64": Machine(system=System.LINUX, arch="aarch64", libc="manylinux", engine=PODMAN),
    "macosx_10_13_x86_64": Machine(system=System.MACOS, arch="x86_64"),
    "macosx_11_0_arm64": Machine(system=System.MACOS, arch="arm64"),
    "win_amd64": Machine(system=System.WINDOWS, arch="amd64"),
}


def distribution(**changes: Any) -> Distribution:
    facts: dict[str, Any] = {
        "name": "momentum",
        "version": "1.2.0",
        "kind": Kind.NATIVE,
        "source": Path("project"),
        "backend": "mesonpy",
        "requires_python": ">=3.11",
        "dependencies": (),
        "build_requires": (),
        "limited_api": True,
        "cibuildwheel": {},
    }
    return Distribution(**{**facts, **changes})


def configuration(document: dict[str, Any]) -> Config:
    return config.parse(document, source=None, root=Path("project"), validators=(matrix.validate,))


def planned(
    machine: Machine,
    document: dict[str, Any] | None = None,
    *,
    environ: dict[str, str] | None = None,
    **options: Any,
) -> Plan:
    builder = options.pop("builder", None)
    family = Family(root=Path("project"), distributions=(distribution(**options),))
    request = plan.PlanRequest(machine=machine, out=Path("dist"), builder=builder, environ=environ or {})
    return plan.make_plan(configuration(document or {}), family, request)


def test_each_common_target_is_built_on_its_own_machine_and_nowhere_else() -> None:
    for tag, machine in MACHINES.items():
        assert [row.target.tag for row in planned(machine).here] == [tag]


@pytest.mark.parametrize("tag", COMMON_TARGETS)
def test_the_environment_is_what_cibuildwheel_documents(tag: str) -> None:
    (step,) = planned(MACHINES[tag], {"matrix": {"targets": [tag], "interpreters": ["cp311", "cp313"]}}).steps
    suffix = Target.parse(tag).build_suffix
    system = MACHINES[tag].system
    assert step.builder is Builder.CIBUILDWHEEL
    assert step.env["CIBW_BUILD"] == f"cp311-{suffix} cp313-{suffix}"
    assert step.argv == (
        sys.executable,
        "-m",
        "cibuildwheel",
        "--platform",
        system.value,
        "--output-dir",
        "{out}",
        "{sdist}",
    )
    assert "metadata.files('momentum')" in step.env[f"CIBW_TEST_COMMAND_{system.value.upper()}"]
    expected = {
        "manylinux_2_28_x86_64": {
            "CIBW_ARCHS_LINUX": "x86_64",
            "CIBW_MANYLINUX_X86_64_IMAGE_LINUX": "manylinux_2_28",
            "CIBW_CONTAINER_ENGINE_LINUX": "podman",
        },
        "manylinux_2_28_aarch64": {
            "CIBW_ARCHS_LINUX": "aarch64",
            "CIBW_MANYLINUX_AARCH64_IMAGE_LINUX": "manylinux_2_28",
        },
        "macosx_10_13_x86_64": {"CIBW_ARCHS_MACOS": "x86_64", "MACOSX_DEPLOYMENT_TARGET": "10.13"},
        "macosx_11_0_arm64": {"CIBW_ARCHS_MACOS": "arm64", "MACOSX_DEPLOYMENT_TARGET": "11.0"},
        "win_amd64": {"CIBW_ARCHS_WINDOWS": "AMD64"},
    }[tag]
    assert expected.items() <= step.env.items()
    assert step.env[f"CIBW_REPAIR_WHEEL_COMMAND_{system.value.upper()}"] == step.repair


def test_a_distribution_named_only_by_its_build_is_tested_by_the_file_that_it_came_from() -> None:
    step = planned(LINUX, stated=False).steps[0]
    assert "metadata.files(" not in step.tests[0]
    assert "d.read_text('direct_url.json')" in step.tests[0]


def test_linux_repairs_in_the_container_and_the_others_with_wheelkit_itself() -> None:
    document = {"exclude": {"torch": ["libtorch*", "libc10.so", "torch_cpu.dll"]}}
    line = planned(LINUX, document).steps[0].repair
    assert line == (
        "auditwheel repair --plat manylinux_2_28_x86_64 --exclude 'libtorch*' --exclude "
        "libc10.so --exclude 'libc10.so.*' "
        "-w {dest_dir} {wheel} || (auditwheel show {wheel}; false)"
    )
    for tag in ("macosx_11_0_arm64", "win_amd64"):
        line = planned(MACHINES[tag], document).steps[0].repair
        assert f"-m wheelkit repair --target {tag} --exclude " in line
        assert line.endswith(
            '--out "{dest_dir}" "{wheel}"' if tag == "win_amd64" else "--out {dest_dir} {wheel}"
        )
    assert (
        '"libtorch*"' in planned(MACHINES["macosx_11_0_arm64"], document).steps[0].repair
    )  # the shell must not expand it
    assert "--exclude torch_cpu.dll" in planned(MACHINES["win_amd64"], document).steps[0].repair


def test_free_threaded_builds_of_a_limited_api_project_run_apart() -> None:
    document = {
        "matrix": {"targets": ["manylinux_2_28_x86_64"], "interpreters": ["cp311", "cp314", "cp314t"]}
    }
    gil, threaded = planned(
        LINUX, document, cibuildwheel={"config-settings": {"setup-args": ["-Da=1", "-Db=2"]}}
    ).steps
    assert gil.identifiers == ("cp311-manylinux_x86_64", "cp314-manylinux_x86_64")
    assert "CIBW_CONFIG_SETTINGS_LINUX" not in gil.env
    assert threaded.identifiers == ("cp314t-manylinux_x86_64",)
    assert (
        threaded.env["CIBW_CONFIG_SETTINGS_LINUX"]
        == "setup-args=-Da=1 setup-args=-Db=2 setup-args=-Dpython.allow_limited_api=false"
    )
    assert planned(LINUX, document, limited_api=False).steps[0].identifiers[-1] == "cp314t-manylinux_x86_64"


def test_what_the_user_set_stays_in_force_and_what_is_overridden_is_named() -> None:
    table = {
        "build": "cp39-*",
        "test-command": "pytest {project}",
        "manylinux-x86_64-image": "registry.example/own",
        "linux": {"repair-wheel-command": "true", "before-all": "yum install x"},
    }
    (step,) = planned(
        LINUX, cibuildwheel=table, environ={"CIBW_CONTAINER_ENGINE": "podman; create_args: --network=host"}
    ).steps
    assert step.overridden == ("build", "repair-wheel-command")
    assert not {"CIBW_TEST_COMMAND_LINUX", "CIBW_MANYLINUX_X86_64_IMAGE_LINUX", "CIBW_BEFORE_ALL"} & set(
        step.env
    )
    assert step.env["CIBW_CONTAINER_ENGINE_LINUX"] == "podman; create_args: --network=host"


def test_what_is_overridden_on_other_machines_is_named_with_their_systems() -> None:
    table = {
        "build": "cp311-*",
        "macos": {"repair-wheel-command": "true", "archs": ["universal2"]},
        "windows": {"archs": "AMD64"},
    }
    lines = list(plan.details(planned(LINUX, cibuildwheel=table)))
    assert lines[-2:] == [
        "[tool.cibuildwheel] build: overridden by the matrix and the exclude list",
        (
            "[tool.cibuildwheel] archs (macos, windows), repair-wheel-command (macos): "
            "overridden where these are built"
        ),
    ]


def test_engine_options_of_the_users_table_reach_the_environment() -> None:
    table = {
        "container-engine": {"name": "podman", "create-args": ["--network=host"], "disable-host-mount": True}
    }
    (step,) = planned(LINUX, cibuildwheel=table).steps
    assert (
        step.env["CIBW_CONTAINER_ENGINE_LINUX"]
        == "podman; create_args: --network=host; disable_host_mount: true"
    )


def test_configured_smoke_commands_are_the_tests() -> None:
    document = {"distribution": {"Momentum": {"smoke": ["dml --help", "python -c 'import momentum'"]}}}
    assert (
        planned(LINUX, document).steps[0].env["CIBW_TEST_COMMAND_LINUX"]
        == "dml --help && python -c 'import momentum'"
    )


def test_on_windows_the_tests_get_the_same_arguments_by_cmd() -> None:
    smoke = ["dml --help", "python -c 'print(1)'", 'python -c \'assert "{wheel}" > "5%"\'']
    document = {"distribution": {"Momentum": {"smoke": smoke}}}
    lines = {
        tag: planned(MACHINES[tag], document).steps[0].env[f"CIBW_TEST_COMMAND_{system}"]
        for tag, system in (("win_amd64", "WINDOWS"), ("macosx_11_0_arm64", "MACOS"))
    }
    assert lines == {
        # cmd does not know single quotes: Python would evaluate a string that is true, and pass.
        "win_amd64": (
            'dml --help && python -c "print(1)" && '
            r'python -c ^"assert \^"#{wheel}\^" ^> \^"5%%cd:~,%\^"^"'
        ),
        "macosx_11_0_arm64": (
            """dml --help && python -c 'print(1)' && python -c 'assert "#{wheel}" > "5%"'"""
        ),
    }


def test_without_an_engine_the_host_builder_serves_and_says_why() -> None:
    made = planned(BARE)
    (row,) = made.here
    assert (row.builder, row.why) == (Builder.HOST, "docker is not installed")
    assert made.steps[0].argv[:3] == ("uv", "build", "--wheel")
    musl = planned(BARE, {"matrix": {"targets": ["musllinux_1_2_x86_64"]}})
    assert musl.here == ()
    assert "manylinux wheels for x86_64 only" in musl.targets[0].why


def test_the_plan_says_for_which_targets_the_host_builders_glibc_is_too_new() -> None:
    targets = ["manylinux_2_28_x86_64", "manylinux_2_36_x86_64", "manylinux_2_12_x86_64"]
    notes = planned(BARE, {"matrix": {"targets": targets}}).notes
    assert notes == (
        (
            "wheels that this machine's glibc 2.36 makes too new for manylinux_2_28_x86_64 are "
            "compiled again with zig "
            "(extra: cross)"
        ),
    )
    assert planned(LINUX, {"matrix": {"targets": targets[:1]}}).notes == ()


def test_nanobind_on_a_host_that_may_be_too_new_is_told_before_anything_is_compiled() -> None:
    targets = {"matrix": {"targets": ["manylinux_2_28_x86_64", "manylinux_2_36_x86_64"]}}
    made = planned(BARE, targets, build_requires=("scikit-build-core", "nanobind>=2"))
    (older, *_), (same, *_) = (
        [step.warning for step in made.steps if step.target.tag == tag]
        for tag in targets["matrix"]["targets"]
    )
    assert older.startswith(
        "momentum uses nanobind, which zig does not serve: a wheel that this machine's glibc 2.36"
    )
    assert older.endswith("Build in a container (docker or podman), or promise manylinux_2_36_x86_64")
    assert (made.notes, same) == ((older,), "")
    assert not any(step.warning for step in planned(BARE, targets, build_requires=("pybind11",)).steps)
    assert not any(step.warning for step in planned(LINUX, targets, build_requires=("nanobind",)).steps)


def test_a_builder_that_cannot_work_here_is_refused_with_the_way_out() -> None:
    with pytest.raises(MissingToolError, match="docker is not installed") as caught:
        planned(BARE, builder=Builder.CIBUILDWHEEL)
    assert "--builder host" in caught.value.hint
    with pytest.raises(UsageError, match="Linux only"):
        planned(MACHINES["win_amd64"], builder=Builder.HOST)


RAGGED = {
    "targets": ["manylinux_2_28_x86_64", "musllinux_1_2_x86_64", "win_amd64", "win_arm64"],
    "interpreters": ["cp311", "cp312", "cp313", "cp314t", "pp311"],
    "skip": ["cp311-musllinux*", "cp39-*"],
    "override": [{"select": "cp*-win_arm64", "interpreters": ["cp313", "cp314"]}],
}


def test_a_step_builds_the_promised_interpreters_of_its_target() -> None:
    made = planned(LINUX, {"matrix": RAGGED}, limited_api=False)
    builds = {str(step.target): " ".join(step.identifiers) for step in made.steps}
    assert builds["musllinux_1_2_x86_64"] == (
        "cp312-musllinux_x86_64 cp313-musllinux_x86_64 cp314t-musllinux_x86_64"
    )
    assert "cp311-manylinux_x86_64" in builds["manylinux_2_28_x86_64"]
    assert "pp311-manylinux_x86_64" in builds["manylinux_2_28_x86_64"]
    assert all(name in made.steps[0].env["CIBW_BUILD"] for name in made.steps[0].identifiers)


def test_the_plan_names_interpreters_and_why_others_are_missing() -> None:
    made = planned(LINUX, {"matrix": RAGGED}, limited_api=False)
    named = [plan.interpreters_on(made, row.target) for row in made.targets]
    assert named == [
        "cp311-cp313 cp314t pp311",
        "cp312 cp313 cp314t",
        "cp311-cp313 cp314t pp311",
        "cp313 cp314",
    ]
    lines = list(plan.details(made))
    assert lines == [
        "not promised, since cibuildwheel does not build it: pp311 on musllinux_1_2_x86_64, win_arm64",
        "not promised, by skip: cp311 on musllinux_1_2_x86_64 (cp311-musllinux*)",
        "not promised, by override: cp311, cp312, cp314t on win_arm64 (cp*-win_arm64)",
        "skip has no effect: cp39-* (the matrix has no such cell)",
        "not built here: win_amd64, win_arm64 (this machine is linux x86_64)",
    ]
    square = planned(LINUX, {"matrix": {"targets": ["manylinux_2_28_x86_64"], "interpreters": ["cp312"]}})
    assert list(plan.details(square)) == []


def test_the_plan_as_data_has_every_cell_and_the_reason_for_the_absent_ones() -> None:
    (member,) = plan.to_json(planned(LINUX, {"matrix": RAGGED}, limited_api=False))["distributions"]
    assert member["matrix"]["win_arm64"] == ["cp313", "cp314"]
    skipped = {"target": "musllinux_1_2_x86_64", "interpreter": "cp311", "why": "skipped"}
    assert {**skipped, "selector": "cp311-musllinux*"} in member["absent"]


def test_the_matrix_decides_over_the_skip_of_cibuildwheel() -> None:
    document = {"matrix": {"targets": ["musllinux_1_2_x86_64"], "interpreters": ["cp312", "cp313"]}}
    own = {"skip": ["*-musllinux*"], "build": "cp311-*"}
    (step,) = planned(LINUX, document, cibuildwheel=own).steps
    assert (step.env["CIBW_SKIP"], step.overridden) == ("", ("build", "skip"))
    (step,) = planned(LINUX, document, cibuildwheel={"skip": "cp36-*"}).steps
    assert "CIBW_SKIP" not in step.env


@pytest.mark.parametrize(
    ("target", "machine", "env"),
    [
        ("android_24_x86_64", LINUX, {"ANDROID_API_LEVEL": "24", "CIBW_ARCHS_ANDROID": "x86_64"}),
        ("pyemscripten_2026_0_wasm32", BARE, {"CIBW_ARCHS_PYODIDE": "wasm32"}),
        (
            "ios_13_0_arm64_iphoneos",
            MACHINES["macosx_11_0_arm64"],
            {"IPHONEOS_DEPLOYMENT_TARGET": "13.0", "CIBW_ARCHS_IOS": "arm64_iphoneos"},
        ),
    ],
)
def test_cibuildwheel_cross_builds_for_mobile_systems(
    target: str, machine: Machine, env: dict[str, str]
) -> None:
    document = {"matrix": {"targets": [target], "interpreters": ["cp314"]}, "exclude": {"torch": True}}
    (step,) = planned(machine, document, limited_api=False).steps
    assert step.builder is Builder.CIBUILDWHEEL
    assert env.items() <= step.env.items()
    assert not any("REPAIR" in name or "ENGINE" in name or "IMAGE" in name for name in step.env)
    assert not planned(MACHINES["win_amd64"], document, limited_api=False).steps


def test_an_interpreter_that_cibuildwheel_no_longer_offers_is_a_mistake() -> None:
    document = {"matrix": {"targets": ["manylinux_2_28_x86_64"], "interpreters": ["cp36", "cp311"]}}
    with pytest.raises(ConfigError) as caught:
        planned(LINUX, document, requires_python=None)
    (problem,) = caught.value.problems
    assert "does not build cp36 for manylinux_2_28_x86_64; it offers cp39, cp310" in problem


def test_promises_that_requires_python_contradicts_are_all_named() -> None:
    with pytest.raises(ConfigError) as caught:
        planned(LINUX, {"matrix": {"interpreters": ["cp310", "cp311", "cp312"]}}, requires_python=">=3.12")
    (problem,) = caught.value.problems
    assert 'cp310, cp311 promised, but momentum says requires-python = ">=3.12"' in problem
    with pytest.raises(ConfigError, match="project"):
        planned(LINUX, requires_python="three")
    with pytest.raises(ConfigError) as caught:
        planned(LINUX, requires_python=">=3.90")
    assert "no cell is left for momentum" in caught.value.problems[0]
    with pytest.raises(ConfigError) as caught:
        planned(LINUX, {"matrix": {"interpreters": ["cp313", "cp313t"]}})
    (problem,) = caught.value.problems
    assert "matrix.interpreters[1]: cibuildwheel does not build cp313t for any of the targets" in problem


@rows(
    ("tag", "name"),
    [
        ("manylinux_2_17_x86_64", "manylinux2014"),
        ("manylinux_2_27_x86_64", "manylinux2014"),
        ("manylinux_2_28_x86_64", "manylinux_2_28"),
        ("manylinux_2_36_x86_64", "manylinux_2_34"),
        ("manylinux_2_5_x86_64", "manylinux2014"),
        ("manylinux_2_31_armv7l", "manylinux_2_31"),
        ("manylinux_2_39_riscv64", "manylinux_2_39"),
        ("manylinux_2_39_x86_64", "manylinux_2_34"),
        ("manylinux_2_39_armv7l", "manylinux_2_35"),
        ("musllinux_1_2_aarch64", "musllinux_1_2"),
    ],
)
def test_the_image_is_the_newest_that_the_target_still_covers(tag: str, name: str) -> None:
    assert image(Target.parse(tag)) == name


@pytest.mark.parametrize("libc", ["manylinux_2_17", "manylinux_2_28", "manylinux_2_45", "musllinux_1_2"])
@pytest.mark.parametrize("arch", LINUX_ARCHS[:-1])  # cibuildwheel builds nothing for loongarch64
def test_every_image_is_one_that_cibuildwheel_pins(libc: str, arch: str) -> None:
    import configparser

    import cibuildwheel

    pins = configparser.ConfigParser()
    pins.read(Path(cibuildwheel.__file__).parent / "resources" / "pinned_docker_images.cfg")
    assert image(Target.parse(f"{libc}_{arch}")) in pins[arch]
    newest = [name for name in pins[arch] if name.startswith(libc.partition("_")[0])][-1]
    assert (image(Target.parse(f"{libc}_{arch}")) == newest) or libc not in {
        "manylinux_2_45",
        "musllinux_1_2",
    }


def test_the_plan_is_plain_data_as_json() -> None:
    document = json.loads(json.dumps(plan.to_json(planned(LINUX))))
    assert document["schema"] == 1
    assert [row["target"] for row in document["targets"]] == list(COMMON_TARGETS)
    assert document["targets"][2] == {
        "target": "macosx_10_13_x86_64",
        "builder": None,
        "why": "this machine is linux x86_64",
        "runner": "macos-15-intel",
        "runner_ends": "2027-08-31",
    }
    assert document["steps"][0]["identifiers"][0] == "cp311-manylinux_x86_64"


def test_a_configured_runner_replaces_the_shipped_one() -> None:
    made = planned(LINUX, {"runner": {"manylinux_*_aarch64": "my-arm-box"}})
    assert {row.target.tag: str(row.runner) for row in made.targets}["manylinux_2_28_aarch64"] == "my-arm-box"


@pytest.mark.parametrize(("stated", "fine"), [("3.11", True), ("3.12", False)])
def test_a_stable_abi_newer_than_the_promise_is_a_mistake(stated: str, fine: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a column of the table
    (tmp_path / "meson.build").write_text("project('m', 'c')\n# limited_api: '3.99'\nsubdir('src')\n")
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "meson.build").write_text(
        f"py.extension_module('m', 'm.c', limited_api: '{stated}')\n"
    )
    document = {"matrix": {"interpreters": ["cp311", "cp312", "cp314t"]}}
    if fine:
        assert planned(LINUX, document, source=tmp_path).steps
        return
    with pytest.raises(ConfigError) as caught:
        planned(LINUX, document, source=tmp_path)
    (problem,) = caught.value.problems
    assert "cp311 promised, but src/meson.build builds for the stable ABI of 3.12" in problem
    assert 'requires-python = ">=3.12"' in problem


def test_no_container_engine_matters_to_the_host_builder() -> None:
    environ = {"CIBW_CONTAINER_ENGINE": "none"}
    for table in ({}, {"container-engine": "rkt"}):
        (step,) = planned(BARE, cibuildwheel=table, environ=environ, builder=plan.Builder.HOST).steps[:1]
        assert step.builder is plan.Builder.HOST
