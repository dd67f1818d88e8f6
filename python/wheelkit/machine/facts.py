"""Facts about this machine, gathered once and handed on as values, so that everything after it is pure."""

from __future__ import annotations

import os
import platform
import shutil
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.machine.process import Command, PendingCommand
from wheelkit.matrix import System, Target

if TYPE_CHECKING:
    from collections.abc import Mapping


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


def detect(
    environ: Mapping[str, str] = os.environ,
    engines: Mapping[str, PendingCommand] | None = None,
    *,
    containers: bool = True,
) -> Machine:
    """Detect this machine's system, architecture, C library and container engine.

    ``engines`` are version queries that ``ask_engines`` has already started. With ``containers=False`` no engine is queried (each
    takes some ten milliseconds) and ``engine`` is None.
    """
    system = _SYSTEMS.get(platform.system(), System.LINUX)
    arch = platform.machine()
    if system is not System.LINUX:
        return Machine(system=system, arch=arch.lower() if system is System.WINDOWS else arch)
    libc, version = _libc()
    engine, problem = find_engine(environ, engines) if containers else (None, "")
    return Machine(
        system=system, arch=arch, libc=libc, libc_version=version, engine=engine, engine_problem=problem
    )


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


def start_engine_queries(environ: Mapping[str, str] = os.environ) -> dict[str, PendingCommand]:
    """Start asking every engine that may be taken for its version; the answers are for ``find_engine``."""
    if platform.system() != "Linux":
        return {}
    return {
        name: PendingCommand(Command(argv=(name, *_ENGINE_QUERIES[name])))
        for name in _engine_names(environ)
        if name in _ENGINE_QUERIES and shutil.which(name) is not None
    }


def _engine_names(environ: Mapping[str, str]) -> list[str]:
    told = environ.get("CIBW_CONTAINER_ENGINE", "").strip()
    return [told.split(";")[0].strip()] if told else list(_ENGINE_QUERIES)


def find_engine(
    environ: Mapping[str, str], asked: Mapping[str, PendingCommand] | None = None
) -> tuple[Engine | None, str]:
    """Find the container engine: the one that cibuildwheel was told to use, else docker, else podman.

    Returns the engine, or None and the reason in one line.
    """
    told = environ.get("CIBW_CONTAINER_ENGINE", "").strip()
    questions = start_engine_queries(environ) if asked is None else asked
    reasons = []
    for name in _engine_names(environ):
        version, reason = _answered(name, questions.get(name))
        if version:
            return Engine(name=name, version=version, setting=told or name), ""
        reasons.append(reason)
    return None, "; ".join(reasons)


def _answered(name: str, question: PendingCommand | None) -> tuple[str, str]:
    if name not in _ENGINE_QUERIES:
        return (
            "",
            f'CIBW_CONTAINER_ENGINE is "{name}", and cibuildwheel knows only {" and ".join(_ENGINE_QUERIES)}',
        )
    if question is None:
        return "", f"{name} is not installed"
    done = question.wait(timeout=10)
    if done.returncode == 0 and done.output:
        return done.output.splitlines()[0], ""
    said = done.output.splitlines()[-1] if done.output else "it gave no answer"
    return "", f"{name} is installed but does not work: {said}"


def own_target(machine: Machine) -> Target:
    """Describe this machine as the newest target that it serves."""
    if machine.libc:
        return Target.parse(
            f"{machine.libc}_{machine.libc_version[0]}_{machine.libc_version[1]}_{machine.arch}"
        )
    if machine.system is System.WINDOWS:
        return Target.parse({"amd64": "win_amd64", "x86": "win32", "arm64": "win_arm64"}[machine.arch])
    major, _, rest = platform.mac_ver()[0].partition(".")
    minor = rest.split(".")[0] if major == "10" else "0"  # since macOS 11 tags count major versions only
    return Target.parse(f"macosx_{major}_{minor or '0'}_{machine.arch}")
