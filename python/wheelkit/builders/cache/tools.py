"""The tools and interpreters that make a wheel, by version or content, as parts of cache keys."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
from functools import cache, partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from wheelkit.builders.cache.digests import file_stamp, path_digest
from wheelkit.machine.compilers import find_compiler
from wheelkit.machine.interpreters import candidate_paths, find_pythons, header_files
from wheelkit.machine.process import Command, find_program, query, require_answer
from wheelkit.machine.time_limits import ANSWER
from wheelkit.matrix import System

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from wheelkit.builders.cache.store import Store
    from wheelkit.matrix import Interpreter


# Parts of wheelkit that decide neither about a wheel nor about its verification.
_UNRELATED = frozenset(("publish", "smoke", "workflows", "doctor", "init", "release.py", "__pycache__"))
# Programs that a build on this machine may run, besides Python packages.
_PROGRAMS = (
    "cc", "gcc", "clang", "c++", "g++", "clang++", "ld", "as", "ar", "gfortran", "rustc", "cargo", "cmake",
    "ninja", "meson", "nasm", "pkg-config", "swig", "patchelf", "git",
)  # fmt: skip
# Files of package managers that change when a library or header of the system does, by content.
_PACKAGE_RECORDS: Mapping[System, tuple[str, ...]] = {
    System.LINUX: (
        "/var/lib/dpkg/status",
        "/var/lib/rpm/rpmdb.sqlite",
        "/usr/lib/sysimage/rpm/rpmdb.sqlite",
        "/lib/apk/db/installed",
    ),
    System.MACOS: ("/Library/Receipts/InstallHistory.plist",),
    System.WINDOWS: (),
}
# Folders that are named after the versions of libraries, by name.
_VERSIONED_FOLDERS: Mapping[System, tuple[str, ...]] = {
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


def versions(names: Iterable[str]) -> dict[str, str]:
    """Return the version of each tool that is a Python distribution here, else the digest of its program."""
    return {f"tool {name}": installed_versions().get(name) or _program_version(name) for name in names}


@cache
def installed_versions() -> Mapping[str, str]:
    """Map installed distributions to their versions; importlib.metadata takes 10 ms to import."""
    installed: dict[str, str] = {}
    for folder in sys.path:
        with contextlib.suppress(OSError):
            for entry in os.scandir(folder or "."):
                if entry.name.endswith(".dist-info"):
                    name, _, version = entry.name.removesuffix(".dist-info").partition("-")
                    installed.setdefault(name.lower().replace("_", "-").replace(".", "-"), version)
    return installed


def _program_version(name: str) -> str:
    program = find_program(name)
    return path_digest(Path(program)) if program else "not installed"


@cache
def wheelkit_digest() -> str:
    """Digest the parts of wheelkit that decide about a wheel or its verification."""
    package = Path(__file__).parents[2]
    digest = sha256()
    for path in sorted(_modules(package)):
        digest.update(f"{path.relative_to(package)}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _modules(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name not in _UNRELATED:
            if path.is_dir():
                yield from _modules(path)
            elif path.suffix not in {".pyc", ".pyi"}:
                yield path


def interpreter_parts(
    interpreters: Iterable[Interpreter], packages: str, store: Store, environ: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Return the path and version of each interpreter that the host builder would use.

    An interpreter, which takes some 50 milliseconds to start, is started only when the files that may be it,
    their headers or the system's ``packages`` changed.
    """
    return {
        f"interpreter {interpreter.tag}": store.computed_value(
            "\n".join([interpreter.tag, packages, *map(_stamp, candidate_paths(interpreter, environ))]),
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


def toolchain_parts(system: System, store: Store, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the compiler's version, the programs' digests and the state of the system's packages."""
    parts = {}
    if compiler := find_compiler(environ):
        completed = query(Command(argv=(*compiler.split(), "--version")), timeout=ANSWER.seconds)
        parts[f"compiler {compiler}"] = require_answer(completed, f"{compiler} --version").output
    for name in _PROGRAMS:
        if found := shutil.which(name):
            # A program may have 100 MB: it is read again only if its size or times changed.
            program = Path(found).resolve()
            parts[f"tool {name}"] = store.computed_value(file_stamp(program), partial(path_digest, program))
    parts["the system packages"] = _system_packages(system)
    # The programs that rustup installs are all the same file, whichever toolchain they start.
    rustup = Path(environ.get("RUSTUP_HOME") or Path.home() / ".rustup")
    settings = (rustup / "settings.toml", rustup / "update-hashes")
    parts["the Rust toolchains"] = "".join(map(path_digest, settings))
    return parts


def _system_packages(system: System) -> str:
    digest = sha256()
    for name in _PACKAGE_RECORDS[system]:
        digest.update(path_digest(Path(name)).encode())
    for pattern in _VERSIONED_FOLDERS[system]:
        base = Path(Path(pattern).anchor or "/")
        for path in sorted(base.glob(pattern.lstrip("/"))):
            digest.update(f"{path}\n".encode(errors="surrogateescape"))
    return digest.hexdigest()
