"""What cross builds cannot do, told from the project's own files before anything is built."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheelkit.errors import ProjectError
from wheelkit.project import meson

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wheelkit.project.read import Distribution


NATIVE_HINT = "build it natively, each target on its own machine:  wheelkit plan  names the runners"
_OPTIONAL = r"(?![^()]*\brequired\s*:(?!\s*true))"
_CXX = (
    "C++: a library that shares C++ objects with this one was built with another standard library than zig's"
)
# What meson.build says unconditionally, and why no cross build can do it.
_LIMITS: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(
            r"\b(?:project\s*\([^)]*?,\s*|add_languages\s*\((?![^)]*native\s*:\s*true)[^)]*?)\[?[^)]*?'cpp'"
            + _OPTIONAL
        ),
        _CXX,
    ),
    (re.compile(r"'[^'\n]+\.(?:cpp|cc|cxx|C)'"), _CXX),
    (
        re.compile(r"\bdependency\s*\(\s*'[Oo]pen[Mm][Pp]'" + _OPTIONAL),
        "OpenMP: zig has no OpenMP runtime for any target",
    ),
    (
        re.compile(
            r"\bdependency\s*\(\s*'appleframeworks'"
            + _OPTIONAL
            + r"|'-framework'|'[^'\n]+\.mm?'|'objc(?:pp)?'"
        ),
        "Apple's frameworks: their headers and stubs come with Xcode alone",
    ),
    (
        re.compile(r"\b(?:project|add_languages)\s*\([^)]*'(?:cuda|fortran|rust)'" + _OPTIONAL),
        "a language that zig does not compile: C and Cython it does",
    ),
)


def require_supported(items: Iterable[Distribution]) -> None:
    """Raise ProjectError with every reason for which one of the native distributions cannot be cross-built."""
    problems = [f"{item.name}: {problem}" for item in items for problem in limitations(item)]
    if problems:
        count = "it" if len(problems) == 1 else f"{len(problems)} reasons:"
        raise ProjectError(
            f"this cannot be cross-built, {count} is told below", detail="\n".join(problems), hint=NATIVE_HINT
        )


def limitations(item: Distribution) -> Iterator[str]:
    """Say, each with its place, what keeps a distribution from being cross-built; nothing for one that can be tried."""
    if item.backend != "mesonpy":
        yield f"{item.source}: it is built by {item.backend}, and cross builds drive meson-python only"
        return
    if not item.limited_api:
        yield f"{item.source}: [tool.meson-python] limited-api is not true; cross builds make limited-API wheels only"
    yield from dict.fromkeys(_told(item))


def _told(item: Distribution) -> Iterator[str]:
    for name, certain in meson.statements(item.source):
        for pattern, why in _LIMITS:
            if match := pattern.search(certain):
                line = certain.count("\n", 0, match.end()) + 1
                yield f"{name}, line {line}: {why}"
