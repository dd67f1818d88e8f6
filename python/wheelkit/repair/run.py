"""Runs the platform's repair tool on one wheel, explains its errors, and verifies the result."""

from __future__ import annotations

import os
import re
import shutil
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field

from wheelkit import wheel as wheels
from wheelkit.analysis.claims import system_of
from wheelkit.errors import CheckFailedError, MissingToolError, OutputError, ToolFailedError
from wheelkit.machine.process import Command, tool_error
from wheelkit.machine.scratch import created_folder, temporary_folder
from wheelkit.machine.time_limits import REWRITE
from wheelkit.matrix import System
from wheelkit.repair.commands import TOOLS, for_this_machine, tool_command
from wheelkit.repair.search import find_external_libraries
from wheelkit.repair.verify import (
    MISSING_LIBRARY_HINT,
    grafted_libraries,
    has_same_contents,
    original_files,
    replaced_signatures,
    require_repaired,
)
from wheelkit.text import shorten_list
from wheelkit.wheel.library_names import base_name, matches

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelkit.machine.process import Run
    from wheelkit.repair.commands import RepairRecipe
    from wheelkit.repair.search import ExternalLibraries
    from wheelkit.wheel import Wheel


# The messages for a library that is not found: of auditwheel, delocate (two) and delvewheel.
_NOT_FOUND = re.compile(
    r'required library "(?P<linux>[^"]+)" could not be located|library "(?P<macos>[^"]+)" does not exist|'
    r"^(?P<rpath>\S+) not found:$|Unable to find library: (?P<windows>\S+)",
    re.MULTILINE,
)
_WRONG_ARCHITECTURE = ("missing architectures in wheel", "CPU architecture that is not compatible")
_LIBRARY_PATH: Mapping[System, str] = {System.LINUX: "LD_LIBRARY_PATH", System.MACOS: "DYLD_LIBRARY_PATH"}
# Tools that an extra of wheelkit installs where they do not run on their own platform.
_TOOLS_OF_EXTRA = frozenset({"delocate", "delvewheel"})


class Repaired(Struct, frozen=True, kw_only=True):
    """A repaired wheel, its grafted and excluded libraries, and the patterns that match no needed library.

    ``unchanged`` is set if there was nothing to repair; the file is the same then, byte for byte.
    ``unsigned`` are members whose signature by an identity was replaced by an ad hoc one. ``originals`` maps
    grafted libraries to the files of this machine that they are copies of.
    """

    path: Path
    grafted: tuple[str, ...]
    excluded: tuple[str, ...]
    unmatched: tuple[str, ...]
    unchanged: bool = False
    unsigned: tuple[str, ...] = ()
    originals: Mapping[str, Path] = field(default_factory=dict)


def external_library_names(wheel: Wheel) -> frozenset[str]:
    """Return the libraries that the wheel's binaries need and that it does not contain."""
    inside = {base_name(member.name) for member in wheel.members}
    return frozenset(name for name in wheel.needed if base_name(name) not in inside)


def repair(path: Path, recipe: RepairRecipe, out: Path, run: Run) -> Repaired:
    """Repair one wheel into the folder ``out``, where it appears complete or not at all.

    Raises WheelError for a file that is not a wheel, MissingToolError if the platform's tool cannot run here,
    ToolFailedError if it fails, CheckFailedError if the wheel is for two systems or the result is not what
    the recipe asks for, OutputError if the folder cannot be written.
    """
    before = wheels.read(path)
    _require_one_system(before)
    libraries = find_external_libraries(before, recipe)
    try:
        with created_folder(out), temporary_folder(".wheelkit-", out) as folder:
            repaired = _run_tool(before, recipe, libraries, folder, run)
            after = wheels.read(repaired)
            require_repaired(before, after, recipe, libraries)
            unchanged = has_same_contents(path, repaired)
            if unchanged:
                shutil.copyfile(path, repaired)
            final = repaired.replace(out / repaired.name)
    except OSError as error:
        raise OutputError.of(error, out) from error
    grafted = grafted_libraries(before, after)
    return Repaired(
        path=final,
        grafted=grafted,
        originals=original_files(grafted, libraries.found),
        excluded=libraries.excluded(recipe),
        unmatched=tuple(
            pattern
            for pattern in recipe.patterns
            if not any(matches(name, [pattern], recipe.target.system) for name in libraries.needed_by)
        ),
        unchanged=unchanged,
        unsigned=replaced_signatures(before, after),
    )


