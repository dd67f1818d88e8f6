"""The settings of zig and Meson for a cross build of one target, from rows of data."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from wheelkit import data
from wheelkit.matrix import System
from wheelkit.plan.model import FILES, OUT, PYTHON, SDIST

if TYPE_CHECKING:
    from wheelkit.matrix import Target


CROSS_FILE = "cross.ini"
DETAILS_FILE = "build-details.json"


class CrossTarget(Struct, frozen=True, kw_only=True):
    """One row of data/cross.toml, filled in with a target's version.

    ``triple`` is zig's name of the target. ``system``, ``cpu`` and ``subsystem`` are Meson's names.
    ``platform`` and ``suffix`` are those of a Python on that machine. ``libc`` is the soname of musl,
    ``import_library`` dlltool's name of the machine; they are empty for targets that do not need them.
    """

    triple: str
    system: str
    cpu: str
    platform: str
    suffix: str
    link_args: tuple[str, ...]
    subsystem: str = ""
    libc: str = ""
    import_library: str = ""


def cross_target(target: Target) -> CrossTarget | None:
    """Return the cross settings of a target, or None if zig does not support it."""
    row = _row(target.tag)
    if row is None or tuple(row.get("oldest", target.version)) > target.version:
        return None
    version = {"major": target.version[0], "minor": target.version[1]}
    return CrossTarget(
        triple=row["triple"].format(**version),
        system=row["system"],
        cpu=row["cpu"],
        platform=row["platform"].format(**version),
        suffix=row["suffix"],
        link_args=tuple(row["link-args"]),
        subsystem=row.get("subsystem", ""),
        libc=row.get("libc", ""),
        import_library=row.get("import-library", ""),
    )


def unsupported_reason(target: Target) -> str:
    """Return why a target cannot be cross-built."""
    row = _row(target.tag)
    if row is None:
        return f"cross builds do not support {target}"
    oldest = row["oldest"]
    return f"zig supports it from version {oldest[0]}.{oldest[1]} on"


def argv(target: Target) -> tuple[str, ...]:
    """Return the command line that builds one raw wheel, with placeholders."""
    options = [f"setup-args=--cross-file={FILES}/{CROSS_FILE}"]
    if target.system is not System.MACOS:  # there Meson rejects the option and uses the building Python
        options.append(f"setup-args=-Dpython.build_config={FILES}/{DETAILS_FILE}")
    options.append("compile-args=-j2")  # several targets build at a time
    settings = (word for option in options for word in ("--config-setting", option))
    build = ("uv", "build", "--wheel", "--no-build-isolation", "--python", PYTHON)
    return (*build, *settings, "--out-dir", OUT, SDIST)


@cache
def _rows() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = data.table("cross.toml")["target"]
    return rows


def _row(tag: str) -> dict[str, Any] | None:
    return next(
        (row for row in _rows() if any(fnmatchcase(tag, pattern) for pattern in row["targets"])), None
    )
