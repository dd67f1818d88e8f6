"""Runs ``uv build``, the build frontend, to build one sdist or wheel."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from wheelkit.errors import ToolFailedError
from wheelkit.machine.compilers import compiler_errors, missing_headers_error
from wheelkit.machine.process import find_tool, tool_error

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from wheelkit.machine.process import Command, Run


_SUFFIXES = (".whl", ".tar.gz")


def uv_build_argv(kind: str, out: Path, source: Path) -> tuple[str, ...]:
    """Return the command that builds an ``sdist`` or ``wheel`` into ``out`` with the running Python."""
    return (
        find_tool("uv"),
        "build",
        f"--{kind}",
        "--python",
        sys.executable,
        "--out-dir",
        str(out),
        str(source),
    )


def build_file(
    run: Run, command: Command, out: Path, purpose: str, hints: Iterable[tuple[str, str]] = ()
) -> tuple[Path, str]:
    """Run a command that writes one sdist or wheel into ``out``; return the file and the command's output.

    ``hints`` are pairs of a text in the output of a failed command and the hint to show for it. Raises
    MissingToolError if Python's headers are not installed, else ToolFailedError with the compiler's own lines.
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
