"""Compilers for another machine as programs, and how setuptools and CMake are told to take them."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from wheelkit.builders.zig_compile import write_script

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from wheelkit.plan.cross import CrossTarget


# How extension modules are linked; the import library follows for Windows.
_SHARED = {
    "linux": ("-shared",),
    "darwin": ("-shared", "-undefined", "dynamic_lookup"),  # zig 0.17 crashes with -bundle
    "windows": ("-shared",),
}
# What setuptools, which takes this machine for the target, passes to every compiler.
_DROPPED = {"windows": ("-fPIC", "-pthread"), "darwin": ("-pthread",)}


# The build's own Python answers CMake's questions for the target's: of the limited API, both say the same.
# Since policy CMP0190, CMake asks no interpreter in a cross build unless it is told what runs it.
_TOOLCHAIN = """\
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR {processor})
set(CMAKE_C_COMPILER [[{CC}]])
set(CMAKE_CXX_COMPILER [[{CXX}]])
set(CMAKE_AR [[{AR}]] CACHE FILEPATH "")
set(CMAKE_RANLIB [[{RANLIB}]] CACHE FILEPATH "")
set(CMAKE_CROSSCOMPILING_EMULATOR /usr/bin/env)
set(CMAKE_MODULE_LINKER_FLAGS_INIT "{link}")
set(CMAKE_SHARED_LINKER_FLAGS_INIT "{link}")
"""


def write_toolchain(target: CrossTarget, programs: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Write CMake's toolchain file for a Linux target; returns the variable that names it."""
    path = folder / "toolchain.cmake"
    processor = target.platform.partition("-")[2]
    text = _TOOLCHAIN.format(processor=processor, link=" ".join(target.link_args), **programs)
    path.write_text(text, encoding="utf-8")
    return {"CMAKE_TOOLCHAIN_FILE": str(path)}


def write_compilers(
    target: CrossTarget, zig: Path, include: Path, library: Path | None, folder: Path
) -> dict[str, str]:
    """Write the programs of a target's compiler into ``folder``; returns the variables that name them.

    ``include`` has the headers of Python, which come before those of the building Python. ``library`` is the
    import library of python3.dll, needed for Windows only.
    """
    dropped = _DROPPED.get(target.system, ())
    # zig would generate debug information, and trap undefined behaviour in builds without optimisation.
    options = ("-target", target.triple, "-g0", "-fno-sanitize=undefined", f"-I{include}")
    programs = {}
    for name, language in (("CC", "cc"), ("CXX", "c++")):
        command = shlex.join((str(zig), language, *options))
        programs[name] = str(write_script(folder / language, command, dropped=dropped, last="-g0"))
    for name, tool in (("AR", "ar"), ("RANLIB", "ranlib")):
        programs[name] = str(write_script(folder / tool, shlex.join((str(zig), tool))))
    libraries = (str(library),) if library else ()
    link = (*_SHARED[target.system], *target.link_args, *libraries)
    return {
        **programs,
        "ARFLAGS": "rcs",
        # setuptools puts the C++ compiler in place of the first word.
        "LDSHARED": shlex.join((programs["CC"], *link)),
        "LDCXXSHARED": shlex.join((programs["CXX"], *link)),
    }
