"""Workflows of small projects, generated as `wheelkit ci` does it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from wheelkit import config, workflows
from wheelkit.project import family

CI, RELEASE, GITLAB = ".github/workflows/ci.yml", ".github/workflows/release-python.yml", ".gitlab-ci.yml"
PROJECT = """[build-system]
build-backend = "mesonpy"
[project]
name = "momentum"
version = "1.2.0"
requires-python = ">=3.11"
[tool.wheelkit.matrix]
targets = ["manylinux_2_28_x86_64", "musllinux_1_2_x86_64", "macosx_11_0_arm64", "win_amd64"]
interpreters = ["cp311", "cp313", "cp314t"]
"""


def blueprint(folder: Path, provider: str = "github") -> workflows.Blueprint:
    loaded = config.load(folder)
    plan = workflows.plan_anywhere(loaded, family.discover(loaded))
    return workflows.blueprint(loaded, plan, workflows.PROVIDERS[provider].label)


class Generator:
    """Writes a pyproject.toml into a folder, and the files of a CI service; returns their texts by path."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, text: str = PROJECT, *, provider: str = "github", more: str = "") -> dict[str, str]:
        (self._folder / "pyproject.toml").write_text(text + more)
        made = workflows.generate(blueprint(self._folder, provider), provider, self._folder)
        workflows.write(made)
        return {file.path.relative_to(self._folder).as_posix(): file.text for file in made}


def jobs(text: str) -> dict[str, Any]:
    """Return the jobs of a GitHub workflow."""
    found: dict[str, Any] = yaml.safe_load(text)["jobs"]
    return found
