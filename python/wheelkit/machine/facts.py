"""Facts about this machine, gathered once and handed on as values, so that everything after it is pure."""

from __future__ import annotations

import json
import os
import platform
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field

from wheelkit.matrix import Interpreter, System, Target
from wheelkit.process import Command, Question, query

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence


# How platform.machine() spells an architecture, and how targets of each system spell those that it runs natively.
_NATIVE: Mapping[tuple[System, str], tuple[str, ...]] = {
    (System.LINUX, "x86_64"): ("x86_64", "i686"),
    (System.LINUX, "i686"): ("i686",),
    (System.LINUX, "aarch64"): ("aarch64",),
    (System.LINUX, "armv7l"): ("armv7l",),
    (System.LINUX, "ppc64le"): ("ppc64le",),
    (System.LINUX, "s390x"): ("s390x",),
    (System.LINUX, "riscv64"): ("riscv64",),
    (System.LINUX, "loongarch64"): ("loongarch64",),
    (System.MACOS, "x86_64"): ("x86_64",),
    (System.MACOS, "arm64"): ("arm64", "universal2"),
    (System.WINDOWS, "amd64"): ("amd64", "x86"),
    (System.WINDOWS, "x86"): ("x86",),
    (System.WINDOWS, "arm64"): ("arm64",),
}
_SYSTEMS = {"Linux": System.LINUX, "Darwin": System.MACOS, "Windows": System.WINDOWS}
COMPILERS = ("cc", "gcc", "clang")


class Engine(Struct, frozen=True, kw_only=True):
    """A container engine that answers; ``setting`` is what cibuildwheel is told, options included."""

    name: str
    version: str
    setting: str

    def __str__(self) -> str:
        """Give name and version: ``podman 4.3.1``."""
        return f"{self.name} {self.version}"


class Machine(Struct, frozen=True, kw_only=True):
    """System, architecture and C library of this machine, and the container engine that works here.

    ``engine_problem`` says in one line why there is none. ``libc`` is ``manylinux`` or ``musllinux`` on Linux, ``libc_version`` its
    version.
    """

    system: System
    arch: str
    libc: str = ""
    libc_version: tuple[int, int] = (0, 0)
    engine: Engine | None = None
    engine_problem: str = ""

    def runs(self, target: Target) -> bool:
        """Tell whether the target's system and architecture are this machine's own, without emulation."""
        return target.system is self.system and target.arch in _NATIVE.get((self.system, self.arch), ())

    def __str__(self) -> str:
        """Give system and architecture: ``linux x86_64``."""
        return f"{self.system} {self.arch}"


def detect(environ: Mapping[str, str] = os.environ, engines: Mapping[str, Question] | None = None) -> Machine:
    """Look at this machine; asks the container engines whether they answer (some ten milliseconds each).

    ``engines`` are those that were asked already, so that they could think while something else was done.
    """
    system = _SYSTEMS.get(platform.system(), System.LINUX)
    arch = platform.machine()
    if system is not System.LINUX:
        return Machine(system=system, arch=arch.lower() if system is System.WINDOWS else arch)
    libc, version = _libc()
    engine, problem = find_engine(environ, engines)
    return Machine(system=system, arch=arch, libc=libc, libc_version=version, engine=engine, engine_problem=problem)


def _libc() -> tuple[str, tuple[int, int]]:
    name, _, version = _confstr().partition(" ")
    if name == "glibc":
        major, minor = version.split(".")[:2]
        return "manylinux", (int(major), int(minor))
    return "musllinux", (1, 2)


def _confstr() -> str:
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (AttributeError, ValueError, OSError):
        return ""


_ENGINE_QUERIES: Mapping[str, tuple[str, ...]] = {
    "docker": ("version", "--format", "{{.Server.Version}}"),
    "podman": ("version", "--format", "{{.Client.Version}}"),
}


def ask_engines(environ: Mapping[str, str] = os.environ) -> dict[str, Question]:
    """Start asking every engine that may be taken for its version; the answers are for ``find_engine``."""
    if platform.system() != "Linux":
        return {}
    return {
        name: Question(Command(argv=(name, *_ENGINE_QUERIES[name])))
        for name in _engine_names(environ)
        if name in _ENGINE_QUERIES and shutil.which(name) is not None
    }


def _engine_names(environ: Mapping[str, str]) -> list[str]:
    told = environ.get("CIBW_CONTAINER_ENGINE", "").strip()
    return [told.split(";")[0].strip()] if told else list(_ENGINE_QUERIES)


