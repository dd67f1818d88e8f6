"""A compiler cache for builds in containers: this machine's sccache, through cibuildwheel's mount.

cibuildwheel mounts this machine's files at /host (its documentation, "container-engine"), so the image needs
no changes.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from wheelkit.matrix import Target
    from wheelkit.plan.options import CibuildwheelOptions


_MOUNT = "/host"
_COMPILERS = {"CC": "gcc", "CXX": "g++"}


class CompilerCache(Struct, frozen=True, kw_only=True):
    """The path of sccache and the folder in which it keeps compiled objects, both on this machine."""

    program: Path
    folder: Path

    @property
    def statistics(self) -> str:
        """The command that prints, inside a container, how often the cache was hit."""
        return shlex.join((f"{_MOUNT}{self.program}", "--show-stats"))


def supports(target: Target) -> bool:
    """Return whether sccache, which is linked to glibc, runs in the target's image."""
    return target.libc == "manylinux"


def environment(cache: CompilerCache, user: CibuildwheelOptions, identifiers: Iterable[str]) -> str:
    """Return what the ``environment`` option gets: compilers that go through the cache.

    Raises UsageError if the user chose a compiler, or keeps the container from mounting this machine.
    """
    builds = user.builds(identifiers)
    names = {name for build in builds for name, _ in build.environment}
    if compilers := sorted(names.intersection(_COMPILERS)):
        raise UsageError(
            f"compiler cache and [tool.cibuildwheel] environment (CIBW_ENVIRONMENT) both set {compilers[0]}",
            hint="remove one of the two",
        )
    if any(build.hides_host for build in builds):
        raise UsageError(
            "the compiler cache is on this machine, and the container cannot read its files",
            hint="remove disable-host-mount from [tool.cibuildwheel] container-engine",
        )
    program = f"{_MOUNT}{cache.program}"
    variables = {name: f"{program} {compiler}" for name, compiler in _COMPILERS.items()}
    variables |= {
        "RUSTC_WRAPPER": program,
        "SCCACHE_DIR": f"{_MOUNT}{cache.folder}",
        "SCCACHE_CACHE_SIZE": "2G",
        "SCCACHE_IDLE_TIMEOUT": "0",
    }
    # On the host's network, the default port may reach a server of another container, which has other files.
    variables["SCCACHE_SERVER_UDS"] = "/tmp/wheelkit-sccache"  # noqa: S108 (in the container)
    return " ".join(f'{name}="{value}"' for name, value in variables.items())
