"""The files that Meson needs to build for another machine: cross file, headers and the like."""

from __future__ import annotations

import json
import platform
import shutil
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit import data
from wheelkit.builders.cross.compilers import write_compilers, write_toolchain
from wheelkit.machine.process import Command, run_checked
from wheelkit.plan.cross import CROSS_FILE, DETAILS_FILE
from wheelkit.project.backends import CrossBuild

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from abi3info.models import Data, Function

    from wheelkit.machine.process import Run
    from wheelkit.matrix import Interpreter
    from wheelkit.plan.cross import CrossTarget


_IMPORT_LIBRARY = "libpython3.a"


class CrossFiles(Struct, frozen=True, kw_only=True):
    """What the files of one target are made from.

    ``headers`` is the include folder of any CPython from ``floor`` on, for any machine, and ``how`` what the
    build backend reads.
    """

    target: CrossTarget
    floor: Interpreter
    headers: Path
    zig: Path
    how: CrossBuild

    def write(self, folder: Path, run: Run) -> dict[str, str]:
        """Write all files into ``folder``; returns the variables with which the backend takes them.

        Raises ToolFailedError when the import library cannot be made.
        """
        include = folder / "include"
        _copy_headers(self.headers, include)
        library = self._make_import_library(folder, run) if self.target.import_library else None
        (folder / CROSS_FILE).write_text(cross_file(self.target, self.zig, include), encoding="utf-8")
        details = build_details(self.target, self.floor, include, library)
        (folder / DETAILS_FILE).write_text(json.dumps(details, indent=1), encoding="utf-8")
        if self.how is CrossBuild.MESON:
            return {}  # the cross file says it all
        variables = write_compilers(self.target, self.zig, include, library, folder)
        if self.how is CrossBuild.CMAKE:
            return write_toolchain(self.target, variables, folder)
        return variables

    def _make_import_library(self, folder: Path, run: Run) -> Path:
        """Make the import library of python3.dll with the floor's stable ABI; newer symbols fail to link."""
        definition, library = folder / "python3.def", folder / _IMPORT_LIBRARY
        definition.write_text(definition_file(self.floor.version), encoding="utf-8")
        options = ("-d", str(definition), "-l", str(library), "-m", self.target.import_library)
        command = Command(argv=(str(self.zig), "dlltool", *options))
        run_checked(run, command, "making the import library of python3.dll")
        return library


def cross_file(target: CrossTarget, zig: Path, include: Path) -> str:
    """Return Meson's cross file (mesonbuild.com/Cross-compilation.html), with zig as every tool.

    The include folder comes first on the search path, before the headers of the building Python, which Meson
    itself finds for macOS. Nothing is stripped at installation: zig's linker omits the symbol table, and
    there is no strip for other formats here. zig would generate debug information by default, which takes a
    fifth of its time.
    """
    program, options = str(zig), ("-target", target.triple, "-g0", f"-I{include}")
    machine = {"system": target.system, "cpu_family": target.cpu, "cpu": target.cpu, "endian": target.endian}
    if target.subsystem:
        machine["subsystem"] = target.subsystem
    lines = [
        "[binaries]",
        f"c = {_meson_array(program, 'cc', *options)}",
        f"cpp = {_meson_array(program, 'c++', *options)}",
        f"ar = {_meson_array(program, 'ar')}",
        f"ranlib = {_meson_array(program, 'ranlib')}",
        f"strip = {_meson_array('true')}",
        "[built-in options]",
        *(f"{language}_link_args = {_meson_array(*target.link_args)}" for language in ("c", "cpp")),
        "[host_machine]",
        *(f"{name} = '{value}'" for name, value in machine.items()),
    ]
    return "".join(f"{line}\n" for line in lines)


def _meson_array(*words: str) -> str:
    quoted = ("'" + word.replace("\\", "\\\\").replace("'", "\\'") + "'" for word in words)
    return f"[{', '.join(quoted)}]"


def build_details(
    target: CrossTarget, floor: Interpreter, include: Path, library: Path | None
) -> dict[str, object]:
    """Return the description of the target's Python (PEP 739), for Meson's option ``python.build_config``."""
    # Meson 1.12 makes the path under one spelling of dynamic_stableabi absolute, and links the path under the
    # other.
    names = ("dynamic", "dynamic_stableabi", "dynamic-stableabi")
    libraries = dict.fromkeys(names, str(library)) if library else {}
    major, minor = floor.version
    return {
        "schema_version": "1.0",
        "base_prefix": str(include.parent),
        "platform": _details_platform(target),
        "language": {"version": f"{major}.{minor}", "version_info": {"major": major, "minor": minor}},
        "implementation": {"name": "cpython"},
        "abi": {"flags": [], "extension_suffix": target.suffix, "stable_abi_suffix": target.suffix},
        "libpython": {"link_extensions": library is not None, **libraries},
        "c_api": {"headers": str(include)},
    }


def _details_platform(target: CrossTarget) -> str:
    """Return the target's platform; Meson 1.12 wrongly expects this machine's processor for Windows."""
    if target.system != "windows":
        return target.platform
    return "win-arm64" if platform.machine().lower() in {"arm64", "aarch64"} else "win-amd64"


def _copy_headers(headers: Path, include: Path) -> None:
    """Copy the public headers, with a pyconfig.h that does not describe this machine."""
    shutil.copytree(headers, include, ignore=shutil.ignore_patterns("internal"))
    pyconfig = include / "pyconfig.h"
    pyconfig.unlink(missing_ok=True)
    pyconfig.write_text(data.text("pyconfig.h"), encoding="utf-8")


def definition_file(floor: tuple[int, int]) -> str:
    """Return python3.dll's module definition file: the stable ABI on Windows up to a version of Python."""
    from abi3info import DATAS, FUNCTIONS

    def exports(members: Iterable[Data | Function], suffix: str) -> list[str]:
        return sorted(f"{member.symbol.name}{suffix}" for member in members if _is_exported(member, floor))

    lines = [
        'LIBRARY "python3.dll"',
        "EXPORTS",
        *exports(FUNCTIONS.values(), ""),
        *exports(DATAS.values(), " DATA"),
    ]
    return "".join(f"{line}\n" for line in lines)


def _is_exported(member: Data | Function, floor: tuple[int, int]) -> bool:
    added = (member.added.major, member.added.minor)
    return added <= floor and (member.ifdef is None or bool(member.ifdef.windows))
