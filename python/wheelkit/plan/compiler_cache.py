"""A compiler cache for builds in containers: sccache of this machine, seen through the mount by which cibuildwheel shows it.

cibuildwheel mounts this machine's files at /host (its documentation, "container-engine"), so nothing has to be installed in the image.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

    from wheelkit.matrix import Target
    from wheelkit.plan.options import CibuildwheelOptions


_MOUNT = "/host"
_COMPILERS = {"CC": "gcc", "CXX": "g++"}


class CompilerCache(Struct, frozen=True, kw_only=True):
    """sccache's program and the folder in which it keeps compiled objects, both on this machine."""

    program: Path
    folder: Path

    @property
    def statistics(self) -> str:
        """The command that tells, inside a container, how often the cache served."""
        return shlex.join((f"{_MOUNT}{self.program}", "--show-stats"))


def serves(target: Target) -> bool:
    """Tell whether sccache's program, which is linked to glibc, runs in the target's image."""
    return target.libc == "manylinux"


def environment(cache: CompilerCache, user: CibuildwheelOptions) -> str:
    """Write the ``environment`` option: the user's own, and the compilers by way of the cache.

    Raises UsageError where the user chose a compiler, or keeps the container from seeing this machine.
    """
    own = user.environment()
    if chosen := re.search(r"\b(CC|CXX)=", own):
        raise UsageError(
            f"the compiler cache sets {chosen[1]}, and [tool.cibuildwheel] environment or CIBW_ENVIRONMENT sets it too",
            hint="leave out one of the two",
        )
    if user.hides_host:
        raise UsageError(
            "the compiler cache lies on this machine, and the container cannot see its files",
            hint="take disable-host-mount out of [tool.cibuildwheel] container-engine",
        )
    program = f"{_MOUNT}{cache.program}"
    ours = {name: f"{program} {compiler}" for name, compiler in _COMPILERS.items()}
    ours |= {
        "RUSTC_WRAPPER": program,
        "SCCACHE_DIR": f"{_MOUNT}{cache.folder}",
        "SCCACHE_CACHE_SIZE": "2G",
        "SCCACHE_IDLE_TIMEOUT": "0",
    }
    # By its usual port, in a container on the host's network, a server of another container or of the host would answer: with other files.
    ours["SCCACHE_SERVER_UDS"] = "/tmp/wheelkit-sccache"  # noqa: S108 (in the container)
    return " ".join(filter(None, [own, *(f'{name}="{value}"' for name, value in ours.items())]))
