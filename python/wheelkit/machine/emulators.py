"""What runs interpreters of other platforms on this machine, from the rows of data/emulators.toml."""

from __future__ import annotations

import os
import platform
import shutil
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, convert, field
from msgspec.structs import replace

from wheelkit import _core, data
from wheelkit.inputs import read_bytes
from wheelkit.machine.folders import cache_folder
from wheelkit.matrix import System, Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


PYODIDE = "pyodide.mjs"
"""The file by which Pyodide's folder is known, and which stands for its interpreter."""
_WINE = {"WINEDEBUG": "-all", "WINEDLLOVERRIDES": "mscoree,mshtml=", "DISPLAY": ""}


class Emulator(Struct, frozen=True, kw_only=True):
    """One row of data/emulators.toml, which explains the fields.

    ``libc`` is ``manylinux`` or ``musllinux`` in the row of this machine's own processor, else empty.
    """

    name: str
    hosts: tuple[str, ...]
    format: str
    system: System
    archs: tuple[str, ...]
    binaries: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    words: tuple[str, ...]
    roots: tuple[str, ...] = ()
    slowness: int
    install: str
    python: str
    libc: str = ""

    @property
    def program(self) -> str | None:
        """The path of the emulator's program; None if it is not installed, empty if it needs none."""
        if not self.programs:
            return ""
        return next((path for name in self.programs if (path := shutil.which(name))), None)

    @property
    def platform(self) -> str:
        """The platform whose interpreters it runs: ``linux s390x``, ``musllinux x86_64``."""
        return f"{self.libc or self.system} {'/'.join(self.archs)}"

    def runs(self, executable: Executable) -> bool:
        """Return whether it runs an interpreter, as far as its file shows."""
        return executable.format == self.format and executable.arch in (self.binaries or self.archs)


class Executable(Struct, frozen=True, kw_only=True):
    """An interpreter's file: its format, its processor, and the loader that it asks for (ELF's PT_INTERP)."""

    path: Path
    format: str
    arch: str
    loader: str = ""


class Runtime(Struct, frozen=True, kw_only=True):
    """How an interpreter of another platform runs on this machine.

    ``words`` are what is run, before Python's own arguments, with the placeholder ``{executable}`` for
    ``sys.executable``; ``env`` are variables that it needs. Programs may take ``slowness`` times longer.
    ``target`` is the interpreter's platform and ``markers`` its environment markers, both as it says itself.
    """

    emulator: str
    format: str
    words: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    slowness: int = 1
    target: Target = field(default_factory=lambda: Target.parse("win32"))
    markers: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_direct(self) -> bool:
        """Whether the interpreter runs without an emulator."""
        return "{executable}" not in self.words

    def command(self, executable: Path) -> tuple[str, ...]:
        """Return the words that start the interpreter under the path that it is to know as its own."""
        return tuple(str(executable) if word == "{executable}" else word for word in self.words)

    def __str__(self) -> str:
        """Return platform and emulator: ``manylinux_2_36_aarch64 under qemu-aarch64``."""
        return f"{self.target} under {self.emulator}"


def emulator_for(target: Target) -> Emulator | None:
    """Return what would run a target's interpreters on this machine, installed or not; None if nothing does.

    Of the processors that this machine has, that is the loader of the target's C library.
    """
    own = platform.machine()
    table = data.table("emulators.toml")
    if target.system is System.LINUX and target.arch in (own, *table["runs"].get(own, ())):
        row = convert(table["loader"], Emulator)
        row = replace(row, archs=(target.arch,), libc=target.libc)
        return row if sys.platform in row.hosts else None
    for row in _rows():
        if sys.platform in row.hosts and row.system is target.system and target.arch in row.archs:
            return row
    return None


def why_not(target: Target) -> str:
    """Return why no emulator runs a target on this machine."""
    return str(
        data.table("emulators.toml")["without"].get(
            target.system, f"no emulator for {target.system} {target.arch} is known on {sys.platform}"
        )
    )


def python_hint(emulator: Emulator, versions: Iterable[str]) -> str:
    """Return the command that installs an interpreter for an emulator; ``versions`` as ``3.13``."""
    releases = data.table("emulators.toml")["pyodide"]
    versions = list(versions)
    known = [version for version in versions if version in releases] or list(releases)
    libc = "musl" if emulator.libc == "musllinux" else "gnu"
    return emulator.python.format(
        version=versions[-1] if versions else "3.13",
        pyodide=releases[known[-1]],
        arch="/".join(emulator.archs),
        libc=libc,
    )


def examine(path: Path) -> Executable | None:
    """Return what an interpreter's file is; None for scripts, and for what cannot be read."""
    if path.name == PYODIDE:
        return Executable(path=path, format="pyodide", arch="wasm32")
    try:
        scan = _core.scan(read_bytes(path, most=None))
    except (OSError, ValueError, _core.ScanError):
        return None
    if scan is None or not scan.slices:
        return None
    binary = scan.slices[0]
    return Executable(path=path, format=scan.format, arch=binary.arch, loader=binary.interpreter or "")


def runtime(emulator: Emulator, executable: Executable, program: str) -> Runtime:
    """Return how an interpreter is run by an emulator's program, before it was asked for its platform."""
    path = executable.path
    root = _root(emulator, executable)
    names = {
        "{program}": program,
        "{root}": str(root),
        "{loader}": f"{root}{executable.loader}",
        "{python}": str(path),
        "{runner}": str(data.FOLDER / "pyodide.mjs"),
        "{folder}": str(path.parent),
    }
    words = emulator.words
    if not emulator.programs and Path(executable.loader).exists():
        words = ("{python}",)  # runs as it is
    for name, value in names.items():
        words = tuple(word.replace(name, value) for word in words)
    return Runtime(
        emulator=_loader_name(executable) if not emulator.programs else emulator.name,
        format=emulator.format,
        words=words,
        env=_wine(path.parent) if emulator.format == "pe" else {},
        slowness=emulator.slowness,
    )


def windows_path(path: Path) -> str:
    """Return a path as Windows programs see it under wine, whose drive Z: is the root folder."""
    return "Z:" + str(path).replace("/", "\\")


def _wine(home: Path) -> dict[str, str]:
    """Return wine's variables: no messages, no windows, and the interpreter's DLLs on the path.

    The first start fills WINEPREFIX, which is not the user's own folder unless the environment says so. All
    programs of a prefix have to meet the same server, which they find below TMPDIR.
    """
    prefix = os.environ.get("WINEPREFIX") or str(cache_folder() / "wine-prefix")
    return {**_WINE, "WINEPREFIX": prefix, "TMPDIR": prefix, "WINEPATH": windows_path(home)}


def _root(emulator: Emulator, executable: Executable) -> Path:
    """Return the folder below which the loader of an interpreter is: one around it, else a known one."""
    around = reversed(executable.path.absolute().parents)
    loader = executable.loader.lstrip("/")
    places = (*around, *map(Path, emulator.roots))
    return next((place for place in places if loader and (place / loader).exists()), Path("/"))


def _loader_name(executable: Executable) -> str:
    return Path(executable.loader).name or "this machine"


@cache
def _rows() -> list[Emulator]:
    return convert(data.table("emulators.toml")["emulator"], list[Emulator])
