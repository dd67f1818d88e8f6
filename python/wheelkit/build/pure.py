"""Pure and meta distributions: one wheel for every system, built from the sdist in an isolated environment."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from wheelkit.build.made import Made
from wheelkit.errors import ProjectError, ToolFailedError
from wheelkit.machine.compilers import compiler_errors
from wheelkit.machine.process import Command, checked
from wheelkit.machine.progress import step
from wheelkit.machine.workspace import find_tool
from wheelkit.wheel.names import parse_file_name

if TYPE_CHECKING:
    from wheelkit.build.sdist import SourceDist
    from wheelkit.machine.workspace import Workspace
    from wheelkit.project import Distribution


def build(item: Distribution, source: SourceDist, shop: Workspace) -> Made:
    """Build the wheel of a distribution without native code.

    Raises ToolFailedError when the backend refuses, ProjectError when a platform wheel comes out.
    """
    out = shop.fresh("pure")
    with step(shop.progress, f"wheel {item.name}"):
        argv = (find_tool("uv"), "build", "--wheel", "--python", sys.executable, "--out-dir", str(out), str(source.path))
        checked(shop.run, Command(argv=argv, unset=("VIRTUAL_ENV",)), f"building the wheel of {item.name}")
    made = sorted(out.glob("*.whl"))
    if len(made) != 1:
        raise ToolFailedError(f"building {item.name} gave {len(made)} wheels, where one was expected")
    if not parse_file_name(made[0].name).any_platform:
        raise ProjectError(
            f"{item.name} was taken for pure Python, but its wheel is for one platform: {made[0].name}",
            hint=f'say so:  [tool.wheelkit.distribution.{item.key}] kind = "native"   then:  wheelkit build --native',
        )
    return Made(path=made[0], cells=("any",))


def taken_for_native(item: Distribution, wheel: str, output: str) -> ProjectError:
    """Make the error for a distribution that was to hold native code, and whose wheel is for every system.

    A build may pass over an extension that does not compile (setuptools: optional=True), so what compilers said in its ``output`` is shown.
    """
    return ProjectError(
        f"{item.name} was taken for native, but its wheel holds no binary: {wheel}",
        detail=compiler_errors(output),
        hint="look at what its build leaves out; or, if it is pure Python, say so:"
        f'  [tool.wheelkit.distribution.{item.key}] kind = "pure"   then:  wheelkit build --pure',
    )
