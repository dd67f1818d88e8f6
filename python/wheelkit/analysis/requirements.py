"""What is installed with a wheel wherever its tags let it be installed, by its environment markers."""

from __future__ import annotations

import re
from contextlib import suppress
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING

from wheelkit.analysis.claims import claims_of
from wheelkit.fast_packaging import admits, marker_holds, normalise, parse_requirement
from wheelkit.matrix import LATEST_PATCH, NEWEST_CPYTHON_MINOR, System
from wheelkit.text import dotted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from packaging.requirements import Requirement

    from wheelkit.wheel import FileName, Sdist, Wheel


# What the variables of markers are on each system (PEP 508), and how it spells its processors.
_SYSTEMS: Mapping[System, Mapping[str, str]] = {
    System.LINUX: {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"},
    System.MACOS: {"sys_platform": "darwin", "platform_system": "Darwin", "os_name": "posix"},
    System.WINDOWS: {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt"},
}
_WINDOWS_MACHINES: Mapping[str, str] = {"x86_64": "AMD64", "amd64": "AMD64", "i686": "x86", "arm64": "ARM64"}
_IMPLEMENTATIONS: Mapping[str, tuple[str, str]] = {"pp": ("pypy", "PyPy"), "gr": ("graalpy", "GraalVM")}
# No tag tells the version of the system or of its kernel.
_UNKNOWN: Mapping[str, str] = {"platform_release": "", "platform_version": ""}
_PYTHON_TAG = re.compile(r"[a-z]+(?P<major>\d)(?P<minor>\d*)")
# Most requirements are those of an extra, and packaging takes 25 ms to import.
_OF_AN_EXTRA = r"""[^;]*;\s*extra\s*==\s*(?:"[^"]+"|'[^']+')\s*"""
# The oldest Python 3 that cibuildwheel builds for.
_OLDEST_MINOR = 9


def requirements(file: Wheel | Sdist, containing: str = "") -> Iterator[Requirement]:
    """Yield the requirements of a file's metadata that contain a text, without the invalid ones."""
    lines = [line for line in file.metadata.all("Requires-Dist") if containing in line]
    if not lines:
        return
    for line in lines:
        with suppress(ValueError):
            yield parse_requirement(line)


def installed_requirements(wheel: Wheel) -> tuple[Requirement, ...]:
    """Return the requirements that are installed with the wheel wherever its tags let it be installed.

    Those of an extra are not, nor those whose marker fails on some system, processor or Python of the tags.
    """
    lines = wheel.metadata.all("Requires-Dist")
    return _installed(lines, wheel.name, wheel.metadata.get("Requires-Python")) if lines else ()


def required_names(wheel: Wheel) -> frozenset[str]:
    """Return the normalized names of the distributions that are installed with the wheel everywhere."""
    return frozenset(normalise(requirement.name) for requirement in installed_requirements(wheel))


# The checks of libraries ask for the same wheel several times in a row.
@lru_cache(maxsize=8)
def _installed(lines: tuple[str, ...], name: FileName | None, required: str) -> tuple[Requirement, ...]:
    installed: list[Requirement] = []
    environments: list[dict[str, str]] | None = None
    for line in lines:
        if re.fullmatch(_OF_AN_EXTRA, line):
            continue
        try:
            requirement = parse_requirement(line)
        except ValueError:
            continue
        if requirement.marker is not None:
            if environments is None:
                environments = list(_environments(name, required))
            if not all(marker_holds(requirement, environment) for environment in environments):
                continue
        installed.append(requirement)
    return tuple(installed)


def _environments(name: FileName | None, required: str) -> Iterator[dict[str, str]]:
    """Yield the marker variables of every system, processor and Python that a wheel's tags reach."""
    if name is None:
        return
    machines = [(claim.system, arch) for claim in claims_of(name.platforms) for arch in claim.archs]
    for (system, arch), python in product(machines, _pythons(name, required)):
        machine = _WINDOWS_MACHINES.get(arch, arch) if system is System.WINDOWS else arch
        yield {**_SYSTEMS[system], **python, "platform_machine": machine, **_UNKNOWN, "extra": ""}


def _pythons(name: FileName, required: str) -> Iterator[dict[str, str]]:
    """Yield the marker variables of the interpreters that a file name's tags and Requires-Python admit."""
    for python in name.pythons:
        implementation, label = _IMPLEMENTATIONS.get(python[:2], ("cpython", "CPython"))
        for version in _versions(python, later=name.stable or python.startswith("py")):
            if required and not _admitted(required, version):
                continue
            python_version = dotted(version[:2])
            yield {
                "python_version": python_version,
                "python_full_version": f"{python_version}.{LATEST_PATCH}",
                "implementation_name": implementation,
                "implementation_version": f"{python_version}.{LATEST_PATCH}",
                "platform_python_implementation": label,
            }


def _versions(python: str, *, later: bool) -> Iterator[tuple[int, int, int]]:
    """Yield the versions of Python that a tag such as ``cp311`` or ``py3`` is for."""
    match = _PYTHON_TAG.match(python)
    if match is None:
        return
    major = int(match["major"])
    if major != 3:  # noqa: PLR2004 - Python 2, of which 2.7 is left
        yield major, 7, LATEST_PATCH
        return
    first = int(match["minor"] or _OLDEST_MINOR)
    for minor in range(first, (max(NEWEST_CPYTHON_MINOR, first) if later else first) + 1):
        yield major, minor, LATEST_PATCH


def _admitted(required: str, version: tuple[int, int, int]) -> bool:
    try:
        return admits(required, version)
    except ValueError:  # reported by the checks of METADATA
        return True
