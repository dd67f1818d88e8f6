"""Which environments a smoke test makes: each distribution alone, the family as a whole, and the tools, on every interpreter."""

from __future__ import annotations

import re
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from wheelkit.config import normalise
from wheelkit.matrix import admits_python
from wheelkit.smoke.model import FAMILY, Case, InstallMode
from wheelkit.smoke.wheels import choose

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from wheelkit.machine.interpreters import Python
    from wheelkit.matrix import Interpreter, Target
    from wheelkit.smoke.model import Package


_OF_EXTRA = re.compile(r'extra == "(?P<extra>[^"]+)"')


class Contents(Struct, frozen=True, kw_only=True):
    """What is tested: the packages of the dist, the names of the whole family, this machine, and the configured commands by name."""

    packages: tuple[Package, ...]
    family: frozenset[str]
    target: Target
    commands: Mapping[str, Sequence[str]] = field(default_factory=dict)


def smoke_cases(contents: Contents, pythons: Iterable[Python]) -> tuple[Case, ...]:
    """Plan every case, in the order in which the distributions depend on each other."""
    return tuple(case for python in pythons for case in _on(contents, python))


def order(packages: Iterable[Package]) -> tuple[str, ...]:
    """Order the distributions, each after what it requires; a circle is left in the order of the names."""
    by_name = {one.key: one for one in sorted(packages, key=lambda one: one.key)}
    graph = {
        key: sorted({normalise(need.name) for need in one.requires} & by_name.keys() - {key})
        for key, one in by_name.items()
    }
    try:
        return tuple(TopologicalSorter(graph).static_order())
    except CycleError:
        return tuple(by_name)


def _on(contents: Contents, python: Python) -> Iterator[Case]:
    interpreter = python.interpreter
    chosen = choose(contents.packages, contents.target, interpreter)
    offered = {
        one.key: one for one in contents.packages if admits_python(one.requires_python or None, interpreter)
    }
    names = [name for name in order(contents.packages) if name in offered]
    for name in names:
        yield _alone(contents, python, chosen, offered[name])
    if len(names) > 1 and all(name in chosen for name in names):
        yield _together(contents, python, chosen, names)
    for name in names:
        if name in chosen and chosen[name].scripts:
            yield replace(_alone(contents, python, chosen, chosen[name]), how=InstallMode.TOOL, commands=())


def _alone(contents: Contents, python: Python, chosen: Mapping[str, Package], package: Package) -> Case:
    key, interpreter = package.key, python.interpreter
    needed, missing = _closure(contents, chosen, {key: ()}, interpreter)
    if key not in chosen:
        missing = f"no wheel of {package.name} here fits {interpreter} on {contents.target}"
    return Case(
        label=key,
        how=InstallMode.ENVIRONMENT,
        interpreter=interpreter,
        python=python,
        wanted=(package.name,),
        packages=chosen,
        needed=needed,
        checked=(key,),
        commands=tuple(contents.commands.get(key, ())),
        missing=missing,
    )


def _together(
    contents: Contents, python: Python, chosen: Mapping[str, Package], names: Sequence[str]
) -> Case:
    """Install all with their extras: all of a meta distribution, and those of others that bring siblings."""
    extras = {name: _extras(contents, chosen[name]) for name in names}
    needed, missing = _closure(contents, chosen, extras, python.interpreter)
    return Case(
        label=FAMILY,
        how=InstallMode.ENVIRONMENT,
        interpreter=python.interpreter,
        python=python,
        wanted=tuple(
            f"{chosen[name].name}[{','.join(extras[name])}]" if extras[name] else chosen[name].name
            for name in names
        ),
        packages=chosen,
        needed=needed,
        checked=tuple(names),
        commands=tuple(
            dict.fromkeys(command for name in names for command in contents.commands.get(name, ()))
        ),
        missing=missing,
    )


def _extras(contents: Contents, package: Package) -> tuple[str, ...]:
    if package.meta:
        return package.extras
    markers = [need.marker for need in package.requires if normalise(need.name) in contents.family]
    return tuple(
        extra for extra in package.extras if any(f'extra == "{extra}"' in marker for marker in markers)
    )


def _closure(
    contents: Contents,
    chosen: Mapping[str, Package],
    asked: Mapping[str, Sequence[str]],
    interpreter: Interpreter,
) -> tuple[dict[str, tuple[str, ...]], str]:
    """Follow the requirements inside the family: which members are needed, with which extras, and what is missing in the dist.

    A sibling that is missing is never taken from an index.
    """
    waiting, found, missing = (
        [(name, extra) for name, extras in asked.items() for extra in ("", *extras)],
        set[tuple[str, str]](),
        "",
    )
    while waiting:
        name, extra = waiting.pop()
        if (name, extra) in found or name not in chosen:
            continue
        found.add((name, extra))
        for need in chosen[name].requires:
            sibling = normalise(need.name)
            if sibling in contents.family and _applies(need.marker, extra, interpreter):
                if sibling not in chosen and not missing:
                    missing = f"{chosen[name].name} needs {need.name}, of the same family, and no wheel of it here fits {interpreter}"
                waiting += [(sibling, more) for more in ("", *need.extras)]
    return {
        name: tuple(sorted(extra for one, extra in found if one == name and extra))
        for name, _ in sorted(found)
    }, missing


def _applies(marker: str, extra: str, interpreter: Interpreter) -> bool:
    if not marker:
        return True
    if match := _OF_EXTRA.fullmatch(marker):
        return match["extra"] == normalise(extra)

    from packaging.markers import Marker

    number = f"{interpreter.version[0]}.{interpreter.version[1]}"
    return Marker(marker).evaluate(
        {"python_version": number, "python_full_version": f"{number}.0", "extra": extra}
    )
