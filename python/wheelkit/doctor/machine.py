"""This machine: containers that really start, signing tools, disk space and clock."""

from __future__ import annotations

import importlib.util
import platform
import shutil
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from wheelkit.doctor.model import fine, missing, warning
from wheelkit.inputs import number
from wheelkit.machine.facts import find_engine
from wheelkit.machine.git import Repository
from wheelkit.machine.process import Command, query
from wheelkit.machine.time_limits import ENGINE
from wheelkit.text import size

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from wheelkit.doctor.model import CheckLine
    from wheelkit.machine.facts import Engine


TOPIC = "machine"
_LIST_IMAGES = ("images", "--format", "{{.Repository}}:{{.Tag}}")
_LITTLE_SPACE, _TOO_LITTLE_SPACE = 5_000_000_000, 1_000_000_000
_LAST_TIME = datetime.max.replace(tzinfo=UTC).timestamp() - 86400
_CLOCK_TOLERANCE = timedelta(days=1)
_IMAGE_VARIABLES = ("CIBW_MANYLINUX_{arch}_IMAGE", "CIBW_MUSLLINUX_{arch}_IMAGE")
# How to fix an engine that does not work, by the end of the problem's first words.
_ENGINE_FIXES = {
    "docker is installed but does not work": "sudo systemctl start docker",
    "podman is installed but does not work": "podman info",
}


def containers(environ: Mapping[str, str]) -> Iterable[CheckLine]:
    """Check on Linux that a container starts, from an image that is already here."""
    if sys.platform != "linux":
        return
    engine, problem = find_engine(environ)
    if engine is None:
        fixes = (fix for words, fix in _ENGINE_FIXES.items() if words in problem)
        detail = f"none, the host builder is used: {problem}"
        yield warning(TOPIC, "containers", detail, next(fixes, "apt install podman"))
        return
    images = query(Command(argv=(engine.name, *_LIST_IMAGES)), timeout=ENGINE.seconds)
    if images.returncode != 0:
        what = f"{engine} answers, but {engine.name} images {images.ending}"
        yield missing(TOPIC, "containers", what, f"{engine.name} info")
        return
    image = _find_image(images.output.splitlines(), environ)
    if image is None:
        yield fine(TOPIC, "containers", f"{engine} works; the first build downloads its image")
    else:
        yield _start_container(engine, image)


def _find_image(images: Sequence[str], environ: Mapping[str, str]) -> str | None:
    """Return one of the images on this machine: the one set for cibuildwheel, else one of PyPA's."""
    arch = platform.machine().upper()
    for variable in _IMAGE_VARIABLES:
        name = environ.get(variable.format(arch=arch))
        if name and not {name, f"{name}:latest"}.isdisjoint(images):
            return name
    return next((image for image in images if "manylinux" in image or "musllinux" in image), None)


def _start_container(engine: Engine, image: str) -> CheckLine:
    """Start a container that does nothing: an engine may answer and still fail to start one."""
    command = Command(argv=(engine.name, "run", "--rm", "--pull=never", "--network=none", image, "true"))
    completed = query(command, timeout=ENGINE.seconds)
    if completed.returncode == 0:
        return fine(TOPIC, "containers", f"{engine} starts {image}")
    lines = completed.output.splitlines()
    reason = lines[-1] if lines else f"it {completed.ending}"
    fix = f"build without a container: wheelkit build --native --builder host; to try again: {command}"
    return missing(TOPIC, "containers", f"{engine} answers, but cannot start {image}: {reason}", fix)


def signing() -> Iterable[CheckLine]:
    """Check for codesign on macOS: repair signs the binaries that it edits."""
    if platform.system() == "Darwin":
        path = shutil.which("codesign")
        absent = missing(TOPIC, "codesign", "not found", "xcode-select --install")
        yield fine(TOPIC, "codesign", path) if path else absent


def disk(folder: Path) -> CheckLine:
    """Check the free space of the project's disk and of the temporary folder."""
    # Folders of one disk have the same space, which other programs may change between two questions.
    disks = {path.stat().st_dev: path for path in (Path(tempfile.gettempdir()), folder)}
    free, tightest = min((shutil.disk_usage(path).free, path) for path in disks.values())
    detail = f"{size(free)} free in {tightest}"
    if free >= _LITTLE_SPACE:
        return fine(TOPIC, "disk", detail)
    line = missing if free < _TOO_LITTLE_SPACE else warning
    return line(TOPIC, "disk", detail, "free some space, or set TMPDIR to a larger disk")


def clock(folder: Path, now: datetime) -> CheckLine:
    """Check that the clock is not behind the last commit and wheelkit's own files; tokens need the time."""
    newest = max((datetime.fromtimestamp(stamp, UTC) for stamp in _past_times(folder)), default=now)
    if newest - now > _CLOCK_TOLERANCE:
        detail = f"the clock says {now:%Y-%m-%d}, but a file or commit is from {newest:%Y-%m-%d}"
        fix = "w32tm /resync" if platform.system() == "Windows" else "timedatectl set-ntp true"
        return warning(TOPIC, "clock", detail, fix)
    return fine(TOPIC, "clock", f"{now:%Y-%m-%d %H:%M} UTC")


def _past_times(folder: Path) -> Iterable[float]:
    commit_time = Repository(folder=folder).line("log", "-1", "--format=%ct")
    # Git has dates beyond those of Python.
    if (seconds := number(commit_time)) is not None and seconds < _LAST_TIME:
        yield float(seconds)
    spec = importlib.util.find_spec("wheelkit")
    if spec is not None and spec.origin is not None:
        yield Path(spec.origin).stat().st_mtime
