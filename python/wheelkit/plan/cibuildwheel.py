"""What cibuildwheel is told for one step, through its documented options, and which builds it offers."""

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
    from wheelkit.matrix import Interpreter
    from wheelkit.plan.compiler_cache import CompilerCache


_ARCHS: Mapping[str, str] = {"amd64": "AMD64", "arm64": "ARM64", "x86": "x86"}
# The images that pypa keeps, oldest first: the newest one that is not newer than the target is taken.
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
def offered_targets(system: System) -> tuple[str, ...]:
    """List the build identifiers that the installed cibuildwheel offers on a system, read from its own table.

    Raises MissingToolError when cibuildwheel is not installed.
    """
    rows = _platforms()[system.value]["python_configurations"]
    return tuple(row["identifier"] for row in rows)


@cache
def _platforms() -> dict[str, Any]:
    """Parse the installed cibuildwheel's table of builds, once for all systems."""
    spec = find_spec("cibuildwheel")
    if spec is None or spec.origin is None:
        raise MissingToolError("cibuildwheel is not installed", hint="pip install cibuildwheel")
    table = Path(spec.origin).parent / "resources" / "build-platforms.toml"
    return tomllib.loads(table.read_text(encoding="utf-8"))


def image(target: Target) -> str:
    """Name pypa's image for a Linux target: the newest that its glibc or musl still covers."""
    usable = [
        (version, name)
        for version, name in _IMAGES[target.libc]
        if target.arch not in _NO_IMAGE.get(name, ())
    ]
    fitting = [name for version, name in usable if version <= target.version]
    return fitting[-1] if fitting else usable[0][1]


def argv(system: System) -> tuple[str, ...]:
    """Build cibuildwheel's command with the sdist and the output folder still open."""
    return (sys.executable, "-m", "cibuildwheel", "--platform", system.value, "--output-dir", OUT, SDIST)


class CibuildwheelSettings(Struct, frozen=True, kw_only=True):
    """What the matrix and the exclude list dictate for one run: the builds, what repair leaves out, the tests, further config settings.

    ``compiler_cache`` is given where compiled objects are to be kept between builds.
    """

    target: Target
    identifiers: tuple[str, ...]
    patterns: tuple[str, ...]
    tests: tuple[str, ...]
    config_settings: str = ""
    compiler_cache: CompilerCache | None = None


def environment(
    demands: CibuildwheelSettings, user: CibuildwheelOptions, engine: Engine | None
) -> dict[str, str]:
    """Spell the demands as the environment that cibuildwheel reads.

    What the user has set for the rest, in pyproject.toml or the environment, is left alone. Where an option has a form for one system,
    that form is used: a user's own variable of that form would win over the plain one.
    """
    target = demands.target
    system = target.system.value.upper()
    env = {
        "CIBW_BUILD": " ".join(demands.identifiers),
        f"CIBW_ARCHS_{system}": _ARCHS.get(target.arch, target.arch)
        if target.system is System.WINDOWS
        else target.arch,
        f"CIBW_REPAIR_WHEEL_COMMAND_{system}": cibuildwheel_command(target, demands.patterns),
    }
    if enable := _enable(demands.identifiers, user):
        env["CIBW_ENABLE"] = enable
    if target.system is System.LINUX:
        key = f"{target.libc}-{target.arch}-image"
        if not user.has(key):
            env[variable(key)] = image(target)
        if engine is not None:
            env["CIBW_CONTAINER_ENGINE"] = user.engine() or engine.setting
    if target.system is System.MACOS:
        env["MACOSX_DEPLOYMENT_TARGET"] = f"{target.version[0]}.{target.version[1]}"
    if demands.tests and not user.has("test-command"):
        env[f"CIBW_TEST_COMMAND_{system}"] = " && ".join(demands.tests)
    if demands.compiler_cache is not None and target.system is System.LINUX and compiler_cache.serves(target):
        env[f"CIBW_ENVIRONMENT_{system}"] = compiler_cache.environment(demands.compiler_cache, user)
        env[f"CIBW_REPAIR_WHEEL_COMMAND_{system}"] = (
            f"{demands.compiler_cache.statistics} && {cibuildwheel_command(target, demands.patterns)}"
        )
    if demands.config_settings:
        env[f"CIBW_CONFIG_SETTINGS_{system}"] = " ".join(
            filter(None, [user.config_settings(), demands.config_settings])
        )
    return env


def _enable(identifiers: Iterable[str], user: CibuildwheelOptions) -> str:
    wanted = set(str(user.text("enable") or "").split())
    asked = set(wanted)
    for identifier in identifiers:
        if identifier.startswith("pp"):
            wanted.add("pypy")
        elif identifier.startswith("cp313t-"):
            wanted.add("cpython-freethreading")
    return " ".join(sorted(wanted)) if wanted != asked else ""


def supported(
    interpreters: Iterable[Interpreter], target: Target
) -> tuple[tuple[Interpreter, ...], tuple[Interpreter, ...]]:
    """Split interpreters into those that the installed cibuildwheel offers for the target and those that it does not."""
    names = frozenset(offered_targets(target.system))
    all_of_them = tuple(interpreters)
    yes = tuple(one for one in all_of_them if f"{one.tag}-{target.build_suffix}" in names)
    return yes, tuple(one for one in all_of_them if one not in yes)
