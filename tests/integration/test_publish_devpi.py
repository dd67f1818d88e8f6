"""Publishing and releasing through a real devpi-server, with a family that wheelkit itself has built."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from command import Wheelkit, git_commit
from releases import CLI, Member, make_family
from servers.devpi import PASSWORD, USER, Devpi, serving

TESTS = Path(__file__).resolve().parent.parent
TAG = f"cp{sys.version_info.major}{sys.version_info.minor}"


@pytest.fixture(scope="module")
def devpi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Devpi]:
    with serving(tmp_path_factory.mktemp("devpi"), "staging", "production", "other") as server:
        yield server


def indexes(devpi: Devpi, *names: str) -> str:
    return "".join(f'\n[index.{name}]\nupload = "{devpi.upload(name)}"\nsimple = "{devpi.simple(name)}"\nlag = "2 s"\n' for name in names)


def test_a_family_is_published_and_cannot_be_replaced(wheelkit: Wheelkit, tmp_path: Path, devpi: Devpi) -> None:
    config = indexes(devpi, "other") + '\n[ci]\nstaging = "other"\n'
    project = make_family(tmp_path / "gyro", (Member(name="gyro-core"), CLI), config=config)
    env = {"TWINE_USERNAME": USER, "TWINE_PASSWORD": PASSWORD, "HOME": str(tmp_path)}
    done = wheelkit("publish", "dist", "--to", "other", cwd=project.root, env=env)
    assert done.returncode == 0, done.stderr
    assert "4 files uploaded" in done.stdout
    assert "nothing to do" in wheelkit("publish", "dist", "--to", "other", cwd=project.root, env=env).stdout
    again = make_family(tmp_path / "again", (Member(name="gyro-core", code="CHANGED = True\n"), CLI), config=config)
    done = wheelkit("publish", "dist", "--to", "other", cwd=again.root, env=env)
    assert done.returncode == 1
    assert "gyro_core-1.0-py3-none-any.whl is on other already, with other bytes" in done.stderr


def test_a_wrong_password(wheelkit: Wheelkit, tmp_path: Path, devpi: Devpi) -> None:
    config = indexes(devpi, "other") + '\n[ci]\nstaging = "other"\n'
    project = make_family(tmp_path / "gyro", (Member(name="gyro-web"),), config=config)
    env = {"TWINE_USERNAME": USER, "TWINE_PASSWORD": "wrong-password", "HOME": str(tmp_path)}
    done = wheelkit("publish", "dist", "--to", "other", cwd=project.root, env=env)
    assert done.returncode == 1
    assert "does not accept the credentials" in done.stderr
    assert "wrong-password" not in done.stderr


@pytest.mark.network
def test_a_family_from_its_sources_to_both_indexes(wheelkit: Wheelkit, tmp_path: Path, devpi: Devpi) -> None:
    """The two pure distributions and the meta of the example family: built, proven, staged, tried, published, tried and tagged."""
    root = tmp_path / "family"
    shutil.copytree(TESTS / "families" / "format-runtime-meta", root)
    (root / ".gitignore").write_text("dist/\n*.egg-info/\n")
    git_commit(root)
    env = {"TWINE_USERNAME": USER, "TWINE_PASSWORD": PASSWORD, "GIT_CONFIG_GLOBAL": str(tmp_path / ".gitconfig")}
    (tmp_path / ".gitconfig").write_text("[user]\nname = Releaser\nemail = releaser@localhost\n")
    built = wheelkit("build", cwd=root, env=env)
    assert built.returncode == 0, built.stderr
    own = next(path for path in (root / "wheelkit.toml", root / "pyproject.toml") if path.is_file() and "distributions" in path.read_text())
    prefix = "" if own.name == "wheelkit.toml" else "tool.wheelkit."
    config = tmp_path / own.name
    extra = indexes(devpi, "staging", "production") + '\n[ci]\nstaging = "staging"\nproduction = "production"\n'
    config.write_text(own.read_text() + extra.replace("[index.", f"[{prefix}index.").replace("[ci]", f"[{prefix}ci]"))
    done = wheelkit("release", "dist", "--config", config, "--python", TAG, cwd=root, env=env)
    assert done.returncode == 0, done.stderr
    assert "released on staging and production" in done.stdout
    tags = subprocess.run(["git", "-C", root, "tag"], capture_output=True, text=True, check=True).stdout.split()
    assert tags
    assert "nothing to upload to production" in wheelkit("release", "dist", "--config", config, "--python", TAG, cwd=root, env=env).stderr
