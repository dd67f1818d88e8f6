"""The interpreters that a wheel's tags reach: every one whose installer accepts the wheel.

The rules are those of packaging.tags (cpython_tags, generic_tags, compatible_tags); the tests compare them.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from wheelkit import limits
from wheelkit.fast_packaging import admits
from wheelkit.inputs import number
from wheelkit.matrix import NEWEST_CPYTHON_MINOR, Interpreter
from wheelkit.text import dotted

if TYPE_CHECKING:
    from wheelkit.wheel import Wheel


FIRST_ABI3T = 15
"""The minor version that introduced abi3t, PyModExport_ and triplets in abi3 suffixes (PEP 803, PEP 793)."""
_STABLE = frozenset({"abi3", "abi3t"})
_PYTHON = re.compile(r"(?P<kind>cp|py|pp)(?P<major>\d)(?P<minor>\d*)")
_GRAALPY = r"graalpy(?P<major>3)(?P<minor>\d+)"
_CPYTHON_ABI = re.compile(r"(?P<python>cp\d\d+)(?P<flags>[a-z]*)")
_PYPY_ABI = r"pypy(?P<version>\d+)_pp\d+"
# The flags of CPython's ABI tags by the first version that has them: free-threaded, debug, pymalloc, UCS-4.
_FLAGS = (((3, 13), "t?d?"), ((3, 8), "d?"), ((3, 3), "d?m"), ((0, 0), "d?m?u?"))
_FIRST_MINOR, _FIRST_THREADED = 2, 13
_CPYTHONS = tuple(f"cp3{minor}" for minor in range(_FIRST_MINOR, NEWEST_CPYTHON_MINOR + 1))
_THREADED = tuple(f"cp3{minor}t" for minor in range(_FIRST_THREADED, NEWEST_CPYTHON_MINOR + 1))
# The last Python 2, and a minor version that is later than all of Python 3.
_LAST_MINOR = {2: 7, 3: 99}
_PATCHES = re.compile(r"\d+\.\d+\.(\d+)")


def accepted_together(python: str, abi: str) -> bool:
    """Return whether any interpreter accepts both tags; True for tags that are not known here."""
    match = _PYTHON.fullmatch(python)
    if match is None:
        return not (python.startswith("graalpy") and (abi in _STABLE or _CPYTHON_ABI.fullmatch(abi)))
    version = int(match["major"]), int(match["minor"] or 0)
    if match["kind"] == "cp" and not match["minor"]:
        return False
    if abi in _STABLE:
        return match["kind"] == "cp" and version >= (3, _FIRST_MINOR)
    if own := _CPYTHON_ABI.fullmatch(abi):
        return python == own["python"] and _has_flags(version, own["flags"])
    if own := re.fullmatch(_PYPY_ABI, abi):
        return python == f"pp{own['version']}"
    return abi == "none" or match["kind"] != "py"


def _has_flags(version: tuple[int, int], flags: str) -> bool:
    pattern = next(pattern for first, pattern in _FLAGS if version >= first)
    return re.fullmatch(pattern, flags) is not None


def reached(wheel: Wheel) -> tuple[Interpreter, ...]:
    """Return the released builds of CPython 3 that accept a wheel, and each PyPy that its tags name.

    Interpreters that Requires-Python excludes are left out, and so are debug builds.
    """
    if wheel.name is None:
        return ()
    required = wheel.metadata.get("Requires-Python")
    pythons, abis = (tuple(map(str.lower, tags)) for tags in (wheel.name.pythons, wheel.name.abis))
    return _reached(pythons, abis, required)


@cache
def _reached(pythons: tuple[str, ...], abis: tuple[str, ...], required: str) -> tuple[Interpreter, ...]:
    named = tuple(python for python in pythons if python.startswith("pp3") and python[3:].isdigit())
    return tuple(
        interpreter
        for interpreter in map(Interpreter.parse, (*_CPYTHONS, *_THREADED, *named))
        if any(accepts(interpreter, python, abi) for python in pythons for abi in abis)
        and _admits(required, interpreter.version)
    )


def accepts(interpreter: Interpreter, python: str, abi: str) -> bool:
    """Return whether an interpreter, not built for debugging, accepts a Python and an ABI tag together."""
    own, minor = interpreter.tag.removesuffix("t"), interpreter.version[1]
    if abi == "none":
        generic = re.fullmatch(r"py3(\d*)", python)
        return python == own or (generic is not None and int(generic[1] or 0) <= minor)
    if interpreter.implementation == "pp":
        return python == own and abi.startswith(f"pypy{own[2:]}_")
    if abi in _STABLE:
        floor = python.removeprefix("cp3")
        older = python.startswith("cp3") and floor.isdigit() and _FIRST_MINOR <= int(floor) <= minor
        return older and interpreter.free_threaded == (abi == "abi3t")
    match = _CPYTHON_ABI.fullmatch(abi)
    return (
        match is not None
        and python == own == match["python"]
        and match["flags"].rstrip("mu") == interpreter.tag[len(own) :]
        and _has_flags(interpreter.version, match["flags"])
    )


def for_several_abis(wheel: Wheel) -> bool:
    """Return whether a wheel names no ABI, and its Python tags reach builds with different ones."""
    return wheel.name is not None and "none" in wheel.name.abis and len(reached(wheel)) > 1


def too_old_for_abi3t(wheel: Wheel, interpreter: Interpreter) -> bool:
    """Return whether an interpreter accepts a wheel for abi3t, which it does not know yet.

    Installers on free-threaded 3.13 and 3.14 accept cp311-abi3t (packaging, cpython_tags).
    """
    named = wheel.name is not None and "abi3t" in wheel.name.abis
    return named and interpreter.free_threaded and interpreter.version[1] < FIRST_ABI3T


def describe(interpreter: Interpreter) -> str:
    """Name an interpreter as people do: ``3.14``, ``free-threaded 3.14``, ``PyPy 3.11``."""
    kind = {"pp": "PyPy ", "gp": "GraalPy "}.get(interpreter.implementation, "")
    return f"{kind}{'free-threaded ' if interpreter.free_threaded else ''}{dotted(interpreter.version)}"


def admitted(pythons: tuple[str, ...], abis: tuple[str, ...], required: str) -> bool:
    """Return whether Requires-Python admits any interpreter of the tags, later ones included.

    True if a tag is not known here, or if Requires-Python is invalid: installers ignore it then.
    """
    stable = not _STABLE.isdisjoint(abis)
    versions = [_versions(python.lower(), stable=stable) for python in pythons]
    if None in versions:
        return True
    return any(_admits(required, version) for numbers in versions for version in numbers or ())


def _versions(python: str, *, stable: bool) -> list[tuple[int, int]] | None:
    """Return the versions of Python that accept a Python tag, the newest first; None for an unknown tag."""
    match = _PYTHON.fullmatch(python) or re.fullmatch(_GRAALPY, python)
    if match is None or int(match["major"]) not in _LAST_MINOR:
        return None
    major, minor = int(match["major"]), int(match["minor"] or 0)
    later = python.startswith("py") or (stable and python.startswith("cp"))
    last = _LAST_MINOR[major] if later else minor
    return [(major, number) for number in range(last, minor - 1, -1)]


@cache
def _admits(required: str, version: tuple[int, int]) -> bool:
    """Return whether Requires-Python admits any patch release: the first, a late or a named one."""
    if len(required) > limits.VALUE:  # WK701 reports it
        return True
    found = (number(patch) for patch in _PATCHES.findall(required))
    named = {patch for patch in found if patch is not None}
    patches = {99, 0, *named, *(patch + 1 for patch in named), *(patch - 1 for patch in named if patch)}
    try:
        return any(admits(required, (*version, patch)) for patch in sorted(patches, reverse=True))
    except ValueError:
        return True
