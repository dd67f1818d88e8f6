"""Provides the siblings that a distribution needs to be built or tested, never from an index.

uv and pip get them as constraints with path and sha256, which apply wherever a sibling's name comes up, also
inside isolated build environments. A sibling that was not asked for is built too, but not delivered.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from msgspec import Struct, field

from wheelkit import manifest
from wheelkit.errors import ProjectError, UsageError
from wheelkit.machine import facts
from wheelkit.matrix import Candidate, Interpreter, pick
from wheelkit.plan.options import CibuildwheelOptions
from wheelkit.project.kinds import Kind
from wheelkit.project.requirements import name_and_extras

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from wheelkit.machine.workspace import Workspace
    from wheelkit.matrix import Target
    from wheelkit.plan import NativeStep
    from wheelkit.project.family import Family
    from wheelkit.project.read import Distribution


# The variables that uv build, uv pip install, and pip inside them read.
_BUILD_VARIABLES = ("UV_BUILD_CONSTRAINT", "UV_CONSTRAINT")
_ALL_VARIABLES = (*_BUILD_VARIABLES, "PIP_CONSTRAINT")
# Where cibuildwheel mounts this machine's files in its containers.
MOUNT = "/host"


def needed(distribution: Distribution, family: Family) -> tuple[str, ...]:
    """Return the siblings needed to build (native: and test) a distribution, with all that these need."""
    waiting = [
        *distribution.build_requires,
        *(distribution.dependencies if distribution.kind is Kind.NATIVE else ()),
    ]
    members, seen, found = family.members, set[str](), dict[str, None]()
    while waiting:
        text = waiting.pop(0)
        key, extras = name_and_extras(text)
        if text in seen or key not in members or key == distribution.key:
            continue
        seen.add(text)
        found[key] = None
        waiting += members[key].dependencies
        for extra in extras:
            waiting += members[key].extras.get(extra, ())
    return tuple(found)


class Wheelhouse(Struct, frozen=True, kw_only=True):
    """The wheels of this build, by normalised name."""

    family: Family
    wheels: dict[str, list[Path]] = field(default_factory=dict)

    def add(self, key: str, paths: Iterable[Path]) -> None:
        """Add wheels of one distribution."""
        self.wheels.setdefault(key, []).extend(paths)

    def for_build(self, distribution: Distribution, workspace: Workspace) -> Workspace:
        """Return the workspace in which an sdist or pure wheel is built with its siblings."""
        if not needed(distribution, self.family):
            return workspace
        target = facts.own_target(facts.detect(containers=False))
        running = Interpreter.parse(f"cp{sys.version_info[0]}{sys.version_info[1]}")
        path = self._write_constraints(distribution, target, (running,), workspace)
        return workspace.with_env(dict.fromkeys(_BUILD_VARIABLES, str(path)))

    def for_step(self, step: NativeStep, workspace: Workspace) -> Workspace:
        """Return the workspace in which a step is built with its siblings.

        Raises UsageError if the project's configuration hides this machine's files from the container.
        """
        names = needed(step.distribution, self.family)
        if not names:
            return workspace
        in_container = step.in_container
        mount = MOUNT if in_container else ""
        path = self._write_constraints(step.distribution, step.target, step.interpreters, workspace, mount)
        env = dict.fromkeys(_ALL_VARIABLES, f"{mount}{path}")
        if in_container:
            user = CibuildwheelOptions(step.distribution, step.target.system, os.environ)
            if any(build.hides_host for build in user.builds(step.identifiers)):
                raise UsageError(
                    f"{step.distribution.name} needs {', '.join(names)} to be built, "
                    "but the container cannot see this machine's files",
                    hint="remove disable-host-mount from [tool.cibuildwheel] container-engine",
                )
            env |= user.appended("environment-pass", " ".join(_ALL_VARIABLES), step.env)
        return workspace.with_env(env)

    def _write_constraints(
        self,
        distribution: Distribution,
        target: Target,
        interpreters: Sequence[Interpreter],
        workspace: Workspace,
        mount: str = "",
    ) -> Path:
        lines: list[str] = []
        for key in needed(distribution, self.family):
            wheels = self._pick(key, target, interpreters)
            if not wheels:
                raise ProjectError(
                    f"{distribution.name} needs {key}, of the same family, to be built, "
                    f"but this build has no wheel of it for {target}",
                    hint="build both at once on a machine that can:  wheelkit build",
                )
            lines += _constraints(key, wheels, mount)
        path = workspace.new_folder("siblings") / "constraints.txt"
        path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return path

    def _pick(self, key: str, target: Target, interpreters: Sequence[Interpreter]) -> dict[Interpreter, Path]:
        """Return the wheel of a sibling that an installer would take, for each interpreter that has one."""
        from wheelkit.wheel.names import parse_file_name

        paths = {path.name: path for path in self.wheels.get(key, ())}
        candidates = [Candidate(filename=name, tags=parse_file_name(name).tags) for name in paths]
        picked = {interpreter: pick(candidates, target, interpreter) for interpreter in interpreters}
        return {interpreter: paths[wheel.filename] for interpreter, wheel in picked.items() if wheel}


def _constraints(key: str, wheels: dict[Interpreter, Path], mount: str) -> Iterator[str]:
    """Yield the constraints of one sibling: a line per interpreter if these need different wheels."""
    lines = {
        interpreter: f"{key} @ file://{mount}{path.as_uri().removeprefix('file://')}#sha256={manifest.sha256(path)}"
        for interpreter, path in wheels.items()
    }
    if len(set(lines.values())) == 1:
        yield next(iter(lines.values()))
        return
    for interpreter, line in lines.items():
        yield f'{line} ; python_version == "{interpreter.version[0]}.{interpreter.version[1]}"'
