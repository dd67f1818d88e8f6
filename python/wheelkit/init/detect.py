"""What an existing project already promises: from its classifiers, requires-python, and its settings for cibuildwheel."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from wheelkit.matrix import COMMON_TARGETS, Interpreter, Target, build_identifier, default_interpreters
from wheelkit.plan import cibuildwheel
from wheelkit.plan.options import selects

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from wheelkit.project.read import Distribution


_CLASSIFIER = re.compile(r"Programming Language :: Python :: 3\.(\d+)")
# The architectures of COMMON_TARGETS by system, as [tool.cibuildwheel.SYSTEM] archs spells them, and the targets for each.
_TARGETS: Mapping[str, Mapping[str, str]] = {
    "linux": {
        **{arch: f"manylinux_2_28_{arch}" for arch in ("x86_64", "aarch64", "ppc64le", "s390x")},
        "i686": "manylinux_2_17_i686",
        "armv7l": "manylinux_2_31_armv7l",
    },
    "macos": {
        "x86_64": "macosx_10_13_x86_64",
        "arm64": "macosx_11_0_arm64",
        "universal2": "macosx_10_13_universal2",
    },
    "windows": {"AMD64": "win_amd64", "x86": "win32", "ARM64": "win_arm64"},
}
# By which classifiers a project names a system; POSIX and Unix alone stand for both that are.
_SYSTEMS: Mapping[str, re.Pattern[str]] = {
    "linux": re.compile(r"Operating System :: (OS Independent|Unix|POSIX( :: Linux)?)"),
    "macos": re.compile(r"Operating System :: (OS Independent|Unix|POSIX|MacOS( ::.*)?)"),
    "windows": re.compile(r"Operating System :: (OS Independent|Microsoft( ::.*)?)"),
}
_FREE_THREADED = ("cp313t", "cp314t", "cp315t")
# Backends that build for the stable ABI only where pyproject.toml says so; for the others setup.py or Cargo.toml may decide.
_OUTSPOKEN = frozenset({"mesonpy", "scikit_build_core.build"})
_VAGUE = frozenset({"auto", "auto64", "auto32", "native", "all"})


def targets(project: Distribution, classifiers: Iterable[str]) -> tuple[Target, ...]:
    """Guess the targets: the common ones of the systems that the classifiers name, or the architectures that cibuildwheel is told.

    What cibuildwheel's selectors leave out is left out.
    """
    common = tuple(map(Target.parse, COMMON_TARGETS))
    systems = _systems(project, tuple(classifiers))
    told = [
        target for one in systems for target in _of_system(project.cibuildwheel, one, _TARGETS[one], common)
    ]
    musl = (
        [one for one in map(_musl, told) if one is not None]
        if "musllinux" in " ".join(_words(project.cibuildwheel, "build"))
        else []
    )
    interpreters = default_interpreters(None)
    return tuple(
        one
        for one in (*told, *musl)
        if any(_selected(project.cibuildwheel, build_identifier(each, one)) for each in interpreters)
    )


def skipped_targets(project: Distribution, classifiers: Sequence[str]) -> tuple[str, ...]:
    """Name the systems that are guessed away because the classifiers name others only."""
    names = {"linux": "Linux", "macos": "macOS", "windows": "Windows"}
    return tuple(names[system] for system in _TARGETS if system not in _systems(project, classifiers))


def _systems(project: Distribution, classifiers: Sequence[str]) -> Sequence[str]:
    """List the systems that classifiers name or that cibuildwheel has a table for; all of them where no classifier names one."""
    named = {
        system for system, pattern in _SYSTEMS.items() for text in classifiers if pattern.fullmatch(text)
    }
    return [system for system in _TARGETS if not named or system in named or system in project.cibuildwheel]


def _of_system(
    table: Mapping[str, Any], system: str, known: Mapping[str, str], common: Sequence[Target]
) -> Iterable[Target]:
    own = table.get(system)
    archs = _words(own if isinstance(own, dict) else {}, "archs") or _words(table, "archs")
    named = [arch for arch in archs if arch in known]
    if not named or _VAGUE.intersection(archs):
        return [target for target in common if target.system.value == system]
    return [_with_image(Target.parse(known[arch]), table, own) for arch in named]


def _with_image(target: Target, table: Mapping[str, Any], own: object) -> Target:
    """Take the glibc of the image that cibuildwheel is told to use, where it is one of pypa's names."""
    key = f"manylinux-{target.arch}-image"
    name = (own.get(key) if isinstance(own, dict) else None) or table.get(key)
    try:
        return Target.parse(f"{name}_{target.arch}") if target.libc and isinstance(name, str) else target
    except ValueError:
        return target


def _musl(target: Target) -> Target | None:
    return (
        Target.parse(f"musllinux_1_2_{target.arch}")
        if target.libc == "manylinux" and target.arch in {"x86_64", "aarch64"}
        else None
    )


def interpreters(
    project: Distribution, classifiers: Iterable[str], promised: Sequence[Target]
) -> tuple[Interpreter, ...]:
    """Guess the interpreters: those that requires-python admits and the classifiers name, which every target builds."""
    admitted = default_interpreters(project.requires_python)
    named = {int(match[1]) for text in classifiers if (match := _CLASSIFIER.fullmatch(text))}
    wanted = tuple(one for one in admitted if not named or one.version[1] in named) or admitted
    words = " ".join(_words(project.cibuildwheel, "build"))
    threaded = tuple(Interpreter.parse(tag) for tag in _FREE_THREADED if tag in words)
    built = _built_everywhere(project, (*wanted, *threaded), promised)
    floors = [one for one in built if not one.free_threaded]
    # One wheel of the stable ABI serves every later interpreter; of a single build it is taken for granted where nothing denies it.
    if project.limited_api or (len(floors) == 1 and project.backend not in _OUTSPOKEN):
        built = (
            *(one for one in wanted if floors and one.version >= floors[0].version),
            *(one for one in built if one.free_threaded),
        )
        for target in promised:
            built, _ = cibuildwheel.supported(built, target)
    return tuple(sorted(built, key=lambda one: (one.version, one.free_threaded)))


def _built_everywhere(
    project: Distribution, wanted: tuple[Interpreter, ...], promised: Sequence[Target]
) -> tuple[Interpreter, ...]:
    for target in promised:
        selected = tuple(
            one for one in wanted if _selected(project.cibuildwheel, build_identifier(one, target))
        )
        wanted, _ = cibuildwheel.supported(selected, target)
    return wanted


def _selected(table: Mapping[str, Any], identifier: str) -> bool:
    """Tell whether cibuildwheel's selectors build an identifier (its documentation, "build, skip")."""
    build = _words(table, "build") or ["*"]
    skip = _words(table, "skip")
    return any(selects(one, identifier) for one in build) and not any(
        selects(one, identifier) for one in skip
    )


def _words(table: Mapping[str, Any], key: str) -> list[str]:
    value = table.get(key)
    return (
        value.split()
        if isinstance(value, str)
        else [str(one) for one in value]
        if isinstance(value, list)
        else []
    )
