"""Which tools make a wheel, by version or by bytes: cheap enough to be asked before every build."""

from __future__ import annotations

import os
import re
import shutil
import sys
import sysconfig
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from wheelkit.builders.cache.variables import variable_content
from wheelkit.machine.compilers import find_compiler
from wheelkit.machine.process import Command, PendingCommand
from wheelkit.matrix import System

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from wheelkit.builders.cache.store import Store


# What of wheelkit itself has no part in a wheel's bytes nor in its proof.
_ELSEWHERE = frozenset({"publish", "smoke", "workflows", "doctor", "init", "release.py", "__pycache__"})
# What a build on this machine may run, beside Python's own packages.
_PROGRAMS = (
    "cc", "gcc", "clang", "c++", "g++", "clang++", "ld", "as", "ar", "gfortran", "rustc", "cargo", "cmake", "ninja", "meson", "nasm",
    "pkg-config", "swig", "patchelf", "git",
)  # fmt: skip
# What tells that a library or header of the system is another one: the package managers' records by their bytes, folders by the versions
# that they are named for.
_RECORDS: Mapping[System, tuple[str, ...]] = {
    System.LINUX: (
        "/var/lib/dpkg/status",
        "/var/lib/rpm/rpmdb.sqlite",
        "/usr/lib/sysimage/rpm/rpmdb.sqlite",
        "/lib/apk/db/installed",
    ),
    System.MACOS: ("/Library/Receipts/InstallHistory.plist",),
    System.WINDOWS: (),
}
_VERSIONED: Mapping[System, tuple[str, ...]] = {
    System.LINUX: ("/var/lib/pacman/local/*", "/usr/local/lib/*"),
    System.MACOS: (
        "/usr/local/Cellar/*/*",
        "/opt/homebrew/Cellar/*/*",
        "/Library/Developer/CommandLineTools/SDKs/*",
    ),
    System.WINDOWS: (
        "/Program Files*/Microsoft Visual Studio/*/*/VC/Tools/MSVC/*",
        "/Program Files*/Windows Kits/10/Include/*",
    ),
}


@cache
def installed() -> Mapping[str, str]:
    """Map the distributions that this Python can import to their versions, from the names of their metadata folders."""
    found: dict[str, str] = {}
    for place in sys.path:
        try:
            names = [one.name for one in os.scandir(place or ".")]
        except OSError:
            continue
        for name in names:
            if name.endswith(".dist-info"):
                project, _, version = name.removesuffix(".dist-info").partition("-")
                found.setdefault(project.lower().replace("_", "-").replace(".", "-"), version)
    return found


def versions(names: Iterable[str]) -> dict[str, str]:
    """Give the versions of tools that are Python distributions; of one that is not installed here, the program's bytes."""
    return {f"tool {name}": installed().get(name) or _program(name) for name in names}


def _program(name: str) -> str:
    scripts = os.pathsep.join((sysconfig.get_path("scripts"), str(Path(sys.executable).parent)))
    found = shutil.which(name, path=scripts) or shutil.which(name)
    return variable_content(Path(found)) if found else "not here"


@cache
def wheelkit_version() -> str:
    """Digest all of wheelkit that decides about a wheel or its proof."""
    base = Path(__file__).parents[2]
    digest = sha256()
    for path in sorted(_modules(base)):
        digest.update(f"{path.relative_to(base)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _modules(folder: Path) -> Iterator[Path]:
    for one in os.scandir(folder):
        if one.name not in _ELSEWHERE:
            if one.is_dir():
                yield from _modules(Path(one.path))
            elif not one.name.endswith((".pyc", ".pyi")):
                yield Path(one.path)


def python() -> dict[str, str]:
    """Tell which Python runs, which builds sdists and pure wheels."""
    return {"this Python": f"{sys.implementation.name} {sys.version}"}


class Toolchain:
    """The compiler and the system's libraries, for builds on this machine; starts asking when it is made."""

    def __init__(self, system: System, store: Store, environ: Mapping[str, str] = os.environ) -> None:
        self._system = system
        self._store = store
        self._environ = environ
        self._compiler = find_compiler(environ)
        argv = (*(self._compiler or "").split(), "--version")
        self._asked = PendingCommand(Command(argv=argv)) if self._compiler else None

    def parts(self) -> dict[str, str]:
        """Give the compiler's own words, the bytes of every tool on PATH, and the state of the system's packages."""
        said = self._asked.wait().output if self._asked else ""
        found = {f"compiler {self._compiler}": said} if self._compiler else {}
        for name in _PROGRAMS:
            place = shutil.which(name)
            if place:
                found[f"tool {name}"] = self._remembered(Path(place))
        found["the system's packages"] = self.records()
        rustup = Path(
            self._environ.get("RUSTUP_HOME") or Path.home() / ".rustup"
        )  # its programs are all one, whatever Rust they run
        found["Rust's toolchains"] = variable_content(rustup / "settings.toml") + variable_content(
            rustup / "update-hashes"
        )
        return found

    def records(self) -> str:
        """Digest the package manager's records."""
        digest = sha256()
        for place in _RECORDS[self._system]:
            digest.update(variable_content(Path(place)).encode())
        for pattern in _VERSIONED[self._system]:
            base = Path(Path(pattern).anchor or "/")
            for path in sorted(base.glob(pattern.lstrip("/"))):
                digest.update(f"{path}\n".encode(errors="surrogateescape"))
        return digest.hexdigest()

    def _remembered(self, place: Path) -> str:
        """Digest a program; a large one is read again only when its place, size or times say that it is another."""
        real = place.resolve()
        status = real.stat()
        stamp = f"{real} {status.st_ino} {status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}"
        name = sha256(stamp.encode(errors="surrogateescape")).hexdigest()
        digest = self._store.load_value("answers", name)
        if digest is None or not re.fullmatch(r"[0-9a-f]{64}", digest):
            digest = variable_content(real)
            self._store.save_value("answers", name, digest)
        return digest
