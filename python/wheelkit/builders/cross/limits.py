"""What cross builds cannot do, found in the project's own files before anything is built."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from wheelkit.errors import ProjectError
from wheelkit.matrix import System
from wheelkit.project import meson
from wheelkit.project.backends import CrossBuild
from wheelkit.text import shorten_list

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wheelkit.matrix import Target
    from wheelkit.project.read import Distribution


NATIVE_HINT = "build each target on a machine of its own:  wheelkit plan  names the runners"
_REQUIRED = r"(?![^()]*\brequired\s*:(?!\s*true))"
_APPLE = rf"\bdependency\s*\(\s*'appleframeworks'{_REQUIRED}|'-framework'|'[^'\n]+\.mm?'|'objc(?:pp)?'"
_LANGUAGE = r"\b(?:project|add_languages)\s*\([^)]*'(?:cuda|fortran|rust)'" + _REQUIRED
_NO_LIMITED_API = {
    CrossBuild.MESON: "[tool.meson-python] limited-api is not true",
    CrossBuild.CMAKE: "[tool.scikit-build.wheel] py-api is not set",
    CrossBuild.VARIABLES: "neither [tool.distutils.bdist_wheel] nor setup.py sets py-limited-api",
}
# Statements that meson.build executes unconditionally, and why they rule out a cross build.
_LIMITS = (
    (
        r"\bdependency\s*\(\s*'[Oo]pen[Mm][Pp]'" + _REQUIRED,
        "OpenMP: zig has no OpenMP runtime for any target",
    ),
    (_APPLE, "Apple frameworks: their headers and stubs come only with Xcode"),
    (_LANGUAGE, "a language other than C, C++ and Cython, which zig does not compile"),
)


def require_supported(distributions: Iterable[Distribution], targets: Iterable[Target] = ()) -> None:
    """Raise ProjectError, with every reason, when one of the native distributions cannot be cross-built."""
    others = [target.tag for target in targets if target.system is not System.LINUX]
    reasons = [f"{member.name}: {reason}" for member in distributions for reason in limitations(member)]
    reasons += [
        f"{member.name}: CMake projects are cross-built for Linux only, not for {shorten_list(others)}"
        for member in distributions
        if others and member.build_backend.cross is CrossBuild.CMAKE
    ]
    if reasons:
        count = "" if len(reasons) == 1 else f", for {len(reasons)} reasons"
        raise ProjectError(f"cannot be cross-built{count}:", detail="\n".join(reasons), hint=NATIVE_HINT)


def limitations(distribution: Distribution) -> Iterator[str]:
    """Yield each reason, with its place, for which a distribution cannot be cross-built."""
    source = distribution.source
    how = distribution.build_backend.cross
    if how is CrossBuild.NONE or (how is not CrossBuild.MESON and os.name == "nt"):
        supported = "meson-python" if os.name == "nt" else "meson-python, setuptools and scikit-build-core"
        yield f"{source}: the build backend is {distribution.backend}; cross builds support only {supported}"
        return
    if not distribution.limited_api:
        yield f"{source}: {_NO_LIMITED_API[how]}; cross builds need the limited API"
    if how is CrossBuild.MESON:
        yield from dict.fromkeys(_unsupported_statements(distribution))


def _unsupported_statements(distribution: Distribution) -> Iterator[str]:
    for name, text in meson.statements(distribution.source):
        for pattern, reason in _LIMITS:
            if match := re.search(pattern, text):
                line = text.count("\n", 0, match.end()) + 1
                yield f"{name}, line {line}: {reason}"
