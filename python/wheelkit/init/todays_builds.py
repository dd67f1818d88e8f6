"""The wheels that a project's runs of cibuildwheel make today, with the target that each one serves.

The options of a run are ranked and merged as cibuildwheel ranks and merges them (its options.py), and builds
chosen as in its selector.py and platforms/.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from wheelkit.errors import ProjectError
from wheelkit.init.archs import architectures
from wheelkit.inputs import read_text, toml_table
from wheelkit.matrix import (
    LEGACY_MANYLINUX,
    Interpreter,
    System,
    Target,
    admits_python,
    default_images,
    offered_builds,
    selects,
)
from wheelkit.plan.cibuildwheel import group_of
from wheelkit.plan.options import CibuildwheelOptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from wheelkit.project.ci import Run
    from wheelkit.project.read import Distribution


GROUPS = frozenset({
    "cpython-prerelease", "graalpy", "pypy", "pypy-eol", "pyodide-eol", "pyodide-prerelease", "all",
})  # fmt: skip
"""The groups of ``enable`` that cibuildwheel 4 has."""
IMAGES_GONE = re.compile(r"manylinux1|manylinux2010|manylinux_2_24|musllinux_1_1")
"""The names of images that cibuildwheel 4 refuses."""
_IMAGE = re.compile(
    r"(?P<kind>many|musl)linux(?:_(?P<major>\d+)_(?P<minor>\d+)|(?P<legacy>1|2010|2014))(?!\d)"
)
# The oldest macOS on Intel by the oldest CPython 3 that needs it, and for PyPy (cibuildwheel's macos.py).
_OLDEST_MACOS = ((14, (10, 15)), (12, (10, 13)), (0, (10, 9)))
_MACOS_OF_PYPY = (10, 15)
_MACOS_ON_ARM = (11, 0)
_IOS, _ANDROID_API = "13.0", "24"
_FIRST_PYODIDE = 2012  # Pyodide's ABI of a year belongs to one Python (PEP 783): 2026 to 3.14
_VERSION = re.compile(r"\s*([0-9]+)(?:[._]([0-9]+))?")


class Build(Struct, frozen=True, kw_only=True):
    """A wheel that cibuildwheel makes: its name of the build, and the oldest system that it serves."""

    identifier: str
    target: Target

    @property
    def interpreter(self) -> Interpreter:
        """The interpreter that it is built for."""
        return Interpreter.parse(self.identifier.partition("-")[0])


def todays_builds(project: Distribution, runs: Iterable[Run], root: Path) -> tuple[Build, ...]:
    """Return the builds of all runs, in cibuildwheel's order; of two targets of one build, the older."""
    oldest: dict[str, Build] = {}
    for run in runs:
        for build in _of_run(project, run, root):
            known = oldest.get(build.identifier)
            if known is None or build.target.version < known.target.version:
                oldest[build.identifier] = build
    order = (identifier for builds in offered_builds().values() for identifier in builds)
    return tuple(oldest[identifier] for identifier in order if identifier in oldest)


def _of_run(project: Distribution, run: Run, root: Path) -> Iterator[Build]:
    options = options_of(project, run, settings_of(project, run, root))
    for identifier in identifiers(project, run, options):
        yield Build(identifier=identifier, target=target_of(identifier, run, options))


def options_of(project: Distribution, run: Run, table: Mapping[str, Any]) -> CibuildwheelOptions:
    """Return the options of a run as the installed cibuildwheel reads them, but for what it now refuses."""
    environ = {name: _accepted(_option(name), value) for name, value in run.environ.items()}
    adapted = replace(project, cibuildwheel=_adapted(table))
    return CibuildwheelOptions(adapted, run.system, environ)


def _option(name: str) -> str:
    """Return the option of a variable in the spelling of tables: ``CIBW_ENABLE`` is ``enable``."""
    return name.removeprefix("CIBW_").lower().replace("_", "-")


def _adapted(table: Any) -> Any:  # noqa: ANN401 - whatever TOML holds
    """Return a table of cibuildwheel, and those in it, without what its version 4 refuses."""
    if isinstance(table, list):
        return [_adapted(row) for row in table]
    if not isinstance(table, dict):
        return table
    return {
        key: _adapted(value) if isinstance(value, dict) or key == "overrides" else _accepted(key, value)
        for key, value in table.items()
    }


def _accepted(key: str, value: Any) -> Any:  # noqa: ANN401 - whatever TOML holds
    """Return the value of an option without the groups and names of images that cibuildwheel 4 refuses."""
    if key == "enable" and isinstance(value, (str, list)):
        words = value.split() if isinstance(value, str) else value
        return " ".join(word for word in map(str, words) if word in GROUPS)
    if key.endswith("-image") and isinstance(value, str) and IMAGES_GONE.fullmatch(value):
        arch = key.removesuffix("-image").partition("-")[2].replace("-", "_")
        return f"quay.io/pypa/{value}_{arch.removeprefix('pypy_')}"
    return value


def settings_of(project: Distribution, run: Run, root: Path) -> Mapping[str, Any]:
    """Return the table of cibuildwheel that a run reads: the project's own, or that of ``--config-file``."""
    if not run.config_file:
        return project.cibuildwheel
    path = run.config_file.replace("{package}", str(project.source))
    try:
        table = toml_table(read_text(root / path)).get("tool", {}).get("cibuildwheel", {})
    except (OSError, ValueError, AttributeError):
        return {}
    return table if isinstance(table, dict) else {}


