"""TODO."""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field

from wheelkit.machine.process import Command, query
from wheelkit.matrix import Interpreter

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


_PROBE = """
import json, platform, sys, sysconfig, os.path
threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
kind = {"cpython": "cp", "pypy": "pp"}.get(sys.implementation.name, sys.implementation.name)
tag = kind + "%d%d" % sys.version_info[:2] + ("t" if threaded else "")
header = os.path.join(sysconfig.get_path("include"), "Python.h")
links = {name: sysconfig.get_config_var(name) or "" for name in ("LDSHARED", "LDCXXSHARED")}
print(json.dumps([tag, platform.python_version(), os.path.isfile(header), links]))
"""


class Python(Struct, frozen=True, kw_only=True):
    """An interpreter on this machine.

    ``headers`` tells whether extensions can be compiled for it; ``links`` holds the commands by which it was told to link them
    (sysconfig's ``LDSHARED`` and ``LDCXXSHARED``).
    """

    interpreter: Interpreter
    path: Path
    version: str
    headers: bool
    links: Mapping[str, str] = field(default_factory=dict)


def find_pythons(wanted: Iterable[Interpreter], environ: Mapping[str, str] = os.environ) -> dict[str, Python]:
    """Find an interpreter on this machine for each of ``wanted``; maps the tags of those found.

    Looks at the running one, at PATH and where pyenv, uv, the manylinux images, the installers of python.org and setup-python put
    theirs. One with headers is preferred.
    """
    wanted = tuple(wanted)
    return {
        one.tag: python
        for one, python in zip(wanted, _find_each(wanted, environ), strict=True)
        if python is not None
    }


def _find_each(wanted: Sequence[Interpreter], environ: Mapping[str, str]) -> Iterable[Python | None]:
    """Look for several at a time: some of what is asked are scripts that look for the interpreter themselves, and take their time."""
    if len(wanted) <= 1:
        return [_find_best(one, environ) for one in wanted]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor() as pool:
        return tuple(pool.map(lambda one: _find_best(one, environ), wanted))


def _find_best(wanted: Interpreter, environ: Mapping[str, str]) -> Python | None:
    """Find the first such interpreter with headers, else the first one."""
    first: Python | None = None
    for path in dict.fromkeys(candidate_paths(wanted, environ)):
        python = _probe(path)
        if python is None or python.interpreter != wanted:
            continue
        if python.headers:
            return python
        first = first or python
    return first


def candidate_paths(interpreter: Interpreter, environ: Mapping[str, str]) -> Iterator[Path]:
    """Name the files that may be such an interpreter, the likeliest first."""
    number = f"{interpreter.version[0]}.{interpreter.version[1]}"
    program = f"python{interpreter.python}" if interpreter.implementation == "cp" else f"pypy{number}"
    if sys.version_info[:2] == interpreter.version:
        yield Path(sys.executable)
    for place in environ.get("PATH", os.defpath).split(os.pathsep):
        path = Path(place) / program
        if (
            os.access(path, os.X_OK) and path.is_file()
        ):  # in this order: is_file raises where a folder may not be entered
            yield path
    home = Path.home()
    pyenv = Path(environ.get("PYENV_ROOT") or home / ".pyenv") / "versions"
    uv = Path(environ.get("UV_PYTHON_INSTALL_DIR") or home / ".local/share/uv/python")
    # Where setup-python keeps what it has set up; on Windows no program there is named for its version.
    hosted = Path(environ.get("RUNNER_TOOL_CACHE") or "/opt/hostedtoolcache")
    for folder, pattern in (
        (pyenv, f"{number}*/bin/{program}"),
        (pyenv, f"pypy{number}*/bin/{program}"),
        (uv, f"*-{number}.*/bin/{program}"),
        (uv, f"*-{number}.*/python.exe"),
        (Path("/opt/python"), f"{interpreter.tag}-*/bin/python"),
        (hosted, f"Python/{number}.*/*/bin/{program}"),
        (hosted, f"Python/{number}.*/*/python.exe"),
        (hosted, f"PyPy/{number}.*/*/bin/{program}"),
        (Path("/Library/Frameworks"), f"Python*.framework/Versions/{number}/bin/{program}"),
        (
            Path(environ.get("LOCALAPPDATA") or home) / "Programs/Python",
            f"Python{interpreter.tag[2:]}*/python.exe",
        ),
    ):
        yield from reversed(glob_folder(folder, pattern))


def glob_folder(folder: Path, pattern: str) -> list[Path]:
    """List what a pattern means in a folder; a folder of somebody else's, which may not be entered, holds nothing."""
    with suppress(PermissionError):
        return sorted(folder.glob(pattern))
    return []


def _probe(path: Path) -> Python | None:
    done = query(
        Command(argv=(str(path), "-I", "-c", _PROBE), unset=("PYTHONHOME", "PYTHONPATH")), timeout=20
    )
    if done.returncode != 0:
        return None
    try:
        tag, version, headers, links = json.loads(done.output)
        return Python(
            interpreter=Interpreter.parse(tag), path=path, version=version, headers=headers, links=links
        )
    except (ValueError, TypeError):
        return None
