"""From the exclude list to the platform tool's command: pure, because on Linux cibuildwheel repairs inside its container.

The same line is handed to it and run by ``wheelkit repair``.
"""

from __future__ import annotations

import platform
import shlex
import sys
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.config.exclude import with_versions
from wheelkit.matrix import System, Target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path


TOOLS: Mapping[System, str] = {
    System.LINUX: "auditwheel",
    System.MACOS: "delocate",
    System.WINDOWS: "delvewheel",
}


def linux_line(
    target: Target, patterns: Iterable[str], *, wheel: str = "{wheel}", out: str = "{dest_dir}"
) -> tuple[str, ...]:
    """Build auditwheel's arguments; auditwheel matches ``--exclude`` as a glob against each soname."""
    excludes = (word for pattern in with_versions(patterns) for word in ("--exclude", pattern))
    return ("auditwheel", "repair", "--plat", target.tag, *excludes, "-w", out, wheel)


def container_line(target: Target, patterns: Sequence[str], python: str = sys.executable) -> str:
    """Build what cibuildwheel's ``repair-wheel-command`` is set to for this target.

    In the Linux container there is only auditwheel; where it refuses, it is asked what the wheel needs, which its refusal does not say
    and which goes with the container. On macOS and Windows cibuildwheel repairs on the host, where wheelkit itself resolves
    the patterns against what the wheel really needs: delocate takes substrings and delvewheel exact names.
    """
    if target.system is System.LINUX:
        line = (
            shlex.join(linux_line(target, patterns))
            .replace("'{dest_dir}'", "{dest_dir}")
            .replace("'{wheel}'", "{wheel}")
        )
        return f"{line} || (auditwheel show {{wheel}}; false)"
    words = wheelkit_line(target, patterns, python)
    return " ".join(f'"{word}"' if " " in word or "*" in word else word for word in words)


def wheelkit_line(target: Target, patterns: Iterable[str], python: str = sys.executable) -> tuple[str, ...]:
    """Build the command by which wheelkit itself repairs a wheel for the target, its file and folder still open."""
    excludes = (word for pattern in patterns for word in ("--exclude", pattern))
    return (
        python,
        "-m",
        "wheelkit",
        "repair",
        "--target",
        target.tag,
        *excludes,
        "--out",
        "{dest_dir}",
        "{wheel}",
    )


class RepairRecipe(Struct, frozen=True, kw_only=True):
    """How a wheel is to be repaired: for which target, which libraries stay out, and where else libraries are looked for."""

    target: Target
    patterns: tuple[str, ...] = ()
    lib_paths: tuple[Path, ...] = ()


def host_line(recipe: RepairRecipe, excluded: Iterable[str], wheel: Path, out: Path) -> tuple[str, ...]:
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


def line_here(line: tuple[str, ...], target: Target) -> tuple[str, ...]:
    """Give the same command as this machine can run it: a tool that knows only its own system is started by way of wheelkit.

    auditwheel takes the tags of the machine that it runs on for the only ones, and delocate calls programs that come with Xcode.
    """
    system = _HERE.get(sys.platform)
    start, rest = line[:2], line[3:]
    if target.system is System.LINUX and (
        system is not System.LINUX or target.arch != platform.machine() or target.libc != _libc()
    ):
        return (*start, "wheelkit.repair.foreign_auditwheel", target.arch, target.libc, *rest)
    if target.system is System.MACOS and system is not System.MACOS:
        return (*start, "wheelkit.repair.foreign_delocate", *rest)
    return line


_HERE: Mapping[str, System] = {"linux": System.LINUX, "darwin": System.MACOS, "win32": System.WINDOWS}


def _libc() -> str:
    return "manylinux" if platform.libc_ver()[0] == "glibc" else "musllinux"
