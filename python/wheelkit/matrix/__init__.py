"""Targets, interpreters, the cells that a project promises, and the file that an installer picks for each."""

from wheelkit.matrix.builds import (
    build_identifier,
    default_images,
    offered_builds,
    offered_interpreters,
    selects,
)
from wheelkit.matrix.cells import Absence, AbsentCell, Matrix, matrix_of
from wheelkit.matrix.installer import Candidate, pick
from wheelkit.matrix.interpreters import (
    LATEST_PATCH,
    NEWEST_CPYTHON_MINOR,
    Interpreter,
    admits_python,
    default_interpreters,
)
from wheelkit.matrix.targets import (
    COMMON_TARGETS,
    DESKTOP,
    LEGACY_MANYLINUX,
    LINUX_ARCHS,
    System,
    Target,
    oldest_glibc,
)
from wheelkit.matrix.validate import unbuilt_interpreters, validate

__all__ = [
    "COMMON_TARGETS",
    "DESKTOP",
    "LATEST_PATCH",
    "LEGACY_MANYLINUX",
    "LINUX_ARCHS",
    "NEWEST_CPYTHON_MINOR",
    "Absence",
    "AbsentCell",
    "Candidate",
    "Interpreter",
    "Matrix",
    "System",
    "Target",
    "admits_python",
    "build_identifier",
    "default_images",
    "default_interpreters",
    "matrix_of",
    "offered_builds",
    "offered_interpreters",
    "oldest_glibc",
    "pick",
    "selects",
    "unbuilt_interpreters",
    "validate",
]
