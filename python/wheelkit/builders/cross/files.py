"""The files by which Meson builds for another machine: the cross file, the description of its Python, headers, an import library."""

from __future__ import annotations

import json
import platform
import shutil
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit import data
from wheelkit.machine.process import Command, checked
from wheelkit.plan.cross import CROSS_FILE, DETAILS_FILE

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from abi3info.models import Data, Function

    from wheelkit.machine.process import Run
    from wheelkit.matrix import Interpreter
    from wheelkit.plan.cross import CrossTarget


_IMPORT_LIBRARY = "libpython3.a"


class CrossFiles(Struct, frozen=True, kw_only=True):
    """What the files of one target are made of.

    ``headers`` is the include folder of any CPython from the floor on: its limited API is the same for every machine.
    """

    row: CrossTarget
    floor: Interpreter
    headers: Path
    zig: Path


def write_files(folder: Path, kit: CrossFiles, run: Run) -> None:
    """Write all that Meson reads for one target into ``folder``."""
    include = folder / "include"
    _copy_headers(kit.headers, include)
    library = _import_library(folder, kit, run) if kit.row.import_library else None
    (folder / CROSS_FILE).write_text(cross_file(kit.row, kit.zig, include), encoding="utf-8")
    details = build_details(kit.row, kit.floor, include, library)
    (folder / DETAILS_FILE).write_text(json.dumps(details, indent=1), encoding="utf-8")


def cross_file(row: CrossTarget, zig: Path, include: Path) -> str:
    """Write Meson's cross file (its manual, "Cross compilation"): zig in every role, and the machine that runs the result.

    The headers come first on the search path, before those of the building Python, which Meson finds itself for macOS. Nothing is
    stripped at installation: zig's linker leaves the symbol table out, and a strip for another format is not at hand. zig would make
    debug information for it unasked, which takes a fifth of its time.
    """

    def words(*parts: str) -> str:
        return (
            "["
            + ", ".join("'" + part.replace("\\", "\\\\").replace("'", "\\'") + "'" for part in parts)
            + "]"
        )

    program = str(zig)
    machine = {"system": row.system, "cpu_family": row.cpu, "cpu": row.cpu, "endian": "little"}
    if row.subsystem:
        machine["subsystem"] = row.subsystem
    lines = [
        "[binaries]",
        f"c = {words(program, 'cc', '-target', row.triple, '-g0', f'-I{include}')}",
        f"ar = {words(program, 'ar')}",
        f"ranlib = {words(program, 'ranlib')}",
        f"strip = {words('true')}",
        "[built-in options]",
        f"c_link_args = {words(*row.link_args)}",
        "[host_machine]",
        *(f"{name} = '{value}'" for name, value in machine.items()),
    ]
    return "".join(f"{line}\n" for line in lines)


def build_details(
    row: CrossTarget, floor: Interpreter, include: Path, library: Path | None
) -> dict[str, object]:
    """Describe the Python of the target as PEP 739 does, for Meson's option ``python.build_config``.

    Meson 1.12 makes one spelling of ``dynamic_stableabi`` absolute and links the other.
    """
    version = f"{floor.version[0]}.{floor.version[1]}"
    linked = (
        {"dynamic": str(library), "dynamic_stableabi": str(library), "dynamic-stableabi": str(library)}
        if library
        else {}
    )
    return {
        "schema_version": "1.0",
        "base_prefix": str(include.parent),
        "platform": _checked_platform(row),
        "language": {
            "version": version,
            "version_info": {"major": floor.version[0], "minor": floor.version[1]},
        },
        "implementation": {"name": "cpython"},
        "abi": {"flags": [], "extension_suffix": row.suffix, "stable_abi_suffix": row.suffix},
        "libpython": {"link_extensions": library is not None, **linked},
        "c_api": {"headers": str(include)},
    }


def _checked_platform(row: CrossTarget) -> str:
    """Give the target's platform; for Windows that of this machine's processor, with which Meson 1.12 compares it by mistake."""
    if row.system != "windows":
        return row.platform
    return "win-arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "win-amd64"


def _copy_headers(headers: Path, include: Path) -> None:
    """Copy the public headers, with a pyconfig.h that asks the compiler instead of describing the machine that they came from."""
    shutil.copytree(headers, include, ignore=shutil.ignore_patterns("internal"))
    ours = data.text("pyconfig.h")
    (include / "pyconfig.h").unlink(missing_ok=True)
    (include / "pyconfig.h").write_text(ours, encoding="utf-8")


def _import_library(folder: Path, kit: CrossFiles, run: Run) -> Path:
    """Make the import library of python3.dll, with the floor's stable ABI and nothing later: a symbol that is too new fails to link."""
    definition, library = folder / "python3.def", folder / _IMPORT_LIBRARY
    definition.write_text(definition_file(kit.floor.version), encoding="utf-8")
    argv = (str(kit.zig), "dlltool", "-d", str(definition), "-l", str(library), "-m", kit.row.import_library)
    checked(run, Command(argv=argv), "making the import library of python3.dll")
    return library


def definition_file(floor: tuple[int, int]) -> str:
    """List the stable ABI of Windows up to a version of Python as a module definition file (abi3info, made from CPython's own list)."""
    from abi3info import DATAS, FUNCTIONS

    def names(members: Iterable[Data | Function], ending: str) -> list[str]:
        return sorted(f"{item.symbol.name}{ending}" for item in members if _on_windows(item, floor))

    lines = [
        'LIBRARY "python3.dll"',
        "EXPORTS",
        *names(FUNCTIONS.values(), ""),
        *names(DATAS.values(), " DATA"),
    ]
    return "".join(f"{line}\n" for line in lines)


def _on_windows(item: Data | Function, floor: tuple[int, int]) -> bool:
    added = (item.added.major, item.added.minor)
    return added <= floor and (item.ifdef is None or bool(item.ifdef.windows))
