"""What zig and Meson are told for a cross build of one target: rows of data, filled in with the target's version."""

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
    """One row of data/cross.toml for one target.

    ``triple`` is zig's word for it; ``system``, ``cpu`` and ``subsystem`` are Meson's; ``platform`` and ``suffix`` a Python's on that
    machine. ``libc`` is musl's soname there, ``import_library`` dlltool's word for the machine; each is empty where nothing needs it.
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
    """Give what a cross build of the target needs to know, or None where zig does not serve it."""
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
    """Say why a target has no cross build."""
    row = _row(target.tag)
    if row is None:
        return f"cross builds do not know {target}"
    oldest = row["oldest"]
    return f"zig serves it from version {oldest[0]}.{oldest[1]} on"


def argv(target: Target) -> tuple[str, ...]:
    """Build the command that makes one raw wheel, its files and folders still open; all targets share one build environment."""
    options = [f"setup-args=--cross-file={FILES}/{CROSS_FILE}"]
    if (
        target.system is not System.MACOS
    ):  # Meson refuses the option there, and takes the building Python for the target's
        options.append(f"setup-args=-Dpython.build_config={FILES}/{DETAILS_FILE}")
    options.append("compile-args=-j2")  # several targets are built at a time, and the last may be alone
    settings = (word for option in options for word in ("--config-setting", option))
    return (
        "uv",
        "build",
        "--wheel",
        "--no-build-isolation",
        "--python",
        PYTHON,
        *settings,
        "--out-dir",
        OUT,
        SDIST,
    )


@cache
def _rows() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = data.table("cross.toml")["target"]
    return rows


def _row(tag: str) -> dict[str, Any] | None:
    return next(
        (row for row in _rows() if any(fnmatchcase(tag, pattern) for pattern in row["targets"])), None
    )
