from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.cibuildwheel_comparison import Comparison
from wheelkit.errors import ConfigError
from wheelkit.matrix import System
from wheelkit.plan.model import Tests
from wheelkit.plan.options import BuildSettings, CibuildwheelOptions
from wheelkit.project.kinds import Kind
from wheelkit.project.read import Distribution

BUILD = "cp312-manylinux_x86_64"
OTHER = "cp313-manylinux_x86_64"


def options(table: dict[str, Any], **environ: str) -> CibuildwheelOptions:
    item = Distribution(
        name="momentum",
        version="1",
        kind=Kind.NATIVE,
        source=Path("project"),
        cibuildwheel=table,
        dependency_groups={"test": ["pytest"]},
    )
    return CibuildwheelOptions(item, System.LINUX, environ)


def test_generated_configurations_mean_what_they_mean_to_cibuildwheel(tmp_path: Path) -> None:
    """See ci/compare-cibuildwheel.py for thousands."""
    comparison = Comparison(tmp_path)
    for seed in range(25, 50):
        comparison.add(seed)
    assert not comparison.disagreements, "\n".join(comparison.disagreements)
    assert comparison.builds > 60
    assert comparison.split
    assert comparison.rejected


def test_where_nothing_is_set_the_reader_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wheelkit.plan.options._options", None)
    assert options({}).build(BUILD) == BuildSettings()
    assert not options({}).skips(BUILD)
    assert options({}).enabled == frozenset()


def test_an_override_counts_for_the_builds_that_it_selects() -> None:
    table = {"test-command": "pytest", "overrides": [{"select": "cp312-*", "test-command": "false"}]}
    commands = [
        build.tests.command if build.tests else None for build in options(table).builds([BUILD, OTHER])
    ]
    assert commands == ["false", "pytest"]
    assert options({**table, "test-skip": "cp313-*"}).build(OTHER).tests is None


def test_everything_about_tests_is_read() -> None:
    table = {
        "test-command": ["pytest {project}", "true"],
        "before-test": "make",
        "test-sources": ["tests"],
        "test-requires": ["hypothesis"],
        "test-groups": ["test"],
        "test-extras": ["a", "b"],
        "test-environment": {"A": "$B"},
    }
    assert options(table).build(BUILD).tests == Tests(
        command="pytest {project} && true",
        before="make",
        sources=("tests",),
        requires=("hypothesis", "pytest"),
        extras="[a,b]",
        environment=(("A", '"$B"'),),
    )


def test_each_place_is_named() -> None:
    rows = [
        {"select": ["cp312-*", "pp*"], "repair-wheel-command": "x"},
        {"select": "cp311-*", "archs": "auto"},
    ]
    table = {"build": "*", "linux": {"repair-wheel-command": "y"}, "overrides": rows, "skip": "pp*"}
    found = options(table, CIBW_BUILD="*", CIBW_REPAIR_WHEEL_COMMAND_LINUX="z")
    assert found.overridden([BUILD], skip=False) == (
        "build",
        "CIBW_BUILD",
        "repair-wheel-command",
        'repair-wheel-command of the override "cp312-* pp*"',
        "CIBW_REPAIR_WHEEL_COMMAND_LINUX",
    )
    assert 'repair-wheel-command of the override "cp312-* pp*"' not in found.overridden([OTHER], skip=False)
    assert found.overridden([OTHER], skip=True)[-1] == "skip"


def test_an_empty_name_of_an_image_counts_for_nothing() -> None:
    key = "manylinux-x86_64-image"
    assert options({key: "", "linux": {key: ""}}, CIBW_MANYLINUX_X86_64_IMAGE="").build(BUILD).image == ""
    assert options({key: "", "linux": {key: "own"}}).build(BUILD).image == "own"


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        ({"test-comand": "x"}, "Option 'test-comand' not supported in a config file. Perhaps you meant"),
        ({"test-groups": ["none"]}, "none"),
        ({"test-command": {"a": 1}}, "doesn't accept a table"),
        ({"overrides": [{"test-command": "x"}]}, "'select' must be set in an override"),
        ({"overrides": "x"}, "must be a list"),
        ({"container-engine": "rkt"}, "unknown container engine rkt"),
        ({"environment": 3}, "3"),
        ({"test-requires": "'open"}, "No closing quotation"),
    ],
)
def test_what_cibuildwheel_rejects_is_a_mistake_in_the_configuration(
    table: dict[str, Any], problem: str
) -> None:
    with pytest.raises(ConfigError) as raised:
        options(table).build(BUILD)
    (text,) = raised.value.problems
    assert text.startswith("[tool.cibuildwheel] or a CIBW_ variable: ")
    assert problem in text
    assert "\n" not in text


@pytest.mark.parametrize("name", ["CIBW_INHERIT", "CIBW_ENABLE"])
def test_a_mistake_in_a_variable_is_one_too(name: str) -> None:
    with pytest.raises(ConfigError, match="1 mistake"):
        options({}, **{name: "no such"}).build(BUILD)


def test_the_users_rules_join_nothing_to_what_is_decided() -> None:
    found = options({}, CIBW_INHERIT="skip; test-command-linux: prepend")
    assert found.replaced({"CIBW_SKIP": ""}) == {"CIBW_INHERIT": "test-command-linux: prepend"}
    assert found.replaced({"CIBW_BUILD": "x"}) == {}
    added = found.appended("environment-pass", "A B", {"CIBW_INHERIT": "test-command-linux: prepend"})
    assert added == {
        "CIBW_ENVIRONMENT_PASS_LINUX": "A B",
        "CIBW_INHERIT": "test-command-linux: prepend; environment-pass-linux: append",
    }


def test_commands_in_assignments_do_not_run() -> None:
    pairs = (("A", '"x y"'), ("B", '"$A $HOME$NONE"'), ("C", "$(exit 1)"), ("D", "`exit 1`"), ("E", "$C"))
    variables, computed = options({}).evaluate(pairs, {"HOME": "/root"})
    assert variables == {"A": "x y", "B": "x y /root", "E": ""}
    assert computed == ["C", "D"]
    with pytest.raises(ConfigError):
        options({}).evaluate((("A", "x y"),), {})
