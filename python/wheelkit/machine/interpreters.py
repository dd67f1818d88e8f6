"""The Python interpreters on this machine."""

from __future__ import annotations

import json
import os
import platform
import re
import sys
import sysconfig
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field

from wheelkit.errors import MissingToolError
from wheelkit.fast_packaging import admits
from wheelkit.machine.process import Command, query
from wheelkit.matrix import Interpreter, default_interpreters

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from wheelkit.machine.emulators import Runtime


# sysconfig's variables with the commands that link extensions.
LINK_COMMANDS = ("LDSHARED", "LDCXXSHARED")
_PROBE_SECONDS = 20
PROBE = """
import json, platform, sys, sysconfig, os.path
threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
kind = {"cpython": "cp", "pypy": "pp"}.get(sys.implementation.name, sys.implementation.name)
tag = kind + "%d%d" % sys.version_info[:2] + ("t" if threaded else "")
if kind == "graalpy":  # its extensions are for one release: graalpy250-312-native
    tag = "gp%d%d_" % sys.version_info[:2] + sysconfig.get_config_var("SOABI")[7:10]
header = os.path.join(sysconfig.get_path("include"), "Python.h")
links = {name: sysconfig.get_config_var(name) or "" for name in COMMANDS}
place = sysconfig.get_platform()
if place.startswith("macosx"):  # else with the oldest macOS that the interpreter runs on
    place = "macosx-" + platform.machine()
try:
    libc = (os.confstr("CS_GNU_LIBC_VERSION") or "").split(" ")[0]
except (OSError, ValueError):  # no glibc
    libc = "other" if kind == "cp" else ""
except AttributeError:
    libc = ""
where = [place, libc, sys.maxsize > 2**32]
print(json.dumps([tag, platform.python_version(), os.path.isfile(header), links, where]))
""".replace("COMMANDS", repr(LINK_COMMANDS))
"""The script that an interpreter answers with what it is, as one line of JSON; see ``parse_answer``."""


class Python(Struct, frozen=True, kw_only=True):
    """An interpreter on this machine.

    ``headers`` is true if extensions can be compiled, and ``links`` are sysconfig's commands to link them.
    ``runtime`` is how one of another platform runs here, None for this machine's own.
    """

    interpreter: Interpreter
    path: Path
    version: str
    headers: bool
    links: Mapping[str, str] = field(default_factory=dict)
    runtime: Runtime | None = None


class Answer(Struct, frozen=True, kw_only=True):
    """What an interpreter says it is; ``place`` is its platform, comparable with ``own_place``."""

    python: Python
    place: tuple[str, str, bool]


def find_pythons(wanted: Iterable[Interpreter], environ: Mapping[str, str] = os.environ) -> dict[str, Python]:
    """Find each wanted interpreter, preferably with headers; return those that exist here, by tag.

    Searches the running interpreter, PATH, and the folders of pyenv, uv, the manylinux images, python.org's
    installers and setup-python.
    """
    from wheelkit.machine.concurrency import worker_pool

    wanted = tuple(wanted)
    # Several at a time, because some candidates are scripts that take their time to find an interpreter.
    with worker_pool() as pool:
        pythons = pool.map(lambda interpreter: _find_python(interpreter, environ), wanted)
        return {python.interpreter.tag: python for python in pythons if python is not None}


def pythons_with_headers(wanted: Iterable[Interpreter]) -> dict[str, Python]:
    """Find those of the promised interpreters that extensions can be compiled for, by tag, oldest first.

    Raises MissingToolError if there is none.
    """
    wanted = sorted(wanted, key=lambda interpreter: (interpreter.version, interpreter.tag))
    tags = [interpreter.tag for interpreter in wanted]
    pythons = find_pythons(wanted)
    usable = {tag: pythons[tag] for tag in tags if tag in pythons and pythons[tag].headers}
    if not usable:
        raise MissingToolError(
            f"none of the promised interpreters ({', '.join(tags)}) is installed here with its headers",
            hint=f"uv python install {wanted[0].request}",
        )
    return usable


def python_for(requires_python: str | None) -> str:
    """Return what uv is to build an sdist or a pure wheel with: a Python that ``requires-python`` admits.

    That is the running one, else one that is installed here, else the requirement, for which uv looks for an
    interpreter or downloads it.
    """
    try:
        if not requires_python or admits(requires_python, sys.version_info[:3]):
            return sys.executable
        pythons = find_pythons(default_interpreters(requires_python)).values()
        fitting = [python for python in pythons if admits(requires_python, _release(python.version))]
    except ValueError:  # the backend reports a requirement that cannot be parsed
        return sys.executable
    return str(fitting[-1].path) if fitting else requires_python


def _release(version: str) -> tuple[int, ...]:
    numbers = re.match(r"\d+(?:\.\d+)*", version)
    return tuple(map(int, numbers[0].split("."))) if numbers else ()


