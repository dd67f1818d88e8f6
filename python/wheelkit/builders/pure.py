"""Builds the wheels of distributions without native code."""

from __future__ import annotations

import sys
import sysconfig
from typing import TYPE_CHECKING

from wheelkit.builders.frontend import uv_build
from wheelkit.builders.results import BuiltWheel
from wheelkit.builders.units import FirstWheel
from wheelkit.builders.zig_compile import link_environment
from wheelkit.errors import ProjectError
from wheelkit.machine.compilers import compiler_errors
from wheelkit.machine.interpreters import LINK_COMMANDS, python_for
from wheelkit.project.kinds import Kind
from wheelkit.wheel.names import parse_file_name

if TYPE_CHECKING:
    from wheelkit.builders.sdist import SourceDist
    from wheelkit.machine.workspace import Workspace
    from wheelkit.project.read import Distribution


class WrongKindError(ProjectError):
    """A wheel of another kind than its distribution; ``kind`` is that of the wheel, which is kept."""

    key: str
    kind: Kind
    wheel: FirstWheel | None = None


def build(
    distribution: Distribution, source: SourceDist, workspace: Workspace, first: FirstWheel | None = None
) -> BuiltWheel:
    """Build a pure distribution's wheel, or take the ``first`` one of the same sdist.

    Raises ToolFailedError, or WrongKindError for a platform wheel.
    """
    if first is not None and first.sdist == source.path:
        return BuiltWheel(path=first.path, cells=("any",))
    own = python_for(distribution.requires_python) == sys.executable
    if own:  # as the host builder would, so that a platform wheel need not be built again
        links = {name: str(sysconfig.get_config_var(name) or "") for name in LINK_COMMANDS}
        workspace = workspace.with_env(link_environment(links))
    with workspace.step(f"wheel {distribution.name}"):
        path = uv_build("wheel", source.path, distribution, workspace)
    if not parse_file_name(path.name).any_platform:
        error = WrongKindError(
            f"{distribution.name} is treated as pure Python, but its wheel is for one platform: {path.name}",
            hint=f'{setting(distribution)} kind = "native"   then:  wheelkit build --native',
        )
        error.key, error.kind = distribution.key, Kind.NATIVE
        error.wheel = FirstWheel(path=path, sdist=source.path) if own else None
        raise error
    return BuiltWheel(path=path, cells=("any",))


def not_native_error(
    distribution: Distribution, wheel: str, output: str, first: FirstWheel | None = None
) -> ProjectError:
    """Return the error for a native distribution whose wheel is for every platform.

    The compiler's lines are shown, because builds may skip optional extensions that do not compile. Without
    them, the distribution may be pure.
    """
    lines = compiler_errors(output)
    error = (ProjectError if lines else WrongKindError)(
        f"{distribution.name} is treated as native, but its wheel contains no binary: {wheel}",
        detail=lines,
        hint="check what its build leaves out; or, if it is pure Python, set"
        f'  {setting(distribution)} kind = "pure"   then:  wheelkit build --pure',
    )
    if isinstance(error, WrongKindError):
        error.key, error.kind, error.wheel = distribution.key, Kind.PURE, first
    return error


def setting(distribution: Distribution) -> str:
    """Return the header of the distribution's table in pyproject.toml."""
    return f"[tool.wheelkit.distribution.{distribution.key}]"
