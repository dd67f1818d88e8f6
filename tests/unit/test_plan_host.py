from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from wheelkit.matrix import Interpreter, System, Target
from wheelkit.plan import Builder, NativeStep, host
from wheelkit.plan.model import HostSettings, HostTests
from wheelkit.plan.options import CibuildwheelOptions
from wheelkit.project.kinds import Kind
from wheelkit.project.read import Distribution

TARGET = Target.parse("manylinux_2_28_x86_64")


def step(table: dict[str, Any], tags: tuple[str, ...] = ("cp311", "cp312", "cp313")) -> NativeStep:
    return NativeStep(
        distribution=Distribution(
            name="momentum",
            version="1",
            kind=Kind.NATIVE,
            source=Path("project"),
            backend="setuptools.build_meta",
            cibuildwheel=table,
        ),
        target=TARGET,
        builder=Builder.HOST,
        interpreters=tuple(map(Interpreter.parse, tags)),
        identifiers=tuple(f"{tag}-manylinux_x86_64" for tag in tags),
        repair="",
        patterns=(),
        tests=(),
    )


def options(table: dict[str, Any], environ: dict[str, str] | None = None) -> CibuildwheelOptions:
    return CibuildwheelOptions(step(table).distribution, System.LINUX, environ or {})


def settings(table: dict[str, Any], environ: dict[str, str] | None = None) -> dict[str, HostSettings]:
    return host.settings(step(table), options(table, environ), environ or {})


def left_out(table: dict[str, Any], environ: dict[str, str] | None = None) -> tuple[str, ...]:
    return host.left_out(step(table), options(table, environ))


def each(*expected: str) -> dict[str, list[str]]:
    return {tag: list(expected) for tag in ("cp311", "cp312", "cp313")}


def words(table: dict[str, Any], environ: dict[str, str] | None = None) -> dict[str, list[str]]:
    return {
        tag: [f"{key}={value}" for key, value in one.config_settings]
        for tag, one in settings(table, environ).items()
    }


@pytest.mark.parametrize(
    "table", [{}, {"config-settings": {}}, {"config-settings": ""}, {"windows": {"config-settings": "a=1"}}]
)
def test_nothing_is_set_where_nothing_is_said_of_linux(table: dict[str, Any]) -> None:
    assert settings(table) == {}


@pytest.mark.parametrize(
    ("table", "environ", "expected"),
    [
        ({"config-settings": {"a": "1", "b": ["2", "3"]}}, {}, ["a=1", "b=2", "b=3"]),
        ({"config-settings": "a=1 'b=2 3'"}, {}, ["a=1", "b=2 3"]),
        ({"config-settings": {"a": "1"}, "linux": {"config-settings": {"b": "2"}}}, {}, ["b=2"]),
        ({"config-settings": {"a": "1"}}, {"CIBW_CONFIG_SETTINGS": "b=2"}, ["b=2"]),
        ({}, {"CIBW_CONFIG_SETTINGS": "b=2", "CIBW_CONFIG_SETTINGS_LINUX": "c=3"}, ["c=3"]),
    ],
)
def test_config_settings_are_taken_in_cibuildwheels_order(
    table: dict[str, Any], environ: dict[str, str], expected: list[str]
) -> None:
    assert words(table, environ) == each(*expected)


@pytest.mark.parametrize(
    ("inherit", "expected"),
    [
        ({}, ["b=2"]),
        ({"config-settings": "append"}, ["a=1", "b=2"]),
        ({"config-settings": "prepend"}, ["b=2", "a=1"]),
    ],
)
def test_overrides_are_for_the_builds_that_they_select(inherit: dict[str, str], expected: list[str]) -> None:
    override = {"select": "cp3{11,13}-manylinux* *-win*", "config-settings": {"b": "2"}, "inherit": inherit}
    table = {"config-settings": {"a": "1"}, "overrides": [override]}
    assert words(table) == {"cp311": expected, "cp312": ["a=1"], "cp313": expected}


def test_later_overrides_win() -> None:
    rows = [{"select": ["cp31*"], "config-settings": "a=1"}, {"select": "*", "config-settings": "a=2"}]
    assert words({"overrides": rows}) == each("a=2")
    assert words({"overrides": list(reversed(rows))}) == each("a=1")


def test_variables_are_spelled_out_and_those_that_ask_a_shell_are_left_out() -> None:
    table = {"environment": {"A": "1", "B": "${A}:$HOME:$NONE", "C": "$(nproc)"}}
    assert settings(table, {"HOME": "/home/me"})["cp311"].environment == {"A": "1", "B": "1:/home/me:"}
    assert left_out(table) == ("environment C",)
    assert settings({"environment": 'A="x y" B=2'})["cp312"].environment == {"A": "x y", "B": "2"}


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ({"before-all": "yum install -y zlib", "test-command": ["pytest"]}, ("before-all",)),
        ({"before-all": "x", "linux": {"before-all": ""}}, ()),
        (
            {"overrides": [{"select": "cp313-*", "before-build": "x"}]},
            ('before-build of the override "cp313-*"',),
        ),
        (
            {"repair-wheel-command": "", "build-frontend": "build; args: --no-isolation"},
            ("build-frontend", "repair-wheel-command"),
        ),
        ({"config-settings": {"a": "{project}/a"}}, ("config-settings a",)),
        ({"overrides": [{"select": "*-musllinux*", "before-build": "x"}]}, ()),
    ],
)
def test_commands_of_the_container_are_named(table: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert left_out(table) == expected


def test_options_of_uv() -> None:
    assert HostSettings(config_settings=(("a", "1"), ("a", "2"))).words == (
        "--config-setting",
        "a=1",
        "--config-setting",
        "a=2",
    )


def project_tests(table: dict[str, Any], environ: dict[str, str] | None = None) -> dict[str, HostTests]:
    return host.project_tests(step(table), options(table, environ), environ or {})


def test_the_usual_tests_run_where_the_project_says_nothing_of_tests() -> None:
    assert project_tests({}) == {}
    assert project_tests({"test-requires": ["pytest"]}) == {}
    assert project_tests({"windows": {"test-command": "pytest"}}) == {}


def test_the_projects_tests_take_their_place() -> None:
    table = {
        "environment": {"A": "1"},
        "test-command": "pytest {project}",
        "test-environment": {"B": "$A$HOME", "C": "$(nproc)"},
        "test-requires": ["pytest"],
        "test-skip": "cp312-*",
        "overrides": [{"select": "cp313-*", "test-command": "", "test-environment": {}}],
    }
    tests = project_tests(table, {"HOME": "/root"})
    assert (tests["cp311"].command, tests["cp311"].requires) == ("pytest {project}", ("pytest",))
    assert tests["cp311"].variables == {"A": "1", "B": "1/root"}
    assert (tests["cp312"].command, tests["cp313"].command) == ("", "")
    assert left_out(table) == ("test-environment C",)


def test_one_override_decides_about_all_as_in_containers() -> None:
    tests = project_tests({"overrides": [{"select": "cp313-*", "test-command": "pytest"}]})
    assert {tag: found.command for tag, found in tests.items()} == {
        "cp311": "",
        "cp312": "",
        "cp313": "pytest",
    }
