"""Builds the wheels of distributions without native code."""

from __future__ import annotations

import sys
import sysconfig
from typing import TYPE_CHECKING

from wheelkit.builders.frontend import uv_build
from wheelkit.builders.kinds import WrongKindError, setting
from wheelkit.builders.results import BuiltWheel
from wheelkit.builders.units import FirstWheel
from wheelkit.builders.zig_compile import link_environment
from wheelkit.machine.interpreters import LINK_COMMANDS, python_for
from wheelkit.project.kinds import Kind
from wheelkit.wheel.names import parse_file_name

if TYPE_CHECKING:
    from wheelkit.builders.sdist import SourceDist
    from wheelkit.machine.workspace import Workspace
    from wheelkit.project.read import Distribution


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
