"""What several test files share: the sample projects, the command as users run it, and the container image."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
ROOT = TESTS.parent
# Variables by which the machine that runs the tests would steer what is tested.
STEERING = ("CIBW_", "CONTAINERS_CONF", "SOURCE_DATE_EPOCH", "PYENV_", "CC", "CFLAGS", "LDFLAGS", "LIBRARY_PATH", "GITHUB_")

MakeProject = Callable[..., Path]


@pytest.fixture
def project(tmp_path: Path) -> MakeProject:
    """Copy a sample project to ``tmp_path/NAME`` and put it under git with one commit, unless told not to."""

    def copy(name: str, *, git: bool = True, replace: Mapping[str, tuple[str, str]] | None = None) -> Path:
        folder = tmp_path / name
        shutil.copytree(TESTS / "projects" / name, folder)
        for file, (old, new) in (replace or {}).items():
            text = (folder / file).read_text()
            assert old in text
            (folder / file).write_text(text.replace(old, new))
        if git:
            git_commit(folder)
        return folder

    return copy


def git_commit(folder: Path) -> str:
    """Commit all that lies in the folder, in a repository made where there is none; returns the commit."""
    identity = ("-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false")
    if not (folder / ".git").exists():
        subprocess.run(["git", "init", "--quiet", "--initial-branch=main", folder], check=True)
    subprocess.run(["git", "-C", folder, "add", "--all"], check=True)
    subprocess.run(["git", "-C", folder, *identity, "commit", "--quiet", "-m", "all of it"], check=True)
    return subprocess.run(["git", "-C", folder, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()


@dataclass(frozen=True, kw_only=True)
class Wheelkit:
    """The command as a user runs it, with scratch files and logs in folders of its own."""

    scratch: Path
    env: Mapping[str, str]

    def arguments(self, *words: str | Path) -> list[str]:
        """Give the whole argument list."""
        return [sys.executable, "-m", "wheelkit", *map(str, words)]

    def __call__(self, *words: str | Path, cwd: Path, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run the command; whatever happens, it neither shows a traceback nor leaves scratch files."""
        done = subprocess.run(self.arguments(*words), cwd=cwd, env={**self.env, **(env or {})}, capture_output=True, text=True, check=False)
        print(done.stdout, done.stderr, sep="\n")  # noqa: T201 - pytest shows it when a test fails
        assert "Traceback" not in done.stderr + done.stdout
        assert self.left_behind() == []
        return done

    def left_behind(self) -> list[str]:
        """List what lies in the scratch folder."""
        return sorted(path.name for path in self.scratch.iterdir())


@pytest.fixture
def wheelkit(tmp_path_factory: pytest.TempPathFactory) -> Wheelkit:
    """Give the command, untouched by the settings of whoever runs the tests."""
    scratch, state = tmp_path_factory.mktemp("scratch"), tmp_path_factory.mktemp("state")
    env = {name: value for name, value in os.environ.items() if not name.startswith(STEERING)}
    return Wheelkit(scratch=scratch, env={**env, "TMPDIR": str(scratch), "XDG_STATE_HOME": str(state), "NO_COLOR": "1"})


@pytest.fixture(scope="session")
def image() -> Mapping[str, str]:
    """Give the environment in which cibuildwheel uses the project's own image; makes the image where it does not stand yet."""
    if "WHEELKIT_IMAGE_INTERPRETERS" in os.environ:
        return {name: value for name, value in os.environ.items() if name.startswith(("CIBW_", "CONTAINERS_CONF", "WHEELKIT_IMAGE"))}
    done = subprocess.run([sys.executable, ROOT / "ci" / "image.py", "--json"], capture_output=True, text=True, check=False)
    if done.returncode == 3 and not os.environ.get("CI"):  # noqa: PLR2004 - a tool is missing
        pytest.skip(f"no test image here: {done.stderr.strip()}")
    if done.returncode != 0:
        pytest.fail(f"ci/image.py failed with exit status {done.returncode}:\n{done.stderr}")
    values: dict[str, str] = json.loads(done.stdout)
    return values
