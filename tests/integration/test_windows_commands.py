"""Configured commands as Windows runs them: by cmd.exe, as cibuildwheel starts it, and by Windows' Python."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from cibuildwheel.util.helpers import prepare_command

from support.cmd_lines import PINNED, argument_lists
from wheelkit.command_lines import cmd_line
from wheelkit.matrix import System
from wheelkit.plan.cibuildwheel import test_command as command_for_cibuildwheel

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.wine
SEED, COUNT, CHUNK = 16, 600, 20
BETWEEN = "--next--"
SHOW = "import sys; print(ascii(sys.argv[1:]))"
# Runs in Windows' Python: starts each line, and prints the exit status and the output of each.
START = r"""
import json, os, subprocess, sys
os.environ["PATH"] = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
options = {"stdin": subprocess.DEVNULL, "capture_output": True, "text": True, "encoding": "utf-8"}
results = []
for line in json.load(open("lines.json")):
    done = subprocess.run(line, shell=isinstance(line, str), errors="replace", **options)
    results.append((done.returncode, done.stdout + done.stderr))
print(json.dumps(results))
"""
# The same for commands as wheelkit's own runner starts them on Windows.
START_ARGV = r"""
import json, os, sys
sys.path.insert(0, sys.argv[1])
from wheelkit.machine.windows import arguments
os.environ["PATH"] = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
import subprocess
results = []
for argv in json.load(open("lines.json")):
    environment = {**os.environ, "PATH": os.getcwd() + os.pathsep + os.environ["PATH"]}
    done = subprocess.run(
        arguments(argv, environment, None), stdin=subprocess.DEVNULL, capture_output=True, text=True,
        encoding="utf-8", errors="replace",
    )
    results.append((done.returncode, done.stdout + done.stderr))
print(json.dumps(results))
"""

Start = Callable[..., list[tuple[int, str]]]


@pytest.fixture(scope="module")
def wine() -> dict[str, Any]:
    """Return the command of Windows' Python and its variables; created by ci/wine.py if needed."""
    done = subprocess.run(
        [sys.executable, ROOT / "ci/wine.py", "--json"], capture_output=True, text=True, check=False
    )
    if done.returncode == 3:
        pytest.skip(done.stderr.strip())
    if done.returncode != 0:
        pytest.fail(f"ci/wine.py failed with exit status {done.returncode}:\n{done.stderr}")
    made: dict[str, Any] = json.loads(done.stdout)
    return made


@pytest.fixture
def start(wine: dict[str, Any], tmp_path: Path) -> Start:
    """Return a function that lets Windows' Python start lines or argument lists."""
    (tmp_path / "show.py").write_text(SHOW)

    def run(lines: Sequence[object], script: str = START, *arguments: str) -> list[tuple[int, str]]:
        (tmp_path / "lines.json").write_text(json.dumps(lines))
        done = subprocess.run(
            [*wine["command"], "-I", "-c", script, *arguments],
            cwd=tmp_path,
            env={**os.environ, **wine["env"]},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        results: list[tuple[int, str]] = json.loads(done.stdout)
        return results

    return run


def chunks(lists: Sequence[tuple[str, ...]]) -> list[list[str]]:
    """Join argument lists, because each start of Python takes half a second."""
    starts = range(0, len(lists), CHUNK)
    return [[word for one in lists[at : at + CHUNK] for word in (*one, BETWEEN)] for at in starts]


def received(result: tuple[int, str]) -> list[str]:
    status, output = result
    assert status == 0, output
    words: list[str] = eval(output, {"__builtins__": {}})  # noqa: S307 - ascii() of a list of strings
    return words


def test_cmd_passes_the_pinned_lines_on(start: Start) -> None:
    results = start([f"python show.py {line}" for _, line in PINNED])
    assert [received(result) for result in results] == [list(words) for words, _ in PINNED]


def test_cibuildwheels_cmd_passes_on_what_posix_splitting_gives(start: Start) -> None:
    """As cibuildwheel does: its placeholders are replaced, then the line goes to ``cmd /c``."""
    lists = chunks(argument_lists(SEED, COUNT))
    commands = (
        command_for_cibuildwheel([f"python show.py {shlex.join(words)}"], System.WINDOWS) for words in lists
    )
    places = dict.fromkeys(("project", "package", "wheel"), "C:\\wrong")
    results = start([prepare_command(command, **places) for command in commands])
    assert [received(result) for result in results] == lists


def test_cmd_without_autorun_passes_on_the_same(start: Start) -> None:
    lists = chunks(argument_lists(SEED + 1, COUNT))
    # Python's own shell=True adds another cmd around this one.
    lines = [f'cmd /d /s /c "{cmd_line(("python", "show.py", *words))}"' for words in lists]
    results = start(lines, START.replace("shell=isinstance(line, str)", "shell=False"))
    assert [received(result) for result in results] == lists


def test_a_test_fails_on_windows_where_it_fails_elsewhere(start: Start) -> None:
    good, bad = "python -c 'assert 1 < 2'", "python -c 'assert 1 > 2, \"100%\"'"
    tests = ([good, good], [good, bad], [bad])  # Debian's wine goes on after && whatever the status
    statuses = [start([command_for_cibuildwheel(lines, System.WINDOWS)])[0] for lines in tests]
    assert [status for status, _ in statuses] == [0, 1, 1]
    assert "AssertionError: 100%" in statuses[1][1]
    # What Windows was given before: a string, which is true.
    assert start(["python -c 'assert(0)'"])[0][0] == 0


def test_programs_and_batch_files_get_the_same_arguments(start: Start, tmp_path: Path) -> None:
    (tmp_path / "shim.cmd").write_text("@python show.py %*\n")
    drawn = argument_lists(SEED + 2, COUNT)
    plain = [words for words in drawn if not {'"', "%"} & set("".join(words))]
    assert len(plain) > COUNT // 10
    lists = chunks(plain)
    for program in (["python", "show.py"], ["shim"]):
        argvs = [[*program, *words] for words in lists]
        results = start(argvs, START_ARGV, f"Z:{ROOT / 'python'}")
        assert [received(result) for result in results] == lists
