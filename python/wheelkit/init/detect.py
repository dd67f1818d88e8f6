"""What a project says of its systems and Pythons in its metadata, where nothing says what it builds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheelkit.matrix import COMMON_TARGETS, Interpreter, System, Target, default_interpreters

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wheelkit.project.read import Distribution


_PYTHON_CLASSIFIER = re.compile(r"Programming Language :: Python :: 3\.(\d+)")
_SYSTEM_NAMES = {"linux": "Linux", "macos": "macOS", "windows": "Windows"}
# The classifiers that name a system; POSIX and Unix alone name both that are.
_SYSTEM_CLASSIFIERS: Mapping[str, re.Pattern[str]] = {
    "linux": re.compile(r"Operating System :: (OS Independent|Unix|POSIX( :: Linux)?)"),
    "macos": re.compile(r"Operating System :: (OS Independent|Unix|POSIX|MacOS( ::.*)?)"),
    "windows": re.compile(r"Operating System :: (OS Independent|Microsoft( ::.*)?)"),
}
# Values of archs that depend on the machine.
_MACHINE_ARCHS = frozenset({"auto", "auto64", "auto32", "native"})


def targets(project: Distribution, classifiers: Sequence[str]) -> tuple[Target, ...]:
    """Return the common targets of the systems that the classifiers name."""
    named = systems(project, classifiers)
    return tuple(target for target in map(Target.parse, COMMON_TARGETS) if target.system.value in named)


def skipped_systems(project: Distribution, classifiers: Sequence[str]) -> tuple[str, ...]:
    """Name the systems that get no targets because the classifiers name only others."""
    named = systems(project, classifiers)
    return tuple(name for system, name in _SYSTEM_NAMES.items() if system not in named)


def systems(project: Distribution, classifiers: Sequence[str]) -> Sequence[str]:
    """Return the systems that classifiers or tables of cibuildwheel name; all, if no classifier names one."""
    patterns = _SYSTEM_CLASSIFIERS.items()
    named = {system for system, pattern in patterns if any(map(pattern.fullmatch, classifiers))}
    return [
        system for system in _SYSTEM_NAMES if not named or system in named or system in project.cibuildwheel
    ]


def states_archs(project: Distribution, system: System) -> bool:
    """Return whether ``[tool.cibuildwheel]`` names the architectures of a system, whatever the machine is."""
    own = project.cibuildwheel.get(system.value)
    value = own.get("archs") if isinstance(own, dict) else None
    value = value or project.cibuildwheel.get("archs") or ()
    words = value.split() if isinstance(value, str) else map(str, value)
    return bool(value) and _MACHINE_ARCHS.isdisjoint(words)


def interpreters(project: Distribution, classifiers: Sequence[str]) -> tuple[Interpreter, ...]:
    """Return the CPythons that requires-python allows and the classifiers name."""
    allowed = default_interpreters(project.requires_python)
    named = {int(match[1]) for text in classifiers if (match := _PYTHON_CLASSIFIER.fullmatch(text))}
    return tuple(interpreter for interpreter in allowed if interpreter.version[1] in named) or allowed
