"""Targets, interpreters, and the file that an installer would pick for a cell.

Tags and their order follow the platform compatibility tags specification (PEP 425, 600, 656, 703).
``wheelkit.tags`` computes them for the machine that a target describes, never for the machine that this runs
on.
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.fast_packaging import admits
from wheelkit.tags import WheelTag, cpython_tags, macos_platforms, pypy_tags

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from wheelkit.config import Config, Problems


class System(StrEnum):
    """The three families of operating system that wheels are built for."""

    LINUX = "linux"
    MACOS = "macos"
    WINDOWS = "windows"


# The names from before PEP 600 (PEP 513, 571, 599) and the glibc that each stands for.
LEGACY_MANYLINUX: Mapping[str, tuple[int, int]] = {
    "manylinux1": (2, 5),
    "manylinux2010": (2, 12),
    "manylinux2014": (2, 17),
}
_OLDEST_GLIBC: Mapping[str, tuple[int, int]] = {"x86_64": (2, 5), "i686": (2, 5)}
_OLDEST_GLIBC_ELSEWHERE = (2, 17)

LINUX_ARCHS = ("x86_64", "i686", "aarch64", "armv7l", "ppc64le", "s390x", "riscv64", "loongarch64")
_MACOS_ARCHS = ("x86_64", "arm64", "universal2")
_WINDOWS_ARCHS: Mapping[str, str] = {"win32": "x86", "win_amd64": "amd64", "win_arm64": "arm64"}

_TAG = re.compile(
    r"(?:(?P<legacy>manylinux(?:1|2010|2014))"
    r"|(?:(?P<libc>manylinux|musllinux)|macosx)_(?P<major>\d+)_(?P<minor>\d+))_(?P<arch>\w+)"
)

COMMON_TARGETS = (
    "manylinux_2_28_x86_64",
    "manylinux_2_28_aarch64",
    "macosx_10_13_x86_64",
    "macosx_11_0_arm64",
    "win_amd64",
)


class Target(Struct, frozen=True, kw_only=True):
    """The oldest system that a user may have, as one platform tag.

    ``libc`` is ``manylinux`` or ``musllinux`` on Linux, else empty; ``version`` is glibc's, musl's or macOS',
    and ``(0, 0)`` on Windows; ``arch`` is spelled as in the tag, on Windows as cibuildwheel spells it.
    """

    tag: str
    system: System
    libc: str
    version: tuple[int, int]
    arch: str

    @staticmethod
    def parse(tag: str) -> Target:
        """Parse a platform tag such as ``manylinux_2_28_x86_64``; raises ValueError with the reason."""
        if tag in _WINDOWS_ARCHS:
            return Target(tag=tag, system=System.WINDOWS, libc="", version=(0, 0), arch=_WINDOWS_ARCHS[tag])
        match = _TAG.fullmatch(tag)
        if match is None:
            raise ValueError(f'unknown target "{tag}"')
        if legacy := match["legacy"]:
            major, minor = LEGACY_MANYLINUX[legacy]
            return Target.parse(f"manylinux_{major}_{minor}_{match['arch']}")
        archs = LINUX_ARCHS if match["libc"] else _MACOS_ARCHS
        if match["arch"] not in archs:
            raise ValueError(f'unknown architecture "{match["arch"]}"; known here: {", ".join(archs)}')
        system = System.LINUX if match["libc"] else System.MACOS
        version = int(match["major"]), int(match["minor"])
        return Target(tag=tag, system=system, libc=match["libc"] or "", version=version, arch=match["arch"])

    def __str__(self) -> str:
        """Return the platform tag."""
        return self.tag

    @property
    def build_suffix(self) -> str:
        """The end of cibuildwheel's build identifier, such as ``manylinux_x86_64``."""
        if self.system is System.WINDOWS:
            return self.tag
        return f"{self.libc or 'macosx'}_{self.arch}"

    def platforms(self) -> tuple[str, ...]:
        """Return the platform tags that an installer accepts on this target, best first."""
        return _platforms(self)

    def admits(self, platform: str) -> bool:
        """Return whether a wheel with this platform tag installs on the target."""
        return platform in _platforms(self)


@cache
def _platforms(target: Target) -> tuple[str, ...]:
    if target.system is System.WINDOWS:
        return (target.tag,)
    if target.system is System.MACOS:
        return tuple(_macos_platforms(target))
    walk = _glibc_platforms if target.libc == "manylinux" else _musl_platforms
    return (f"linux_{target.arch}", *walk(target.version, target.arch))


