"""What the project's own repair commands exclude and do, for the exclude list that takes their place."""

from __future__ import annotations

import shlex
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from wheelkit.config import normalise
from wheelkit.config.exclude import shipped_providers, system_library
from wheelkit.matrix import DESKTOP
from wheelkit.plan.options import variable
from wheelkit.project.requirements import requirement_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from wheelkit.project.ci import Run
    from wheelkit.project.read import Distribution


_OPTION = "repair-wheel-command"
_EXCLUDES = ("--exclude", "-e")
# The programs that wheelkit itself repairs with, and what their options of no consequence are.
_TOOLS = frozenset({"auditwheel", "delocate-wheel", "delvewheel"})
_PLAIN = frozenset({"repair", "-v", "-vv", "--verbose", "{wheel}", "{dest_dir}", "{delocate_archs}"})
_WITH_VALUE = frozenset({"-w", "--wheel-dir", "--plat", "--require-archs", *_EXCLUDES})
_NAMELESS = "excluded"


class RepairCommands(Struct, frozen=True, kw_only=True):
    """The exclude list by provider, and sentences about what else the commands do."""

    exclude: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...] = ()


def read_repair(project: Distribution, runs: Sequence[Run]) -> RepairCommands:
    """Read the repair commands of ``[tool.cibuildwheel]`` and of the workflows."""
    patterns: dict[str, None] = {}
    notes: dict[str, None] = {}
    for where, command in dict.fromkeys(_commands(project.cibuildwheel, runs)):
        excluded, others = _read(command)
        patterns |= dict.fromkeys(excluded)
        if others:
            notes[f"{where} is replaced by wheelkit's repair, without {others}"] = None
    kept = [pattern for pattern in patterns if system_library(pattern) is None]
    notes |= {
        f"--exclude {pattern} of a repair command is left out: the pattern {problem}": None
        for pattern in patterns
        if (problem := system_library(pattern)) is not None
    }
    exclude: dict[str, tuple[str, ...]] = {}
    for pattern in kept:
        name = _provider(pattern, project)
        exclude[name] = (*exclude.get(name, ()), pattern)
    if _NAMELESS in exclude:
        notes[
            f"exclude.{_NAMELESS}: rename it to the distribution that brings {', '.join(exclude[_NAMELESS])}"
        ] = None
    return RepairCommands(exclude=exclude, notes=tuple(notes))


def _commands(table: Mapping[str, Any], runs: Sequence[Run]) -> Iterator[tuple[str, str]]:
    """Yield each repair command with the place where it is set."""
    systems = (("", table), *((f".{system}", table.get(system.value)) for system in DESKTOP))
    for name, own in systems:
        if isinstance(own, dict) and _OPTION in own:
            yield f"{_OPTION} of [tool.cibuildwheel{name}]", _text(own[_OPTION])
    overrides = table.get("overrides")
    for row in overrides if isinstance(overrides, list) else ():
        if isinstance(row, dict) and _OPTION in row:
            yield f"{_OPTION} of an override for {_text(row.get('select', ''))}", _text(row[_OPTION])
    for run in runs:
        for name, value in run.environ.items():
            if name.startswith(variable(_OPTION)):
                yield f"{name} of {run.workflow}", value


def _text(value: object) -> str:
    return " && ".join(map(str, value)) if isinstance(value, list) else str(value)


def _read(command: str) -> tuple[list[str], str]:
    """Return what a command excludes, and what it does besides a plain repair (empty: nothing)."""
    try:
        words = shlex.split(command.replace("\\", "/"))
    except ValueError:
        return [], command
    if not words:
        return [], "the choice not to repair at all"
    excluded: list[str] = []
    others: list[str] = []
    rest = iter(words)
    for word in rest:
        name, given, value = word.partition("=")
        if name in _WITH_VALUE:
            value = value if given else next(rest, "")
            if name in _EXCLUDES:
                excluded += [part for part in value.split(";") if part]
        elif word not in _PLAIN and word.rpartition("/")[2] not in _TOOLS:
            others.append(word)
    return excluded, shlex.join(others)


def _provider(pattern: str, project: Distribution) -> str:
    """Return the name of the distribution that probably brings a library."""
    for name, provider in shipped_providers().items():
        if any(fnmatchcase(pattern, known) or pattern == known for known in provider.patterns):
            return name
    bare = normalise(pattern).replace("-", "")
    names = (requirement_name(text) for text in (*project.dependencies, *project.build_requires))
    return next((name for name in names if name and name.replace("-", "") in bare), _NAMELESS)
