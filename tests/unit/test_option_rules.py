from __future__ import annotations

from typing import TYPE_CHECKING

import click
import pytest

from support.rows import rows
from wheelkit.cli.option_rules import RULES, Rule, check
from wheelkit.command_line import main, wheelkit
from wheelkit.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

BROKEN = [(rule, other) for rules in RULES.values() for rule in rules for other in (rule.excludes or ("",))]
Capture = pytest.CaptureFixture[str]


def options(name: str) -> dict[str, click.Option]:
    command = wheelkit.get_command(click.Context(wheelkit), name)
    assert command is not None
    return {
        option: parameter
        for parameter in command.params
        if isinstance(parameter, click.Option)
        for option in parameter.opts
    }


def words(name: str, option: str) -> list[str]:
    """Return an option as it is typed, with a value where it takes one."""
    option, _, value = option.partition(" ")
    parameter = options(name)[option]
    if parameter.is_flag:
        return [option]
    return [option, value or "demo"]


def arguments(name: str) -> list[str]:
    return {"release": ["dist"], "verify-matrix": ["dist"]}.get(name, [])


def test_the_table_names_options_that_exist() -> None:
    for name, rules in RULES.items():
        known = options(name)
        for rule in rules:
            for option in (rule.option, *rule.needs, *rule.excludes):
                flag, _, value = option.partition(" ")
                assert flag in known
                if value:
                    assert isinstance(known[flag].type, click.Choice)
                    assert value in known[flag].type.choices


def given(*words: str) -> dict[str, object]:
    """Return options with their values, as a command line has them."""
    return {option.partition(" ")[0]: option.partition(" ")[2] or True for option in words}


@rows(("rule", "other"), BROKEN)
def test_a_broken_rule_says_what_to_do(rule: Rule, other: str) -> None:
    with pytest.raises(UsageError) as caught:
        check((rule,), given(rule.option, *filter(None, [other])))
    assert caught.value.message.startswith(f"{rule.option} ")
    assert caught.value.message.endswith(f": {rule.because}")
    for option in (*rule.needs, other):
        assert option in caught.value.message
        assert option in caught.value.hint
    assert rule.option in caught.value.hint
    check((rule,), given(*rule.needs))
    check((rule,), given(*rule.excludes))
    check((rule,), given(rule.option, *rule.needs))


@rows("name", list(RULES))
def test_it_is_told_before_any_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, name: str
) -> None:
    (tmp_path / "pyproject.toml").write_text("not TOML: nothing may read it")
    monkeypatch.chdir(tmp_path)
    rule = RULES[name][0]
    typed = [name, *arguments(name), *words(name, rule.option)]
    assert main([*typed, *(words(name, rule.excludes[0]) if rule.excludes else [])]) == 2
    assert rule.because in " ".join(capsys.readouterr().err.split())


@rows(
    "typed",
    [
        ["verify-matrix", "dist", "--deep", "--against", "demo==1.0"],
        ["verify-matrix", "dist", "--json", "--format", "json"],
        ["build", "--compiler-cache", "--builder", "cibuildwheel"],
        ["clean", "--out", "dist"],
        ["ci", "--check"],
    ],
)
def test_other_options_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture, typed: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    main(typed)
    said = capsys.readouterr().err
    assert "exclude each other" not in said
    assert "has an effect only with" not in said


def test_an_option_that_is_left_at_its_default_breaks_no_rule(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "dist").mkdir()
    assert main(["verify-matrix", "dist", "--json"]) != 2 or "--format" not in capsys.readouterr().err
