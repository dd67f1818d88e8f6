"""Plans the cases of a smoke test: each distribution alone, the family, and the tools, by interpreter."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from wheelkit.config import normalise
from wheelkit.fast_packaging import marker_holds
from wheelkit.matrix import admits_python
from wheelkit.smoke.model import Case, InstallMode, with_extras
from wheelkit.smoke.wheels import choose_wheels
from wheelkit.text import dotted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from packaging.requirements import Requirement

    from wheelkit.machine.interpreters import Python
    from wheelkit.matrix import Target
    from wheelkit.smoke.model import Package, ProjectTests


class SmokeInputs(Struct, frozen=True, kw_only=True):
    """What is tested: the wheels, the keys of all members, and the commands by key.

    ``target`` is this machine's or that of an interpreter of another platform, whose ``markers`` are given.
    ``siblings`` are wheels of other members, which are installed where they are needed. ``tests`` are the
    members' own tests by key and interpreter.
    """

    packages: tuple[Package, ...]
    family: frozenset[str]
    target: Target
    commands: Mapping[str, Sequence[str]] = field(default_factory=dict)
    markers: Mapping[str, str] = field(default_factory=dict)
    siblings: tuple[Package, ...] = ()
    tests: Mapping[tuple[str, str], ProjectTests] = field(default_factory=dict)


def plan_cases(inputs: SmokeInputs, pythons: Iterable[Python]) -> tuple[Case, ...]:
    """Plan every case, by interpreter; distributions come after those that they depend on."""
    return tuple(case for python in pythons for case in _Planner(inputs, python).cases())


def dependency_order(packages: Iterable[Package]) -> tuple[str, ...]:
    """Return the distributions' keys, each after those that it requires; by name if there is a cycle."""
    by_key = {package.key: package for package in sorted(packages, key=lambda package: package.key)}
    graph = {
        key: sorted({normalise(requirement.name) for requirement in package.requires} & by_key.keys() - {key})
        for key, package in by_key.items()
    }
    try:
        return tuple(TopologicalSorter(graph).static_order())
    except CycleError:
        return tuple(by_key)


class _Planner:
    """Plans the cases of one interpreter; ``packages`` are the wheels that fit it, by key."""

    def __init__(self, inputs: SmokeInputs, python: Python) -> None:
        self.inputs = inputs
        self.python = python
        everything = (*inputs.packages, *inputs.siblings)
        self.packages = choose_wheels(everything, inputs.target, python.interpreter)

    def cases(self) -> Iterator[Case]:
        admitted = {
            package.key: package
            for package in self.inputs.packages
            if admits_python(package.requires_python or None, self.python.interpreter)
        }
        keys = [key for key in dependency_order(self.inputs.packages) if key in admitted]
        for key in keys:
            yield self._case(key, {key: ()}, admitted)
        if len(keys) > 1 and all(key in self.packages for key in keys):
            yield self._case(None, {key: self._extras(self.packages[key]) for key in keys}, self.packages)
        for key in keys:
            if key in self.packages and self.packages[key].scripts:
                yield self._case(key, {key: ()}, self.packages, InstallMode.TOOL)
        for key in keys:
            tests = self.inputs.tests.get((key, self.python.interpreter.tag))
            if tests is not None and key in self.packages:
                asked = tuple(filter(None, tests.tests.extras.strip("[]").split(",")))
                case = self._case(key, {key: asked}, self.packages, InstallMode.TESTS)
                yield replace(case, tests=tests)

    def _case(
        self,
        distribution: str | None,
        extras: Mapping[str, tuple[str, ...]],
        packages: Mapping[str, Package],
        mode: InstallMode = InstallMode.ENVIRONMENT,
    ) -> Case:
        """Plan a case that installs and checks the keys of ``extras`` with their extras."""
        needed, problem, missing = self._closure(extras)
        for key in extras.keys() - self.packages.keys():
            python, target = self.python.interpreter, self.inputs.target
            problem, missing = f"no wheel of {packages[key].name} here fits {python} on {target}", ""
        commands = (command for key in extras for command in self.inputs.commands.get(key, ()))
        return Case(
            distribution=distribution,
            mode=mode,
            python=self.python,
            requirements=tuple(with_extras(packages[key].name, extras[key]) for key in extras),
            packages=self.packages,
            needed=needed,
            checked=tuple(extras),
            commands=tuple(dict.fromkeys(commands)) if mode is InstallMode.ENVIRONMENT else (),
            problem=problem,
            missing=missing,
        )

    def _extras(self, package: Package) -> tuple[str, ...]:
        """Return all extras of a meta distribution, else those that bring in siblings."""
        if package.is_meta:
            return package.extras
        markers = [
            str(need.marker) for need in package.requires if normalise(need.name) in self.inputs.family
        ]
        return tuple(
            extra for extra in package.extras if any(f'extra == "{extra}"' in marker for marker in markers)
        )

    def _closure(self, roots: Mapping[str, Sequence[str]]) -> tuple[dict[str, tuple[str, ...]], str, str]:
        """Follow requirements inside the family, from ``roots`` (keys and extras).

        Returns the members that are needed, with their extras, and the problem if one of them is neither in
        the dist nor among the siblings, with its key: installers never look for it on an index.
        """
        interpreter = self.python.interpreter
        waiting = [(key, extra) for key, extras in roots.items() for extra in ("", *extras)]
        visited: set[tuple[str, str]] = set()
        problem = missing = ""
        while waiting:
            key, extra = waiting.pop()
            if (key, extra) in visited or key not in self.packages:
                continue
            visited.add((key, extra))
            for requirement in self.packages[key].requires:
                sibling = normalise(requirement.name)
                if sibling not in self.inputs.family or not self._applies(requirement, extra):
                    continue
                if sibling not in self.packages and not problem:
                    missing = sibling
                    problem = (
                        f"{self.packages[key].name} requires {requirement.name}, a member of the family, "
                        f"and no wheel of it here fits {interpreter}"
                    )
                waiting += [(sibling, asked) for asked in ("", *sorted(requirement.extras))]
        needed = {
            key: tuple(sorted(extra for member, extra in visited if member == key and extra))
            for key, _ in sorted(visited)
        }
        return needed, problem, missing

    def _applies(self, requirement: Requirement, extra: str) -> bool:
        """Return whether a requirement applies on the interpreter with the given extra."""
        version = dotted(self.python.interpreter.version)
        here = {"python_version": version, "python_full_version": f"{version}.0"}
        return marker_holds(requirement, {**(self.inputs.markers or here), "extra": extra})
