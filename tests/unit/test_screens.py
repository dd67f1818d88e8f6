"""What commands print on a terminal: every line as recorded, with its colours.

tests/golden/screens has a screen for each command: standard output, then standard error. Codes of colours
are shown as ``<32>``, and what differs between machines and runs as a word in capitals. To record what has
changed on purpose, and to read it as a user would:

    WHEELKIT_WRITE_SCREENS=1 python -m pytest tests/unit/test_screens.py && git diff tests/golden/screens
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import pytest

from malformed import LINUX
from support.command_scenes import DOCUMENTS, Make, dist, prepare, published, versions, wheels
from support.rows import rows
from wheelkit.command_line import main

GOLDEN = Path(__file__).parents[1] / "golden" / "screens"
WRITE = os.environ.get("WHEELKIT_WRITE_SCREENS")
PROJECTS = ("build", "build-dry-run", "plan", "plan-identifiers")
# The workflows have tests of their own, and the text of this command is a diff of them.
# Screens beside those of the documents: the same commands with another outcome.
MORE: dict[str, tuple[list[str], int, Make]] = {
    "version-check-fine": (["version", "check"], 0, versions),
    "inspect-same": (["inspect", LINUX, LINUX], 0, wheels),
    "publish-plan-unknown": (["publish", "dist", "--to", "nowhere"], 2, published),
    "verify-matrix-quiet": (["verify-matrix", "dist", "--strict"], 1, dist),
}
# What differs between machines and runs.
CHANGING = (
    (r"\x1b\[([0-9;]*)m", r"<\1>"),
    (r"\b\d+(\.\d+)? (ms|s)\b", "SECONDS"),
)


SCREENS = [name for name in (*DOCUMENTS, *MORE) if name != "ci"]


def screen(name: str, folder: Path, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    patch.setattr("sys.stdout.isatty", lambda: True)
    patch.setenv("COLUMNS", "100")
    patch.delenv("NO_COLOR", raising=False)
    words, code = prepare({**DOCUMENTS, **MORE}[name], folder, patch)
    capsys.readouterr()
    assert main(words) == code, capsys.readouterr().err
    done = capsys.readouterr()
    text = f"{done.out}--- standard error\n{done.err}".replace(str(folder), "FOLDER")
    for pattern, word in CHANGING:
        text = re.sub(pattern, word, text)
    # The projects of these have the interpreter that runs the tests.
    return text.replace(f"cp3{sys.version_info.minor}", "cp3xx") if name in PROJECTS else text


@rows("name", SCREENS)
def test_the_screen_is_as_recorded(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = GOLDEN / f"{name.replace(' ', '-')}.txt"
    found = screen(name, tmp_path, monkeypatch, capsys)
    if WRITE:
        path.write_text(found, encoding="utf-8")
    assert found.splitlines() == path.read_text(encoding="utf-8").splitlines()


def test_no_recorded_screen_is_left_over() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == {name.replace(" ", "-") for name in SCREENS}
