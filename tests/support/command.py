"""Run wheelkit as its users do, on a project under git."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

# With these variables git takes every folder for another user's, as in many containers (git's own tests do
# so).
OTHERS_FOLDER = {
    "GIT_TEST_ASSUME_DIFFERENT_OWNER": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
}
MakeProject = Callable[..., Path]


def git_commit(folder: Path) -> str:
    """Commit everything in the folder, which becomes a repository if it is none; returns the commit."""
    identity = ("-c", "user.name=test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false")
    if not (folder / ".git").exists():
        subprocess.run(["git", "init", "--quiet", "--initial-branch=main", folder], check=True)
    subprocess.run(["git", "-C", folder, "add", "--all"], check=True)
    subprocess.run(["git", "-C", folder, *identity, "commit", "--quiet", "-m", "all of it"], check=True)
    return subprocess.run(
        ["git", "-C", folder, "rev-parse", "HEAD"], check=True, capture_output=True, text=True
    ).stdout.strip()


@dataclass(frozen=True, kw_only=True)
class Wheelkit:
    """The command as a user runs it, with scratch files and logs in folders of its own."""

    scratch: Path
    env: Mapping[str, str]

    def arguments(self, *words: str | Path) -> list[str]:
        """Return the whole argument list."""
        return [sys.executable, "-m", "wheelkit", *map(str, words)]

    def __call__(
        self, *words: str | Path, cwd: Path, env: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run the command, and check that it prints no traceback and leaves no scratch files."""
        done = subprocess.run(
            self.arguments(*words),
            cwd=cwd,
            env={**self.env, **(env or {})},
            capture_output=True,
            text=True,
            check=False,
        )
        print(done.stdout, done.stderr, sep="\n")
        # The output of a failed program is shown indented and may contain a traceback.
        assert not re.search(r"^Traceback", done.stderr + done.stdout, re.MULTILINE)
        left = self.left_behind()
        assert not left, left
        return done

    def left_behind(self) -> list[str]:
        """List the scratch folder, without uv's lock files if sccache is there, whose server keeps them."""
        allowed = "uv-*.lock" if shutil.which("sccache") else ""
        return sorted(path.name for path in self.scratch.iterdir() if not fnmatchcase(path.name, allowed))


def loaded(*words: str) -> set[str]:
    """Run a command line in a new process; returns the modules that it loads."""
    code = "import sys\nfrom wheelkit.__main__ import run\n"
    code += "try: run()\nexcept SystemExit: pass\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())
