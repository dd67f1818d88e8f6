"""Members of the family that another one needs to be built or tested: they come from this run, never from an index.

uv and pip are given them as constraints with path and sha256, which hold wherever a sibling's name comes up, also inside isolated build
environments. A sibling that was not asked for is built all the same, and only not delivered.
"""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING

from msgspec import Struct, field

from wheelkit import manifest
from wheelkit.config import normalise
from wheelkit.errors import ProjectError, UsageError
from wheelkit.machine import facts
from wheelkit.matrix import Candidate, Interpreter, System, pick
from wheelkit.plan import Builder
from wheelkit.plan.options import CibuildwheelOptions
from wheelkit.project.read import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from wheelkit.machine.workspace import Workspace
    from wheelkit.matrix import Target
    from wheelkit.plan import NativeStep
    from wheelkit.project.family import Family
    from wheelkit.project.read import Distribution


# What the frontends look at: uv build, uv pip install, and pip inside them.
_BUILD_VARIABLES = ("UV_BUILD_CONSTRAINT", "UV_CONSTRAINT")
_ALL_VARIABLES = ("UV_BUILD_CONSTRAINT", "UV_CONSTRAINT", "PIP_CONSTRAINT")
# Where cibuildwheel mounts this machine's files in its containers.
_MOUNT = "/host"
# How a requirement begins (PEP 508).
_REQUIREMENT = re.compile(
    r"\s*(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[(?P<extras>[^\]]*)\])?"
)


def needed(item: Distribution, family: Family) -> tuple[str, ...]:
    """Name the siblings that building the item needs, with all that these require; for a native one also what its tests install."""
    waiting = [*item.build_requires, *(item.dependencies if item.kind is Kind.NATIVE else ())]
    members, seen, found = family.members, set[str](), dict[str, None]()
    while waiting:
        text = waiting.pop(0)
        key, extras = _asked(text)
        if text not in seen and key in members and key != item.key:
            seen.add(text)
            found[key] = None
            waiting += [
                *members[key].dependencies,
                *(one for extra in extras for one in members[key].extras.get(extra, ())),
            ]
    return tuple(found)


def _asked(requirement: str) -> tuple[str, frozenset[str]]:
    """Read a requirement's normalised name and extras; empty for what is none, which the backend complains about."""
    match = _REQUIREMENT.match(requirement)
    if match is None:
        return "", frozenset()
    return normalise(match["name"]), frozenset(
        word.strip() for word in (match["extras"] or "").split(",") if word.strip()
    )


class Wheelhouse(Struct, frozen=True, kw_only=True):
    """The wheels that this run has made, by normalised name."""

    family: Family
    made: dict[str, list[Path]] = field(default_factory=dict)

    def add(self, key: str, paths: Iterable[Path]) -> None:
        """Keep what was made of one distribution."""
        self.made.setdefault(key, []).extend(paths)

    def for_build(self, item: Distribution, shop: Workspace) -> Workspace:
        """Give the workshop in which an sdist or a pure wheel is built with the item's own siblings, and no others of their names."""
        if not needed(item, self.family):
            return shop
        here = facts.own_target(facts.detect(containers=False))
        running = Interpreter.parse(f"cp{sys.version_info[0]}{sys.version_info[1]}")
        lines = self._lines(item, here, (running,))
        return shop.with_env(dict.fromkeys(_BUILD_VARIABLES, str(_file(lines, shop)))) if lines else shop

    def for_step(self, job: NativeStep, shop: Workspace) -> Workspace:
        """Give the workshop for a step of a builder; inside a container the files have the place where it mounts this machine.

        Raises UsageError where the project keeps cibuildwheel from mounting it.
        """
        inside = job.builder is Builder.CIBUILDWHEEL and job.target.system is System.LINUX
        lines = self._lines(job.distribution, job.target, job.interpreters, _MOUNT if inside else "")
        if not lines:
            return shop
        path = _file(lines, shop)
        env = dict.fromkeys(_ALL_VARIABLES, f"{_MOUNT}{path}" if inside else str(path))
        if inside:
            user = CibuildwheelOptions(job.distribution, job.target.system, os.environ)
            if user.hides_host:
                names = ", ".join(needed(job.distribution, self.family))
                raise UsageError(
                    f"{job.distribution.name} needs {names} to be built, and the container cannot see this machine's files",
                    hint="take disable-host-mount out of [tool.cibuildwheel] container-engine",
                )
            env["CIBW_ENVIRONMENT_PASS_LINUX"] = " ".join(
                filter(None, [user.text("environment-pass"), *_ALL_VARIABLES])
            )
        return shop.with_env(env)

    def _lines(
        self, item: Distribution, target: Target, interpreters: Sequence[Interpreter], mount: str = ""
    ) -> list[str]:
        return [
            line
            for key in needed(item, self.family)
            for line in self._pinned(item, key, target, interpreters, mount)
        ]

    def _pinned(
        self, item: Distribution, key: str, target: Target, interpreters: Sequence[Interpreter], mount: str
    ) -> Iterable[str]:
        """Write the constraint of one sibling, one line for each of its wheels where interpreters need different ones."""
        from wheelkit.wheel.names import parse_file_name

        files = {path.name: path for path in self.made.get(key, ())}
        candidates = [Candidate(filename=name, tags=parse_file_name(name).tags) for name in files]
        picked = {
            one: found.filename
            for one in interpreters
            if (found := pick(candidates, target, one)) is not None
        }
        if not picked:
            raise ProjectError(
                f"{item.name} needs {key}, of the same family, to be built, and no wheel of it for {target} was made in this run",
                hint="build both in one run on a machine that can:  wheelkit build",
            )
        single = len(set(picked.values())) == 1
        for interpreter, name in (
            {interpreters[0]: next(iter(picked.values()))} if single else picked
        ).items():
            marker = (
                "" if single else f' ; python_version == "{interpreter.version[0]}.{interpreter.version[1]}"'
            )
            yield f"{key} @ file://{mount}{files[name].as_uri().removeprefix('file://')}#sha256={manifest.sha256(files[name])}{marker}"


def _file(lines: Iterable[str], shop: Workspace) -> Path:
    path = shop.new_folder("siblings") / "constraints.txt"
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path
