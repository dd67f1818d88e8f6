"""The container images in which a build runs, by digest: the image of a tag may change."""

from __future__ import annotations

import os
from configparser import ConfigParser, Error
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from wheelkit.errors import ProjectError
from wheelkit.inputs import read_text
from wheelkit.machine.process import Command, PendingCommand
from wheelkit.matrix import System
from wheelkit.plan.options import CibuildwheelOptions, variable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wheelkit.plan import NativeStep


class Images:
    """The images of several steps; the container engine is queried for all of them in the background."""

    def __init__(
        self, steps: Iterable[NativeStep], engine: str, environ: Mapping[str, str] = os.environ
    ) -> None:
        self._environ = environ
        self._engine = engine
        names = {name for step in steps for name in image_names(step, environ) if not _pinned_digest(name)}
        self._queries = {name: self._start_query(name) for name in names}
        self._digests: dict[str, str] = {}

    def digests(self, step: NativeStep) -> dict[str, str]:
        """Map the images in which the step runs to their digests; empty for one that is not here."""
        return {name: self._digest(name) for name in image_names(step, self._environ)}

    def _start_query(self, name: str) -> PendingCommand:
        return PendingCommand(Command(argv=(self._engine, "image", "inspect", "--format", "{{.Id}}", name)))

    def _digest(self, name: str) -> str:
        """Return an image's digest; empty, and queried again next time, if the image is not here."""
        digest = _pinned_digest(name) or self._digests.get(name, "")
        if not digest:
            completed = (self._queries.pop(name, None) or self._start_query(name)).wait()
            if completed.returncode == 0:
                digest = self._digests[name] = completed.output.strip()
        return digest


def _pinned_digest(name: str) -> str:
    return name.partition("@")[2] if "@sha256:" in name else ""


def image_names(step: NativeStep, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return every image in which the step may run; short names are those of cibuildwheel's pinned images."""
    if step.target.system is not System.LINUX:
        return ()
    key = f"{step.target.libc}-{step.target.arch}-image"
    user = CibuildwheelOptions(step.distribution, step.target.system, environ)
    planned = step.env.get(variable(key, step.target.system))
    names = [planned] if planned else [build.image for build in user.builds(step.identifiers)]
    pinned = _pinned_images().get(step.target.arch, {})
    return tuple(dict.fromkeys(pinned.get(name, name) for name in names))


@cache
def _pinned_images() -> Mapping[str, Mapping[str, str]]:
    """Return the images that the installed cibuildwheel pins, by architecture and short name.

    The file, resources/pinned_docker_images.cfg, has a section per architecture with lines ``name = image``.
    """
    configured = os.environ.get("CIBW_INTERNAL_PINNED_DOCKER_IMAGES")
    spec = find_spec("cibuildwheel")
    if spec is None or spec.origin is None:
        return {}
    path = Path(configured) if configured else Path(spec.origin).parent / "resources/pinned_docker_images.cfg"
    parser = ConfigParser(delimiters=("=",), inline_comment_prefixes=("#",), interpolation=None)
    try:
        parser.read_string(read_text(path))
    except (OSError, ValueError, Error) as error:
        raise ProjectError(
            f"the pinned images cannot be read from {path}: {' '.join(str(error).split())}",
            hint="correct or unset CIBW_INTERNAL_PINNED_DOCKER_IMAGES, or install cibuildwheel again",
        ) from error
    return {section: dict(parser.items(section)) for section in parser.sections()}
