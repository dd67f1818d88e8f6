"""Builds the wheels of distributions without native code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelkit.builders.frontend import uv_build
from wheelkit.builders.results import BuiltWheel
from wheelkit.errors import ProjectError
from wheelkit.machine.compilers import compiler_errors
from wheelkit.wheel.names import parse_file_name

if TYPE_CHECKING:
    from wheelkit.builders.sdist import SourceDist
    from wheelkit.machine.workspace import Workspace
    from wheelkit.project.read import Distribution


def build(distribution: Distribution, source: SourceDist, workspace: Workspace) -> BuiltWheel:
    """Build a pure distribution's wheel. Raises ToolFailedError, or ProjectError for a platform wheel."""
    with workspace.step(f"wheel {distribution.name}"):
        path = uv_build("wheel", source.path, distribution, workspace)
    if not parse_file_name(path.name).any_platform:
        raise ProjectError(
            f"{distribution.name} is treated as pure Python, but its wheel is for one platform: {path.name}",
            hint=f'{_setting(distribution)} kind = "native"   then:  wheelkit build --native',
        )
    return BuiltWheel(path=path, cells=("any",))


def not_native_error(distribution: Distribution, wheel: str, output: str) -> ProjectError:
    """Return the error for a native distribution whose wheel is for every platform.

    The compiler's lines are shown, because builds may skip optional extensions that do not compile.
    """
    return ProjectError(
        f"{distribution.name} is treated as native, but its wheel contains no binary: {wheel}",
        detail=compiler_errors(output),
        hint="check what its build leaves out; or, if it is pure Python, set"
        f'  {_setting(distribution)} kind = "pure"   then:  wheelkit build --pure',
    )


def _setting(distribution: Distribution) -> str:
    return f"[tool.wheelkit.distribution.{distribution.key}]"
