#!/usr/bin/env python3
"""Print the version: the sdist's, else the one from git's tags, as setuptools-scm does without local part.

On the commit of ``v1.1.0`` or ``v1.1.0.dev20261120143000`` that is the tag's own; three commits after
``v1.1.0`` it is ``1.1.1.dev3``.
"""

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def git(*words: str) -> str:
    """Return git's answer, empty where it refuses."""
    done = subprocess.run(["git", "-C", HERE, *words], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def version() -> str:
    """Return the version; exits with an error if there is none."""
    stated = HERE / "PKG-INFO"
    if stated.is_file() and (
        line := re.search(r"^Version: (\S+)$", stated.read_text(encoding="utf-8"), re.MULTILINE)
    ):
        return line[1]
    if tag := git("describe", "--tags", "--match", "v*", "--exact-match"):
        return tag.removeprefix("v")
    described = git("describe", "--tags", "--match", "v*", "--exclude", "*.dev*", "--long")
    if match := re.fullmatch(r"v(?P<head>[\d.]*?)(?P<patch>\d+)-(?P<commits>\d+)-g\w+", described):
        return f"{match['head']}{int(match['patch']) + 1}.dev{match['commits']}"
    sys.exit("no tag below this commit gives the version; fetch them:  git fetch --tags --unshallow")


if __name__ == "__main__":
    print(version())
