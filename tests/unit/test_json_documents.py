"""What ``--json`` prints is an interface: keys, types, nesting and words of enumerations are as recorded.

tests/golden/json has a document for each command. A new key is written there by hand; to remove or rename
one breaks the programs of users.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from support.command_scenes import DOCUMENTS, prepare
from support.rows import rows
from support.shapes import shape
from wheelkit.cli import COMMANDS
from wheelkit.command_line import main, wheelkit

GOLDEN = Path(__file__).parents[1] / "golden" / "json"
Patch = pytest.MonkeyPatch


def printed(name: str, folder: Path, patch: Patch, capsys: pytest.CaptureFixture[str]) -> Any:
    words, code = prepare(DOCUMENTS[name], folder, patch)
    capsys.readouterr()
    assert main([*words, "--json"]) == code, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


@rows("name", DOCUMENTS)
def test_the_document_has_the_recorded_shape(
    name: str, tmp_path: Path, monkeypatch: Patch, capsys: pytest.CaptureFixture[str]
) -> None:
    document = shape(printed(name, tmp_path, monkeypatch, capsys))
    golden = json.loads((GOLDEN / f"{name.replace(' ', '-')}.json").read_text(encoding="utf-8"))
    assert document == golden, json.dumps(document, indent=1)


def commands_with_json(command: click.Command, path: str = "") -> Iterator[str]:
    """Return the commands that have the option ``--json``, as a user types them."""
    if any("--json" in parameter.opts for parameter in command.params):
        yield path.strip()
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            inner = command.get_command(context, name)
            assert inner is not None
            yield from commands_with_json(inner, f"{path} {name}")


def test_every_command_with_the_option_is_recorded() -> None:
    groups = {words[0] for words, *_ in DOCUMENTS.values()} & {"version"}
    tried = {" ".join(words[: 1 + (words[0] in groups)]) for words, *_ in DOCUMENTS.values()}
    found = set(commands_with_json(wheelkit))
    assert tried == found
    assert {name.partition(" ")[0] for name in found} <= set(COMMANDS)


def test_no_recorded_document_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == {name.replace(" ", "-") for name in DOCUMENTS}


def test_a_renamed_key_another_type_and_another_word_show() -> None:
    document = {"schema": 1, "findings": [{"severity": "error", "size": 1}, {"severity": "error", "size": 2}]}
    assert shape(document) == {"schema": "=1", "findings": [{"severity": "=error", "size": "integer"}]}
    for other in (
        {"schema": 2, "findings": document["findings"]},
        {"schema": 1, "found": document["findings"]},
        {"schema": 1, "findings": [{"severity": "fatal", "size": 1}]},
        {"schema": 1, "findings": [{"severity": "error", "size": "1"}]},
        {"schema": 1, "findings": [{"severity": "error"}]},
    ):
        assert shape(other) != shape(document)
