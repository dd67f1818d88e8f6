"""The kind of a project's wheels, from what its files show; the first wheel decides where they are wrong."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from wheelkit.project.backends import BACKENDS, find_backend
from wheelkit.project.build_code import Evidence, setup_evidence
from wheelkit.project.requirements import requirement_name, stated_requirements

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.project.backends import Backend
    from wheelkit.project.files import ProjectFiles


class Kind(StrEnum):
    """What a distribution's wheels hold: native code, only Python, or nothing but dependencies."""

    NATIVE = "native"
    PURE = "pure"
    META = "meta"


# Build requirements that only projects with sources to compile have.
_COMPILING = frozenset({
    "cython", "pybind11", "nanobind", "cffi", "setuptools-rust", "scikit-build", "scikit-build-core", "cmake",
    "ninja", "meson", "numpy", "oldest-supported-numpy", "sip", "mypy", "swig", "cppy", "pythran",
    "milksnake", "ziglang",
})  # fmt: skip


def is_native(files: ProjectFiles) -> bool:
    """Return whether the files show that the project's wheels hold native code."""
    backend = find_backend(files.backend)
    return bool(
        backend.native(files)
        or files.table("tool", "cibuildwheel")  # nobody configures it for pure Python
        or any(candidate.compiling_hook(files) for candidate in BACKENDS)
        or (_has_build_code(files) and files.has_sources())
        or (_may_compile(files, backend) and files.has_sources())
    )


def _has_build_code(files: ProjectFiles) -> bool:
    """Return whether code of the project takes part in the build: a backend of its own, or a hook."""
    in_tree = files.table("build-system").get("backend-path")
    return bool(in_tree) or any(candidate.own_code(files) for candidate in BACKENDS)


def _may_compile(files: ProjectFiles, backend: Backend) -> bool:
    """Return whether setup.py does more than describe the project, and the build requires a compiler."""
    return (
        backend.runs_setup
        and not _COMPILING.isdisjoint(map(requirement_name, _build_requirements(files)))
        and setup_evidence(files) >= Evidence.POSSIBLE
    )


def _build_requirements(files: ProjectFiles) -> Iterator[str]:
    requires = files.table("build-system").get("requires")
    yield from map(str, requires if isinstance(requires, list) else ())
    for stated in stated_requirements(files):
        if "setup_requires" in stated.where:
            yield stated.text
