"""Whether one machine can install two wheels, by their tags."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from wheelkit.analysis.claims import claims_of
from wheelkit.matrix import NEWEST_CPYTHON_MINOR, Interpreter, System

if TYPE_CHECKING:
    from wheelkit.analysis.claims import Claim
    from wheelkit.wheel import FileName


_OLDEST_MINOR, _FIRST_FREE_THREADED, _PYPY_MINORS = 8, 13, range(9, 12)
_NUMBERS = re.compile(r"\d+_\d+_?")


def installable_together(first: FileName, second: FileName) -> bool:
    """Return whether some interpreter on some system accepts both wheels."""
    platforms = any(_one_machine(one, other) for one in first.platforms for other in second.platforms)
    return platforms and not _interpreters(first).isdisjoint(_interpreters(second))


@cache
def _one_machine(first: str, second: str) -> bool:
    if "any" in {first, second} or first == second:
        return True
    claimed = claims_of([first]), claims_of([second])
    if not all(claimed):  # a system that is not known: its name without the version
        return not any(claimed) and _NUMBERS.sub("", first) == _NUMBERS.sub("", second)
    (one,), (other,) = claimed
    return one.system is other.system and not set(one.archs).isdisjoint(other.archs) and _one_libc(one, other)


def _one_libc(first: Claim, second: Claim) -> bool:
    known = {claim.target.libc for claim in (first, second) if claim.target is not None}
    return first.system is not System.LINUX or len(known) < 2  # noqa: PLR2004 (linux_x86_64 names none)


@cache
def _interpreters(name: FileName) -> frozenset[str]:
    """Return the interpreters that accept a wheel's Python and ABI tags; old ones are named by their tag."""
    wanted = {(python, abi) for python in name.pythons for abi in name.abis}
    known = {tag for tag, accepted in _accepted().items() if not wanted.isdisjoint(accepted)}
    return frozenset(known or name.pythons)


@cache
def _accepted() -> dict[str, frozenset[tuple[str, str]]]:
    minors = range(_OLDEST_MINOR, NEWEST_CPYTHON_MINOR + 1)
    tags = [f"cp3{minor}" for minor in minors]
    tags += [f"cp3{minor}t" for minor in minors if minor >= _FIRST_FREE_THREADED]
    tags += [f"pp3{minor}" for minor in _PYPY_MINORS]
    return {
        tag: frozenset((one.interpreter, one.abi) for one in Interpreter.parse(tag).tags(["platform"]))
        for tag in tags
    }
