"""The settings of zig and Meson for a cross build of one target, from rows of data."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING

from msgspec import Struct, convert
from msgspec.structs import replace

from wheelkit import data
from wheelkit.matrix import System
from wheelkit.plan.model import FILES, OUT, PYTHON, SDIST
from wheelkit.project.backends import CrossBuild
from wheelkit.text import dotted

if TYPE_CHECKING:
    from wheelkit.matrix import Target


CROSS_FILE = "cross.ini"
DETAILS_FILE = "build-details.json"


class CrossTarget(Struct, frozen=True, kw_only=True, rename="kebab"):
    """One row of data/cross.toml, filled in with a target's version.

    ``targets`` are globs of the targets, supported from the version ``oldest`` on. ``triple`` is zig's name
    of the target. ``system``, ``cpu``, ``endian`` and ``subsystem`` are Meson's names. ``platform`` and
    ``suffix`` are those of a Python on that machine. ``libc`` is the soname of musl, ``import_library``
    dlltool's name of the machine; they are empty for targets that do not need them.
    """

    targets: tuple[str, ...]
    oldest: tuple[int, int] = (0, 0)
    triple: str
    system: str
    cpu: str
    platform: str
    suffix: str
    link_args: tuple[str, ...]
    subsystem: str = ""
    endian: str = "little"
    libc: str = ""
    import_library: str = ""


def cross_target(target: Target) -> CrossTarget | None:
    """Return the cross settings of a target, or None if zig does not support it."""
    row = _row(target.tag)
    if row is None or row.oldest > target.version:
        return None
    version = dict(zip(("major", "minor"), target.version, strict=True))
    return replace(row, triple=row.triple.format(**version), platform=row.platform.format(**version))


def unsupported_reason(target: Target) -> str:
    """Return why a target cannot be cross-built."""
    row = _row(target.tag)
    if row is None:
        return f"cross builds do not support {target}"
    return f"zig supports it from version {dotted(row.oldest)} on"


def argv(target: Target, how: CrossBuild) -> tuple[str, ...]:
    """Return the command line that builds one raw wheel, with placeholders."""
    build = ("uv", "build", "--wheel", "--no-build-isolation", "--python", PYTHON)
    settings = _meson_settings(target) if how is CrossBuild.MESON else ()
    return (*build, *settings, "--out-dir", OUT, SDIST)


def _meson_settings(target: Target) -> tuple[str, ...]:
    options = [f"setup-args=--cross-file={FILES}/{CROSS_FILE}"]
    if target.system is not System.MACOS:  # there Meson rejects the option and uses the building Python
        options.append(f"setup-args=-Dpython.build_config={FILES}/{DETAILS_FILE}")
    options.append("compile-args=-j2")  # several targets build at a time
    return tuple(word for option in options for word in ("--config-setting", option))


@cache
def _rows() -> list[CrossTarget]:
    return convert(data.table("cross.toml")["target"], list[CrossTarget])


def _row(tag: str) -> CrossTarget | None:
    matching = (row for row in _rows() if any(fnmatchcase(tag, pattern) for pattern in row.targets))
    return next(matching, None)