def _find_python(wanted: Interpreter, environ: Mapping[str, str]) -> Python | None:
    without_headers = None
    for path in candidate_paths(wanted, environ):
        python = _probe(path)
        if python is not None and python.interpreter == wanted:
            if python.headers:
                return python
            without_headers = without_headers or python
    return without_headers


def _probe(path: Path) -> Python | None:
    """Ask an interpreter what it is; None for a program that does not answer, or of another platform."""
    command = Command(argv=(str(path), "-I", "-c", PROBE), unset=("PYTHONHOME", "PYTHONPATH"))
    completed = query(command, timeout=_PROBE_SECONDS)
    if completed.returncode != 0:
        return None
    try:
        answer = parse_answer(completed.output, path)
    except (ValueError, TypeError):
        return None
    return answer.python if answer.place == own_place() else None


def parse_answer(text: str, path: Path) -> Answer:
    """Parse what ``PROBE`` printed; raises ValueError or TypeError for anything else."""
    tag, version, headers, links, place = json.loads(text)
    python = Python(
        interpreter=Interpreter.parse(tag), path=path, version=version, headers=headers, links=links
    )
    name, libc, wide = place
    # Not every implementation says which C library it has.
    return Answer(python=python, place=(name, libc or own_place()[1], wide))


@cache
def own_place() -> tuple[str, str, bool]:
    """Return the platform of the running interpreter, computed as ``PROBE`` does.

    These are sysconfig's platform (on macOS with the processor alone), the C library on Linux, and whether
    the process has 64 bits.
    """
    place = sysconfig.get_platform()
    if place.startswith("macosx"):
        place = f"macosx-{platform.machine()}"
    try:
        libc = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")[0]
    except (OSError, ValueError):
        libc = "other"
    except AttributeError:
        libc = ""
    return place, libc, sys.maxsize > 2**32


def candidate_paths(interpreter: Interpreter, environ: Mapping[str, str]) -> tuple[Path, ...]:
    """Return the files that may be this interpreter, the most likely first."""
    return tuple(dict.fromkeys(_candidates(interpreter, environ)))


def header_files(path: Path) -> list[Path]:
    """Return the header of each Python installation around an interpreter that changes with its version."""
    return _glob(path.resolve().parent.parent, "include/*/patchlevel.h")


def _candidates(interpreter: Interpreter, environ: Mapping[str, str]) -> Iterator[Path]:
    number = f"{interpreter.version[0]}.{interpreter.version[1]}"
    program = _program(interpreter)
    if sys.version_info[:2] == interpreter.version:
        yield Path(sys.executable)
    for entry in environ.get("PATH", os.defpath).split(os.pathsep):
        path = Path(entry) / program
        # In this order, because is_file raises for a folder that may not be entered.
        if os.access(path, os.X_OK) and path.is_file():
            yield path
    home = Path.home()
    pyenv = Path(environ.get("PYENV_ROOT") or home / ".pyenv") / "versions"
    uv = Path(environ.get("UV_PYTHON_INSTALL_DIR") or home / ".local/share/uv/python")
    setup_python = Path(environ.get("RUNNER_TOOL_CACHE") or "/opt/hostedtoolcache")
    frameworks = Path("/Library/Frameworks")
    windows = Path(environ.get("LOCALAPPDATA") or home) / "Programs/Python"
    for folder, pattern in (
        (pyenv, f"{number}*/bin/{program}"),
        (pyenv, f"pypy{number}*/bin/{program}"),
        (pyenv, f"graalpy*/bin/{program}"),
        (uv, f"*-{number}.*/bin/{program}"),
        (uv, f"*-{number}.*/python.exe"),
        (Path("/opt/python"), f"{interpreter.tag}-*/bin/python"),
        (setup_python, f"Python/{number}.*/*/bin/{program}"),
        (setup_python, f"Python/{number}.*/*/python.exe"),
        (setup_python, f"PyPy/{number}.*/*/bin/{program}"),
        (setup_python, f"GraalPy/*/*/bin/{program}"),
        (frameworks, f"Python*.framework/Versions/{number}/bin/{program}"),
        (windows, f"Python{interpreter.tag[2:]}*/python.exe"),
    ):
        yield from reversed(_glob(folder, pattern))


def _program(interpreter: Interpreter) -> str:
    """Return the name of an interpreter's program; GraalPy's has no version."""
    number = f"{interpreter.version[0]}.{interpreter.version[1]}"
    return {"cp": f"python{interpreter.python}", "pp": f"pypy{number}", "gp": "graalpy"}[
        interpreter.implementation
    ]


def _glob(folder: Path, pattern: str) -> list[Path]:
    """Return the sorted matches of a pattern; none in a folder that may not be entered."""
    with suppress(PermissionError):
        return sorted(folder.glob(pattern))
    return []
