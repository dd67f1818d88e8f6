"""The interpreters that the host builder would use, as parts of cache keys."""

from __future__ import annotations

import os
from functools import partial
from typing import TYPE_CHECKING

from wheelkit.builders.cache.digests import file_stamp
from wheelkit.machine.interpreters import candidate_paths, find_pythons, header_files

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from wheelkit.builders.cache.store import Store
    from wheelkit.matrix import Interpreter


def interpreter_parts(
    interpreters: Sequence[Interpreter],
    system_packages: str,
    store: Store,
    environ: Mapping[str, str] = os.environ,
) -> dict[str, str]:
    """Describe the path and version of each promised interpreter, or that it is not installed.

    An interpreter is started only when the files that may be it, their headers or the system's packages
    changed: to start one takes some 50 milliseconds, and to read a file's status a few microseconds.
    """
    return {
        f"interpreter {interpreter.tag}": store.computed_value(
            "\n".join(
                [interpreter.tag, system_packages, *map(_stamp, candidate_paths(interpreter, environ))]
            ),
            partial(_describe, interpreter, environ),
        )
        for interpreter in interpreters
    }


def _stamp(path: Path) -> str:
    return " ".join(map(file_stamp, (path, path.resolve(), *header_files(path))))


def _describe(interpreter: Interpreter, environ: Mapping[str, str]) -> str:
    python = find_pythons([interpreter], environ).get(interpreter.tag)
    if python is None:
        return "not installed"
    return f"{python.version} {python.path.resolve()} {'with' if python.headers else 'without'} headers"