def _macos_platforms(target: Target) -> Iterator[str]:
    # Only a file for both architectures fulfils a universal2 promise, so only universal2 tags count.
    if target.arch == "universal2":
        return (tag for tag in macos_platforms(target.version, "x86_64") if tag.endswith("_universal2"))
    return macos_platforms(target.version, target.arch)


def oldest_glibc(arch: str) -> tuple[int, int]:
    """Return the oldest glibc for which installers make tags of an architecture."""
    return _OLDEST_GLIBC.get(arch, _OLDEST_GLIBC_ELSEWHERE)


def _glibc_platforms(version: tuple[int, int], arch: str) -> Iterator[str]:
    legacy = {number: name for name, number in LEGACY_MANYLINUX.items()}
    oldest = oldest_glibc(arch)
    major = version[0]
    for minor in range(version[1], oldest[1] - 1, -1):
        yield f"manylinux_{major}_{minor}_{arch}"
        if (name := legacy.get((major, minor))) is not None:
            yield f"{name}_{arch}"


def _musl_platforms(version: tuple[int, int], arch: str) -> Iterator[str]:
    for minor in range(version[1], -1, -1):
        yield f"musllinux_{version[0]}_{minor}_{arch}"


_INTERPRETER = re.compile(r"(?P<kind>cp|pp)(?P<major>3)(?P<minor>[2-9]|[1-9]\d)(?P<threaded>t?)")
# Free-threaded builds (PEP 703) exist from 3.13 on.
_FIRST_FREE_THREADED = 13
# PyPy 8 (2026) has another ABI than 7.3; a promise for PyPy covers users of both.
_PYPY_ABIS = ("pp80", "pp73")
NEWEST_CPYTHON_MINOR = 15
"""The newest CPython with a final release: 3.15.0 of October 2026."""
_KNOWN_INTERPRETERS = tuple(f"cp3{minor}" for minor in range(9, NEWEST_CPYTHON_MINOR + 1))
LATEST_PATCH = 99
"""The newest patch release of any series, so that ``>=3.11.4`` admits users of 3.11."""


class Interpreter(Struct, frozen=True, kw_only=True):
    """One Python implementation and version in cibuildwheel's spelling: ``cp311``, ``cp314t``, ``pp311``."""

    tag: str
    implementation: str
    version: tuple[int, int]
    free_threaded: bool

    @staticmethod
    @cache
    def parse(tag: str) -> Interpreter:
        """Parse ``cp311``, ``cp314t`` or ``pp311``; raises ValueError with the reason."""
        match = _INTERPRETER.fullmatch(tag)
        if match is None:
            raise ValueError(f'unknown interpreter "{tag}"; write it like cp311, cp314t or pp311')
        version = int(match["major"]), int(match["minor"])
        threaded = bool(match["threaded"])
        if threaded and (match["kind"] == "pp" or version[1] < _FIRST_FREE_THREADED):
            raise ValueError(f'there is no free-threaded "{tag[:-1]}"; the first is cp313t')
        return Interpreter(tag=tag, implementation=match["kind"], version=version, free_threaded=threaded)

    def __str__(self) -> str:
        """Return the tag."""
        return self.tag

    @property
    def python(self) -> str:
        """The version as uv and cibuildwheel write it: ``3.11``, ``3.14t``."""
        return f"{self.version[0]}.{self.version[1]}{'t' if self.free_threaded else ''}"

    def tags(self, platforms: Iterable[str]) -> Iterator[WheelTag]:
        """Yield the tags that an installer running on this interpreter accepts, best first."""
        platforms = tuple(platforms)
        if self.implementation == "cp":
            return cpython_tags(self.version, self.tag, platforms)
        abis = [f"pypy{self.version[0]}{self.version[1]}_{abi}" for abi in _PYPY_ABIS]
        return pypy_tags(self.version, abis, platforms)


def build_identifier(interpreter: Interpreter, target: Target) -> str:
    """Return cibuildwheel's name of the build: ``cp311-manylinux_x86_64``."""
    return f"{interpreter.tag}-{target.build_suffix}"


