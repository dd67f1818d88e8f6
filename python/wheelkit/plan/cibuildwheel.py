"""The options that cibuildwheel gets for one step, and the builds that the installed cibuildwheel offers."""

from __future__ import annotations

import sys
import tomllib
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from wheelkit.errors import MissingToolError
from wheelkit.matrix import System, Target
from wheelkit.plan import compiler_cache
from wheelkit.plan.model import OUT, SDIST
from wheelkit.plan.options import CibuildwheelOptions, variable
from wheelkit.repair.commands import cibuildwheel_command

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wheelkit.machine.facts import Engine
    from wheelkit.plan.compiler_cache import CompilerCache


_ARCHS: Mapping[str, str] = {"amd64": "AMD64", "arm64": "ARM64", "x86": "x86"}
# The images that PyPA maintains, oldest first. A build uses the newest one that is not newer than its target.
_IMAGES: Mapping[str, tuple[tuple[tuple[int, int], str], ...]] = {
    "manylinux": (
        ((2, 17), "manylinux2014"),
        ((2, 28), "manylinux_2_28"),
        ((2, 31), "manylinux_2_31"),
        ((2, 34), "manylinux_2_34"),
        ((2, 39), "manylinux_2_39"),
    ),
    "musllinux": (((1, 2), "musllinux_1_2"),),
}
_NO_IMAGE: Mapping[str, frozenset[str]] = {
    "manylinux2014": frozenset({"armv7l", "riscv64", "loongarch64"}),
    "manylinux_2_28": frozenset({"armv7l", "riscv64"}),
    "manylinux_2_31": frozenset({"x86_64", "i686", "aarch64", "ppc64le", "s390x", "riscv64", "loongarch64"}),
    "manylinux_2_34": frozenset({"armv7l", "riscv64"}),
    "manylinux_2_39": frozenset({"armv7l", "i686", "ppc64le", "s390x", "loongarch64"}),
}


@cache
def offered_interpreters(target: Target) -> tuple[str, ...]:
    """Return the tags of the interpreters that the installed cibuildwheel builds for on a target.

    Raises MissingToolError if cibuildwheel is not installed.
    """
    rows = _platforms()[target.system.value]["python_configurations"]
    builds = (row["identifier"].partition("-") for row in rows)
    return tuple(tag for tag, _, suffix in builds if suffix == target.build_suffix)


@cache
def _platforms() -> dict[str, Any]:
    """Return the installed cibuildwheel's table of builds."""
    spec = find_spec("cibuildwheel")
    if spec is None or spec.origin is None:
        raise MissingToolError("cibuildwheel is not installed", hint="pip install cibuildwheel")
    table = Path(spec.origin).parent / "resources" / "build-platforms.toml"
    return tomllib.loads(table.read_text(encoding="utf-8"))


def image(target: Target) -> str:
    """Return the name of PyPA's image for a Linux target: the newest that is old enough."""
    images = [
        (version, name)
        for version, name in _IMAGES[target.libc]
        if target.arch not in _NO_IMAGE.get(name, ())
    ]
    old_enough = [name for version, name in images if version <= target.version]
    return old_enough[-1] if old_enough else images[0][1]


def argv(system: System) -> tuple[str, ...]:
    """Return cibuildwheel's command line, with placeholders for the sdist and the output folder."""
    return (sys.executable, "-m", "cibuildwheel", "--platform", system.value, "--output-dir", OUT, SDIST)


class CibuildwheelSettings(Struct, frozen=True, kw_only=True):
    """What the matrix and the exclude list require of one run.

    ``compiler_cache`` is set if compiled objects are kept between builds.
    """

    target: Target
    identifiers: tuple[str, ...]
    patterns: tuple[str, ...]
    tests: tuple[str, ...]
    config_settings: str = ""
    compiler_cache: CompilerCache | None = None


def environment(
    settings: CibuildwheelSettings, user: CibuildwheelOptions, engine: Engine | None
) -> dict[str, str]:
    """Return the settings as the environment variables that cibuildwheel reads.

    Everything else that the user set stays in force. Where a variable has a form for one system, that form is
    used: it wins over a user's own variable of the plain form.
    """
    target = settings.target
    system = target.system.value.upper()
    arch = _ARCHS.get(target.arch, target.arch) if target.system is System.WINDOWS else target.arch
    repair = cibuildwheel_command(target, settings.patterns)
    env = {
        "CIBW_BUILD": " ".join(settings.identifiers),
        f"CIBW_ARCHS_{system}": arch,
        f"CIBW_REPAIR_WHEEL_COMMAND_{system}": repair,
    }
    if enable := _enable(settings.identifiers, user):
        env["CIBW_ENABLE"] = enable
    if target.system is System.LINUX:
        key = f"{target.libc}-{target.arch}-image"
        if not user.has(key):
            env[variable(key)] = image(target)
        if engine is not None:
            env["CIBW_CONTAINER_ENGINE"] = user.engine() or engine.setting
    if target.system is System.MACOS:
        env["MACOSX_DEPLOYMENT_TARGET"] = f"{target.version[0]}.{target.version[1]}"
    if settings.tests and not user.has("test-command"):
        env[f"CIBW_TEST_COMMAND_{system}"] = " && ".join(settings.tests)
    cache_of_objects = settings.compiler_cache
    if cache_of_objects and target.system is System.LINUX and compiler_cache.supports(target):
        env[f"CIBW_ENVIRONMENT_{system}"] = compiler_cache.environment(cache_of_objects, user)
        env[f"CIBW_REPAIR_WHEEL_COMMAND_{system}"] = f"{cache_of_objects.statistics} && {repair}"
    if settings.config_settings:
        words = filter(None, [user.config_settings(), settings.config_settings])
        env[f"CIBW_CONFIG_SETTINGS_{system}"] = " ".join(words)
    return env


def _enable(identifiers: Iterable[str], user: CibuildwheelOptions) -> str:
    """Return the CIBW_ENABLE that these builds need, or an empty string if the user's own is enough."""
    enabled = set((user.text("enable") or "").split())
    needed = set()
    for identifier in identifiers:
        if identifier.startswith("pp"):
            needed.add("pypy")
        elif identifier.startswith("cp313t-"):
            needed.add("cpython-freethreading")
    return "" if needed <= enabled else " ".join(sorted(enabled | needed))
