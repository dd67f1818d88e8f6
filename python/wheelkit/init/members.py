"""Bring wheelkit into a repository of several projects: which of them there are, and what all of their wheels can promise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelkit.errors import OnlySettingsError, ProjectError
from wheelkit.init.adopt import configuration, promise_of, stated_classifiers
from wheelkit.project import read
from wheelkit.project.read import Kind, projects_below

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from wheelkit.init.adopt import FileChange, Promise


def members(root: Path) -> tuple[Path, ...]:
    """Find the projects below a folder that is none itself; nothing where it is one, or wheelkit is configured there."""
    if any((root / name).is_file() for name in ("setup.py", "setup.cfg", "wheelkit.toml")):
        return ()
    return () if (root / "pyproject.toml").is_file() and _describes(root) else tuple(projects_below(root))


def _describes(root: Path) -> bool:
    """Tell whether a pyproject.toml is more than settings of tools, as that of a workspace is; a broken one is told by whoever reads it."""
    try:
        read.read(root)
    except OnlySettingsError:
        return False
    except ProjectError:
        return True
    return True


def adopt_members(root: Path, folders: Sequence[Path]) -> FileChange:
    """Compute the configuration for a family: its members, and the matrix that each native one of them keeps.

    Raises ProjectError where a member cannot be read, or where native ones have no cell in common.
    """
    native = [one for one in map(read.read, folders) if one.kind is Kind.NATIVE]
    promises = [promise_of(one, stated_classifiers(one.source)) for one in native]
    return configuration(root, _common(promises), tuple(_patterns(root, folders)))


def _common(promises: Sequence[Promise]) -> Promise:
    """Keep what all of them promise: the matrix is one for the whole family."""
    if not promises:
        return {}
    first, *others = promises
    common = {
        key: tuple(word for word in words if all(word in other[key] for other in others))
        for key, words in first.items()
    }
    if not all(common.values()):
        raise ProjectError(
            "the native projects have no target or no interpreter in common",
            hint="write [matrix] by hand, in wheelkit.toml",
        )
    return common


def _patterns(root: Path, folders: Sequence[Path]) -> Iterator[str]:
    """Name the folders; one glob for all that lie beside each other, where it means the same."""
    done: set[Path] = set()
    for folder in folders:
        beside = [one for one in folders if one.parent == folder.parent]
        if folder.parent == root or not beside[1:]:
            yield folder.relative_to(root).as_posix()
        elif folder.parent not in done:
            done.add(folder.parent)
            yield f"{folder.parent.relative_to(root).as_posix()}/*"
