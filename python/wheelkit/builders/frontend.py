"""Runs what all builders need: ``uv build`` to make an sdist or a wheel, and the repair tool."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

from wheelkit.builders.results import BuiltWheel, supported_interpreters
from wheelkit.errors import ToolFailedError
from wheelkit.machine.compilers import compiler_errors, missing_headers_error
from wheelkit.machine.process import Command, find_tool, tool_error
from wheelkit.repair.commands import RepairRecipe
from wheelkit.repair.run import repair

if TYPE_CHECKING:
    from pathlib import Path

    from wheelkit.machine.process import Run
    from wheelkit.machine.workspace import Workspace
    from wheelkit.matrix import Interpreter
    from wheelkit.plan import NativeStep


Hints = Iterable[tuple[str, str]]
# Without byte code, each process that makes an sdist would compile all of Meson again.
_UNSET = {"wheel": ("VIRTUAL_ENV",), "sdist": ("VIRTUAL_ENV", "PYTHONDONTWRITEBYTECODE")}
_SUFFIXES = (".whl", ".tar.gz")


def uv_build(kind: str, source: Path, purpose: str, workspace: Workspace, hints: Hints = ()) -> Path:
    """Build an ``sdist`` or ``wheel`` with the running Python; returns and raises as ``build_file`` does."""
    out = workspace.new_folder(kind)
    options = (f"--{kind}", "--python", sys.executable, "--out-dir", str(out))
    command = Command(argv=(find_tool("uv"), "build", *options, str(source)), unset=_UNSET[kind])
    return build_file(workspace.run, command, out, purpose, hints)[0]


def build_file(run: Run, command: Command, out: Path, purpose: str, hints: Hints = ()) -> tuple[Path, str]:
    """Run a command that writes one sdist or wheel into ``out``; return the file and the command's output.

    ``hints`` are pairs of a text in the output of a failed command and the hint to show for it. Raises
    MissingToolError if Python's headers are missing, else ToolFailedError with the compiler's own lines.
    """
    done = run(command)
    if done.returncode != 0:
        if no_headers := missing_headers_error(done.output, purpose, done.log):
            raise no_headers
        error = tool_error(done, purpose)
        error.detail = compiler_errors(done.output) or error.detail
        error.hint = next((hint for text, hint in hints if text in done.output), error.hint)
        raise error
    files = sorted(path for path in out.glob("*") if path.name.endswith(_SUFFIXES))
    if len(files) != 1:
        raise ToolFailedError(f"{purpose} produced {len(files)} files instead of one")
    return files[0], done.output


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
        compiler=compiler,
    )
