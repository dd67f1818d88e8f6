"""What an existing project already supports: its classifiers, requires-python and cibuildwheel settings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from wheelkit.matrix import (
    COMMON_TARGETS,
    Interpreter,
    Target,
    admits_python,
    build_identifier,
    default_interpreters,
    offered_interpreters,
    selects,
)
from wheelkit.plan import cibuildwheel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from wheelkit.project.read import Distribution


_PYTHON_CLASSIFIER = re.compile(r"Programming Language :: Python :: 3\.(\d+)")
# The targets of each system by architecture, as [tool.cibuildwheel.SYSTEM] archs spells it.
_TARGETS: Mapping[str, Mapping[str, str]] = {
    "linux": {
        **{arch: f"manylinux_2_28_{arch}" for arch in ("x86_64", "aarch64", "ppc64le", "s390x")},
        "i686": "manylinux_2_17_i686",
        "armv7l": "manylinux_2_31_armv7l",
        "riscv64": "manylinux_2_39_riscv64",
    },
    "macos": {
        "x86_64": "macosx_10_13_x86_64",
        "arm64": "macosx_11_0_arm64",
        "universal2": "macosx_10_13_universal2",
    },
    "windows": {"AMD64": "win_amd64", "x86": "win32", "ARM64": "win_arm64"},
}
_SYSTEM_NAMES = {"linux": "Linux", "macos": "macOS", "windows": "Windows"}
# The classifiers that name a system; POSIX and Unix alone name both that are.
_SYSTEM_CLASSIFIERS: Mapping[str, re.Pattern[str]] = {
    "linux": re.compile(r"Operating System :: (OS Independent|Unix|POSIX( :: Linux)?)"),
    "macos": re.compile(r"Operating System :: (OS Independent|Unix|POSIX|MacOS( ::.*)?)"),
    "windows": re.compile(r"Operating System :: (OS Independent|Microsoft( ::.*)?)"),
}
_FREE_THREADED = ("cp313t", "cp314t", "cp315t")
# Values of archs that depend on the machine.
_MACHINE_ARCHS = frozenset({"auto", "auto64", "auto32", "native", "all"})
_MUSLLINUX_ARCHS = frozenset({"x86_64", "aarch64"})


def targets(project: Distribution, classifiers: Sequence[str]) -> tuple[Target, ...]:
    """Return the targets to support.

    They are the common ones of the systems that the classifiers name, or the architectures set for
    cibuildwheel, without those that cibuildwheel's selectors exclude.
    """
    settings = project.cibuildwheel
    systems = _systems(project, classifiers)
    candidates = [target for system in systems for target in _system_targets(settings, system)]
    if "musllinux" in " ".join(_words(settings, "build")):
        candidates += [
            Target.parse(f"musllinux_1_2_{target.arch}")
            for target in candidates
            if target.libc == "manylinux" and target.arch in _MUSLLINUX_ARCHS
        ]
    interpreters = default_interpreters(None)
    return tuple(
        target
        for target in candidates
        if any(_selected(settings, build_identifier(interpreter, target)) for interpreter in interpreters)
    )


def skipped_systems(project: Distribution, classifiers: Sequence[str]) -> tuple[str, ...]:
    """Name the systems that get no targets because the classifiers name only others."""
    systems = _systems(project, classifiers)
    return tuple(name for system, name in _SYSTEM_NAMES.items() if system not in systems)


def _systems(project: Distribution, classifiers: Sequence[str]) -> Sequence[str]:
    """Return the systems that classifiers or tables of cibuildwheel name; all, if no classifier names one."""
    patterns = _SYSTEM_CLASSIFIERS.items()
    named = {system for system, pattern in patterns if any(map(pattern.fullmatch, classifiers))}
    return [system for system in _TARGETS if not named or system in named or system in project.cibuildwheel]


def _system_targets(settings: Mapping[str, Any], system: str) -> Iterable[Target]:
    table = settings.get(system)
    own = table if isinstance(table, dict) else {}
    archs = _words(own, "archs") or _words(settings, "archs")
    known = [arch for arch in archs if arch in _TARGETS[system]]
    if not known or _MACHINE_ARCHS.intersection(archs):
        return (target for target in map(Target.parse, COMMON_TARGETS) if target.system.value == system)
    return (_with_image(Target.parse(_TARGETS[system][arch]), settings, own) for arch in known)


def _with_image(target: Target, settings: Mapping[str, Any], own: Mapping[str, Any]) -> Target:
    """Return the target with the glibc of the image set for cibuildwheel, if that is one of PyPA's names."""
    key = f"manylinux-{target.arch}-image"
    image = own.get(key) or settings.get(key)
    try:
        return Target.parse(f"{image}_{target.arch}") if target.libc and isinstance(image, str) else target
    except ValueError:
        return target


