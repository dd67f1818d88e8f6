"""This machine: containers that really start, signing tools, disk and clock."""

from __future__ import annotations

import importlib.util
import platform
import shutil
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from wheelkit.doctor.model import fine, missing, warning
from wheelkit.machine.facts import find_engine
from wheelkit.machine.git import Repository
from wheelkit.machine.process import Command, query

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wheelkit.doctor.model import CheckLine
    from wheelkit.machine.facts import Engine


TOPIC = "machine"
_START_SECONDS = 20.0
_TIGHT, _TOO_LITTLE = 5_000_000_000, 1_000_000_000
_INSTEAD = "wheelkit build --native --builder host, until it starts"
_SLACK = timedelta(days=1)
_ARCH_VARIABLES = ("CIBW_MANYLINUX_{arch}_IMAGE", "CIBW_MUSLLINUX_{arch}_IMAGE")


def containers(environ: Mapping[str, str]) -> Iterable[CheckLine]:
    """Look for a container engine on Linux, and start a container from an image that is on this machine."""
    if sys.platform != "linux":
        return
    engine, problem = find_engine(environ)
    if engine is None:
        yield warning(TOPIC, "containers", f"the host builder takes over: {problem}", _mend(problem))
        return
    image = _image(engine, environ)
    if image is None:
        yield fine(
            TOPIC,
            "containers",
            f"{engine} answers; no image is on this machine yet, the first build fetches it",
        )
        return
    yield _start(engine, image)


def _mend(problem: str) -> str:
    """Give the command that makes an engine work, or that shows why one without a service does not."""
    if "docker is installed but does not work" in problem:
        return "sudo systemctl start docker"
    return "podman info" if "podman is installed but does not work" in problem else "apt install podman"


def _image(engine: Engine, environ: Mapping[str, str]) -> str | None:
    """Choose an image on this machine: the one that cibuildwheel is told to use, else one of pypa's, else none."""
    listed = query(
        Command(argv=(engine.name, "images", "--format", "{{.Repository}}:{{.Tag}}")), timeout=_START_SECONDS
    ).output.splitlines()
    arch = platform.machine().upper()
    told = [environ.get(name.format(arch=arch), "") for name in _ARCH_VARIABLES]
    for name in told:
        if name and any(one in {name, f"{name}:latest"} for one in listed):
            return name
    return next((one for one in listed if "manylinux" in one or "musllinux" in one), None)


def _start(engine: Engine, image: str) -> CheckLine:
    """Start a container that does nothing; an engine may answer and still start none."""
    command = Command(argv=(engine.name, "run", "--rm", "--pull=never", "--network=none", image, "true"))
    done = query(command, timeout=_START_SECONDS)
    if done.returncode == 0:
        return fine(TOPIC, "containers", f"{engine} starts one from {image}")
    said = done.output.splitlines()[-1] if done.output else f"no answer in {_START_SECONDS:.0f} seconds"
    return missing(
        TOPIC,
        "containers",
        f"{engine} answers, but starts none from {image}: {said}",
        f"{_INSTEAD}; to try again: {command}",
    )


def signing() -> Iterable[CheckLine]:
    """Look for codesign on macOS: repair signs anew what it edits."""
    if platform.system() == "Darwin":
        found = shutil.which("codesign")
        yield (
            fine(TOPIC, "codesign", found)
            if found
            else missing(TOPIC, "codesign", "was not found", "xcode-select --install")
        )


def disk(folder: Path) -> CheckLine:
    """Look at the space where builds work and where their files go."""
    import tempfile

    places = dict.fromkeys((folder, Path(tempfile.gettempdir())))
    free, place = min((shutil.disk_usage(place).free, str(place)) for place in places)
    text = f"{free / 1e9:.0f} GB free in {place}"
    if free < _TOO_LITTLE:
        return missing(TOPIC, "disk", text, "free some space, or set TMPDIR to a larger disk")
    if free < _TIGHT:
        return warning(TOPIC, "disk", text, "free some space, or set TMPDIR to a larger disk")
    return fine(TOPIC, "disk", text)


def clock(folder: Path, now: datetime) -> CheckLine:
    """Hold the clock against what is known to be past: the last commit, and wheelkit's own files. Tokens fail where it is wrong."""
    past = [datetime.fromtimestamp(stamp, UTC) for stamp in _stamps(folder)]
    newest = max(past, default=now)
    if newest - now > _SLACK:
        detail = f"it is {now:%Y-%m-%d} here, and something on this machine is from {newest:%Y-%m-%d}"
        return warning(TOPIC, "clock", detail, "timedatectl set-ntp true")
    return fine(TOPIC, "clock", f"{now:%Y-%m-%d %H:%M} UTC")


def _stamps(folder: Path) -> Iterable[float]:
    commit_time = Repository(folder=folder).line("log", "-1", "--format=%ct")
    if commit_time.isdigit():
        yield float(commit_time)
    spec = importlib.util.find_spec("wheelkit")
    if spec is not None and spec.origin is not None:
        yield Path(spec.origin).stat().st_mtime
