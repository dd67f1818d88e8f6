"""The environment in which the build backend runs, on this machine and for all targets."""

from __future__ import annotations

import json
import os
import sysconfig
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from wheelkit.errors import OutputError, ToolFailedError
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


def make_environment(
    distribution: Distribution, python: Path, folder: Path, run: Run, sdist: Path | None = None
) -> BuildEnvironment:
    """Create an environment with the distribution's build requirements and those that its backend adds.

    The backend is asked for them in the unpacked sdist, if there is one. Raises ToolFailedError when a
    requirement cannot be installed, or when the backend fails, and OutputError.
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
    source = scripts.parent if sdist is None else _unpack(sdist, folder / "source")
    _install(_backend_requirements(distribution, environment, source), distribution, environment, run)
    return environment


def _unpack(sdist: Path, folder: Path) -> Path:
    """Unpack an sdist, whose code the build runs anyway, and return the folder of the project in it."""
    # Python before 3.11.4 has no filters.
    options: dict[str, Any] = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
    try:
        with tarfile.open(sdist) as archive:
            archive.extractall(folder, **options)  # noqa: S202 - the project's own sdist
        (project,) = folder.iterdir()
    except (OSError, tarfile.TarError, ValueError) as error:
        raise OutputError(f"{sdist.name} cannot be unpacked into {folder}: {error}") from error
    return project


def _backend_requirements(
    distribution: Distribution, environment: BuildEnvironment, source: Path
) -> tuple[str, ...]:
    command = Command(
        argv=(str(environment.python), "-c", _GET_REQUIRES, distribution.backend),
        cwd=source,
        unset=HIDDEN_VARIABLES,
        prefix_path=(str(environment.scripts),),
    )
    task = f"asking {distribution.backend} for its build requirements"
    completed = query_checked(command, task, timeout=ENVIRONMENT.seconds)
    try:
        # setuptools reports its own steps before.
        return tuple(map(str, json.loads(completed.output.splitlines()[-1])))
    except (ValueError, TypeError, IndexError) as error:
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
