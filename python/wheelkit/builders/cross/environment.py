"""The environment in which the backend runs: one for all targets, since the backend and all that it needs run on this machine."""

from __future__ import annotations

import json
import os
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.errors import ToolFailedError
from wheelkit.machine.process import Command, checked, failure, query
from wheelkit.machine.workspace import find_tool

if TYPE_CHECKING:
    from wheelkit.machine.process import Run
    from wheelkit.project.read import Distribution


# PEP 517's hook by which a backend asks for more than pyproject.toml names, called as a frontend calls it. Cross builds drive one backend.
_ASK = "import json, mesonpy; print(json.dumps(mesonpy.get_requires_for_build_wheel()))"
HIDDEN_VARIABLES = (
    "VIRTUAL_ENV",
    "PYTHONPATH",
    "PYTHONHOME",
    "PYTHONDONTWRITEBYTECODE",
    "MACOSX_DEPLOYMENT_TARGET",
    "SDKROOT",
)
"""Variables that would lead a build astray, or, for the one on byte code, have every target compile all of Meson anew."""


class Environment(Struct, frozen=True, kw_only=True):
    """An environment that holds what a build needs: its interpreter, and the folder of its programs."""

    python: Path
    scripts: Path


def make_environment(item: Distribution, python: Path, folder: Path, run: Run) -> Environment:
    """Install the distribution's build requirements, and what its backend asks for beside them, into a new environment.

    Raises ToolFailedError with uv's own words when one cannot be had, or when the backend fails.
    """
    uv, place = find_tool("uv"), folder / "environment"
    checked(
        run,
        Command(argv=(uv, "venv", "--quiet", "--python", str(python), str(place)), unset=HIDDEN_VARIABLES),
        "making a build environment",
    )
    scripts = Path(sysconfig.get_path("scripts", "venv", {"base": str(place), "installed_base": str(place)}))
    made = Environment(python=scripts / ("python.exe" if os.name == "nt" else "python"), scripts=scripts)
    _install(item.build_requires, item, made, run)
    asked = query(
        Command(
            argv=(str(made.python), "-c", _ASK),
            cwd=place,
            unset=HIDDEN_VARIABLES,
            prefix_path=(str(scripts),),
        ),
        timeout=120,
    )
    if asked.returncode != 0:
        raise failure(asked, f"asking {item.backend} what it needs")
    try:
        further = tuple(map(str, json.loads(asked.output)))
    except (ValueError, TypeError) as error:
        raise ToolFailedError(f"{item.backend} did not say what it needs", detail=asked.output) from error
    _install(further, item, made, run)
    return made


def _install(requirements: tuple[str, ...], item: Distribution, environment: Environment, run: Run) -> None:
    if requirements:
        argv = (
            find_tool("uv"),
            "pip",
            "install",
            "--quiet",
            "--python",
            str(environment.python),
            "--",
            *requirements,
        )
        checked(
            run, Command(argv=argv, unset=HIDDEN_VARIABLES), f"installing what {item.name} needs to be built"
        )
