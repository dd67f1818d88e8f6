"""What cibuildwheel itself builds of a project, by its own code and on any machine."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from unittest import mock

import cibuildwheel.__main__  # all modules, before sys.platform is another one
from cibuildwheel import architecture
from cibuildwheel.options import CommandLineArguments, compute_options
from cibuildwheel.platforms import ALL_PLATFORM_MODULES, get_build_identifiers
from cibuildwheel.typing import PlatformName

assert cibuildwheel.__main__
HOSTS = {"linux": "linux", "macos": "darwin", "windows": "win32"}
USUAL = (
    ("linux", "x86_64"),
    ("linux", "aarch64"),
    ("macos", "x86_64"),
    ("macos", "arm64"),
    ("windows", "AMD64"),
)
# What cibuildwheel 4 refuses: the group of free-threaded builds, which need none any more.
REMOVED_GROUPS = ("cpython-freethreading",)


def identifiers(
    folder: Path,
    system: PlatformName,
    *,
    host: tuple[str, str] = ("linux", "x86_64"),
    env: Mapping[str, str] | None = None,
    options: Mapping[str, str] | None = None,
) -> list[str]:
    """Return what ``cibuildwheel --print-build-identifiers`` prints on a machine."""
    given = dict(options or {})
    arguments = CommandLineArguments.defaults()
    arguments.package_dir = folder
    arguments.platform = None if given.get("only") else system
    arguments.only = given.get("only") or None
    arguments.archs = given.get("archs") or None
    arguments.enable = given.get("enable", "").split()
    arguments.config_file = given.get("config_file", "")
    with (
        mock.patch.object(platform, "machine", return_value=host[1]),
        mock.patch.object(sys, "platform", HOSTS[host[0]]),
        # It asks this machine whether processors for aarch64 run programs for armv7l; hosted runners do.
        mock.patch.object(architecture, "_check_aarch32_el0", return_value=host == ("linux", "aarch64")),
    ):
        computed = compute_options(
            platform=system, command_line_arguments=arguments, env=without_removed(env or {})
        )
        return get_build_identifiers(
            platform_module=ALL_PLATFORM_MODULES[system],
            build_selector=computed.globals.build_selector,
            architectures=computed.globals.architectures,
        )


def without_removed(env: Mapping[str, str]) -> dict[str, str]:
    """Return variables without the groups that cibuildwheel 4 refuses; init names them."""
    cleaned = dict(env)
    if "CIBW_ENABLE" in cleaned:
        words = cleaned["CIBW_ENABLE"].split()
        cleaned["CIBW_ENABLE"] = " ".join(word for word in words if word not in REMOVED_GROUPS)
    return cleaned


def on_usual_machines(folder: Path) -> set[str]:
    """Return what cibuildwheel builds on the machines that most projects use, one for each common target."""
    return {
        identifier
        for system, arch in USUAL
        for identifier in identifiers(folder, system, host=(system, arch))  # type: ignore[arg-type]
    }
