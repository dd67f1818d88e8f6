"""Plans what of a dist folder is tried under emulators: the wheels that this machine cannot run itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from wheelkit.config import normalise
from wheelkit.machine.emulators import emulator_for, why_not
from wheelkit.machine.foreign_interpreters import find_foreign_pythons
from wheelkit.matrix import Target
from wheelkit.smoke.model import Case, InstallMode, NotRun
from wheelkit.smoke.plan import plan_cases
from wheelkit.wheel.names import parse_file_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wheelkit.machine.emulators import Emulator
    from wheelkit.machine.foreign_interpreters import ForeignPythons
    from wheelkit.machine.interpreters import Python
    from wheelkit.matrix import Interpreter
    from wheelkit.smoke.model import Package
    from wheelkit.smoke.plan import SmokeInputs


_ELSEWHERE = "they are for other platforms"


class Emulation(Struct, frozen=True, kw_only=True):
    """The cases that emulators run, and the wheels that none of them installs, with the reason."""

    cases: tuple[Case, ...] = ()
    not_run: tuple[NotRun, ...] = ()


def foreign_packages(packages: Sequence[Package], own: Target) -> tuple[Package, ...]:
    """Return the wheels that no interpreter of this machine's own platform installs."""
    return tuple(package for package in packages if not package.is_pure and not _runs_on(package, own))


def installable(packages: Sequence[Package], own: Target) -> tuple[Package, ...]:
    """Return the wheels of the distributions that have one for this machine, as have all that they need."""
    needs = {package.key: {normalise(need.name) for need in package.requires} for package in packages}
    keys = {package.key for package in packages if _runs_on(package, own)}
    absent = needs.keys() - keys
    while dependent := {key for key in keys if needs[key] & absent}:
        keys -= dependent
        absent |= dependent
    return tuple(package for package in packages if package.key in keys)


def not_asked_for(packages: Sequence[Package], own: Target) -> tuple[NotRun, ...]:
    """Return the wheels for other platforms than this machine's, where emulators were not asked for."""
    return tuple(
        NotRun(file=package.path.name, what=_ELSEWHERE, fix="wheelkit smoke @DIST@ --emulate")
        for package in foreign_packages(packages, own)
    )


def plan_emulation(inputs: SmokeInputs, interpreters: Sequence[Interpreter]) -> Emulation:
    """Find the interpreters that the wheels for other platforms need, and plan their cases.

    ``inputs`` are those of this machine, ``interpreters`` the promised ones.
    """
    foreign = foreign_packages(inputs.packages, inputs.target)
    targets = {package.path.name: tuple(_targets(package)) for package in foreign}
    emulators = {name: tuple(filter(None, map(emulator_for, fitting))) for name, fitting in targets.items()}
    needed = dict.fromkeys(emulator for found in emulators.values() for emulator in found)
    found = find_foreign_pythons(needed, interpreters)
    cases = tuple(case for python in found.pythons for case in _cases(inputs, python))
    tried = {package.path.name for case in cases for package in _installed(case)}
    return Emulation(
        cases=cases,
        not_run=tuple(
            _not_run(package, targets[package.path.name], emulators[package.path.name], found)
            for package in foreign
            if package.path.name not in tried
        ),
    )


def _cases(inputs: SmokeInputs, python: Python) -> Iterator[Case]:
    """Plan the cases of one interpreter: each distribution with a wheel for its platform, and the family."""
    runtime = python.runtime
    if runtime is None:
        return
    there = replace(inputs, target=runtime.target, markers=runtime.markers)
    for case in plan_cases(there, [python]):
        native = [package for package in _installed(case) if not package.is_pure]
        # The scripts of tools run in the distribution's environment.
        if native and case.mode is InstallMode.ENVIRONMENT:
            yield case


def _installed(case: Case) -> Iterator[Package]:
    """Return the wheels that a case is about."""
    return (case.packages[key] for key in case.checked if key in case.packages)


def _not_run(
    package: Package, targets: Sequence[Target], emulators: Sequence[Emulator], found: ForeignPythons
) -> NotRun:
    file = package.path.name
    for emulator in emulators:
        if absence := found.absent.get(emulator):
            return NotRun(file=file, what=absence.what, fix=absence.fix, missing=True)
    if emulators:
        there = ", ".join(str(python.interpreter) for python in found.pythons if python.runtime) or "none"
        what = f"no interpreter that it fits is installed for {emulators[0].platform} ({there})"
        return NotRun(file=file, what=what, missing=True)
    what = why_not(targets[0]) if targets else "its platform is not known"
    return NotRun(file=file, what=what)


def _runs_on(package: Package, own: Target) -> bool:
    return any(
        tag.platform == "any" or own.admits(tag.platform) for tag in parse_file_name(package.path.name).tags
    )


def _targets(package: Package) -> Iterator[Target]:
    """Return the targets of a wheel's platform tags, each processor once."""
    seen = set()
    for tag in parse_file_name(package.path.name).platforms:
        try:
            target = Target.parse(tag)
        except ValueError:
            continue
        if (target.system, target.libc, target.arch) not in seen:
            seen.add((target.system, target.libc, target.arch))
            yield target