@cache
def default_interpreters(requires_python: str | None) -> tuple[Interpreter, ...]:
    """Return the CPythons that ``requires-python`` admits, from 3.9 to the newest release.

    Raises packaging's InvalidSpecifier, a ValueError.
    """
    required = requires_python or ""
    known = map(Interpreter.parse, _KNOWN_INTERPRETERS)
    return tuple(python for python in known if admits(required, (*python.version, LATEST_PATCH)))


class Candidate(Struct, frozen=True, kw_only=True):
    """A wheel as an installer sees it before the download: its tags, build tag and ``Requires-Python``."""

    filename: str
    tags: frozenset[WheelTag]
    build: tuple[()] | tuple[int, str] = ()
    requires_python: str | None = None


@cache
def _ranks(interpreter: Interpreter) -> dict[tuple[str, str, bool], int]:
    """Rank the pairs of Python and ABI tag that an interpreter accepts, for platform tags and for ``any``.

    An installer tries a pair with all platforms before the next pair, so a single platform is enough for the
    ranks.
    """
    ranks: dict[tuple[str, str, bool], int] = {}
    for rank, tag in enumerate(interpreter.tags(["platform"])):
        ranks.setdefault((tag.interpreter, tag.abi, tag.platform == "any"), rank)
    return ranks


def _rank(tag: WheelTag, target: Target, interpreter: Interpreter) -> tuple[int, int] | None:
    """Return a tag's rank among those that an installer accepts, best first; None if it rejects it."""
    anywhere = tag.platform == "any"
    pair = _ranks(interpreter).get((tag.interpreter, tag.abi, anywhere))
    platform = 0 if anywhere else _platform_ranks(target).get(tag.platform)
    return None if pair is None or platform is None else (pair, platform)


@cache
def _platform_ranks(target: Target) -> dict[str, int]:
    return {platform: rank for rank, platform in reversed(tuple(enumerate(target.platforms())))}


def pick(candidates: Iterable[Candidate], target: Target, interpreter: Interpreter) -> Candidate | None:
    """Return the wheel that an installer on ``target`` with ``interpreter`` would choose, or None.

    Among wheels of one version the best tag wins, then the higher build tag (binary distribution format
    specification).
    """
    accepted = []
    for candidate in candidates:
        ranks = [rank for tag in candidate.tags if (rank := _rank(tag, target, interpreter)) is not None]
        if ranks and admits_python(candidate.requires_python, interpreter):
            build = candidate.build[0] if candidate.build else -1
            accepted.append((min(ranks), -build, candidate))
    best = min(accepted, key=itemgetter(0, 1), default=None)
    return best[-1] if best else None


@cache
def admits_python(requires_python: str | None, interpreter: Interpreter) -> bool:
    """Return whether an installer on this interpreter accepts a file with this ``Requires-Python``."""
    try:
        return admits(requires_python or "", (*interpreter.version, LATEST_PATCH))
    except ValueError:
        return True  # installers ignore a value that they cannot parse; a check of the metadata reports it


class Matrix(Struct, frozen=True, kw_only=True):
    """The promised targets and interpreters; ``declared`` is false if the project only has the default."""

    targets: tuple[Target, ...]
    interpreters: tuple[Interpreter, ...]
    declared: bool


def matrix_of(config: Config, requires_python: str | None) -> Matrix:
    """Return the support matrix of a validated configuration and a distribution's ``requires-python``."""
    targets = tuple(Target.parse(tag) for tag in config.matrix.targets or COMMON_TARGETS)
    if config.matrix.interpreters is None:
        interpreters = default_interpreters(requires_python)
    else:
        interpreters = tuple(Interpreter.parse(tag) for tag in config.matrix.interpreters)
    return Matrix(targets=targets, interpreters=interpreters, declared=config.matrix.targets is not None)


def validate(config: Config, problems: Problems) -> None:
    """Report every target and interpreter of the configuration that does not exist."""
    for key, parse, words, known in (
        ("matrix.targets", Target.parse, config.matrix.targets or (), COMMON_TARGETS),
        ("matrix.interpreters", Interpreter.parse, config.matrix.interpreters or (), _KNOWN_INTERPRETERS),
    ):
        for index, word in enumerate(words):
            try:
                if word:  # empty where another problem was reported already
                    parse(word)
            except ValueError as error:
                problems.add(f"{key}[{index}]", f"{error}{problems.did_you_mean(word, known)}")
