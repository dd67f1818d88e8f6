"""Options that have an effect only with others, or exclude each other: checked before any work is done."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource
from msgspec import Struct

from wheelkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Rule(Struct, frozen=True):
    """What one option needs, any of these, or excludes; an option may have a value: ``--builder host``."""

    option: str
    needs: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    because: str = ""


_ONE_HOME = "dist/ holds one wheel for each target"
_ALL_MACHINES = "--identifiers lists the builds of all machines"
_CROSS = Rule("--cross", excludes=("--native", "--builder cibuildwheel", "--builder host"), because=_ONE_HOME)
RULES: Mapping[str, tuple[Rule, ...]] = {
    "build": (
        _CROSS,
        Rule("--quiet", excludes=("--verbose",), because="both say how much is printed"),
        Rule(
            "--compiler-cache",
            excludes=("--cross", "--builder host"),
            because="the compiler cache is for the containers of cibuildwheel",
        ),
    ),
    "ci": (Rule("--matrix", excludes=("--check",), because="--matrix only prints"),),
    "plan": (
        _CROSS,
        Rule(
            "--identifiers",
            excludes=("--native", "--pure", "--sdist", "--cross", "--target", "--only"),
            because=_ALL_MACHINES,
        ),
    ),
    "clean": (
        Rule("--cache", excludes=("--out",), because="the cache is in a folder of its own"),
        Rule("--cache", excludes=("--old", "--all"), because="these are about the dist folder"),
        Rule("--old", excludes=("--all",), because="both say which files are removed"),
        Rule("--yes", needs=("--cache",), because="only the cache is asked for"),
    ),
    "release": (
        Rule("--until", excludes=("--only",), because="both say which stages run"),
        Rule("--offline", excludes=("--index",), because="third-party packages come from one place"),
    ),
    "verify-matrix": (
        Rule("--index", needs=("--from-index", "--against"), because="files in a folder need no index"),
        Rule("--deep", needs=("--from-index", "--against"), because="files in a folder are always read"),
        Rule("--repository", needs=("--from-index",), because="attestations are on the index"),
        Rule("--repository", needs=("--deep",), because="attestations are checked against the files' bytes"),
        Rule("--native", excludes=("--from-index",), because="a release has the wheels of all machines"),
        Rule("--shallow", excludes=("--from-index", "--deep"), because="--deep decides what is read"),
        Rule(
            "--json",
            excludes=("--format text", "--format markdown", "--format github", "--format html"),
            because="--json is --format json",
        ),
    ),
}


def checked(command: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate the function of a command, so that ``RULES`` are checked before it runs."""

    @wraps(command)
    def run(**values: Any) -> Any:  # noqa: ANN401 - the options of any command
        context = click.get_current_context()
        check(RULES[context.info_name or ""], _given(context))
        return command(**values)

    return run


def check(rules: tuple[Rule, ...], given: Mapping[str, Any]) -> None:
    """Raise UsageError for the first rule that the given options break; ``given`` has their values."""
    for rule in rules:
        if not _is_given(rule.option, given):
            continue
        if rule.needs and not any(_is_given(option, given) for option in rule.needs):
            others = " or ".join(rule.needs)
            raise UsageError(
                f"{rule.option} has an effect only with {others}: {rule.because}",
                hint=f"add {others}, or leave {rule.option} out",
            )
        for option in rule.excludes:
            if _is_given(option, given):
                raise UsageError(
                    f"{rule.option} and {option} exclude each other: {rule.because}",
                    hint=f"leave out {rule.option} or {option}",
                )


def _is_given(option: str, given: Mapping[str, Any]) -> bool:
    name, _, value = option.partition(" ")
    return name in given and value in {"", given[name]}


def _given(context: click.Context) -> dict[str, Any]:
    """Return the options of the command line with their values, by their long names."""
    return {
        max(parameter.opts, key=len): context.params[parameter.name]
        for parameter in context.command.params
        if isinstance(parameter, click.Option)
        and parameter.name in context.params
        and context.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE
    }
