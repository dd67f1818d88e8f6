from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.cibuildwheel_reader import read_options, write_project
from wheelkit.errors import UsageError
from wheelkit.matrix import System, Target
from wheelkit.plan import Builder, NativeStep
from wheelkit.plan.cibuildwheel import environment
from wheelkit.plan.compiler_cache import CompilerCache
from wheelkit.plan.options import CibuildwheelOptions
from wheelkit.project.kinds import Kind
from wheelkit.project.read import Distribution

CACHE = CompilerCache(program=Path("/opt/bin/sccache"), folder=Path("/home/me/.cache/wheelkit/compiled"))


def cibuildwheel_options(
    table: dict[str, Any],
    target: str = "manylinux_2_28_x86_64",
    *,
    cache: CompilerCache | None = CACHE,
    **environ: str,
) -> dict[str, str]:
    """Return the environment that cibuildwheel gets."""
    item = Distribution(name="demo", version="1", kind=Kind.NATIVE, source=Path("demo"), cibuildwheel=table)
    step = NativeStep(
        distribution=item,
        target=Target.parse(target),
        builder=Builder.CIBUILDWHEEL,
        interpreters=(),
        identifiers=("cp311-manylinux_x86_64",),
        repair="repair",
        patterns=(),
        tests=(),
    )
    options = CibuildwheelOptions(item, step.target.system, environ)
    return environment(step, options, None, objects=cache)


def variables(folder: Path, table: dict[str, Any], **environ: str) -> dict[str, str]:
    """Return the variables of the build, as cibuildwheel sets them."""
    write_project(folder, table)
    options = read_options(folder, {**environ, **cibuildwheel_options(table, **environ)})
    return options.build_options("cp311-manylinux_x86_64").environment.as_dictionary({})


@pytest.mark.parametrize("own", [{"A": "b c", "D": "e"}, 'A="b c" D=e'])
def test_the_compilers_are_the_caches_and_the_users_own_variables_stay(own: object, tmp_path: Path) -> None:
    environment = variables(tmp_path, {"environment": own})
    assert {name: environment[name] for name in ("A", "D", "CC", "CXX", "SCCACHE_DIR")} == {
        "A": "b c",
        "D": "e",
        "CC": "/host/opt/bin/sccache gcc",
        "CXX": "/host/opt/bin/sccache g++",
        "SCCACHE_DIR": "/host/home/me/.cache/wheelkit/compiled",
    }


@pytest.mark.parametrize("name", ["CIBW_ENVIRONMENT", "CIBW_ENVIRONMENT_LINUX"])
def test_the_environment_variable_counts_before_the_table(name: str, tmp_path: Path) -> None:
    environment = variables(tmp_path, {"environment": "A=1 B=1"}, **{name: "A=2"})
    assert environment["A"] == "2"
    assert "B" not in environment
    assert environment["CC"]


def test_the_statistics_are_shown_before_each_repair() -> None:
    with_cache, without = cibuildwheel_options({}), cibuildwheel_options({}, cache=None)
    repair = "CIBW_REPAIR_WHEEL_COMMAND_LINUX"
    assert with_cache[repair] == f"/host/opt/bin/sccache --show-stats && {without[repair]}"
    assert "CIBW_ENVIRONMENT_LINUX" not in without


@pytest.mark.parametrize("target", ["musllinux_1_2_x86_64", "macosx_11_0_arm64", "win_amd64"])
def test_elsewhere_than_in_glibcs_containers_nothing_changes(target: str) -> None:
    assert cibuildwheel_options({}, target) == cibuildwheel_options({}, target, cache=None)
    assert Target.parse(target).system in System


def test_a_compiler_of_the_users_own_is_not_overridden() -> None:
    with pytest.raises(UsageError, match="set CXX"):
        cibuildwheel_options({"environment": {"CXX": "clang++"}})
    assert cibuildwheel_options({"environment": {"MYCC": "clang"}})


def test_a_container_that_does_not_see_this_machine_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot read its files"):
        cibuildwheel_options({"container-engine": {"name": "podman", "disable-host-mount": True}})
    assert cibuildwheel_options({"container-engine": {"name": "podman"}})
