"""The machines behind the labels of CI services, from rows of data."""

from __future__ import annotations

from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING

from wheelkit import data
from wheelkit.matrix import System
from wheelkit.project.ci.model import Hosted

if TYPE_CHECKING:
    from collections.abc import Sequence


# What contexts and self-hosted runners call a system and an architecture.
_SELF_HOSTED = {
    "linux": System.LINUX,
    "macos": System.MACOS,
    "windows": System.WINDOWS,
}
_ARCHS = {"x64": "x86_64", "x86": "i686", "arm64": "aarch64", "arm": "armv7l"}
_RUNNER_OS = {System.LINUX: "Linux", System.MACOS: "macOS", System.WINDOWS: "Windows"}


def hosted(labels: Sequence[str], service: str = "github") -> Hosted | None:
    """Return the machine that has these labels; None if they do not tell."""
    for label in labels:
        for patterns, machine in _rows(service):
            if any(fnmatchcase(label.lower(), pattern) for pattern in patterns):
                return machine
    words = [label.lower() for label in labels]
    system = next((_SELF_HOSTED[word] for word in words if word in _SELF_HOSTED), None)
    arch = next((_ARCHS[word] for word in words if word in _ARCHS), "x86_64")
    return Hosted(system=system, arch=arch_on(system, arch)) if system else None


def arch_on(system: System, arch: str) -> str:
    """Return how cibuildwheel spells an architecture of Linux on a system."""
    return _SPELLINGS.get((system, arch), arch)


_SPELLINGS = {
    (System.MACOS, "aarch64"): "arm64",
    (System.WINDOWS, "x86_64"): "AMD64",
    (System.WINDOWS, "aarch64"): "ARM64",
    (System.WINDOWS, "i686"): "x86",
}


def runner_context(machine: Hosted | None) -> dict[str, str] | None:
    """Return what the expressions of GitHub know of a machine."""
    if machine is None:
        return None
    arch = {"aarch64": "ARM64", "arm64": "ARM64", "ARM64": "ARM64", "x86": "X86"}.get(machine.arch, "X64")
    return {"os": _RUNNER_OS[machine.system], "arch": arch, "environment": "github-hosted"}


@cache
def _rows(service: str) -> tuple[tuple[tuple[str, ...], Hosted], ...]:
    return tuple(
        (tuple(row["labels"]), Hosted(system=System(row["system"]), arch=row["arch"]))
        for row in data.table("runner_labels.toml")[service]
    )
