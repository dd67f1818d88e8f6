"""The interpreters of other platforms on this machine, which emulators run.

Their files show only what may run them. What they are, they say themselves: their platforms are those of
``packaging.tags``, and their markers those of ``packaging.markers``, asked inside them.
"""

from __future__ import annotations

import json
import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from wheelkit.errors import OutputError
from wheelkit.machine import emulators
from wheelkit.machine.concurrency import worker_pool
from wheelkit.machine.interpreters import PROBE, Python, candidate_paths, own_place, parse_answer
from wheelkit.machine.process import Command, query
from wheelkit.matrix import Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from wheelkit.machine.emulators import Emulator, Executable, Runtime
    from wheelkit.machine.process import Completed
    from wheelkit.matrix import Interpreter


VARIABLE = "WHEELKIT_PYTHONS"
"""The environment variable with more interpreters and folders of interpreters, separated as in PATH."""
_PROBE_SECONDS = 30
_PACKAGING = str(Path(find_spec("packaging").origin or "").resolve().parents[1])  # type: ignore[union-attr]
_PROBE_MORE = """
sys.path.insert(0, PACKAGING)
from packaging.markers import default_environment
from packaging.tags import sys_tags
platforms = list(dict.fromkeys(tag.platform for tag in sys_tags()))
print(json.dumps([platforms, default_environment()]))
""".replace("PACKAGING", repr(_PACKAGING))
# Where an interpreter lies in a folder that WHEELKIT_PYTHONS names, with the version in place of {}.
_IN_FOLDER = (
    "bin/python{}",
    "usr/bin/python{}",
    "python.exe",
    "pyodide.mjs",
    "node_modules/pyodide/pyodide.mjs",
)


class Absence(Struct, frozen=True, kw_only=True):
    """Why no interpreter of a platform runs here, and the command that changes it."""

    what: str
    fix: str


class ForeignPythons(Struct, frozen=True, kw_only=True):
    """The interpreters of other platforms that run here, and why there are none for other emulators."""

    pythons: tuple[Python, ...]
    absent: Mapping[Emulator, Absence]


def find_foreign_pythons(
    needed: Iterable[Emulator], wanted: Sequence[Interpreter], environ: Mapping[str, str] = os.environ
) -> ForeignPythons:
    """Find the wanted interpreters that the needed emulators run, one of each version and platform.

    Searches where this machine's own interpreters are sought, WHEELKIT_PYTHONS, and node's modules for
    Pyodide.
    """
    executables = foreign_executables(wanted, environ)
    pythons: dict[tuple[str, str], Python] = {}
    absent = {}
    for emulator in dict.fromkeys(needed):
        fitting = [executable for executable in executables if emulator.runs(executable)]
        found, absence = _ask(emulator, fitting, wanted)
        for python in found:
            if python.runtime is not None:
                pythons.setdefault((python.interpreter.tag, python.runtime.target.tag), python)
        if absence is not None:
            absent[emulator] = absence
    return ForeignPythons(pythons=tuple(pythons.values()), absent=absent)


def foreign_executables(wanted: Iterable[Interpreter], environ: Mapping[str, str]) -> list[Executable]:
    """Return the files that may be interpreters of other platforms; none is started."""
    paths = dict.fromkeys(path.resolve() for path in _candidates(tuple(wanted), environ) if path.is_file())
    return [executable for path in paths if (executable := emulators.examine(path))]


