"""The project that a folder is in, found upwards, as ruff, uv and cargo do."""

from __future__ import annotations

from os.path import lexists
from typing import TYPE_CHECKING, Any

from wheelkit.config.load import OWN_FILE, PROJECT_FILE
from wheelkit.inputs import read_bytes, toml_table
from wheelkit.project.backends import BACKENDS

if TYPE_CHECKING:
    from pathlib import Path


def project_root(folder: Path) -> Path | None:
    """Return the folder of the project that ``folder`` is in, or None outside of any.

    It is the nearest folder upwards that configures wheelkit, if the nearest project is one of its members,
    else that nearest project, such as a sample project among the tests of another one. The search ends at the
    top of a git checkout.
    """
    nearest: Path | None = None
    for candidate in (folder, *folder.parents):
        if (members := _configured_members(candidate)) is not None:
            member = nearest is None or any(_matches(candidate, pattern, nearest) for pattern in members)
            return candidate if member else nearest
        if nearest is None and _describes_project(candidate):
            nearest = candidate
        if lexists(candidate / ".git"):
            break
    return nearest


def _configured_members(folder: Path) -> list[str] | None:
    """Return the folders of the family that a folder configures, as globs; None without a configuration.

    A file that cannot be read counts as one, so that reading the configuration reports it.
    """
    if lexists(folder / OWN_FILE):
        table: Any = _table(folder / OWN_FILE)
    elif lexists(folder / PROJECT_FILE) and _mentions_wheelkit(folder / PROJECT_FILE):
        document = _table(folder / PROJECT_FILE)
        tool = {"wheelkit": None} if document is None else document.get("tool")
        if not isinstance(tool, dict) or "wheelkit" not in tool:
            return None
        table = tool["wheelkit"]
    else:
        return None
    members = table.get("distributions") if isinstance(table, dict) else None
    return [str(pattern) for pattern in members] if isinstance(members, list) else ["."]


def _mentions_wheelkit(path: Path) -> bool:
    """Return whether a file may have ``[tool.wheelkit]``; parsing all that do not would take its time."""
    try:
        return b"wheelkit" in read_bytes(path)
    except OSError:
        return False


def _table(path: Path) -> dict[str, Any] | None:
    try:
        return toml_table(read_bytes(path).decode("utf-8"))
    except (OSError, ValueError):
        return None


def _matches(root: Path, pattern: str, folder: Path) -> bool:
    if pattern == ".":
        return folder == root
    try:
        return any(path == folder for path in root.glob(pattern))
    except (ValueError, NotImplementedError, OSError):  # a pattern that reading the configuration reports
        return True


def _describes_project(folder: Path) -> bool:
    """Return whether a folder has a project's files, not only the settings of tools in a pyproject.toml."""
    if lexists(folder / "setup.py"):
        return True
    if not lexists(folder / PROJECT_FILE):
        return False
    table = _table(folder / PROJECT_FILE)
    if table is None:
        return True
    tool = table.get("tool")
    backends = {backend.table for backend in BACKENDS if backend.describes_project}
    return bool(
        table.keys() & {"project", "build-system"} or (isinstance(tool, dict) and tool.keys() & backends)
    )
