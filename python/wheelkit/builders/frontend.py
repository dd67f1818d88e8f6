"""Runs what all builders need: ``uv build`` to make an sdist or a wheel, and the repair tool."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import chain
from pathlib import Path  # noqa: TC003 - msgspec reads the annotations
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.builders.causes import failed_build
from wheelkit.builders.results import BuiltWheel, supported_interpreters
from wheelkit.errors import MissingToolError, ProjectError, ToolFailedError, WheelkitError
from wheelkit.machine import uv_settings
from wheelkit.machine.compilers import missing_headers_error
from wheelkit.machine.interpreters import python_for
from wheelkit.machine.process import Command, find_tool
from wheelkit.repair.commands import RepairRecipe
from wheelkit.repair.run import repair

if TYPE_CHECKING:
    from wheelkit.machine.process import Run
    from wheelkit.machine.workspace import Workspace
    from wheelkit.matrix import Interpreter
    from wheelkit.plan import NativeStep
    from wheelkit.project.read import Distribution


Hints = Iterable[tuple[str, str]]
# Without byte code, each process that makes an sdist would compile all of Meson again.
_UNSET = {"wheel": ("VIRTUAL_ENV",), "sdist": ("VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE")}
_NO_PYTHON = re.compile(r"[Nn]o interpreter found|Python .* is not available|No download found")
# What compilers, CMake, Meson and backends say of a missing file, and a path that leaves its folder.
_MISSING = re.compile(r"No such file|does not exist|doesn't exist|Cannot find source file|not found")
_UPWARDS = re.compile(r"(?<![\w/])(?:\.\./)+\w[\w./+-]*")
_SUFFIXES = (".whl", ".tar.gz")


class BuildTask(Struct, frozen=True, kw_only=True):
    """What one build makes of a distribution; ``purpose`` completes "... failed".

    ``hints`` are pairs of a text in the output of a failed command and the hint to show for it, and ``sdist``
    is what is built, unless the sdist itself is.
    """

    purpose: str
    distribution: Distribution
    hints: Hints = ()
    sdist: Path | None = None


def uv_build(
    kind: str, source: Path, distribution: Distribution, workspace: Workspace, hints: Hints = ()
) -> Path:
    """Build an ``sdist`` or ``wheel`` with a Python that ``requires-python`` admits, best the running one.

    Returns and raises as ``build_file`` does, and MissingToolError if uv finds no such Python.
    """
    out = workspace.new_folder(kind)
    python = python_for(distribution.requires_python)
    options = (f"--{kind}", "--python", python, *uv_settings.options(), "--out-dir", str(out))
    command = Command(
        argv=(find_tool("uv"), "build", *options, str(source)),
        env=uv_settings.variables(),
        unset=_UNSET[kind],
    )
    purpose = f"building the {kind} of {distribution.name}"
    task = BuildTask(purpose=purpose, distribution=distribution, hints=hints)
    try:
        return build_file(workspace.run, command, out, task)[0]
    except (MissingToolError, ToolFailedError) as error:
        if python == distribution.requires_python and _NO_PYTHON.search(error.detail):
            raise _no_python(distribution, error) from error
        raise


def _no_python(distribution: Distribution, error: WheelkitError) -> MissingToolError:
    required = distribution.requires_python
    return MissingToolError(
        f'{distribution.name} says requires-python = "{required}", and no such Python is installed here',
        detail=error.detail,
        hint=f'uv python install "{required}"   or run wheelkit with such a Python',
    )


def build_file(run: Run, command: Command, out: Path, task: BuildTask) -> tuple[Path, str]:
    """Run a command that writes one sdist or wheel into ``out``; return the file and the command's output.

    Raises MissingToolError if Python's headers are missing, ProjectError if a file is outside of the
    project's folder, else ToolFailedError with the compiler's own lines.
    """
    done = run(command)
    if done.returncode != 0:
        if no_headers := missing_headers_error(done.output, task.purpose, done.log):
            raise no_headers
        if outside := outside_error(done.output, task.distribution, done.log):
            raise outside
        error = failed_build(done, task.purpose, task.distribution, task.sdist)
        error.hint = next((hint for text, hint in task.hints if text in done.output), error.hint)
        raise error
    files = sorted(path for path in out.glob("*") if path.name.endswith(_SUFFIXES))
    if len(files) != 1:
        raise ToolFailedError(f"{task.purpose} produced {len(files)} files instead of one")
    return files[0], done.output


def outside_error(output: str, distribution: Distribution, log: Path | None) -> ProjectError | None:
    """Return the error for a build from the sdist that misses a file outside of the project's folder.

    Only a file that exists there counts: compilers name headers relative to other files, too.
    """
    folder = distribution.source
    lines = (line for line in output.splitlines() if _MISSING.search(line))
    named = dict.fromkeys(chain.from_iterable(map(_UPWARDS.findall, lines)))
    outside = (file for file in named if _is_outside(folder / file, folder))
    if (file := next(outside, None)) is None:
        return None
    top = (folder / file).resolve().parent
    while not folder.resolve().is_relative_to(top):
        top = top.parent
    return ProjectError(
        f"the build of {distribution.name} needs {file}, which is outside of the project's folder {folder}: "
        "no sdist can hold it there",
        hint="let a dist script of the backend copy it into the sdist, and the build use the copy (Meson:\n"
        "meson.add_dist_script, setuptools: a subclass of sdist, hatchling: force-include), or\n"
        f"move pyproject.toml up to {top}\nfull log: {log}",
    )


def _is_outside(path: Path, folder: Path) -> bool:
    return path.is_file() and not path.resolve().is_relative_to(folder.resolve())


def repair_wheel(
    path: Path,
    step: NativeStep,
    interpreters: Iterable[Interpreter],
    workspace: Workspace,
    compiler: str = "",
) -> BuiltWheel:
    """Repair a wheel for the step's target; ``interpreters`` are those that it may support."""
    recipe = RepairRecipe(target=step.target, patterns=step.patterns, lib_paths=step.lib_paths)
    repaired = repair(path, recipe, workspace.new_folder("repaired"), workspace.run)
    return BuiltWheel(
        path=repaired.path,
        cells=supported_interpreters(repaired.path, step, interpreters),
        grafted=repaired.grafted,
        excluded=repaired.excluded,
        originals=repaired.originals,
        compiler=compiler,
    )
