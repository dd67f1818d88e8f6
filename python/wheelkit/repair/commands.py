"""Builds repair commands: for cibuildwheel, for wheelkit itself, and for the platform's tool."""

from __future__ import annotations

import shlex
import sys
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.command_lines import cmd_line
from wheelkit.config.exclude import with_versions
from wheelkit.machine import facts
from wheelkit.matrix import DESKTOP, System, Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path


TOOLS: Mapping[System, str] = {
    System.LINUX: "auditwheel",
    System.MACOS: "delocate",
    System.WINDOWS: "delvewheel",
}


class RepairRecipe(Struct, frozen=True, kw_only=True):
    """How to repair a wheel: its target, the exclude list's patterns, and more folders with libraries."""

    target: Target
    patterns: tuple[str, ...] = ()
    lib_paths: tuple[Path, ...] = ()

    def excludes(self, library: str) -> bool:
        """Return whether the exclude list leaves a library to its provider."""
        from wheelkit.wheel.library_names import matches

        return matches(library, self.patterns, self.target.system)


def cibuildwheel_command(target: Target, patterns: Sequence[str], python: str = sys.executable) -> str:
    """Build the value of cibuildwheel's ``repair-wheel-command`` for a target.

    It is empty where cibuildwheel's own default is right: for Android, iOS and Pyodide. The Linux container
    has auditwheel only; where that refuses, ``auditwheel show`` says what the wheel needs. On the hosts
    of macOS and Windows, wheelkit resolves the patterns against the needed libraries: delocate takes
    substrings, and delvewheel exact names.
    """
    if target.system not in DESKTOP:
        return ""
    if target.system is System.LINUX:
        line = shlex.join(_auditwheel(target, patterns, "{wheel}", "{dest_dir}"))
        line = line.replace("'{dest_dir}'", "{dest_dir}").replace("'{wheel}'", "{wheel}")
        return f"{line} || (auditwheel show {{wheel}}; false)"
    words = wheelkit_command(target, patterns, python)
    if target.system is System.WINDOWS:
        return cmd_line(words)  # quotes the placeholders, for paths with spaces
    return " ".join(f'"{word}"' if " " in word or "*" in word else word for word in words)


def wheelkit_command(
    target: Target, patterns: Iterable[str], python: str = sys.executable
) -> tuple[str, ...]:
    """Build wheelkit's own repair command, with placeholders for the wheel and the output folder."""
    options = ("--target", target.tag, *_options("--exclude", patterns), "--out", "{dest_dir}", "{wheel}")
    return (python, "-m", "wheelkit", "repair", *options)


def tool_command(recipe: RepairRecipe, excluded: Iterable[str], wheel: Path, out: Path) -> tuple[str, ...]:
    """Build the command of the platform's tool, with the exact names of the excluded libraries."""
    python, target, names = (sys.executable, "-m"), recipe.target, tuple(excluded)
    if target.system is System.LINUX:
        return (*python, *_auditwheel(target, names, str(wheel), str(out)))
    files = ("-w", str(out), str(wheel))
    if target.system is System.MACOS:
        options = ("--ignore-missing-dependencies", *_options("-e", names)) if names else ()
        return (*python, "delocate.cmd.delocate_wheel", "--require-archs", target.arch, *options, *files)
    options = (*_options("--add-path", map(str, recipe.lib_paths)), *_options("--exclude", names))
    return (*python, "delvewheel", "repair", *options, *files)


def for_this_machine(command: tuple[str, ...], target: Target) -> tuple[str, ...]:
    """Adapt a tool's command to this machine: auditwheel and delocate support only their own platform."""
    machine = facts.detect(containers=False)
    python, arguments = command[:2], command[3:]
    is_native = (machine.system, machine.arch, machine.libc) == (System.LINUX, target.arch, target.libc)
    if target.system is System.LINUX and not is_native:
        return (*python, "wheelkit.repair.foreign", "auditwheel", target.arch, target.libc, *arguments)
    if target.system is System.MACOS and machine.system is not System.MACOS:
        return (*python, "wheelkit.repair.foreign", "delocate", *arguments)
    return command


def _auditwheel(target: Target, patterns: Iterable[str], wheel: str, out: str) -> tuple[str, ...]:
    """Build auditwheel's command; it matches ``--exclude`` as a glob against each soname."""
    excludes = _options("--exclude", with_versions(patterns))
    return ("auditwheel", "repair", "--plat", target.tag, *excludes, "-w", out, wheel)


def _options(option: str, values: Iterable[str]) -> tuple[str, ...]:
    return tuple(word for value in values for word in (option, value))
