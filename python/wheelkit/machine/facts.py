"""Facts about this machine: system, architecture, C library and container engine."""

from __future__ import annotations

import os
import platform
import shutil
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.machine.process import Command, PendingCommand, query
from wheelkit.matrix import System, Target

if TYPE_CHECKING:
    from collections.abc import Mapping


# The architecture of the machine that builds for another one natively.
_SAME_MACHINE: Mapping[tuple[System, str], str] = {
    (System.LINUX, "i686"): "x86_64",
    (System.LINUX, "armv7l"): "aarch64",
    (System.MACOS, "universal2"): "arm64",
    (System.WINDOWS, "x86"): "amd64",
}
# The machine that builds for a system which has no compilers of its own, so that one machine of several does
# (cibuildwheel's documentation, "Platforms").
_CROSS_BUILT: Mapping[System, tuple[System, str]] = {
    System.PYODIDE: (System.LINUX, "x86_64"),
    System.ANDROID: (System.LINUX, "x86_64"),
    System.IOS: (System.MACOS, "arm64"),
}
_AARCH32_SECONDS = 10
_SYSTEMS = {"Linux": System.LINUX, "Darwin": System.MACOS, "Windows": System.WINDOWS}


class Engine(Struct, frozen=True, kw_only=True):
    """A container engine that works here; ``setting`` is the value of CIBW_CONTAINER_ENGINE, with options."""

    name: str
    version: str
    setting: str

    def __str__(self) -> str:
        """Return name and version: ``podman 4.3.1``."""
        return f"{self.name} {self.version}"


class Machine(Struct, frozen=True, kw_only=True):
    """This machine's system, architecture, C library and container engine.

    ``libc`` is ``manylinux``, ``musllinux`` or empty; ``engine_problem`` is why there is no engine.
    ``aarch32`` is whether an aarch64 processor also runs programs for armv7l.
    """

    system: System
    arch: str
    libc: str = ""
    libc_version: tuple[int, int] = (0, 0)
    engine: Engine | None = None
    engine_problem: str = ""
    aarch32: bool = False

    def builds(self, target: Target) -> bool:
        """Return whether ``wheelkit build --native`` builds a target here, without emulation."""
        if (self.arch, target.arch) == ("aarch64", "armv7l"):
            return target.system is self.system and self.aarch32
        return (self.system, self.arch) in {building_machine(target), (target.system, target.arch)}

    def __str__(self) -> str:
        """Return system and architecture: ``linux x86_64``."""
        return f"{self.system} {self.arch}"


def building_machine(target: Target) -> tuple[System, str]:
    """Return the system and architecture of the machine that builds a target."""
    own = target.system, _SAME_MACHINE.get((target.system, target.arch), target.arch)
    return _CROSS_BUILT.get(target.system, own)


def detect(
    environ: Mapping[str, str] = os.environ,
    engines: Mapping[str, PendingCommand] | None = None,
    *,
    containers: bool = True,
) -> Machine:
    """Detect this machine's system, architecture, C library and container engine.

    ``engines`` are version queries that ``start_engine_queries`` has already started. With
    ``containers=False`` no engine is queried (each takes some ten milliseconds) and ``engine`` is None.
    """
    system = _SYSTEMS.get(platform.system(), System.LINUX)
    arch = platform.machine()
    if system is not System.LINUX:
        return Machine(system=system, arch=arch.lower() if system is System.WINDOWS else arch)
    libc, version = _libc()
    engine, problem = find_engine(environ, engines) if containers else (None, "")
    return Machine(
        system=system,
        arch=arch,
        libc=libc,
        libc_version=version,
        engine=engine,
        engine_problem=problem,
        aarch32=arch == "aarch64" and _runs_aarch32(),
    )


def _runs_aarch32() -> bool:
    """Return whether the processor runs programs for 32-bit ARM, as cibuildwheel finds it out."""
    if shutil.which("linux32") is None:
        return False
    completed = query(Command(argv=("linux32", "uname", "-m")), timeout=_AARCH32_SECONDS)
    return completed.returncode == 0 and completed.output.startswith("armv")


