"""All commands in the product's messages are known, and those of wheelkit itself fit its command line.

A new command gets a scene in tests/support/hint_scenes.py, which runs it where it is printed, if that can be
done in seconds. To record it:

    WHEELKIT_WRITE_HINTS=1 python -m pytest tests/unit/test_hints.py && git diff tests/golden/hints.tsv
"""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import click
import pytest

from support import hints
from support.hint_scenes import PUBLISHING, SCENES
from support.rows import rows
from wheelkit.command_line import wheelkit

GOLDEN = Path(__file__).parents[1] / "golden" / "hints.tsv"
COMMANDS = hints.commands()
# Those that the table records: of wheelkit and of git. Others install programs or sign files.
TRIED = [command for command in COMMANDS if re.match(r"(?:(?:python -m )?wheelkit|git) ", command)]
OWN = [command for command in COMMANDS if re.match(r"(?:python -m )?wheelkit ", command)]
# Words that stand for a value which only the user knows, in commands that explain something in general.
PLACEHOLDER = re.compile(r"(?<!@)\b(?:WHEEL|FILE|DIST|INDEX|VERSION|URL)\b|…")


HEAD = (
    "# How each command in a message is tried: run where it is printed (tests/support/hint_scenes.py),",
    "# parsed by wheelkit's own command line, or of another program: its text is tested with its message.",
)


def recorded() -> dict[str, str]:
    lines = GOLDEN.read_text(encoding="utf-8").splitlines()
    return dict(line.split("\t") for line in lines if not line.startswith("#"))


def test_every_command_is_recorded_with_how_it_is_tried() -> None:
    if os.environ.get("WHEELKIT_WRITE_HINTS"):
        tried = {*PUBLISHING, *(one for scene in SCENES.values() for one in scene.templates)}
        lines = (f"{one}\t{'run' if one in tried else 'parsed' if one in OWN else 'other'}" for one in TRIED)
        GOLDEN.write_text("".join(f"{line}\n" for line in (*HEAD, *sorted(lines))), encoding="utf-8")
    known = recorded()
    assert sorted(TRIED) == sorted(known), {
        "new": sorted(set(TRIED) - known.keys()),
        "gone": sorted(known.keys() - set(TRIED)),
    }
    assert set(known.values()) <= {"run", "parsed", "other"}


def test_what_is_recorded_as_run_has_a_scene() -> None:
    tried = {*PUBLISHING, *(one for scene in SCENES.values() for one in scene.templates)}
    assert tried == {command for command, how in recorded().items() if how == "run"}
    assert all(how != "parsed" or command in OWN for command, how in recorded().items())


def problem(line: str) -> str:
    """Return what wheelkit's own parser says against a command line; empty if it takes it."""
    words = shlex.split(line.replace("{}", " x ").removeprefix("python -m "))[1:]
    command: click.Command = wheelkit
    context = click.Context(command)
    while isinstance(command, click.Group) and words:
        try:
            inner = command.get_command(context, words[0])
        except click.UsageError as error:
            return error.format_message()
        if inner is None:
            return f"there is no {words[0]}"
        command, context, words = inner, click.Context(inner, parent=context), words[1:]
    try:
        values, _, _ = command.make_parser(context).parse_args(list(words))
    except click.UsageError as error:
        return error.format_message()
    arguments = [
        parameter
        for parameter in command.params
        if isinstance(parameter, click.Argument) and parameter.required
    ]
    given = [
        parameter.name for parameter in arguments if isinstance(values.get(parameter.name or ""), str | tuple)
    ]
    return "" if len(given) == len(arguments) else f"{command.name} needs {arguments[len(given)].name}"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("wheelkit smoke --build-sdists", "smoke needs dist"),
        ("wheelkit build --nativ", "No such option"),
        ("wheelkit bild", "there is no command"),
        ("wheelkit version bump patch {}", ""),
        ("python -m wheelkit publish dist --to {}", ""),
    ],
)
def test_the_parser_finds_what_does_not_exist(line: str, expected: str) -> None:
    assert expected in problem(line)
    assert bool(problem(line)) is bool(expected)


# Where the user alone knows the index and the commit.
USERS = frozenset({"wheelkit fetch-dist --from INDEX --commit COMMIT"})
# Texts that name a command without its arguments: ``python -m wheelkit inspect shows …``.
NAMED_ONLY = frozenset({
    "python -m wheelkit inspect", "python -m wheelkit repair", "python -m wheelkit inspect shows the largest",
    "python -m wheelkit {}", "wheelkit build builds it", "wheelkit %", "wheelkit version {}",
})  # fmt: skip


@rows("command", [command for command in OWN if command not in NAMED_ONLY])
def test_a_command_of_wheelkit_fits_its_command_line(command: str) -> None:
    line = (
        command.replace("{}{}", "").replace("{} {}", "{}")
        if command.startswith("wheelkit clean")
        else command
    )
    line = re.sub(r"(?<=[a-z])\{\}", "", line)
    assert problem(line) == "", COMMANDS[command]


def test_a_hint_names_no_value_that_wheelkit_knows() -> None:
    general = {
        command for command, places in COMMANDS.items() if all("findings.toml" in one for one in places)
    }
    named = {command for command in OWN if PLACEHOLDER.search(command)} - general - USERS
    assert named == set()
