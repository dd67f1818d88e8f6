"""Environment variables by which a build is given a version that tags do not have, one row for each tool.

Each row is what the tool documents, and is tried with the tool itself.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from wheelkit.errors import UsageError
from wheelkit.project.requirements import requirement_name
from wheelkit.versions.toml_files import read_toml, value_at

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelkit.project.read import Distribution
    from wheelkit.versions.model import FamilyVersions


class VersionOverride(Struct, frozen=True, kw_only=True):
    """The variable of a tool; ``{NAME}`` in it is the distribution's name in capitals.

    A project uses the tool if its build requires one of ``requirements``, or has the ``backend``.
    """

    variable: str
    requirements: tuple[str, ...] = ()
    backend: str = ""


# The first row that applies counts. hatch-vcs and flit-scm call setuptools-scm without the distribution's
# name.
OVERRIDES = (
    VersionOverride(variable="SETUPTOOLS_SCM_PRETEND_VERSION", requirements=("hatch-vcs", "flit-scm")),
    VersionOverride(
        variable="SETUPTOOLS_SCM_PRETEND_VERSION_FOR_{NAME}",
        requirements=("setuptools-scm", "vcs-versioning"),
    ),
    VersionOverride(variable="UV_DYNAMIC_VERSIONING_BYPASS", requirements=("uv-dynamic-versioning",)),
    VersionOverride(variable="POETRY_DYNAMIC_VERSIONING_BYPASS", requirements=("poetry-dynamic-versioning",)),
    VersionOverride(variable="PBR_VERSION", requirements=("pbr",)),
    VersionOverride(variable="PDM_BUILD_SCM_VERSION", backend="pdm.backend"),
)


def override_variable(distribution: Distribution) -> str | None:
    """Return the variable that gives a distribution's next build its version; None if its tool has none."""
    document = read_toml(distribution.source / "pyproject.toml")
    required = {requirement_name(text) for text in _build_requirements(document)}
    name = re.sub(r"[-_.]+", "_", distribution.name).upper()
    return next(
        (
            row.variable.replace("{NAME}", name)
            for row in OVERRIDES
            if required.intersection(row.requirements) or row.backend == distribution.backend
        ),
        None,
    )


def _build_requirements(document: Mapping[str, Any]) -> tuple[str, ...]:
    requires = value_at(document, "build-system", "requires")
    return tuple(map(str, requires)) if isinstance(requires, list) else ()


def variables(state: FamilyVersions, versions: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that give one build these versions, by the members' keys.

    Raises UsageError for a member whose tool takes no version from outside, and where two versions would need
    the same variable.
    """
    values: dict[str, str] = {}
    for key, version in versions.items():
        name = override_variable(state.members[key].distribution)
        if name is None:
            raise UsageError(
                f"the tool that computes the version of {state.name(key)} takes none from outside",
                hint="the commit has a version of its own; build that:  wheelkit build",
            )
        if values.setdefault(name, version) != version:
            raise UsageError(
                f"{state.name(key)} {version} and a sibling with {values[name]} would both read {name}",
                hint=f"one at a time:  wheelkit version dev {state.name(key)}",
            )
    return values