def _libc() -> tuple[str, tuple[int, int]]:
    """Return the platform tags' name for this machine's C library, and its version; musl counts as 1.2."""
    try:
        name, _, version = (os.confstr("CS_GNU_LIBC_VERSION") or "").partition(" ")
    except (AttributeError, ValueError, OSError):
        name = version = ""
    if name == "glibc":
        major, minor = version.split(".")[:2]
        return "manylinux", (int(major), int(minor))
    return "musllinux", (1, 2)


# The variables by which cibuildwheel is told an engine, the strongest first.
ENGINE_VARIABLES = ("CIBW_CONTAINER_ENGINE_LINUX", "CIBW_CONTAINER_ENGINE")
_ENGINE_QUERIES: Mapping[str, tuple[str, ...]] = {
    "docker": ("version", "--format", "{{.Server.Version}}"),
    "podman": ("version", "--format", "{{.Client.Version}}"),
}
_ENGINE_SECONDS = 10


def start_engine_queries(environ: Mapping[str, str] = os.environ) -> dict[str, PendingCommand]:
    """Start asking each possible container engine for its version, for ``find_engine``."""
    if platform.system() != "Linux":
        return {}
    return {
        name: PendingCommand(Command(argv=(name, *_ENGINE_QUERIES[name])))
        for name in _engine_names(environ)
        if name in _ENGINE_QUERIES and shutil.which(name) is not None
    }


def find_engine(
    environ: Mapping[str, str], queries: Mapping[str, PendingCommand] | None = None
) -> tuple[Engine | None, str]:
    """Find the container engine: the one that cibuildwheel is configured to use, else docker, else podman.

    Returns the engine and an empty string, or None and the reason in one line.
    """
    queries = start_engine_queries(environ) if queries is None else queries
    problems = []
    for name in _engine_names(environ):
        version, problem = _engine_version(name, queries.get(name))
        if version:
            return Engine(name=name, version=version, setting=_engine_setting(environ) or name), ""
        problems.append(problem)
    return None, "; ".join(problems)


def _engine_setting(environ: Mapping[str, str]) -> str:
    settings = (environ.get(name, "").strip() for name in ENGINE_VARIABLES)
    return next(filter(None, settings), "")


def _engine_names(environ: Mapping[str, str]) -> list[str]:
    setting = _engine_setting(environ)
    return [setting.split(";")[0].strip()] if setting else list(_ENGINE_QUERIES)


def _engine_version(name: str, pending: PendingCommand | None) -> tuple[str, str]:
    """Return an engine's version, or an empty string and the reason why it cannot be used."""
    if name not in _ENGINE_QUERIES:
        engines = " and ".join(_ENGINE_QUERIES)
        return "", f'CIBW_CONTAINER_ENGINE is "{name}", but cibuildwheel supports only {engines}'
    if pending is None:
        return "", f"{name} is not installed"
    completed = pending.wait(timeout=_ENGINE_SECONDS)
    lines = completed.output.splitlines()
    if completed.returncode == 0 and lines:
        return lines[0], ""
    reason = (
        lines[-1]
        if lines
        else "it printed nothing"
        if completed.returncode == 0
        else f"it {completed.ending}"
    )
    return "", f"{name} is installed but does not work: {reason}"


def own_target(machine: Machine) -> Target:
    """Return the newest target that this machine supports."""
    if machine.libc:
        return Target.parse(
            f"{machine.libc}_{machine.libc_version[0]}_{machine.libc_version[1]}_{machine.arch}"
        )
    if machine.system is System.WINDOWS:
        return Target.parse({"amd64": "win_amd64", "x86": "win32", "arm64": "win_arm64"}[machine.arch])
    major, _, rest = platform.mac_ver()[0].partition(".")
    minor = rest.split(".")[0] if major == "10" else "0"  # tags of macOS 11 and later have no minor version
    return Target.parse(f"macosx_{major}_{minor or '0'}_{machine.arch}")
