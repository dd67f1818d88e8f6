"""Which interpreters the host builder would take, without starting any that was started before."""

from __future__ import annotations

import os
from hashlib import sha256
from typing import TYPE_CHECKING

from wheelkit.machine.interpreters import candidate_paths, find_pythons, header_files

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from wheelkit.builders.cache.store import Store
    from wheelkit.matrix import Interpreter


def interpreters(
    wanted: Sequence[Interpreter], records: str, store: Store, environ: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Tell of each promised interpreter its place and version, or that it is not here.

    ``records`` is the state of the system's packages. Starting every interpreter to ask would take longer than all the rest: what they
    answered is remembered for as long as their files stay as they are.
    """
    return {f"interpreter {one.tag}": _told(one, records, store, environ) for one in wanted}


def _told(one: Interpreter, records: str, store: Store, environ: Mapping[str, str]) -> str:
    candidates = candidate_paths(one, environ)
    stamp = "\n".join([one.tag, records, *map(_stamp, candidates)])
    name = sha256(stamp.encode(errors="surrogateescape")).hexdigest()
    told = store.load_value("answers", name)
    if told is None:
        found = find_pythons([one], environ).get(one.tag)
        told = (
            f"{found.version} {found.path.resolve()} {'with' if found.headers else 'without'} headers"
            if found
            else "not here"
        )
        store.save_value("answers", name, told)
    return told


def _stamp(path: Path) -> str:
    """Describe an interpreter's file and the headers beside it."""
    real = path.resolve()
    headers = header_files(path)
    return " ".join(_facts(file) for file in (path, real, *headers))


def _facts(path: Path) -> str:
    try:
        status = path.lstat()
    except OSError:
        return f"{path} gone"
    return f"{path} {status.st_ino} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}"
