"""Configure wheelkit in a repository of several projects, which become a family."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelkit.errors import OnlySettingsError, ProjectError
from wheelkit.init.adopt import configure, matrix_of, read_classifiers
from wheelkit.matrix import Target, selects
from wheelkit.project import read
from wheelkit.project.kinds import Kind
from wheelkit.project.read import projects_below

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from wheelkit.init.adopt import FileChange, Matrix


def members(root: Path) -> tuple[Path, ...]:
    """Find the projects below a folder; none if the folder is itself a project or configures wheelkit."""
    if any((root / name).is_file() for name in ("setup.py", "setup.cfg", "wheelkit.toml")):
        return ()
    return () if (root / "pyproject.toml").is_file() and _is_project(root) else tuple(projects_below(root))


def _is_project(root: Path) -> bool:
    """Return whether a pyproject.toml has more than the settings of tools, as in a workspace root.

    A broken one counts as a project: reading it reports the error.
    """
    try:
        read.read(root)
    except OnlySettingsError:
        return False
    except ProjectError:
        return True
    return True


def adopt_members(root: Path, folders: Sequence[Path]) -> FileChange:
    """Compute the configuration of a family: its members, and the matrix that all native ones support.

    Raises ProjectError if a member cannot be read, or if native ones have no cell in common.
    """
    native = [project for project in map(read.read, folders) if project.kind is Kind.NATIVE]
    matrices = [matrix_of(project, read_classifiers(project.source)) for project in native]
    return configure(root, _intersection(matrices), tuple(_patterns(root, folders)))


def _intersection(matrices: Sequence[Matrix]) -> Matrix:
    if not matrices:
        return {}
    first, *others = matrices
    common = {
        key: tuple(value for value in first[key] if all(value in other[key] for other in others))
        for key in ("targets", "interpreters")
    }
    if not all(common.values()):
        raise ProjectError(
            "the native projects have no target or no interpreter in common",
            hint="write targets and interpreters into [matrix] of wheelkit.toml by hand",
        )
    # Each promises only what all promise. A pattern for cells that are not in common would match none.
    skip = dict.fromkeys(pattern for matrix in matrices for pattern in matrix.get("skip", ()))
    suffixes = [Target.parse(target).build_suffix for target in common["targets"]]
    cells = [f"{python}-{suffix}" for python in common["interpreters"] for suffix in suffixes]
    matching = tuple(pattern for pattern in skip if any(selects(pattern, cell) for cell in cells))
    return {**common, "skip": matching} if matching else common


def _patterns(root: Path, folders: Sequence[Path]) -> Iterator[str]:
    """Yield the folders relative to the root; several in one parent folder become one glob."""
    parents: set[Path] = set()
    for folder in folders:
        siblings = sum(other.parent == folder.parent for other in folders)
        if folder.parent == root or siblings == 1:
            yield folder.relative_to(root).as_posix()
        elif folder.parent not in parents:
            parents.add(folder.parent)
            yield f"{folder.parent.relative_to(root).as_posix()}/*"