def identifiers(project: Distribution, run: Run, options: CibuildwheelOptions) -> tuple[str, ...]:
    """Return the builds of one run, in cibuildwheel's order."""
    offered = offered_builds()[run.system]
    if run.only:
        return tuple(identifier for identifier in offered if identifier == run.only)
    chosen = options.selection
    enabled = {*chosen.enabled, *run.enable.split()}
    machines = architectures(run.archs or chosen.archs, run.system, run.machine)
    required = run.environ.get("CIBW_PROJECT_REQUIRES_PYTHON") or project.requires_python
    return tuple(
        identifier
        for identifier in offered
        if _is_for(identifier, run, machines)
        and admits_python(required, Interpreter.parse(identifier.partition("-")[0]))
        and is_enabled(identifier, enabled)
        and _selects(chosen.build, identifier)
        and not _selects(chosen.skip, identifier)
    )


def _selects(selector: str, identifier: str) -> bool:
    try:
        return selects(selector, identifier)
    except ValueError as error:
        raise ProjectError(
            f"cibuildwheel's selector {selector[:80]}: {error}", hint="write fewer or plainer patterns"
        ) from error


def is_enabled(identifier: str, enabled: Iterable[str]) -> bool:
    """Return whether a build needs no group of ``enable``, or one that is enabled."""
    group, groups = group_of(identifier), set(enabled)
    return not group or group in groups or "all" in groups


def _is_for(identifier: str, run: Run, machines: Iterable[str]) -> bool:
    """Return whether a build is for one of the architectures, and this machine can make it."""
    python, _, suffix = identifier.partition("-")
    if run.system is System.PYODIDE:
        return True
    if run.system is System.WINDOWS:
        arch = {"win32": "x86", "win_amd64": "AMD64", "win_arm64": "ARM64"}[suffix]
        return arch in machines
    if run.system is System.MACOS and suffix.endswith("arm64") and python[:2] in {"pp", "gp"}:
        return run.machine.arch != "x86_64" and "arm64" in machines
    return any(suffix.endswith(arch) for arch in machines)


def target_of(identifier: str, run: Run, options: CibuildwheelOptions) -> Target:
    """Return the oldest system that a build serves: by its image, deployment target or API level."""
    python, _, suffix = identifier.partition("-")
    arch = suffix.partition("_")[2]
    match run.system:
        case System.LINUX:
            kind = suffix.partition("_")[0]
            return linux_target(kind, arch, options.build(identifier).image)
        case System.MACOS:
            version = macos_version(python, arch, _environment(run, options, identifier))
            return Target.parse(f"macosx_{version[0]}_{version[1]}_{arch}")
        case System.IOS:
            given = _environment(run, options, identifier).get("IPHONEOS_DEPLOYMENT_TARGET", _IOS)
            major, minor = _numbers(given) or (13, 0)
            return Target.parse(f"ios_{major}_{minor}_{arch}")
        case System.ANDROID:
            level = _environment(run, options, identifier).get("ANDROID_API_LEVEL", _ANDROID_API)
            return Target.parse(f"android_{level if level.isdigit() else _ANDROID_API}_{arch}")
        case System.PYODIDE:
            year = _FIRST_PYODIDE + Interpreter.parse(python).version[1]
            return Target.parse(f"pyemscripten_{year}_0_wasm32")
    return Target.parse(suffix)


def _environment(run: Run, options: CibuildwheelOptions, identifier: str) -> dict[str, str]:
    """Return the variables that a build sees: the job's, then those of cibuildwheel's ``environment``."""
    return {**run.environ, **options.evaluate(options.build(identifier).environment, run.environ)[0]}


def linux_target(kind: str, arch: str, image: str) -> Target:
    """Return the target that an image serves; the default image's for one that does not name a policy."""
    default = default_images()[f"{kind}-{arch}-image"]
    for text in (image.rpartition("/")[2], image, default):
        match = _IMAGE.search(text)
        if match and match["kind"] == kind[:4]:
            legacy = LEGACY_MANYLINUX[f"manylinux{match['legacy']}"] if match["legacy"] else None
            major, minor = legacy or (int(match["major"]), int(match["minor"]))
            return Target.parse(f"{kind}_{major}_{minor}_{arch}")
    return Target.parse(f"{default}_{arch}")


def macos_version(python: str, arch: str, environ: Mapping[str, str]) -> tuple[int, int]:
    """Return the oldest macOS of a build: the deployment target, which cibuildwheel raises where it must."""
    interpreter = Interpreter.parse(python)
    floor = _MACOS_OF_PYPY
    if arch == "arm64":
        floor = _MACOS_ON_ARM
    elif interpreter.implementation != "pp":
        floor = next(version for minor, version in _OLDEST_MACOS if interpreter.version[1] >= minor)
    given = _numbers(environ.get("MACOSX_DEPLOYMENT_TARGET", "")) or floor
    version = max(floor, given)
    return (version[0], 0) if version >= _MACOS_ON_ARM else version


def _numbers(text: str) -> tuple[int, int] | None:
    match = _VERSION.match(text)
    return (int(match[1]), int(match[2] or 0)) if match else None