def find_engine(environ: Mapping[str, str], asked: Mapping[str, Question] | None = None) -> tuple[Engine | None, str]:
    """Find the container engine: the one that cibuildwheel was told to use, else docker, else podman.

    Returns the engine, or None and the reason in one line.
    """
    told = environ.get("CIBW_CONTAINER_ENGINE", "").strip()
    questions = ask_engines(environ) if asked is None else asked
    reasons = []
    for name in _engine_names(environ):
        version, reason = _answered(name, questions.get(name))
        if version:
            return Engine(name=name, version=version, setting=told or name), ""
        reasons.append(reason)
    return None, "; ".join(reasons)


def _answered(name: str, question: Question | None) -> tuple[str, str]:
    if name not in _ENGINE_QUERIES:
        return "", f'CIBW_CONTAINER_ENGINE is "{name}", and cibuildwheel knows only {" and ".join(_ENGINE_QUERIES)}'
    if question is None:
        return "", f"{name} is not installed"
    done = question.answer(timeout=10)
    if done.returncode == 0 and done.output:
        return done.output.splitlines()[0], ""
    said = done.output.splitlines()[-1] if done.output else "it gave no answer"
    return "", f"{name} is installed but does not work: {said}"


def own_target(machine: Machine) -> Target:
    """Describe this machine as the newest target that it serves."""
    if machine.libc:
        return Target.parse(f"{machine.libc}_{machine.libc_version[0]}_{machine.libc_version[1]}_{machine.arch}")
    if machine.system is System.WINDOWS:
        return Target.parse({"amd64": "win_amd64", "x86": "win32", "arm64": "win_arm64"}[machine.arch])
    major, _, rest = platform.mac_ver()[0].partition(".")
    minor = rest.split(".")[0] if major == "10" else "0"  # since macOS 11 tags count major versions only
    return Target.parse(f"macosx_{major}_{minor or '0'}_{machine.arch}")


def find_compiler(environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the C compiler that a build would take: ``$CC``, else the first of cc, gcc and clang; None where there is none."""
    if told := environ.get("CC", "").strip():
        return told if shutil.which(told.split()[0]) else None
    return next((name for name in COMPILERS if shutil.which(name)), None)


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
    return {one.tag: python for one, python in zip(wanted, _each_best(wanted, environ), strict=True) if python is not None}


def _each_best(wanted: Sequence[Interpreter], environ: Mapping[str, str]) -> Iterable[Python | None]:
    """Look for several at a time: some of what is asked are scripts that look for the interpreter themselves, and take their time."""
    if len(wanted) <= 1:
        return [_best(one, environ) for one in wanted]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor() as pool:
        return tuple(pool.map(lambda one: _best(one, environ), wanted))


def _best(wanted: Interpreter, environ: Mapping[str, str]) -> Python | None:
    """Find the first such interpreter with headers, else the first one."""
    first: Python | None = None
    for path in dict.fromkeys(places(wanted, environ)):
        python = _probe(path)
        if python is None or python.interpreter != wanted:
            continue
        if python.headers:
            return python
        first = first or python
    return first


def places(interpreter: Interpreter, environ: Mapping[str, str]) -> Iterator[Path]:
    """Name the files that may be such an interpreter, the likeliest first."""
    number = f"{interpreter.version[0]}.{interpreter.version[1]}"
    program = f"python{interpreter.python}" if interpreter.implementation == "cp" else f"pypy{number}"
    if sys.version_info[:2] == interpreter.version:
        yield Path(sys.executable)
    for place in environ.get("PATH", os.defpath).split(os.pathsep):
        path = Path(place) / program
        if os.access(path, os.X_OK) and path.is_file():  # in this order: is_file raises where a folder may not be entered
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
        (Path(environ.get("LOCALAPPDATA") or home) / "Programs/Python", f"Python{interpreter.tag[2:]}*/python.exe"),
    ):
        yield from reversed(matching(folder, pattern))


def matching(folder: Path, pattern: str) -> list[Path]:
    """List what a pattern means in a folder; a folder of somebody else's, which may not be entered, holds nothing."""
    with suppress(PermissionError):
        return sorted(folder.glob(pattern))
    return []


def _probe(path: Path) -> Python | None:
    done = query(Command(argv=(str(path), "-I", "-c", _PROBE), unset=("PYTHONHOME", "PYTHONPATH")), timeout=20)
    if done.returncode != 0:
        return None
    try:
        tag, version, headers, links = json.loads(done.output)
        return Python(interpreter=Interpreter.parse(tag), path=path, version=version, headers=headers, links=links)
    except (ValueError, TypeError):
        return None
