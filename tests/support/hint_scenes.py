"""Projects in which wheelkit prints a hint, for tests that run the command which it proposes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from support.command import git_commit
from support.sample_families import CLI, CORE, SCM, put

CONFIG = 'distributions = ["core", "cli"]\n[distribution.cli]\ntag = "cli-v{version}"\n'
FAMILY = {
    "core/pyproject.toml": CORE,
    "core/core/__init__.py": "",
    "cli/pyproject.toml": CLI,
    "wheelkit.toml": CONFIG,
    ".gitignore": "dist/\n",
}
VCS = SCM.replace('["hatchling"]', '["hatchling", "hatch-vcs"]')
FROM_TAGS = {
    "pyproject.toml": VCS,
    "core/__init__.py": "",
    ".gitignore": "dist/\n",
}
MORE = "git commit --quiet --allow-empty --message more"
SUCCEEDS = ""


@dataclass(frozen=True, kw_only=True)
class Scene:
    """A project, the line that prints the hints, and what each of them does.

    ``steps`` run before the line, and ``folder`` is where it runs. ``hints`` maps what is printed to the line
    that must work afterwards: SUCCEEDS if it is enough that the command itself succeeds. Without a line, the
    first one prints ``gone`` no longer. ``templates`` are the commands in the source of these hints.
    With ``settings``, they are no commands but lines for the configuration, which are added to it.
    """

    line: str
    hints: Mapping[str, str | None]
    templates: tuple[str, ...]
    gone: str = ""
    files: Mapping[str, str] = field(default_factory=lambda: FAMILY)
    steps: tuple[str, ...] = ()
    folder: str = "."
    git: bool = True
    builds: bool = False
    settings: bool = False


# Commands that test_hints.py of the integration tests runs against an index.
PUBLISHING = (
    "wheelkit publish {} --to {}",
    "wheelkit smoke {} --from {}",
    "wheelkit version bump patch --commit",
)
SCENES = {
    "files of one distribution that disagree": Scene(
        files={**FAMILY, "core/core/__init__.py": '__version__ = "2.2.9"\n'},
        line="wheelkit version check",
        gone="its versions disagree",
        hints={"wheelkit version set 2.3.0 core": None},
        templates=("wheelkit version set {} {}",),
    ),
    "a bump of files that disagree": Scene(
        files={**FAMILY, "core/core/__init__.py": '__version__ = "2.2.9"\n'},
        line="wheelkit version bump patch core",
        gone="state different versions",
        hints={"wheelkit version set 2.3.0 core": None},
        templates=("wheelkit version set {} {}",),
    ),
    "an invalid version": Scene(
        files={**FAMILY, "core/pyproject.toml": CORE.replace("2.3.0", "two")},
        line="wheelkit version check",
        gone="is not a valid version",
        hints={"wheelkit version set 1.2.3 core": None},
        templates=("wheelkit version set 1.2.3 {}",),
    ),
    "a range that excludes its sibling": Scene(
        files={**FAMILY, "cli/pyproject.toml": CLI.replace(">=2.3.0", ">=2.4.0")},
        line="wheelkit version check",
        gone="it needs core",
        hints={"wheelkit version set 2.3.0 core": None},
        templates=("wheelkit version set {} {}",),
    ),
    "no version tag": Scene(
        files=FROM_TAGS,
        line="wheelkit version check",
        gone="have no version tag",
        hints={"wheelkit version tag core --as 0.1.0": None},
        templates=("wheelkit version tag {} --as {}",),
    ),
    "a shallow clone": Scene(
        files=FROM_TAGS,
        steps=("git tag v1.2.3", MORE, "git clone --quiet --depth 1 file://$PWD part"),
        folder="part",
        line="wheelkit version check",
        gone="this shallow clone has none",
        hints={"git fetch --unshallow --tags": None},
        templates=("git fetch --unshallow --tags",),
    ),
    "a tag of another version": Scene(
        steps=("git tag v2.4.0",),
        line="wheelkit version check",
        gone="this commit has the tag v2.4.0",
        hints={"wheelkit version set 2.4.0 core --commit": None, "git tag --delete v2.4.0": None},
        templates=("wheelkit version set {} {} --commit", "git tag --delete {}"),
    ),
    "a tag for changed files": Scene(
        steps=("echo '# x' >> core/pyproject.toml", "touch 'core/new file.py'"),
        line="wheelkit version tag",
        gone="differ from the last commit",
        hints={
            "git add -- core/pyproject.toml 'core/new file.py' &&"
            ' git commit --message "Prepare the release"': None
        },
        templates=("git add -- {}", 'git commit --message "Prepare the release"'),
    ),
    "a tag from a folder inside": Scene(
        steps=("echo '# x' >> core/pyproject.toml",),
        folder="cli",
        line="wheelkit version tag",
        gone="differs from the last commit",
        hints={'git add -- :/core/pyproject.toml && git commit --message "Prepare the release"': None},
        templates=("git add -- {}",),
    ),
    "a tag outside git": Scene(
        git=False,
        line="wheelkit version tag",
        gone="is not under git",
        hints={'git init && git add --all && git commit --message "First commit"': None},
        templates=("git init", "git add --all", 'git commit --message "First commit"'),
    ),
    "a tag on another branch": Scene(
        steps=("git switch --quiet --create feature",),
        line="wheelkit version tag",
        gone="releases are tagged on",
        hints={"git switch main": None, "wheelkit version tag --any-branch": SUCCEEDS},
        templates=("git switch {}", "wheelkit version tag {}"),
    ),
    "a version that the new tag decides": Scene(
        files=FROM_TAGS,
        steps=("git tag v1.2.3", MORE),
        line="wheelkit version tag core",
        gone="the new tag decides it",
        hints={"wheelkit version tag core --as 1.2.4": None},
        templates=("wheelkit version tag {} --as {}",),
    ),
    "a tag that is taken": Scene(
        steps=("git tag v2.3.0", MORE),
        line="wheelkit version tag core",
        gone="already on another commit",
        hints={"wheelkit version bump patch --commit core": None},
        templates=("wheelkit version bump patch --commit {}",),
    ),
    "a tag that is taken, of a version from tags": Scene(
        files=FROM_TAGS,
        steps=("git tag v1.2.3", MORE),
        line="wheelkit version tag core --as 1.2.3",
        gone="already on another commit",
        hints={"wheelkit version tag core --as 1.2.4": SUCCEEDS},
        templates=("wheelkit version tag {} --as {}",),
    ),
    "a tag of a local version": Scene(
        files={**FAMILY, "core/pyproject.toml": CORE.replace("2.3.0", "2.3.0+cpu")},
        line="wheelkit version tag core",
        gone="has a local part",
        hints={"wheelkit version set 2.3.0 core": None},
        templates=("wheelkit version {}",),
    ),
    "a tag of a development version": Scene(
        files={**FAMILY, "core/pyproject.toml": CORE.replace("2.3.0", "2.3.0.dev5")},
        line="wheelkit version tag core",
        gone="is a development version",
        hints={"wheelkit version set 2.3.0 core": None},
        templates=("wheelkit version {}",),
    ),
    "a development version to tag": Scene(
        files=FROM_TAGS,
        line="wheelkit version tag core --as 2.0.dev1",
        gone="is a development version",
        hints={"wheelkit version tag core --as 2.0": SUCCEEDS},
        templates=("wheelkit version {}",),
    ),
    "a final version": Scene(
        line="wheelkit version bump final core",
        gone="is already final",
        hints={"wheelkit version bump patch": SUCCEEDS},
        templates=("wheelkit version bump patch",),
    ),
    "a bump of a version from tags": Scene(
        files=FROM_TAGS,
        steps=("git tag v1.2.3", MORE),
        line="wheelkit version bump patch core",
        gone="comes from git tags",
        hints={"wheelkit version tag core --as 1.2.4": SUCCEEDS},
        templates=("wheelkit version tag {} --as {}",),
    ),
    "ranges that moved alone": Scene(
        line="wheelkit version bump patch core",
        gone="only the ranges changed: cli",
        hints={"wheelkit version bump patch cli": SUCCEEDS},
        templates=("wheelkit version bump patch {}",),
    ),
    "a distribution that is not there": Scene(
        line="wheelkit version bump patch cor",
        gone='no distribution "cor"',
        hints={"wheelkit version show": SUCCEEDS},
        templates=("wheelkit version show",),
    ),
    "a remote that does not answer": Scene(
        steps=("git remote add origin $PWD/nowhere",),
        line="wheelkit version tag",
        gone="does not answer",
        hints={"wheelkit version tag --no-remote": SUCCEEDS},
        templates=("wheelkit version tag --no-remote",),
    ),
    "a tag to push": Scene(
        steps=("git init --quiet --bare ../remote.git", "git remote add upstream ../remote.git"),
        line="wheelkit version tag",
        gone="git push upstream",
        hints={"git push upstream v2.3.0 cli-v1.0.0": SUCCEEDS},
        templates=("git push {}",),
    ),
    "stamps for two versions in one variable": Scene(
        files={
            "core/pyproject.toml": VCS,
            "cli/pyproject.toml": VCS.replace("core", "cli"),
            "wheelkit.toml": CONFIG,
        },
        steps=("git tag v1.2.3", "git tag cli-v2.0.0"),
        line="wheelkit version dev --stamp 20261120143000",
        gone="would both read SETUPTOOLS_SCM_PRETEND_VERSION",
        hints={"wheelkit version dev cli": SUCCEEDS},
        templates=("wheelkit version dev {}",),
    ),
    "doctor outside git": Scene(
        git=False,
        line="wheelkit doctor --offline",
        gone="not under version control",
        hints={'git init && git add --all && git commit --message "First commit"': None},
        templates=("git init", "git add --all", 'git commit --message "First commit"'),
    ),
    "doctor with changed files": Scene(
        steps=("touch core/new.py",),
        line="wheelkit doctor --offline",
        gone="1 uncommitted: core/new.py",
        hints={'git add -- core/new.py && git commit --message "Prepare the release"': None},
        templates=("git add -- {}", 'git commit --message "Prepare the release"'),
    ),
    "doctor without workflows": Scene(
        line="wheelkit doctor --offline",
        gone="there is no release workflow",
        hints={"wheelkit ci": None},
        templates=("wheelkit ci",),
    ),
    "workflows that are behind": Scene(
        line="wheelkit ci --check",
        gone="no longer follow from the configuration",
        hints={"wheelkit ci": None},
        templates=("wheelkit ci",),
    ),
    "doctor with a .pypirc that others read": Scene(
        steps=("printf '[pypi]\\npassword = x\\n' > $HOME/.pypirc", "chmod 644 $HOME/.pypirc"),
        line="wheelkit doctor --offline",
        gone="readable by other users",
        hints={"chmod 600 @HOME@/.pypirc": None},
        templates=(),
    ),
    "a code that does not exist": Scene(
        line="wheelkit explain WK999",
        gone="WK999",
        hints={"wheelkit explain": SUCCEEDS},
        templates=("wheelkit explain",),
    ),
    "no terminal to ask on": Scene(
        files={"pyproject.toml": CORE, "core/__init__.py": ""},
        line="wheelkit init",
        gone="no terminal to ask on",
        hints={"wheelkit init --yes": SUCCEEDS},
        templates=("wheelkit init --yes",),
    ),
    "a template for two versions, configured in wheelkit.toml": Scene(
        files={**FAMILY, "wheelkit.toml": 'distributions = ["core", "cli"]\n'},
        line="wheelkit version check",
        gone='are both tagged "v{version}"',
        hints={
            'wheelkit.toml: [distribution.core] tag = "core-v{version}"': None,
        },
        templates=(),
        settings=True,
    ),
    "wheels to look at": Scene(
        files={"pyproject.toml": CORE, "core/__init__.py": "", ".gitignore": "dist/\n"},
        steps=("wheelkit build",),
        line="wheelkit inspect dist",
        gone="give wheels",
        hints={"wheelkit inspect dist/*.whl": SUCCEEDS},
        templates=("wheelkit inspect dist/*.whl",),
        builds=True,
    ),
    "a dist folder that is not there": Scene(
        files={"pyproject.toml": CORE, "core/__init__.py": "", ".gitignore": "dist/\n"},
        steps=("wheelkit build",),
        line="wheelkit verify-matrix",
        gone="wheelkit verify-matrix dist/",
        hints={"wheelkit verify-matrix dist/": SUCCEEDS},
        templates=("wheelkit verify-matrix dist/",),
        builds=True,
    ),
    "a plan": Scene(
        files={"pyproject.toml": CORE, "core/__init__.py": "", ".gitignore": "dist/\n"},
        line="wheelkit plan",
        gone="next: wheelkit build",
        hints={"wheelkit build": "wheelkit verify-matrix dist/"},
        templates=("wheelkit build{}",),
        builds=True,
    ),
    "a smoke test of nothing": Scene(
        files={"pyproject.toml": CORE, "core/__init__.py": "", ".gitignore": "dist/\n"},
        steps=("mkdir dist",),
        line="wheelkit smoke dist --offline",
        gone="wheelkit build",
        hints={"wheelkit build": None},
        templates=("wheelkit build",),
        builds=True,
    ),
    "a development build of a version from tags": Scene(
        files=FROM_TAGS,
        steps=("git tag v1.2.3", MORE),
        line="wheelkit version dev --stamp 20261120143000",
        gone="next: SETUPTOOLS_SCM_PRETEND_VERSION",
        hints={
            "SETUPTOOLS_SCM_PRETEND_VERSION=1.2.4.dev20261120143000 wheelkit build":
            "ls dist/core-1.2.4.dev20261120143000.tar.gz"
        },
        templates=("wheelkit build",),
        builds=True,
    ),
}  # fmt: skip


class Terminal:
    """A shell in a folder of a scene's project, with wheelkit, and an identity for git."""

    def __init__(self, scene: Scene, root: Path, env: Mapping[str, str]) -> None:
        home = root / "home"
        programs = put(root, {"bin/wheelkit": f'#!/bin/sh\nexec {sys.executable} -m wheelkit "$@"\n'}) / "bin"
        (programs / "wheelkit").chmod(0o755)
        put(
            home,
            {".gitconfig": "[user]\nname = test\nemail = test@localhost\n[init]\ndefaultBranch = main\n"},
        )
        self.project = put(root / "project", dict(scene.files))
        self.env = {
            **env,
            "HOME": str(home),
            "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
            "PATH": os.pathsep.join([str(programs), env["PATH"]]),
        }
        self.folder = self.project
        if scene.git:
            git_commit(self.project)
        for step in scene.steps:
            assert self(step).returncode == 0, step
        self.folder = self.project / scene.folder

    def __call__(self, line: str) -> subprocess.CompletedProcess[str]:
        """Run a line in the shell; returns the output of both streams together."""
        return subprocess.run(
            ["sh", "-c", line],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )


def printed(hint: str, output: str) -> bool:
    """Return whether the output has the hint as a command of its own, to its end."""
    return re.search(rf"(?:^|[: ]|  ){re.escape(hint)}(?=$|  |[;,)·`])", output, re.MULTILINE) is not None
