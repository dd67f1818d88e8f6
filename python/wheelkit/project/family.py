"""The distributions of one repository, and the order in which they depend on each other."""

from __future__ import annotations

import re
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from wheelkit.config import Problems, normalise
from wheelkit.errors import ConfigError, ProjectError
from wheelkit.project import read
from wheelkit.project.read import Distribution, Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from wheelkit.config import Config


_REQUIREMENT_NAME = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")


class Family(Struct, frozen=True, kw_only=True):
    """Distributions in the order in which they can be built: each after all that it needs."""

    root: Path
    distributions: tuple[Distribution, ...]

    @property
    def native(self) -> tuple[Distribution, ...]:
        """Those that hold native code."""
        return tuple(item for item in self.distributions if item.kind is Kind.NATIVE)

    def siblings(self, distribution: Distribution) -> tuple[str, ...]:
        """Name the members of the family that the distribution needs, at run time or to be built."""
        return _needs(distribution, self.members)

    @property
    def members(self) -> dict[str, Distribution]:
        """The distributions by normalised name."""
        return {item.key: item for item in self.distributions}


def discover(config: Config, sources: Sequence[Path] = ()) -> Family:
    """Find the family below the configuration's folder, or take the given folders and sdists.

    Raises ConfigError for a pattern without a project, two distributions of one name, settings of an unknown
    one and cycles, ProjectError for a broken one.
    """
    folders = dict.fromkeys(path.resolve() for path in (sources or _folders(config)))
    found = [_configured(config, read.read(folder)) for folder in folders]
    by_name: dict[str, Distribution] = {}
    for item in found:
        if item.key in by_name:
            places = " and ".join(_shown(config, one.source) for one in (by_name[item.key], item))
            problem = f'{places} are both named "{item.name}"'
            raise ConfigError(
                config.label, [problem], hint="rename one of them, or leave one out of distributions"
            )
        by_name[item.key] = item
    if not sources:
        _require_known(config, by_name)
    return Family(root=config.root, distributions=_ordered(config, by_name))


def named_members(family: Family, sources: Sequence[Path]) -> tuple[str, ...] | None:
    """Give the members that are named, by name or by folder; None where some source is another project, or the whole.

    Raises ProjectError for what is neither a member nor a file or folder.
    """
    by_folder = {item.source.resolve(): item.key for item in family.distributions}
    found = [by_folder.get(path.resolve()) or _by_name(family, path) for path in sources]
    whole = any(path.resolve() == family.root.resolve() for path in sources)
    return None if whole else tuple(key for key in found if key) if all(found) else None


def _by_name(family: Family, path: Path) -> str:
    key = normalise(str(path))
    if key in family.members and not (path / "pyproject.toml").is_file():
        return key
    if not path.exists():
        near = Problems.nearest(key, family.members)
        raise ProjectError(
            f"{path} does not exist, and no distribution of the family has that name{near}",
            hint=f"give a project folder or an sdist (.tar.gz), or a distribution's name: {', '.join(family.members)}",
        )
    return ""


def _require_known(config: Config, family: Mapping[str, Distribution]) -> None:
    """Refuse settings of a distribution that the family does not have: a misspelled name would promise nothing, silently."""
    unknown = [name for name in config.distribution if name not in family]
    if unknown:
        problems = [
            f"distribution.{name}: the family has no such distribution{Problems.did_you_mean(name, family)}"
            for name in unknown
        ]
        raise ConfigError(config.label, problems)


def _elsewhere(root: Path) -> str:
    below = [path.relative_to(root).as_posix() for path in read.projects_below(root)]
    if below:
        return f"projects lie in {', '.join(below)}; to name them to wheelkit:  wheelkit init"
    return "run wheelkit in the project's folder, or name the folder or sdist: wheelkit build path/to/project"


def _folders(config: Config) -> Iterable[Path]:
    for pattern in config.distributions:
        matches = [config.root] if pattern == "." else sorted(config.root.glob(pattern))
        projects = [
            path for path in matches if (path / "pyproject.toml").is_file() or (path / "setup.py").is_file()
        ]
        if not projects and pattern == ".":
            raise ProjectError(
                f"{config.root} has no pyproject.toml, so there is nothing to build",
                hint=_elsewhere(config.root),
            )
        if not projects:
            problem = f'distributions: "{pattern}" matches no folder with a pyproject.toml'
            raise ConfigError(config.label, [problem], hint=f"patterns are relative to {config.root}")
        yield from projects


def _configured(config: Config, item: Distribution) -> Distribution:
    settings = config.distribution.get(item.key)
    if settings is None or settings.kind is None:
        return item
    return replace(item, kind=Kind(settings.kind))


def _needs(item: Distribution, family: Mapping[str, Distribution]) -> tuple[str, ...]:
    """Name the members that a distribution cannot do without, at run time or to be built."""
    return named_in((*item.dependencies, *item.build_requires), item, family)


def named_in(
    requirements: Iterable[str], item: Distribution, family: Mapping[str, Distribution]
) -> tuple[str, ...]:
    """Name the other members of the family that the requirements speak of, each once."""
    names = (normalise(match[1]) for text in requirements if (match := _REQUIREMENT_NAME.match(text)))
    return tuple(dict.fromkeys(name for name in names if name in family and name != item.key))


def _ordered(config: Config, family: Mapping[str, Distribution]) -> tuple[Distribution, ...]:
    graph = {name: set(_needs(item, family)) for name, item in family.items()}
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        raise _circle(config, family, tuple(reversed(error.args[1]))) from error
    _add_extras(graph, family)
    return tuple(family[name] for name in TopologicalSorter(graph).static_order())


def _circle(config: Config, family: Mapping[str, Distribution], names: Sequence[str]) -> ConfigError:
    """Spell a circle out, with the requirement and the folder behind each arrow."""
    lines = [f"the distributions depend on each other in a circle: {' -> '.join(names)}"]
    for one, other in pairwise(names):
        item = family[one]
        wanted = {"to run": item.dependencies, "to be built": item.build_requires}
        why, text = next(
            (why, text)
            for why, texts in wanted.items()
            for text in texts
            if named_in((text,), item, {other: family[other]})
        )
        lines.append(f'  {one} needs "{text}" {why}   ({_shown(config, item.source)})')
    return ConfigError(
        config.label, ["\n".join(lines)], hint="take one of these requirements out, or make it an extra"
    )


def _shown(config: Config, path: Path) -> str:
    """Name a folder relative to the project; the project's own by its whole path."""
    inside = path != config.root and path.is_relative_to(config.root)
    return path.relative_to(config.root).as_posix() if inside else str(path)


def _add_extras(graph: dict[str, set[str]], family: Mapping[str, Distribution]) -> None:
    """Let what an extra brings come first as well, unless it needs its owner: ``core[cli]`` brings a cli that is built on the core."""
    for name, item in family.items():
        for sibling in named_in((text for texts in item.extras.values() for text in texts), item, family):
            if name not in _reachable(graph, sibling):
                graph[name].add(sibling)


def _reachable(graph: Mapping[str, set[str]], start: str) -> set[str]:
    found, waiting = {start}, [start]
    while waiting:
        news = graph[waiting.pop()] - found
        found |= news
        waiting += news
    return found
