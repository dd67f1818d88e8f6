"""The options that cibuildwheel gets for one step."""

from __future__ import annotations

import re
import sys
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from wheelkit.command_lines import cmd_line, split_command
from wheelkit.matrix import System
from wheelkit.plan import compiler_cache
from wheelkit.plan.model import BUILD_VARIABLE, OUT, SDIST
from wheelkit.plan.options import CibuildwheelOptions, variable
from wheelkit.text import dotted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from wheelkit.machine.facts import Engine
    from wheelkit.matrix import Target
    from wheelkit.plan.compiler_cache import CompilerCache
    from wheelkit.plan.model import NativeStep


# What the builds of a system read as the oldest version to support.
_OLDEST_SYSTEM: Mapping[System, str] = {
    System.MACOS: "MACOSX_DEPLOYMENT_TARGET",
    System.IOS: "IPHONEOS_DEPLOYMENT_TARGET",
}
# The groups of cibuildwheel's "enable" by build; the first match counts.
_GROUPS: Mapping[str, str] = {
    "pp3?-*": "pypy-eol",
    "pp310-*": "pypy-eol",
    "pp*": "pypy",
    "gp*": "graalpy",
    "cp316*": "cpython-prerelease",
    "cp312-pyodide_*": "pyodide-eol",
}
# The variable of the container engine.
ENGINE_VARIABLE = "CIBW_CONTAINER_ENGINE_LINUX"
_ARCHS: Mapping[str, str] = {"amd64": "AMD64", "arm64": "ARM64", "x86": "x86"}
# The images that cibuildwheel pins, oldest first, and the architectures without one. A build uses the newest
# image that is not newer than its target.
_IMAGES: tuple[tuple[str, tuple[int, int], str], ...] = (
    ("manylinux2014", (2, 17), "armv7l riscv64 loongarch64"),
    ("manylinux_2_28", (2, 28), "armv7l riscv64"),
    ("manylinux_2_31", (2, 31), "x86_64 i686 aarch64 ppc64le s390x riscv64 loongarch64"),
    ("manylinux_2_34", (2, 34), "armv7l riscv64"),
    ("manylinux_2_35", (2, 35), "x86_64 i686 aarch64 ppc64le s390x riscv64 loongarch64"),
    ("manylinux_2_39", (2, 39), "x86_64 i686 aarch64 ppc64le s390x armv7l loongarch64"),
    ("musllinux_1_2", (1, 2), ""),
)


def image(target: Target) -> str:
    """Return the name of PyPA's image for a Linux target: the newest that is old enough."""
    images = [
        (name, version)
        for name, version, missing in _IMAGES
        if name.startswith(target.libc) and target.arch not in missing.split()
    ]
    old_enough = [name for name, version in images if version <= target.version]
    return old_enough[-1] if old_enough else images[0][0]


def argv(system: System) -> tuple[str, ...]:
    """Return cibuildwheel's command line, with placeholders for the sdist and the output folder."""
    return (sys.executable, "-m", "cibuildwheel", "--platform", system.value, "--output-dir", OUT, SDIST)


def environment(
    step: NativeStep,
    user: CibuildwheelOptions,
    engine: Engine | None,
    *,
    config_settings: str = "",
    objects: CompilerCache | None = None,
) -> dict[str, str]:
    """Return what the matrix and the exclude list require of a step, as variables that cibuildwheel reads.

    ``objects`` is set if compiled objects are kept between builds. The builds of the step have one container
    and, where ``config_settings`` are added, the same settings of the user's. Everything else that the user
    set stays in force: a variable wins over tables and overrides, so an option that the user sets for one of
    the builds gets none. Where a variable has a form for one system, that form is used: it wins over a user's
    own variable of the plain form.
    """
    target = step.target
    system = target.system.value.upper()
    arch = _ARCHS.get(target.arch, target.arch) if target.system is System.WINDOWS else target.arch
    env = {
        BUILD_VARIABLE: " ".join(step.identifiers),
        f"CIBW_ARCHS_{system}": arch,
    }
    if step.repair:
        env[f"CIBW_REPAIR_WHEEL_COMMAND_{system}"] = step.repair
    if any(user.skips(build) for build in step.identifiers):
        env["CIBW_SKIP"] = ""
    if enable := _enable(step.identifiers, user):
        env["CIBW_ENABLE"] = enable
    env |= _of_system(step, user, engine)
    if step.tests and not user.has("test-command", step.identifiers):
        env[f"CIBW_TEST_COMMAND_{system}"] = test_command(step.tests, target.system)
    if config_settings:
        words = filter(None, [user.build(step.identifiers[0]).config_settings, config_settings])
        env[f"CIBW_CONFIG_SETTINGS_{system}"] = " ".join(words)
    env |= user.replaced(env)
    if objects and compiler_cache.supports(target):
        env |= user.appended("environment", compiler_cache.environment(objects, user, step.identifiers), env)
        env[f"CIBW_REPAIR_WHEEL_COMMAND_{system}"] = f"{objects.statistics} && {step.repair}"
    return env


def test_command(tests: Sequence[str], system: System) -> str:
    """Return cibuildwheel's ``test-command`` that runs configured commands, the same on every system.

    cibuildwheel hands it to sh or to cmd.exe. A configured command is without any sign that sh acts on.
    """
    windows = system is System.WINDOWS
    lines = (cmd_line(split_command(line)) for line in tests) if windows else tests
    # It replaces its placeholders, which mean nothing in a configured command.
    return re.sub(r"\{(project|package|wheel)\}", r"#\g<0>", " && ".join(lines))


def _of_system(step: NativeStep, user: CibuildwheelOptions, engine: Engine | None) -> dict[str, str]:
    """Return what a target's system needs: image and engine, or the oldest version to support."""
    env, target = {}, step.target
    if target.system is System.LINUX:
        settings = user.build(step.identifiers[0])
        if not settings.image:
            env[variable(f"{target.libc}-{target.arch}-image", target.system)] = image(target)
        if engine is not None:
            env[ENGINE_VARIABLE] = settings.engine or engine.setting
    elif target.system is System.ANDROID:
        env["ANDROID_API_LEVEL"] = str(target.version[0])
    elif name := _OLDEST_SYSTEM.get(target.system):
        env[name] = dotted(target.version)
    return env


def _enable(builds: Sequence[str], user: CibuildwheelOptions) -> str:
    """Return the CIBW_ENABLE that these builds need, or an empty string if the user's own is enough."""
    needed = {group for build in builds if (group := group_of(build))}
    return "" if needed <= user.enabled else " ".join(sorted(user.enabled | needed))


def group_of(build: str) -> str:
    """Return the group that cibuildwheel builds only where it is enabled, or an empty string."""
    return next((group for pattern, group in _GROUPS.items() if fnmatchcase(build, pattern)), "")