def interpreters(
    project: Distribution, classifiers: Sequence[str], promised: Sequence[Target]
) -> tuple[Interpreter, ...]:
    """Return the interpreters that some target builds, of those allowed, named and enabled.

    They are the CPythons that requires-python allows and the classifiers name, and what the settings of
    cibuildwheel name or enable besides.
    """
    wanted = _wanted(project, classifiers)
    special = [python for python in _special(project, promised) if python not in wanted]
    built = [one for one in (*wanted, *special) if any(_builds(project, one, target) for target in promised)]
    regular = [interpreter for interpreter in built if interpreter.has_stable_abi]
    if _serves_later(project, regular):
        later = (python for python in wanted if regular and python.version >= regular[0].version)
        offered = {tag for target in promised for tag in offered_interpreters(target)}
        built = [
            *(python for python in later if python.tag in offered),
            *(python for python in built if not python.has_stable_abi),
        ]
    return tuple(sorted(built, key=lambda one: (one.implementation, one.version, one.free_threaded)))


def skipped(
    project: Distribution, pythons: Sequence[Interpreter], promised: Sequence[Target]
) -> tuple[str, ...]:
    """Return selectors of the cells that cibuildwheel offers and the project does not build today."""
    regular = [python for python in pythons if python.has_stable_abi]
    built = [python for python in regular if any(_builds(project, python, target) for target in promised)]
    serves_later = _serves_later(project, built)
    cells = [
        (python, target)
        for python in pythons
        for target in promised
        if python.tag in offered_interpreters(target)
    ]
    holes = [
        build_identifier(python, target)
        for python, target in cells
        if not _builds(project, python, target)
        and not (serves_later and python.has_stable_abi and _builds(project, built[0], target))
    ]
    return tuple(_shortened(holes, [build_identifier(python, target) for python, target in cells]))


def _wanted(project: Distribution, classifiers: Sequence[str]) -> tuple[Interpreter, ...]:
    allowed = default_interpreters(project.requires_python)
    named = {int(match[1]) for text in classifiers if (match := _PYTHON_CLASSIFIER.fullmatch(text))}
    return tuple(interpreter for interpreter in allowed if interpreter.version[1] in named) or allowed


def _special(project: Distribution, promised: Sequence[Target]) -> list[Interpreter]:
    """Return the free-threaded CPythons that the settings name, and what they enable of PyPy and GraalPy."""
    build, enable = _words(project.cibuildwheel, "build"), _words(project.cibuildwheel, "enable")
    threaded = [tag for tag in _FREE_THREADED if tag in " ".join(build)]
    offered = dict.fromkeys(tag for target in promised for tag in offered_interpreters(target))
    groups = ((tag, cibuildwheel.group_of(f"{tag}-")) for tag in offered)
    enabled = [tag for tag, group in groups if group and (group in enable or "all" in enable)]
    pythons = map(Interpreter.parse, (*threaded, *enabled))
    return [python for python in pythons if admits_python(project.requires_python, python)]


def _serves_later(project: Distribution, regular: Sequence[Interpreter]) -> bool:
    """Return whether one wheel serves every later interpreter, as those for the stable ABI do.

    A single build is taken for one, unless the backend says otherwise.
    """
    return bool(regular) and (
        project.limited_api or (len(regular) == 1 and not project.build_backend.states_abi3)
    )


def _builds(project: Distribution, python: Interpreter, target: Target) -> bool:
    identifier = build_identifier(python, target)
    return python.tag in offered_interpreters(target) and _selected(project.cibuildwheel, identifier)


def _shortened(holes: Sequence[str], cells: Sequence[str]) -> Iterator[str]:
    """Yield few selectors that match these cells and no others: ``*-win32``, ``pp311-musllinux*``."""
    left = list(holes)
    platforms = dict.fromkeys(name.partition("-")[2] for name in holes)
    pythons = dict.fromkeys(name.partition("-")[0] for name in holes)
    kinds = dict.fromkeys(f"{platform.partition('_')[0]}*" for platform in platforms)
    of_kinds = (f"{python}-{kind}" for python in pythons for kind in kinds)
    for selector in (*(f"*-{platform}" for platform in platforms), *of_kinds, *holes):
        matched = [cell for cell in cells if selects(selector, cell)]
        if set(matched) <= set(holes) and any(cell in left for cell in matched):
            left = [cell for cell in left if cell not in matched]
            yield selector


def _selected(settings: Mapping[str, Any], identifier: str) -> bool:
    """Return whether cibuildwheel builds an identifier (its documentation, "build, skip")."""
    build, skip = _words(settings, "build") or ["*"], _words(settings, "skip")
    built, skipped = (any(selects(word, identifier) for word in words) for words in (build, skip))
    return built and not skipped


def _words(table: Mapping[str, Any], key: str) -> list[str]:
    """Return the words of a string or a list."""
    value = table.get(key)
    if isinstance(value, list):
        return list(map(str, value))
    return value.split() if isinstance(value, str) else []
