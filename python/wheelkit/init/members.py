"""Configure wheelkit in a repository of several projects, which become a family."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wheelkit.errors import OnlySettingsError, ProjectError
from wheelkit.init.adopt import Evidence, adopt_wheels, configure, require_unconfigured
from wheelkit.init.as_matrix import as_matrix
from wheelkit.project import read
from wheelkit.project.kinds import Kind
from wheelkit.project.read import projects_below

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from wheelkit.init.adopt import FileChange
    from wheelkit.init.todays_builds import Build


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


def adopt_members(root: Path, folders: Sequence[Path], evidence: Evidence | None = None) -> FileChange:
    """Compute the configuration of a family: its members, and the matrix that all native ones support.

    Raises ProjectError if a member cannot be read, or if native ones have no cell in common.
    """
    require_unconfigured(root)
    evidence = evidence or Evidence()
    native = [project for project in map(read.read, folders) if project.kind is Kind.NATIVE]
    adoptions = [(project, adopt_wheels(project, "", evidence)) for project in native]
    table: dict[str, Any] = {"distributions": list(_patterns(root, folders))}
    exclude: dict[str, tuple[str, ...]] = {}
    notes = []
    for project, adoption in adoptions:
        exclude |= adoption.exclude
        notes += [f"{project.name}: {text}" for text in adoption.notes]
    if adoptions:
        table["matrix"] = as_matrix(_intersection([adoption.builds for _, adoption in adoptions])).document()
    if exclude:
        table["exclude"] = {name: list(patterns) for name, patterns in exclude.items()}
    return configure(root, table, notes=tuple(notes))


def _intersection(members: Sequence[Sequence[Build]]) -> tuple[Build, ...]:
    """Return the builds that all members have, each with the oldest system that all of them serve."""
    first, *others = [{build.identifier: build for build in builds} for builds in members]
    common = [
        max((builds[name] for builds in (first, *others)), key=lambda build: build.target.version)
        for name in first
        if all(name in builds for builds in others)
    ]
    if not common:
        raise ProjectError(
            "the native projects have no target or no interpreter in common",
            hint="write targets and interpreters into [matrix] of wheelkit.toml by hand",
        )
    return tuple(common)


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
