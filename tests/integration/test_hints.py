"""Each command that a message proposes is run on the project for which it is printed, and has to help."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from servers.warehouse import Warehouse, serving
from support.command import Wheelkit
from support.hint_scenes import FROM_TAGS, SCENES, Scene, Terminal, printed
from support.sample_families import CORE


@pytest.mark.parametrize("name", SCENES)
def test_the_command_that_is_proposed_helps(tmp_path: Path, wheelkit: Wheelkit, name: str) -> None:
    scene = SCENES[name]
    for number, (hint, after) in enumerate(scene.hints.items()):
        terminal = Terminal(scene, tmp_path / str(number), wheelkit.env)
        command = hint.replace("@HOME@", terminal.env["HOME"])
        before = terminal(scene.line).stdout
        assert scene.gone in before, before
        assert printed(command, before), before
        if scene.settings:
            file, table, value = re.fullmatch(r"(\S+): (\[\S+\]) (.*)", command).groups()  # type: ignore[union-attr] # it fails here
            with (terminal.project / file).open("a", encoding="utf-8") as stream:
                stream.write(f"{table}\n{value}\n")
        else:
            helped = terminal(command)
            assert helped.returncode == 0, f"{command}\n{helped.stdout}"
        if after is None:
            again = terminal(scene.line).stdout
            assert scene.gone not in again, again
        elif after:
            done = terminal(after)
            assert done.returncode == 0, f"{after}\n{done.stdout}"


TOKEN = "pypi-valid-token-0123456789"  # noqa: S105 - only valid for the fake index
STATED = {"pyproject.toml": CORE, "core/__init__.py": "", ".gitignore": "dist/\n"}
REBUILD = "wheelkit version bump patch --commit && wheelkit build"


@pytest.mark.parametrize(("files", "version"), [(STATED, "2.3.0"), (FROM_TAGS, "1.2.3")])
def test_a_version_that_is_taken_on_the_index_is_followed_by_the_next(
    tmp_path: Path, wheelkit: Wheelkit, files: Mapping[str, str], version: str
) -> None:
    index = Warehouse()
    index.put(f"core-{version}.tar.gz", b"other bytes")
    with serving(index) as address:
        table = f'[index.here]\nupload = "{address.upload}"\nsimple = "{address.simple}"\nlag = "1 s"\n'
        config = f'{table}[ci]\nstaging = "here"\n'
        scene = Scene(
            files={**files, "wheelkit.toml": config},
            steps=("git tag v1.2.3", "wheelkit build"),
            line="wheelkit publish dist --to here",
            hints={},
            templates=(),
        )
        env = {**wheelkit.env, "TWINE_PASSWORD": TOKEN}
        terminal = Terminal(scene, tmp_path, env)
        before = terminal(scene.line).stdout
        assert "is on here already, with other bytes" in before
        assert printed(REBUILD, before), before
        assert terminal(REBUILD).returncode == 0
        dry = terminal(f"{scene.line} --dry-run")
        assert printed("wheelkit publish dist --to here", dry.stdout), dry.stdout
        after = terminal(scene.line)
        assert after.returncode == 0, after.stdout
        (smoke,) = (line.strip() for line in after.stdout.splitlines() if "next: " in line)
        tested = terminal(smoke.removeprefix("next: "))
        assert tested.returncode == 0, tested.stdout
    (released,) = (name for name in index.files if name.endswith(".whl"))
    assert released.split("-")[1] == f"{version[:-1]}{int(version[-1]) + 1}"
