"""What cross builds cannot do, found in the project's own files before anything is built."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheelkit.errors import ProjectError
from wheelkit.project import meson

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wheelkit.project.read import Distribution


NATIVE_HINT = "build each target on a machine of its own:  wheelkit plan  names the runners"
_REQUIRED = r"(?![^()]*\brequired\s*:(?!\s*true))"
_CXX = "C++: zig brings its own standard library, so no objects can be shared with other C++ libraries"
_ADDS_CXX = (
    r"\b(?:project\s*\([^)]*?,\s*|add_languages\s*\((?![^)]*native\s*:\s*true)[^)]*?)\[?[^)]*?'cpp'"
    + _REQUIRED
)
_APPLE = rf"\bdependency\s*\(\s*'appleframeworks'{_REQUIRED}|'-framework'|'[^'\n]+\.mm?'|'objc(?:pp)?'"
_LANGUAGE = r"\b(?:project|add_languages)\s*\([^)]*'(?:cuda|fortran|rust)'" + _REQUIRED
# Statements that meson.build executes unconditionally, and why they rule out a cross build.
_LIMITS = (
    (_ADDS_CXX, _CXX),
    (r"'[^'\n]+\.(?:cpp|cc|cxx|C)'", _CXX),
    (
        r"\bdependency\s*\(\s*'[Oo]pen[Mm][Pp]'" + _REQUIRED,
        "OpenMP: zig has no OpenMP runtime for any target",
    ),
    (_APPLE, "Apple frameworks: their headers and stubs come only with Xcode"),
    (_LANGUAGE, "a language other than C and Cython, which zig does not compile"),
)


def require_supported(distributions: Iterable[Distribution]) -> None:
    """Raise ProjectError, with every reason, when one of the native distributions cannot be cross-built."""
    reasons = [f"{member.name}: {reason}" for member in distributions for reason in limitations(member)]
    if reasons:
        count = "" if len(reasons) == 1 else f", for {len(reasons)} reasons"
        raise ProjectError(f"cannot be cross-built{count}:", detail="\n".join(reasons), hint=NATIVE_HINT)


def limitations(distribution: Distribution) -> Iterator[str]:
    """Yield each reason, with its place, for which a distribution cannot be cross-built."""
    source = distribution.source
    if not distribution.build_backend.cross_builds:
        yield f"{source}: the build backend is {distribution.backend}; cross builds support only meson-python"
        return
    if not distribution.limited_api:
        yield f"{source}: [tool.meson-python] limited-api is not true; cross builds need the limited API"
    yield from dict.fromkeys(_unsupported_statements(distribution))


def _unsupported_statements(distribution: Distribution) -> Iterator[str]:
    for name, text in meson.statements(distribution.source):
        for pattern, reason in _LIMITS:
            if match := re.search(pattern, text):
                line = text.count("\n", 0, match.end()) + 1
                yield f"{name}, line {line}: {reason}"
