"""Interpreters in cibuildwheel's spelling, and the tags that an installer running on one accepts."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.fast_packaging import admits
from wheelkit.tags import WheelTag, cpython_tags, generic_tags

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


_INTERPRETER = re.compile(
    r"(?:(?P<kind>cp|pp)(?P<major>3)(?P<minor>[2-9]|[1-9]\d)(?P<threaded>t?)"
    r"|(?P<graalpy>gp)3(?P<python>\d\d)_(?P<release>\d{3}))"
)
# Free-threaded builds (PEP 703) exist from 3.13 on.
_FIRST_FREE_THREADED = 13
# PyPy 8 (2026) has another ABI than 7.3; a promise for PyPy covers users of both.
_PYPY_ABIS = ("pp80", "pp73")
NEWEST_CPYTHON_MINOR = 15
"""The newest CPython with a final release: 3.15.0 of October 2026."""
KNOWN_CPYTHONS = tuple(f"cp3{minor}" for minor in range(9, NEWEST_CPYTHON_MINOR + 1))
LATEST_PATCH = 99
"""The newest patch release of any series, so that ``>=3.11.4`` admits users of 3.11."""


class Interpreter(Struct, frozen=True, kw_only=True):
    """One Python implementation and version in cibuildwheel's spelling.

    Such as ``cp311``, ``cp314t``, ``pp311`` and ``gp312_250``, GraalPy 25.0 with Python 3.12. Its ``release``
    is ``250``, that of all others empty.
    """

    tag: str
    implementation: str
    version: tuple[int, int]
    free_threaded: bool
    release: str = ""

    @staticmethod
    @cache
    def parse(tag: str) -> Interpreter:
        """Parse ``cp311``, ``cp314t``, ``pp311`` or ``gp312_250``; raises ValueError with the reason."""
        match = _INTERPRETER.fullmatch(tag)
        if match is None:
            raise ValueError(f'unknown interpreter "{tag}"; write it like cp311, cp314t, pp311 or gp312_250')
        version = 3, int(match["minor"] or match["python"])
        threaded = bool(match["threaded"])
        if threaded and (match["kind"] == "pp" or version[1] < _FIRST_FREE_THREADED):
            raise ValueError(f'there is no free-threaded "{tag[:-1]}"; the first is cp313t')
        return Interpreter(
            tag=tag,
            implementation=match["kind"] or match["graalpy"],
            version=version,
            free_threaded=threaded,
            release=match["release"] or "",
        )

    def __str__(self) -> str:
        """Return the tag."""
        return self.tag

    @property
    def python(self) -> str:
        """The version as uv and cibuildwheel write it: ``3.11``, ``3.14t``."""
        return f"{self.version[0]}.{self.version[1]}{'t' if self.free_threaded else ''}"

    @property
    def request(self) -> str:
        """The interpreter as ``uv python install`` takes it: ``3.14t``, ``pypy3.11``, ``graalpy3.12``."""
        return {"cp": "", "pp": "pypy", "gp": "graalpy"}[self.implementation] + self.python

    @property
    def has_stable_abi(self) -> bool:
        """Whether it loads wheels for ``abi3``: CPython with the GIL."""
        return self.implementation == "cp" and not self.free_threaded

    def tags(self, platforms: Iterable[str]) -> Iterator[WheelTag]:
        """Yield the tags that an installer running on this interpreter accepts, best first."""
        platforms = tuple(platforms)
        number = f"{self.version[0]}{self.version[1]}"
        if self.implementation == "cp":
            return cpython_tags(self.version, self.tag, platforms)
        if self.implementation == "gp":
            abi = f"graalpy{self.release}_{number}_native"
            return generic_tags(f"graalpy{number}", self.version, [abi], platforms)
        abis = [f"pypy{number}_{abi}" for abi in _PYPY_ABIS]
        return generic_tags(f"pp{number}", self.version, abis, platforms)


@cache
def default_interpreters(requires_python: str | None) -> tuple[Interpreter, ...]:
    """Return the CPythons that ``requires-python`` admits, from 3.9 to the newest release.

    Raises packaging's InvalidSpecifier, a ValueError.
    """
    required = requires_python or ""
    known = map(Interpreter.parse, KNOWN_CPYTHONS)
    return tuple(python for python in known if admits(required, (*python.version, LATEST_PATCH)))


@cache
def admits_python(requires_python: str | None, interpreter: Interpreter) -> bool:
    """Return whether an installer on this interpreter accepts a file with this ``Requires-Python``."""
    try:
        return admits(requires_python or "", (*interpreter.version, LATEST_PATCH))
    except ValueError:
        return True  # installers ignore a value that they cannot parse; a check of the metadata reports it
