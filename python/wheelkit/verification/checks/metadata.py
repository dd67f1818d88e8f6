"""METADATA: in agreement with the tags, and the same in all files of one version."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheelkit.analysis.python_api import declared_floor
from wheelkit.analysis.reach import admitted
from wheelkit.analysis.requirements import requirements
from wheelkit.fast_packaging import admits, normalise
from wheelkit.matrix import LATEST_PATCH
from wheelkit.text import dotted, shorten_list
from wheelkit.verification.findings import finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.verification.release import Dist, Release
    from wheelkit.wheel import FileName, Wheel


_PYTHON_TAG = r"(?:cp|pp)3(?P<minor>\d+)"
# The oldest minor version that cibuildwheel builds for.
_FIRST_MINOR = 6
# The oldest for which cibuildwheel 4 builds wheels.
_OLDEST_BUILT = 9
# What an installer resolves by.
COMPARED_FIELDS = ("Requires-Python", "Requires-Dist", "Provides-Extra")


def python_tags(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report a wheel whose Requires-Python excludes every interpreter of its tags."""
    required = wheel.metadata.get("Requires-Python")
    if wheel.name is None or not required:
        return
    if not admitted(wheel.name.pythons, wheel.name.abis, required):
        what = f"the wheel is for {_served(wheel.name)}, but Requires-Python is {required}: "
        yield finding("WK702", f"{what}no installer accepts it")


def _served(name: FileName) -> str:
    floor = declared_floor(name)
    return ".".join(name.pythons) if floor is None else f"Python {dotted(floor)} and later"


def _tagged_minors(wheel: Wheel) -> list[int]:
    """Return the minor versions of the Python tags; empty if one of them, such as py3, is for more."""
    pythons = wheel.name.pythons if wheel.name else ()
    minors = [int(match["minor"]) for tag in pythons if (match := re.fullmatch(_PYTHON_TAG, tag))]
    return minors if len(minors) == len(pythons) else []


def may_admit(required: str, minor: int, patch: int = LATEST_PATCH) -> bool:
    """Return whether a ``Requires-Python`` admits a Python 3; True if it is invalid, which WK701 reports."""
    try:
        return admits(required, (3, minor, patch))
    except ValueError:
        return True


def unserved_pythons(release: Release, contract: Contract) -> Iterator[Finding]:
    """Report Python versions that a project's Requires-Python admits, but that are older than every wheel."""
    required = next((wheel.metadata.get("Requires-Python") for wheel in release.wheels), "")
    if not required or contract.promise(release.distribution) is None:
        return
    oldest = min(min(_tagged_minors(wheel), default=0) for wheel in release.all_wheels)
    older = [minor for minor in range(_FIRST_MINOR, oldest) if may_admit(required, minor)]
    if older:
        versions = shorten_list(f"3.{minor}" for minor in older)
        what = f"Requires-Python {required} admits {versions}, but the oldest wheel is for 3.{oldest}"
        fix = f'raise requires-python to ">=3.{oldest}"'
        if built := [f"3.{minor}" for minor in older if minor >= _OLDEST_BUILT]:
            fix += f", or build wheels for {shorten_list(built)}"
        yield finding("WK709", what, fix=fix, where=release.distribution)


def family_ranges(dist: Dist, contract: Contract) -> Iterator[Finding]:
    """Report requirements between the project's distributions that no version in the same dist satisfies."""
    versions: dict[str, list[str]] = {}
    for release in dist.releases:
        if contract.promise(release.distribution):
            versions.setdefault(release.distribution, []).append(release.version)
    for wheel in dist.wheels:
        for requirement in requirements(wheel) if wheel.distribution in versions else ():
            name, specifier = requirement.name, requirement.specifier
            present = versions.get(normalise(name), [])
            if present and not any(specifier.contains(version, prereleases=True) for version in present):
                has = f"{name} {shorten_list(present)}"
                what = f"the wheel requires {name}{specifier}, but this dist has {has}"
                yield finding("WK707", what, file=wheel.filename)


def same_metadata(release: Release, _: Contract) -> Iterator[Finding]:
    """Report wheels of one version that differ in what a resolver uses: it reads one of them for all."""
    for field in COMPARED_FIELDS:
        files: dict[tuple[str, ...], list[str]] = {}
        for wheel in release.wheels:
            files.setdefault(tuple(sorted(wheel.metadata.all(field))), []).append(wheel.filename)
        if len(files) > 1:
            odd = min(files, key=lambda values: len(files[values]))
            other = next(values for values in files if values != odd)
            names = shorten_list(files[odd])
            what = f"{field} of {names} differs from that of the other wheels of this version"
            for verb, first, second in (("adds", odd, other), ("lacks", other, odd)):
                values = [value for value in first if value not in second]
                what += f"; it {verb} {shorten_list(values)}" if values else ""
            yield finding("WK704", what, file=files[odd][0])


def sdist_missing(release: Release, contract: Contract) -> Iterator[Finding]:
    """Note a project's release that has wheels but no sdist: users of other systems cannot build it."""
    if contract.promise(release.distribution) and contract.native is None and not release.sdists:
        what = f"{release.distribution} {release.version} has no sdist"
        yield finding("WK705", what, where=release.distribution)
