"""Which wheel of a release an installer picks, by platform and interpreter, and on how old a system.

A platform is what cibuildwheel calls one, such as ``manylinux_x86_64``: all systems of a kind, whatever their
version. The wheels that serve it are those that the newest system accepts; the oldest system is the oldest
that accepts one of them. File names are never compared: a ``manylinux2014`` tag and a ``manylinux_2_17`` tag
are one system, a universal2 wheel serves both kinds of Mac, and an abi3 wheel all later interpreters.
"""

from __future__ import annotations

import re
from functools import cache
from itertools import product
from operator import itemgetter
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.analysis.claims import claims_of
from wheelkit.analysis.python_api import declared_floor
from wheelkit.matrix import (
    LINUX_ARCHS,
    NEWEST_CPYTHON_MINOR,
    Interpreter,
    Target,
    admits_python,
    default_interpreters,
)
from wheelkit.tags import cpython_tags
from wheelkit.text import dotted
from wheelkit.verification.comparison.model import ANY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from wheelkit.verification.comparison.facts import ReleaseFacts, WheelFacts


# One target newer than every tag, for each platform: it accepts all wheels that some system of it accepts.
_ARCHS = ("x86_64", "aarch64", *(arch for arch in LINUX_ARCHS if arch not in {"x86_64", "aarch64"}))
_NEWEST = (
    *(f"manylinux_2_99_{arch}" for arch in _ARCHS),
    *(f"musllinux_1_99_{arch}" for arch in _ARCHS),
    "macosx_99_0_x86_64",
    "macosx_99_0_arm64",
    "win_amd64",
    "win_arm64",
    "win32",
)
_MAC_INTEL, _MAC_ARM = "macosx_x86_64", "macosx_arm64"
_OLDEST_ON_ARM = (11, 0)
# The macOS that interpreters themselves need on Intel, from a version on (cibuildwheel, platforms/macos.py):
# a wheel for older ones serves nobody.
_NEEDED_BY_INTERPRETER = (
    ("cp", (3, 14), (10, 15)),
    ("cp", (3, 12), (10, 13)),
    ("pp", (3, 9), (10, 15)),
)
# GraalPy's ABI tag, in which cibuildwheel's name of the interpreter is.
_GRAALPY = re.compile(r"^graalpy(\d+)_(\d+)_native$")
_FIRST_FREE_THREADED = (3, 13)
# CPython's ABI tags had a flag for its own allocator before 3.8 (PEP 3149).
_LAST_WITH_FLAG = (3, 7)
# Tags with a version that installers count down from, of systems that are no targets.
_VERSIONED = re.compile(r"(?P<system>ios|android)_(?P<major>\d+)(?:_(?P<minor>\d+))?_(?P<rest>[a-z]\w*)")
_SYSTEM_NAMES = {"manylinux": "glibc", "musllinux": "musl", "macosx": "macOS", "ios": "iOS", "android": "API"}


class Service(Struct, frozen=True, kw_only=True):
    """The wheel that users of a platform and interpreter get on a new system; ``pure`` is one for any system.

    ``oldest`` is the version of the oldest system with a native wheel, as numbers; empty where no tag has
    one. With a ``fallback`` older systems get a pure wheel.
    """

    wheel: WheelFacts
    oldest: tuple[int, ...] = ()
    pure: bool = False
    fallback: bool = False


def system_version(platform: str, version: Sequence[int | str]) -> str:
    """Name a system's version as people do: ``glibc 2.28``, ``macOS 11.0``; empty where there is none."""
    kind = platform.partition("_")[0]
    return f"{_SYSTEM_NAMES[kind]} {'.'.join(map(str, version))}" if version and kind in _SYSTEM_NAMES else ""


@cache
def platforms_of(tag: str) -> tuple[tuple[str, tuple[int, ...], int], ...]:
    """Return the platforms that a platform tag serves, each with its oldest version and the tag's rank there.

    Lower ranks are better. Raises nothing: a tag that no installer makes serves no platform of a target, and
    a tag of an unknown system serves a platform of its own name.
    """
    served = tuple(_served(tag))
    if served or any(claim.target for claim in claims_of([tag])):
        return served
    match = _VERSIONED.fullmatch(tag)
    if match is None:
        # Pyodide accepts both names of its ABI (PEP 783).
        return ((re.sub("^pyodide_", "pyemscripten_", tag), (), 0),)
    version = tuple(int(number) for number in (match["major"], match["minor"]) if number)
    return ((f"{match['system']}_{match['rest']}", version, -(version[0] * 100 + version[-1])),)


def _served(tag: str) -> Iterator[tuple[str, tuple[int, ...], int]]:
    for platform, ranks in _ranks_by_platform().items():
        if tag in ranks:
            claimed = next((claim.target for claim in claims_of([tag]) if claim.target), None)
            version = claimed.version if claimed and any(claimed.version) else _mac_version(tag)
            oldest = max(version, _OLDEST_ON_ARM) if platform == _MAC_ARM else version
            yield platform, oldest, ranks[tag]


def _mac_version(tag: str) -> tuple[int, ...]:
    """Return the version of a macOS tag for architectures that are no targets, such as ``fat3``."""
    system, *numbers = tag.split("_")[:3]
    return tuple(map(int, numbers)) if system == "macosx" else ()


@cache
def _ranks_by_platform() -> Mapping[str, Mapping[str, int]]:
    targets = map(Target.parse, _NEWEST)
    return {
        target.build_suffix: {tag: rank for rank, tag in reversed(tuple(enumerate(target.platforms())))}
        for target in targets
    }


