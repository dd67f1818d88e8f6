"""The environment in which the build backend runs, on this machine and for all targets."""

from __future__ import annotations

import json
import os
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.errors import ToolFailedError
from wheelkit.machine.process import Command, find_tool, query_checked, run_checked
from wheelkit.machine.time_limits import ENVIRONMENT

if TYPE_CHECKING:
    from wheelkit.machine.process import Run
    from wheelkit.project.read import Distribution


# PEP 517's hook for requirements beyond those of pyproject.toml, called as a build frontend calls it.
_GET_REQUIRES = (
    "import importlib, json, sys; backend = importlib.import_module(sys.argv[1]);"
    "print(json.dumps(backend.get_requires_for_build_wheel()))"
)
HIDDEN_VARIABLES = (
    "VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE", "MACOSX_DEPLOYMENT_TARGET",
    "SDKROOT",
)  # fmt: skip
"""Variables that mislead a build, or have every target compile Meson again (PYTHONDONTWRITEBYTECODE)."""


class BuildEnvironment(Struct, frozen=True, kw_only=True):
    """A virtual environment with the build requirements: its interpreter and its folder of programs."""

    python: Path
    scripts: Path


def make_environment(distribution: Distribution, python: Path, folder: Path, run: Run) -> BuildEnvironment:
    """Create an environment with the distribution's build requirements and those that its backend adds.

    Raises ToolFailedError when one cannot be installed, or when the backend fails.
    """
    env = folder / "environment"
    argv = (find_tool("uv"), "venv", "--quiet", "--python", str(python), str(env))
    command = Command(argv=argv, unset=HIDDEN_VARIABLES, timeout=ENVIRONMENT.seconds)
    run_checked(run, command, "creating a build environment")
    scripts = Path(sysconfig.get_path("scripts", "venv", {"base": str(env), "installed_base": str(env)}))
    environment = BuildEnvironment(
        python=scripts / ("python.exe" if os.name == "nt" else "python"), scripts=scripts
    )
    _install(distribution.build_requires, distribution, environment, run)
    _install(_backend_requirements(distribution, environment), distribution, environment, run)
    return environment


def _backend_requirements(distribution: Distribution, environment: BuildEnvironment) -> tuple[str, ...]:
    command = Command(
        argv=(str(environment.python), "-c", _GET_REQUIRES, distribution.backend),
        cwd=environment.scripts.parent,
        unset=HIDDEN_VARIABLES,
        prefix_path=(str(environment.scripts),),
    )
    task = f"asking {distribution.backend} for its build requirements"
    completed = query_checked(command, task, timeout=ENVIRONMENT.seconds)
    try:
        return tuple(map(str, json.loads(completed.output)))
    except (ValueError, TypeError) as error:
        raise ToolFailedError(
            f"{distribution.backend} did not list its build requirements", detail=completed.output
        ) from error


def _install(
    requirements: tuple[str, ...], distribution: Distribution, environment: BuildEnvironment, run: Run
) -> None:
    if requirements:
        install = (find_tool("uv"), "pip", "install", "--quiet", "--python", str(environment.python), "--")
        command = Command(argv=(*install, *requirements), unset=HIDDEN_VARIABLES)
        run_checked(run, command, f"installing the build requirements of {distribution.name}")
