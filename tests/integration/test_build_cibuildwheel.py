"""Builds by the real cibuildwheel, with podman and the test image; failed ones leave nothing behind."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import parse_wheel_filename

from support.command import MakeProject, Wheelkit

pytestmark = [
    pytest.mark.container,
    pytest.mark.skipif(sys.platform != "linux", reason="cibuildwheel needs containers on Linux only"),
]
ARCH = platform.machine()
TARGET = f"manylinux_2_28_{ARCH}"
BUILD = ("build", "--native", "--builder", "cibuildwheel")


@dataclass(frozen=True, kw_only=True)
class Engine:
    """The environment for builds in containers, which carry a label by which a test finds its own."""

    env: Mapping[str, str]
    label: str

    def podman(self, *words: str) -> list[str]:
        """Ask podman about the containers of this test."""
        command = ["podman", *words, "--filter", f"label={self.label}"]
        done = subprocess.run(
            command, env={**os.environ, **self.env}, capture_output=True, text=True, check=True
        )
        return done.stdout.split()

    def containers(self) -> list[str]:
        """List the containers of this test, running or not."""
        return self.podman("ps", "--all", "--quiet")


@pytest.fixture
def engine(image: Mapping[str, str]) -> Engine:
    label = f"wheelkit.test={uuid.uuid4().hex}"
    setting = image["CIBW_CONTAINER_ENGINE"].replace("create_args:", f"create_args: --label={label}")
    assert label in setting
    return Engine(env={**image, "CIBW_CONTAINER_ENGINE": setting}, label=label)


@pytest.fixture
def interpreters(image: Mapping[str, str]) -> list[str]:
    return image["WHEELKIT_IMAGE_INTERPRETERS"].split()


@pytest.fixture
def momentum(project: MakeProject, interpreters: list[str]) -> Path:
    """Return the abi3 project for the image's oldest interpreter, with a file in its dist folder."""
    folder = project("abi3", git=False)
    text = (folder / "pyproject.toml").read_text().replace("manylinux_2_28_x86_64", TARGET)
    (folder / "pyproject.toml").write_text(
        re.sub(r"interpreters = \[.*\]", f'interpreters = ["{interpreters[0]}"]', text)
    )
    (folder / "dist").mkdir()
    (folder / "dist/old.whl").write_text("old")
    return folder


def edit(folder: Path, old: str, new: str, file: str = "pyproject.toml") -> None:
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new))


def dist(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "dist").iterdir())


def test_an_abi3_project_is_built_once_and_tested_on_every_interpreter(
    momentum: Path, wheelkit: Wheelkit, engine: Engine, interpreters: list[str]
) -> None:
    edit(momentum, f'["{interpreters[0]}"]', json.dumps(interpreters))
    done = wheelkit(*BUILD, cwd=momentum, env=engine.env)
    assert done.returncode == 0
    assert engine.containers() == []
    (path,) = (momentum / "dist").glob("*.wheelkit.json")
    document: dict[str, Any] = json.loads(path.read_text())
    (built,) = document["files"]
    assert (document["builder"], document["target"], document["commit"]) == ("cibuildwheel", TARGET, "")
    assert built["cells"] == built["tested"] == interpreters
    assert dist(momentum) == sorted([built["file"], path.name, "old.whl"])
    tags = parse_wheel_filename(built["file"])[3]
    assert {(tag.interpreter, tag.abi) for tag in tags} == {(interpreters[0], "abi3")}
    (log,) = Path(wheelkit.env["XDG_STATE_HOME"]).rglob("*-build.log")
    assert log.read_text(errors="replace").count("Skipping build step") == len(interpreters) - 1
    (momentum / "dist/old.whl").unlink()
    assert wheelkit("verify-matrix", "dist", "--native", cwd=momentum, env=engine.env).returncode == 0


def test_a_mistake_in_c_shows_the_compilers_own_lines(
    momentum: Path, wheelkit: Wheelkit, engine: Engine
) -> None:
    edit(momentum, "double mass = 0.0;", "flaot mass = 0.0;", "core.c")
    done = wheelkit(*BUILD, cwd=momentum, env=engine.env)
    assert done.returncode == 4
    assert re.search(
        r"wheelkit: building momentum for cp3\d+ failed: core\.c:6:5: unknown type name .flaot.", done.stderr
    )
    assert re.search(r"core\.c:6:5: error: unknown type name .flaot.", done.stderr)
    assert "full log: " in done.stderr
    assert (engine.containers(), dist(momentum)) == ([], ["old.whl"])


