"""Tools, configuration and variables with which podman and cibuildwheel use the image."""

from __future__ import annotations

import os
import resource
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from testimage.messages import ImageError, say

if TYPE_CHECKING:
    from testimage.machine import Inputs

# netavark is a plugin of podman and lies outside PATH.
PLUGIN_FOLDERS = (
    "/usr/lib/podman",
    "/usr/libexec/podman",
    "/usr/local/lib/podman",
    "/usr/local/libexec/podman",
)


def needs_runc() -> bool:
    """Return whether podman must use runc: crun, its default, only supports cgroups version 2."""
    return not Path("/sys/fs/cgroup/cgroup.controllers").exists()


def needed_tools() -> dict[str, str]:
    """Return the programs that are needed here, each with its Debian package."""
    tools = {"podman": "podman", "netavark": "netavark", "mmdebstrap": "mmdebstrap"}
    if needs_runc():
        tools["runc"] = "runc"
    if os.geteuid() != 0:
        tools["newuidmap"] = "uidmap"
    return tools


def missing_packages() -> list[str]:
    """List the Debian packages whose program is not on this machine."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *PLUGIN_FOLDERS])
    return [package for tool, package in needed_tools().items() if not shutil.which(tool, path=path)]


def ensure_tools(*, install: bool) -> None:
    """Raise, or install, when a tool is missing."""
    packages = missing_packages()
    if not packages:
        return
    command = ["apt-get", "install", "--yes", "--no-install-recommends", *packages]
    if not install:
        message = f"missing: {', '.join(packages)}\n  as root:  {shlex.join(command)}\n  or give --install"
        raise ImageError(message, code=3)
    if os.geteuid() != 0:
        raise ImageError(f"only root can install packages\n  run:  sudo {shlex.join(command)}", code=3)
    say(f"installing {', '.join(packages)}")
    for step in (["apt-get", "update"], command):
        if subprocess.run(step, stdout=sys.stderr, check=False).returncode:
            raise ImageError(f"failed: {shlex.join(step)}", code=4)


def containers_conf() -> str:
    """Return a containers.conf that fits this process's limits and this machine's cgroups."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    processes = resource.getrlimit(resource.RLIMIT_NPROC)[1]
    pids = int(Path("/proc/sys/kernel/pid_max").read_text(encoding="ascii"))
    # podman lowers its own limit to pid_max when it starts (getDefaultProcessLimits in containers/common).
    processes = pids if processes == resource.RLIM_INFINITY else min(processes, pids)
    limits = f'["nofile={files}:{files}", "nproc={processes}:{processes}"]'
    lines = ["[containers]", f"default_ulimits = {limits}", "[engine]"]
    if not Path("/run/systemd/system").exists():
        lines.append('cgroup_manager = "cgroupfs"')
    if needs_runc():
        lines.append('runtime = "runc"')
    return "\n".join([*lines, ""])


def write(path: Path, text: str) -> None:
    """Write `text` atomically, unless the file already holds it."""
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        return
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as file:
        file.write(text)
    Path(file.name).replace(path)


def environment(inputs: Inputs, conf: Path) -> dict[str, str]:
    """Return the variables for podman and cibuildwheel, and the list of the image's interpreters."""
    interpreters = sorted(
        {python.tag.partition("-")[2] for python in (*inputs.interpreters, inputs.debian) if python}
    )
    return {
        "CONTAINERS_CONF": str(conf),
        "CIBW_CONTAINER_ENGINE": "podman; create_args: --network=host",
        f"CIBW_MANYLINUX_{inputs.machine.upper()}_IMAGE": inputs.image,
        "CIBW_DEPENDENCY_VERSIONS": "latest",  # an index may lag behind the versions that cibuildwheel pins
        "CIBW_BUILD_FRONTEND": "build[uv]",
        "CIBW_SKIP": " ".join(f"cp3{minor}-*" for minor in range(8, 20) if f"cp3{minor}" not in interpreters),
        "WHEELKIT_IMAGE_INTERPRETERS": " ".join(interpreters),
    }