def _require_one_system(wheel: Wheel) -> None:
    systems = {
        system: binary.member for binary in wheel.binaries if (system := system_of(binary)) is not None
    }
    if len(systems) > 1:
        raise CheckFailedError(
            f"{wheel.filename} contains binaries of {len(systems)} systems; repair tools support only one",
            detail="\n".join(f"{system}: {member}" for system, member in sorted(systems.items())),
            hint="build one wheel for each system",
        )


def _run_tool(
    before: Wheel, recipe: RepairRecipe, libraries: ExternalLibraries, folder: Path, run: Run
) -> Path:
    """Run the tool and return the only wheel that it wrote into the folder."""
    tool = TOOLS[recipe.target.system]
    if _is_delvewheel_done(before, recipe):
        return Path(shutil.copy2(before.path, folder))
    completed = run(_command(before.path, recipe, libraries, folder))
    if completed.returncode != 0:
        error = tool_error(completed, f"{tool} repair of {before.filename}")
        raise _explain(error, recipe, libraries, completed.output)
    written = sorted(folder.glob("*.whl"))
    if len(written) != 1:
        raise ToolFailedError(f"{tool} wrote {len(written)} wheels for {before.filename}, not one")
    return written[0]


def _is_delvewheel_done(wheel: Wheel, recipe: RepairRecipe) -> bool:
    """Return whether delvewheel has repaired the wheel already; it writes no file the second time."""
    marker = f"{wheel.dist_info}/DELVEWHEEL"
    return recipe.target.system is System.WINDOWS and any(member.name == marker for member in wheel.members)


def _command(path: Path, recipe: RepairRecipe, libraries: ExternalLibraries, folder: Path) -> Command:
    env = {"PYTHONHASHSEED": "0"}  # the tools write sets in iteration order
    variable = _LIBRARY_PATH.get(recipe.target.system)
    if variable and recipe.lib_paths:
        folders = [*map(str, recipe.lib_paths), *filter(None, [os.environ.get(variable)])]
        env[variable] = os.pathsep.join(folders)
    argv = tool_command(recipe, libraries.excluded(recipe), path, folder)
    return Command(
        argv=for_this_machine(argv, recipe.target),
        env=env,
        prefix_path=(sysconfig.get_path("scripts"),),
        timeout=REWRITE.of_files([path]),
    )


def _explain(
    error: ToolFailedError, recipe: RepairRecipe, libraries: ExternalLibraries, output: str
) -> ToolFailedError | MissingToolError:
    """Add what to do to the tool's most common errors."""
    if missing := _missing_program(output, TOOLS[recipe.target.system]):
        return missing
    if library := _library_not_found(output, recipe):
        error.message += f": it needs {library}, which was not found"
        error.detail = libraries.describe(base_name(library))
        error.hint = MISSING_LIBRARY_HINT
    elif any(text in output for text in _WRONG_ARCHITECTURE):
        error.message += f": a binary or a library is not for {recipe.target.arch}"
        described = "\n".join(map(libraries.describe, libraries.wrong_machine))
        error.detail = described or error.detail.splitlines()[-1]
        error.hint = "build the library for the target's architecture, and give its folder with --lib-path"
    elif "too-recent versioned symbols" in output:
        error.detail = error.detail.rpartition("\n")[2].rpartition("error: ")[2]
        if grafted := [name for name in libraries.found if not recipe.excludes(name)]:
            error.detail += f"\nlibraries of this machine that would be grafted: {shorten_list(grafted)}"
        error.hint = (
            "build on an older system, best with cibuildwheel in a container "
            f"for {recipe.target.tag}, or promise a newer target"
        )
    return error


def _missing_program(output: str, tool: str) -> MissingToolError | None:
    """Return the error for a repair tool or patchelf that is not installed."""
    if "No module named" in output and (tool in output or "repairwheel" in output):
        package = "'wheelkit[repair]'" if tool in _TOOLS_OF_EXTRA else tool
        return MissingToolError(f"{tool} is not installed", hint=f"pip install {package}")
    no_patchelf = "patchelf" in output.lower() and "not find" in output.lower()
    if no_patchelf or "Cannot find required utility" in output:
        return MissingToolError(
            "patchelf, which auditwheel needs, is not installed", hint="pip install patchelf"
        )
    return None


def _library_not_found(output: str, recipe: RepairRecipe) -> str:
    """Return the last library that the tool did not find and that is not excluded; empty if there is none."""
    names = [match[match.lastgroup or 0] for match in _NOT_FOUND.finditer(output)]
    return next((name for name in reversed(names) if "{" not in name and not recipe.excludes(name)), "")
