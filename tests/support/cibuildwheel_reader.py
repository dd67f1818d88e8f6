"""What cibuildwheel itself reads from a pyproject.toml and variables."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tomlkit
from cibuildwheel.options import CommandLineArguments, Options

PROJECT = {
    "build-system": {"requires": ["setuptools"], "build-backend": "setuptools.build_meta"},
    "project": {"name": "momentum", "version": "1", "requires-python": ">=3.9"},
    "dependency-groups": {"test": ["pytest", "hypothesis>=6"], "fast": [{"include-group": "test"}, "xdist"]},
}


def write_project(folder: Path, table: Mapping[str, Any]) -> None:
    """Write a pyproject.toml with a table [tool.cibuildwheel]."""
    folder.mkdir(parents=True, exist_ok=True)
    document = {**PROJECT, "tool": {"cibuildwheel": dict(table)}}
    (folder / "pyproject.toml").write_text(tomlkit.dumps(document), encoding="utf-8")


def read_options(folder: Path, environ: Mapping[str, str], platform: Any = "linux") -> Options:
    """Return the options that a run of cibuildwheel in the folder has."""
    arguments = CommandLineArguments.defaults()
    arguments.package_dir = folder
    options = Options(platform, arguments, environ)
    _ = options.globals  # cibuildwheel reads and keeps them first
    return options
