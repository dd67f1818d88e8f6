"""Which environments a smoke test makes: each distribution alone, the family as a whole, and the tools, on every interpreter."""

from __future__ import annotations

from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from wheelkit.matrix import admits_python
from wheelkit.smoke.model import Case, How
from wheelkit.smoke.packages import choose

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from wheelkit.machine import Python
    from wheelkit.matrix import Interpreter, Target
    from wheelkit.smoke.model import Package

FAMILY = "the family"


@dataclass(frozen=True, kw_only=True, slots=True)
class Contents:
    """What is tested: the packages of the dist, the names of the whole family, this machine, and the configured commands by name."""

    packages: tuple[Package, ...]
    family: frozenset[str]
    target: Target
    commands: Mapping[str, Sequence[str]] = field(default_factory=dict)


def cases(contents: Contents, pythons: Iterable[Python]) -> tuple[Case, ...]:
    """Plan every case, in the order in which the distributions depend on each other."""
    return tuple(case for python in pythons for case in _on(contents, python))


def order(packages: Iterable[Package]) -> tuple[str, ...]:
    """Order the distributions, each after what it requires; a circle is left in the order of the names."""
    by_name = {one.key: one for one in sorted(packages, key=lambda one: one.key)}
    graph = {key: sorted({_key(need.name) for need in one.requires} & by_name.keys() - {key}) for key, one in by_name.items()}
    try:
        return tuple(TopologicalSorter(graph).static_order())
    except CycleError:
        return tuple(by_name)


def _on(contents: Contents, python: Python) -> Iterator[Case]:
    interpreter = python.interpreter
    chosen = choose(contents.packages, contents.target, interpreter)
    offered = {one.key: one for one in contents.packages if admits_python(one.requires_python or None, interpreter)}
    names = [name for name in order(contents.packages) if name in offered]
    for name in names:
        yield _alone(contents, python, chosen, offered[name])
    if len(names) > 1 and all(name in chosen for name in names):
        yield _together(contents, python, chosen, names)
    for name in names:
        if name in chosen and chosen[name].scripts:
            missing = _missing(contents, chosen, name, (), interpreter)
            yield Case(
                label=name, how=How.TOOL, interpreter=interpreter, python=python, wanted=(chosen[name].name,),
                packages=chosen, checked=(name,), missing=missing,
            )  # fmt: skip


def _alone(contents: Contents, python: Python, chosen: Mapping[str, Package], package: Package) -> Case:
    key, interpreter = package.key, python.interpreter
    missing = "" if key in chosen else f"no wheel of {package.name} here fits {interpreter} on {contents.target}"
    return Case(
        label=key,
        how=How.ENVIRONMENT,
        interpreter=interpreter,
        python=python,
        wanted=(package.name,),
        packages=chosen,
        checked=(key,),
        commands=tuple(contents.commands.get(key, ())),
        missing=missing or _missing(contents, chosen, key, (), interpreter),
    )


def _together(contents: Contents, python: Python, chosen: Mapping[str, Package], names: Sequence[str]) -> Case:
    """Install all with their extras: all of a meta distribution, and those of others that bring siblings."""
    extras = {name: _extras(contents, chosen[name]) for name in names}
    wanted = tuple(f"{chosen[name].name}[{','.join(extras[name])}]" if extras[name] else chosen[name].name for name in names)
    missing = (_missing(contents, chosen, name, extras[name], python.interpreter) for name in names)
    return Case(
        label=FAMILY,
        how=How.ENVIRONMENT,
        interpreter=python.interpreter,
        python=python,
        wanted=wanted,
        packages=chosen,
        checked=tuple(names),
        commands=tuple(dict.fromkeys(command for name in names for command in contents.commands.get(name, ()))),
        missing=next(filter(None, missing), ""),
    )


def _extras(contents: Contents, package: Package) -> tuple[str, ...]:
    if package.meta:
        return package.extras
    siblings = [need for need in package.requires if need.marker and _key(need.name) in contents.family]
    return tuple(
        extra for extra in package.extras if any(need.marker and "extra" in str(need.marker) and extra in str(need.marker) for need in siblings)
    )


def _missing(contents: Contents, chosen: Mapping[str, Package], key: str, extras: Sequence[str], interpreter: Interpreter) -> str:
    """Name a sibling that the case needs and the dist does not hold: it is never taken from an index."""
    waiting, seen = [(key, tuple(extras))], set()
    while waiting:
        name, brought = waiting.pop()
        if (name, brought) in seen or name not in chosen:
            continue
        seen.add((name, brought))
        for need in chosen[name].requires:
            sibling = _key(need.name)
            if sibling not in contents.family or not _applies(need.marker, brought, interpreter):
                continue
            if sibling not in chosen:
                return f"{chosen[name].name} needs {need.name}, of the same family, and no wheel of it here fits {interpreter}"
            waiting.append((sibling, tuple(sorted(need.extras))))
    return ""


def _applies(marker: object, extras: Sequence[str], interpreter: Interpreter) -> bool:
    from packaging.markers import Marker

    if not isinstance(marker, Marker):
        return True
    number = f"{interpreter.version[0]}.{interpreter.version[1]}"
    known = {"python_version": number, "python_full_version": f"{number}.0"}
    return any(marker.evaluate({**known, "extra": extra}) for extra in (*extras, ""))


def _key(name: str) -> str:
    from wheelkit.config import normalise

    return normalise(name)
