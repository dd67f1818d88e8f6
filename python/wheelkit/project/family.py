"""The distributions of one repository, and the order in which they depend on each other."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from itertools import chain, pairwise
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from wheelkit.config import Problems, normalise
from wheelkit.errors import ConfigError, ProjectError
from wheelkit.inputs import resolved
from wheelkit.project import read
from wheelkit.project.kinds import Kind
from wheelkit.project.requirements import requirement_name

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence
    from pathlib import Path

    from wheelkit.config import Config
    from wheelkit.project.read import Distribution


class Family(Struct, frozen=True, kw_only=True):
    """Distributions in build order: each after those that it needs."""

    root: Path
    distributions: tuple[Distribution, ...]

    @property
    def native(self) -> tuple[Distribution, ...]:
        """The distributions with native code."""
        return tuple(member for member in self.distributions if member.kind is Kind.NATIVE)

    def siblings(self, distribution: Distribution) -> tuple[str, ...]:
        """Return the members of the family that a distribution needs to run or to be built."""
        return _siblings(distribution, self.members)

    def part(self, keys: Container[str]) -> Family:
        """Return the family with these members only, and those whose names only a build can tell."""
        members = (member for member in self.distributions if not member.stated or member.key in keys)
        return replace(self, distributions=tuple(members))

    @property
    def members(self) -> dict[str, Distribution]:
        """The distributions by normalised name."""
        return {member.key: member for member in self.distributions}


def discover(config: Config, sources: Sequence[Path] = ()) -> Family:
    """Return the family that is configured, or that of the given folders and sdists.

    Raises ConfigError for a pattern without a project, two distributions with one name, settings of an
    unknown one, and cycles; ProjectError for a project that cannot be read.
    """
    folders = dict.fromkeys(resolved(path) for path in (sources or _folders(config)))
    members: dict[str, Distribution] = {}
    for distribution in [_with_configured_kind(config, read.read(folder)) for folder in folders]:
        other = members.setdefault(distribution.key, distribution)
        if other is not distribution:
            paths = f"{_relative(config, other.source)} and {_relative(config, distribution.source)}"
            problem = f'{paths} are both named "{distribution.name}"'
            hint = "rename one of them, or remove one from distributions"
            raise ConfigError(config.label, [problem], hint=hint)
    if not sources:
        _require_known(config, members)
    return Family(root=config.root, distributions=_build_order(config, members))


def named_members(family: Family, sources: Sequence[Path]) -> tuple[str, ...] | None:
    """Return the members that are given by name or folder; None if a source is another project or the root.

    Raises ProjectError for a source that is neither a member nor a file or folder.
    """
    by_folder = {resolved(member.source): member.key for member in family.distributions}
    keys = [by_folder.get(resolved(path)) or _member_named(family, path) for path in sources]
    if any(resolved(path) == resolved(family.root) for path in sources):
        return None
    return tuple(keys) if all(keys) else None


def _member_named(family: Family, path: Path) -> str:
    """Return the member with this name; empty for an existing path."""
    key = normalise(str(path))
    if key in family.members and not (path / "pyproject.toml").is_file():
        return key
    if not path.exists():
        near = Problems.nearest(key, family.members)
        names = ", ".join(family.members)
        raise ProjectError(
            f"{path} does not exist, and no distribution of the family has that name{near}",
            hint=f"give a project folder or an sdist (.tar.gz), or a distribution's name: {names}",
        )
    return ""


def _require_known(config: Config, family: Mapping[str, Distribution]) -> None:
    """Raise ConfigError for settings of a distribution that the family does not have."""
    problems = [
        f"distribution.{name}: the family has no such distribution{Problems.did_you_mean(name, family)}"
        for name in config.distribution
        if name not in family
    ]
    if problems:
        raise ConfigError(config.label, problems)


def _folders(config: Config) -> Iterable[Path]:
    for pattern in config.distributions:
        paths = [config.root] if pattern == "." else sorted(config.root.glob(pattern))
        projects = [path for path in paths if read.is_project(path)]
        if not projects and pattern == ".":
            message = f"{config.root} has no pyproject.toml, so there is nothing to build"
            raise ProjectError(message, hint=_other_projects(config.root))
        if not projects:
            problem = f'distributions: "{pattern}" matches no folder with a pyproject.toml'
            raise ConfigError(config.label, [problem], hint=f"patterns are relative to {config.root}")
        yield from projects


def _other_projects(root: Path) -> str:
    below = [path.relative_to(root).as_posix() for path in read.projects_below(root)]
    if below:
        return f"there are projects in {', '.join(below)}; to add them to the configuration:  wheelkit init"
    return read.start_hint(root)


def _with_configured_kind(config: Config, distribution: Distribution) -> Distribution:
    settings = config.distribution.get(distribution.key)
    if settings is None or settings.kind is None:
        return distribution
    return replace(distribution, kind=Kind(settings.kind))


def _siblings(distribution: Distribution, family: Mapping[str, Distribution]) -> tuple[str, ...]:
    requirements = (*distribution.dependencies, *distribution.build_requires)
    return named_in(requirements, distribution, family)


def named_in(
    requirements: Iterable[str], distribution: Distribution, family: Mapping[str, Distribution]
) -> tuple[str, ...]:
    """Return the other members of the family that the requirements name, each once."""
    names = dict.fromkeys(map(requirement_name, requirements))
    return tuple(name for name in names if name in family and name != distribution.key)


def _build_order(config: Config, family: Mapping[str, Distribution]) -> tuple[Distribution, ...]:
    graph = {name: set(_siblings(distribution, family)) for name, distribution in family.items()}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        raise _cycle_error(config, family, tuple(reversed(error.args[1]))) from error
    _add_extras(graph, family)
    return tuple(family[name] for name in TopologicalSorter(graph).static_order())


def _cycle_error(config: Config, family: Mapping[str, Distribution], names: Sequence[str]) -> ConfigError:
    """Return the error for a cycle, with the requirement and the folder behind each arrow."""
    lines = [f"the distributions depend on each other in a cycle: {' -> '.join(names)}"]
    for name, sibling in pairwise(names):
        member = family[name]
        requirements = [(text, "to run") for text in member.dependencies]
        requirements += [(text, "to be built") for text in member.build_requires]
        text, purpose = next(entry for entry in requirements if requirement_name(entry[0]) == sibling)
        lines.append(f'  {name} needs "{text}" {purpose}   ({_relative(config, member.source)})')
    hint = "remove one of these requirements, or make it an extra"
    return ConfigError(config.label, ["\n".join(lines)], hint=hint)


def _relative(config: Config, path: Path) -> str:
    """Return a folder's path relative to the project; the root's whole path."""
    inside = path != config.root and path.is_relative_to(config.root)
    return path.relative_to(config.root).as_posix() if inside else str(path)


def _add_extras(graph: dict[str, set[str]], family: Mapping[str, Distribution]) -> None:
    """Order a distribution after those of its extras, unless these need it, as the cli of ``core[cli]``."""
    for name, distribution in family.items():
        requirements = chain.from_iterable(distribution.extras.values())
        for sibling in named_in(requirements, distribution, family):
            if name not in _reachable(graph, sibling):
                graph[name].add(sibling)


def _reachable(graph: Mapping[str, set[str]], start: str) -> set[str]:
    reached, waiting = {start}, [start]
    while waiting:
        added = graph[waiting.pop()] - reached
        reached |= added
        waiting += added
    return reached