def _candidates(wanted: tuple[Interpreter, ...], environ: Mapping[str, str]) -> Iterator[Path]:
    for entry in filter(None, environ.get(VARIABLE, "").split(os.pathsep)):
        yield from _in(Path(entry), wanted)
    for interpreter in wanted:
        yield from candidate_paths(interpreter, environ)
    folder = Path.cwd()
    modules = [parent / "node_modules" for parent in (folder, *folder.parents)]
    modules += [Path(entry) for entry in filter(None, environ.get("NODE_PATH", "").split(os.pathsep))]
    modules += [Path(prefix) / "lib/node_modules" for prefix in ("/usr/local", "/usr", "/opt/homebrew")]
    yield from (path / "pyodide" / emulators.PYODIDE for path in modules)
    uv = Path(environ.get("UV_PYTHON_INSTALL_DIR") or Path.home() / ".local/share/uv/python")
    if os.access(uv, os.R_OK | os.X_OK):
        yield from sorted(uv.glob(f"pyodide-*/**/{emulators.PYODIDE}"))


def _in(place: Path, wanted: tuple[Interpreter, ...]) -> Iterator[Path]:
    """Return the interpreters of a folder, or the file itself."""
    if not place.is_dir():
        yield place
        return
    for interpreter in wanted:
        yield from (place / name.format(interpreter.python) for name in _IN_FOLDER)


def _ask(
    emulator: Emulator, executables: Sequence[Executable], wanted: Sequence[Interpreter]
) -> tuple[list[Python], Absence | None]:
    """Ask interpreters what they are; returns those that are wanted, or why there are none."""
    program = emulator.program
    versions = [interpreter.python for interpreter in wanted if interpreter.implementation == "cp"]
    hint = emulators.python_hint(emulator, versions)
    if program is None:
        what = f"{emulator.name} is not installed"
        return [], Absence(
            what=what, fix=emulator.install if executables else f"{emulator.install} && {hint}"
        )
    runtimes = [emulators.runtime(emulator, executable, program) for executable in executables]
    with worker_pool() as pool:
        answers = list(pool.map(_probe, executables, runtimes))
    tags = {interpreter.tag for interpreter in wanted}
    pythons = [answer for answer in answers if isinstance(answer, Python) and answer.interpreter.tag in tags]
    if pythons:
        return pythons, None
    for answer in answers:
        if isinstance(answer, Absence):
            return [], answer
    names = ", ".join(sorted(tags))
    what = f"no interpreter for {emulator.platform} is installed ({names})"
    return [], Absence(what=what, fix=f"{hint}, or name one in {VARIABLE}")


def _probe(executable: Executable, runtime: Runtime) -> Python | Absence | None:
    """Ask an interpreter what it is; None for one of this machine's own platform."""
    _prepare(runtime)
    argv = (*runtime.command(executable.path), "-I", "-B", "-c", PROBE + _PROBE_MORE)
    command = Command(argv=argv, env=runtime.env, unset=("PYTHONHOME", "PYTHONPATH"))
    completed = query(command, timeout=_PROBE_SECONDS * runtime.slowness)
    lines = completed.output.splitlines()
    try:
        answer = parse_answer(lines[0], executable.path)
        if answer.place == own_place():
            return None
        platforms, markers = json.loads(lines[1])
        target = next(filter(None, map(_target, platforms)))
    except (ValueError, TypeError, IndexError, StopIteration):
        return _no_answer(executable, runtime, completed)
    return replace(answer.python, runtime=replace(runtime, target=target, markers=markers))


def _prepare(runtime: Runtime) -> None:
    """Create wine's folder; raises OutputError."""
    if prefix := runtime.env.get("WINEPREFIX"):
        try:
            Path(prefix).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError.of(error, Path(prefix)) from error


def _target(tag: str) -> Target | None:
    try:
        return Target.parse(tag)
    except ValueError:
        return None


def _no_answer(executable: Executable, runtime: Runtime, completed: Completed) -> Absence:
    ending = completed.ending if completed.returncode else "does not say what it is"
    last = next(iter(completed.output.strip().splitlines()[-1:]), "")
    words = f": {last}" if last and completed.returncode else ""
    what = f"{executable.path} {ending} under {runtime.emulator}{words}"
    return Absence(what=what, fix=f"run it by hand:  {runtime.command(executable.path)[0]} …")
