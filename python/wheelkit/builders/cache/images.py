"""Which container images a build runs in, by digest: a tag alone may mean another image tomorrow."""

from __future__ import annotations

import os
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.machine.process import Command, PendingCommand
from wheelkit.matrix import System
from wheelkit.plan.options import CibuildwheelOptions, variable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wheelkit.plan import NativeStep


class Identity(Struct, frozen=True, kw_only=True):
    """The images of a build by name, each with its digest; ``unknown`` names those that this machine does not hold and no digest pins."""

    digests: Mapping[str, str]
    unknown: tuple[str, ...] = ()


class Images:
    """The images of several steps; the engine is asked about all of them at once, and thinks while something else is done."""

    def __init__(
        self, steps: Iterable[NativeStep], engine: str, environ: Mapping[str, str] = os.environ
    ) -> None:
        self._environ = environ
        self._engine = engine
        tagged = dict.fromkeys(
            name for step in steps for name in image_names(step, environ) if "@sha256:" not in name
        )
        self._asked = {name: self._ask(name) for name in tagged}
        self._known: dict[str, str] = {}

    def _ask(self, name: str) -> PendingCommand:
        return PendingCommand(Command(argv=(self._engine, "image", "inspect", "--format", "{{.Id}}", name)))

    def identity(self, step: NativeStep) -> Identity:
        """Tell which images the step runs in."""
        digests, unknown = {}, []
        for name in image_names(step, self._environ):
            digest = name.partition("@")[2] or self._digest(name)
            if digest:
                digests[name] = digest
            else:
                unknown.append(name)
        return Identity(digests=digests, unknown=tuple(unknown))

    def _digest(self, name: str) -> str:
        if name not in self._known:
            done = self._asked.pop(name, None) or self._ask(name)
            answer = done.wait()
            if answer.returncode != 0:
                return ""  # the build may fetch it: asked again then
            self._known[name] = answer.output.strip()
        return self._known[name]


def image_names(step: NativeStep, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Name every image that the step may run in: pypa's as the installed cibuildwheel pins them, the user's own as they are written."""
    if step.target.system is not System.LINUX:
        return ()
    key = f"{step.target.libc}-{step.target.arch}-image"
    user = CibuildwheelOptions(step.distribution, step.target.system, environ)
    told = step.env.get(variable(key)) or user.text(key) or ""
    pinned = _pinned().get(step.target.arch, {})
    return tuple(
        dict.fromkeys(
            pinned.get(name, name)
            for name in (told, *(row.get(key) for row in user.overrides))
            if isinstance(name, str) and name
        )
    )


@cache
def _pinned() -> Mapping[str, Mapping[str, str]]:
    """Read which image of pypa's the installed cibuildwheel means by each short name, per architecture: sections of ``name = image``."""
    told = os.environ.get("CIBW_INTERNAL_PINNED_DOCKER_IMAGES")
    spec = find_spec("cibuildwheel")
    if spec is None or spec.origin is None:
        return {}
    path = Path(told) if told else Path(spec.origin).parent / "resources" / "pinned_docker_images.cfg"
    found: dict[str, dict[str, str]] = {}
    section: dict[str, str] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = found.setdefault(line.strip("[] "), {})
        elif "=" in line and not line.startswith(("#", ";")):
            name, _, image = line.partition("=")
            section[name.strip()] = image.partition(" #")[0].partition("  ")[0].strip()
    return found