def platform_order(platform: str) -> tuple[int, int, str]:
    """Return the place of a platform among others: those of targets as they are listed, any system last."""
    known = list(_ranks_by_platform())
    if platform in known:
        return 0, known.index(platform), ""
    return 1 + (platform == ANY), 0, platform


def interpreters(releases: Iterable[ReleaseFacts]) -> tuple[Interpreter, ...]:
    """Return the interpreters that wheels name, and every CPython between the oldest of them and the newest.

    CPython comes first, then the free-threaded builds, then others, each from old to new.
    """
    found = set(default_interpreters(None))
    names = [wheel.name for release in releases for wheel in release.wheels]
    for tag in {tag.lower() for name in names for tag in (*name.pythons, *name.abis)}:
        try:
            found.add(Interpreter.parse(_GRAALPY.sub(r"gp\2_\1", tag)))
        except ValueError:
            continue
    minors = [python.version[1] for python in found if python.implementation == "cp"]
    every = range(min(minors), NEWEST_CPYTHON_MINOR + 1)
    found |= {Interpreter.parse(f"cp3{minor}") for minor in every}
    floors = [floor for name in names if "abi3t" in name.abis and (floor := declared_floor(name))]
    if floors:
        first = max(min(floors), _FIRST_FREE_THREADED)[1]
        found |= {Interpreter.parse(f"cp3{minor}t") for minor in range(first, NEWEST_CPYTHON_MINOR + 1)}
    return tuple(sorted(found, key=_interpreter_order))


def _interpreter_order(interpreter: Interpreter) -> tuple[object, ...]:
    implementation = interpreter.implementation
    other = implementation != "cp"
    return other, interpreter.free_threaded, implementation, interpreter.version, interpreter.tag


@cache
def _python_ranks(interpreter: Interpreter) -> Mapping[tuple[str, str, bool], int]:
    """Rank the pairs of Python and ABI tag that an interpreter accepts, for platform tags and for ``any``."""
    flagged = interpreter.implementation == "cp" and interpreter.version <= _LAST_WITH_FLAG
    own = cpython_tags(interpreter.version, f"{interpreter.tag}m", ["platform"])
    tags = reversed(tuple(enumerate(own if flagged else interpreter.tags(["platform"]))))
    return {(tag.interpreter, tag.abi, tag.platform == ANY): rank for rank, tag in tags}


def services(
    wheels: Iterable[WheelFacts], columns: Sequence[Interpreter]
) -> Mapping[str, Mapping[str, Service]]:
    """Return what users get, by platform and by the interpreter's tag; without those who get no wheel."""
    by_platform: dict[str, list[_Offer]] = {}
    for wheel in wheels:
        for tag in wheel.name.platforms:
            for platform, oldest, rank in (
                ((ANY, (), 0),) if tag.lower() == ANY else platforms_of(tag.lower())
            ):
                offer = _Offer(wheel=wheel, oldest=oldest, rank=rank, pure=platform == ANY)
                by_platform.setdefault(platform, []).append(offer)
    pure = by_platform.get(ANY, [])
    return {
        platform: {
            interpreter.tag: chosen
            for interpreter in columns
            if (chosen := _choose(platform, [*offers, *(pure if platform != ANY else ())], interpreter))
        }
        for platform, offers in by_platform.items()
    }


class _Offer(Struct, frozen=True, kw_only=True):
    """A wheel for one platform by one of its tags: the oldest system, and the tag's rank on the newest."""

    wheel: WheelFacts
    oldest: tuple[int, ...]
    rank: int
    pure: bool


def _choose(platform: str, offers: Iterable[_Offer], interpreter: Interpreter) -> Service | None:
    """Return what an interpreter gets on a platform.

    The best Python and ABI tag decides, then the newest platform tag, then the highest build tag (binary
    distribution format).
    """
    fitting = [
        ((python_rank, offer.rank, -offer.wheel.build[0]), offer)
        for offer in offers
        if admits_python(offer.wheel.requires_python or None, interpreter)
        and (python_rank := _python_rank(offer, interpreter)) is not None
    ]
    if not fitting:
        return None
    best = min(fitting, key=itemgetter(0))[1]
    oldest = min((offer.oldest for _, offer in fitting if not offer.pure), default=())
    return Service(
        wheel=best.wheel,
        oldest=max(oldest, _needed(platform, interpreter)) if oldest else (),
        pure=best.pure,
        fallback=any(offer.pure for _, offer in fitting),
    )


def _needed(platform: str, interpreter: Interpreter) -> tuple[int, ...]:
    """Return the oldest system that the interpreter itself runs on; empty where it runs on all."""
    rows = _NEEDED_BY_INTERPRETER if platform == _MAC_INTEL else ()
    return next(
        (
            needed
            for implementation, first, needed in rows
            if interpreter.implementation == implementation and interpreter.version >= first
        ),
        (),
    )


def _python_rank(offer: _Offer, interpreter: Interpreter) -> int | None:
    ranks = _python_ranks(interpreter)
    name = offer.wheel.name
    pairs = product(map(str.lower, name.pythons), map(str.lower, name.abis))
    return min((ranks[key] for pair in pairs if (key := (*pair, offer.pure)) in ranks), default=None)


def stable_floors(release: ReleaseFacts) -> tuple[str, ...]:
    """Return the tags that the release's stable ABI wheels begin at: ``cp39-abi3``, the oldest first."""
    floors = set()
    for wheel in release.wheels:
        floor = declared_floor(wheel.name)
        if floor is not None:
            floors.add((floor, "abi3t" if "abi3t" in wheel.name.abis else "abi3"))
    return tuple(f"cp{dotted(floor).replace('.', '')}-{abi}" for floor, abi in sorted(floors))