@pytest.mark.parametrize("where", ["a terminal", "GitHub"])
def test_a_failing_smoke_command_is_a_failed_check(  # noqa: PLR0913, PLR0917 - fixtures
    momentum: Path, wheelkit: Wheelkit, engine: Engine, interpreters: list[str], tmp_path: Path, where: str
) -> None:
    edit(momentum, "== 6.0", "== 7.0")
    github = (
        {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(tmp_path / "summary")}
        if where == "GitHub"
        else {}
    )
    done = wheelkit(*BUILD, cwd=momentum, env={**engine.env, **github})
    assert done.returncode == 1
    message = f"the test of the repaired wheel on {interpreters[0]} failed with exit status 1: "
    assert f"{message}python -c 'import momentum; assert" in done.stderr
    assert "AssertionError" in done.stderr
    assert (engine.containers(), dist(momentum)) == ([], ["failed", "old.whl"])


def test_a_failing_test_command_of_an_override_fails_the_build(
    momentum: Path, wheelkit: Wheelkit, engine: Engine, interpreters: list[str]
) -> None:
    override = f'select = "{interpreters[0]}-*"\ntest-command = "exit 3"\nrepair-wheel-command = "false"'
    with (momentum / "pyproject.toml").open("a") as stream:
        stream.write(f"\n[[tool.cibuildwheel.overrides]]\n{override}\n")
    done = wheelkit(*BUILD, cwd=momentum, env=engine.env)
    assert done.returncode == 1
    assert f"on {interpreters[0]} failed with exit status 3: exit 3" in done.stderr
    named = f'[tool.cibuildwheel] repair-wheel-command of the override "{interpreters[0]}-*" is overridden'
    assert named in done.stderr
    assert (engine.containers(), dist(momentum)) == ([], ["failed", "old.whl"])


def waiting(folder: Path, running: Path) -> None:
    """Make the wheel's test create ``running`` through the container's mount of the host, then wait."""
    edit(folder, "smoke = [", f"""smoke = ["sh -c 'echo here > /host{running}; exec sleep 60'", """)


def wait_for(running: Path, process: subprocess.Popen[str]) -> None:
    while not running.is_file():
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.05)


@pytest.mark.skipif(
    shutil.which("sccache", path=str(Path(sys.executable).parent)) is None, reason="needs sccache"
)
def test_nothing_is_built_again_without_need_and_what_was_compiled_is_not_compiled_again(
    momentum: Path, wheelkit: Wheelkit, engine: Engine
) -> None:
    words = (*BUILD, "--compiler-cache")
    assert "compiler cache: 0 of " in wheelkit(*words, cwd=momentum, env=engine.env).stderr
    again = wheelkit(*words, cwd=momentum, env=engine.env)
    assert "cached, built " in again.stderr
    assert engine.containers() == []
    with (momentum / "core.c").open("a") as stream:
        stream.write("/* says nothing to the compiler */\n")
    third = wheelkit(*words, cwd=momentum, env=engine.env)
    assert "cached, built " not in third.stderr
    saved = re.search(r"compiler cache: (\d+) of (\d+) compilations were not repeated", third.stderr)
    assert saved is not None
    assert int(saved[1]) > 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_build_leaves_no_container(
    momentum: Path, wheelkit: Wheelkit, engine: Engine, tmp_path: Path, number: signal.Signals
) -> None:
    waiting(momentum, tmp_path / "running")
    env = {**wheelkit.env, **engine.env}
    with subprocess.Popen(
        wheelkit.arguments(*BUILD), cwd=momentum, env=env, stderr=subprocess.PIPE, text=True
    ) as process:
        wait_for(tmp_path / "running", process)
        assert len(engine.containers()) == 1
        process.send_signal(number)
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "no unfinished files were left behind" in stderr
    assert "Traceback" not in stderr
    assert (engine.containers(), dist(momentum), wheelkit.left_behind()) == ([], ["old.whl"], [])


def test_a_killed_container_is_reported(
    momentum: Path, wheelkit: Wheelkit, engine: Engine, tmp_path: Path
) -> None:
    waiting(momentum, tmp_path / "running")
    env = {**wheelkit.env, **engine.env}
    with subprocess.Popen(
        wheelkit.arguments(*BUILD), cwd=momentum, env=env, stderr=subprocess.PIPE, text=True
    ) as process:
        wait_for(tmp_path / "running", process)
        subprocess.run(
            ["podman", "kill", *engine.containers()],
            env={**os.environ, **engine.env},
            check=True,
            capture_output=True,
        )
        _, stderr = process.communicate(timeout=60)
    assert process.returncode == 4, stderr
    assert "wheelkit: the container engine failed: " in stderr
    assert "wheelkit build --native --builder host" in stderr
    assert (engine.containers(), dist(momentum), wheelkit.left_behind()) == ([], ["old.whl"], [])


def test_an_image_that_does_not_exist_is_named(momentum: Path, wheelkit: Wheelkit, engine: Engine) -> None:
    image = "localhost/wheelkit-not-there:1"
    done = wheelkit(*BUILD, cwd=momentum, env={**engine.env, f"CIBW_MANYLINUX_{ARCH.upper()}_IMAGE": image})
    assert done.returncode == 3
    assert f"the container image {image} cannot be pulled" in done.stderr
    assert (engine.containers(), dist(momentum)) == ([], ["old.whl"])
