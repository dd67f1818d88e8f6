"""The whole smoke test of a dist folder: its wheels, this machine's interpreters, the cases, and what is said of them."""

from __future__ import annotations

import platform
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from wheelkit.errors import MissingToolError
from wheelkit.machine import facts
from wheelkit.machine.concurrency import worker_count
from wheelkit.machine.interpreters import Python, find_pythons
from wheelkit.matrix import Interpreter, default_interpreters
from wheelkit.smoke.environments import environments
from wheelkit.smoke.model import SmokeResult

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheelkit.config import Config
    from wheelkit.machine.workspace import Workspace
    from wheelkit.project.family import Family
    from wheelkit.smoke.environments import Environments
    from wheelkit.smoke.install import Source
    from wheelkit.smoke.model import Package


class SmokeRequest(Struct, frozen=True, kw_only=True):
    """What is asked for: the dist, the project that it belongs to where there is one, and how the environments are made.

    ``interpreters`` restrict the promised ones.
    """

    dist: Path
    source: Source
    config: Config
    family: Family | None = None
    interpreters: tuple[str, ...] = ()
    pip: bool = False
    keep: bool = False
    timeout: float = 60.0
    jobs: int = 0


def smoke(request: SmokeRequest, shop: Workspace) -> SmokeResult:
    """Install and try what the dist holds, on every promised interpreter that is on this machine.

    Raises UsageError for a folder without wheels, WheelError for a broken one, CheckFailedError for files that are not those that were
    built, MissingToolError where no interpreter, or not the index, is there.
    """
    # An installer waits for the index: another environment is tried meanwhile. Where none waits, more only get in the way.
    at_a_time = request.jobs or (worker_count() if request.source.local else 2 * worker_count())
    with environments(shop, at_a_time=at_a_time, keep=request.keep, secrets=request.source.secrets) as opened:
        return _smoked(request, opened)


def _smoked(request: SmokeRequest, opened: Environments) -> SmokeResult:
    from wheelkit.config.exclude import shipped_providers
    from wheelkit.smoke import plan, wheels
    from wheelkit.smoke.run import SmokeSettings, run

    found = tuple(wheels.read(path) for path in wheels.collect(request.dist))
    wheels.require_as_built(request.dist, found)
    stated = {item.key: item.version for item in request.family.distributions} if request.family else {}
    tested, notes = wheels.newest(found, stated)
    pythons, skipped = _pythons(request, tested)
    settled = request.config.distribution
    tested = tuple(
        replace(one, imports=settled[one.key].imports) if one.key in settled else one for one in tested
    )
    contents = plan.Contents(
        packages=tested,
        family=frozenset(one.key for one in tested) | stated.keys(),
        target=facts.own_target(facts.detect(containers=False)),
        commands={key: one.smoke for key, one in settled.items()},
    )
    cases = plan.smoke_cases(contents, pythons)
    settings = SmokeSettings(
        source=request.source,
        pip=request.pip,
        keep=request.keep,
        timeout=request.timeout,
        jobs=request.jobs,
        providers=(*request.config.exclude, *shipped_providers().values()),
        family=contents.family,
    )
    return SmokeResult(
        outcomes=run(cases, settings, opened), skipped=skipped, notes=notes, order=plan.order(tested)
    )


def _pythons(request: SmokeRequest, tested: Sequence[Package]) -> tuple[tuple[Python, ...], tuple[str, ...]]:
    """Find the interpreters; name those that are promised and not here."""
    wanted = _wanted(request, tested)
    running = _running()
    own = {running.interpreter.tag: running} if running.interpreter in wanted else {}
    found = own | find_pythons(one for one in wanted if one.tag not in own)
    skipped = tuple(one.tag for one in wanted if one.tag not in found)
    if not found:
        names = ", ".join(skipped)
        raise MissingToolError(
            f"none of the interpreters ({names}) is on this machine",
            hint=f"uv python install {wanted[-1].python}",
        )
    return tuple(found[one.tag] for one in wanted if one.tag in found), skipped


def _running() -> Python:
    """Describe the interpreter that runs this, without starting it once more."""
    implementation = {"cpython": "cp", "pypy": "pp"}.get(sys.implementation.name, sys.implementation.name)
    threaded = "t" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
    interpreter = Interpreter.parse(f"{implementation}{sys.version_info[0]}{sys.version_info[1]}{threaded}")
    headers = Path(sysconfig.get_path("include"), "Python.h").is_file()
    return Python(
        interpreter=interpreter, path=Path(sys.executable), version=platform.python_version(), headers=headers
    )


def _wanted(request: SmokeRequest, tested: Sequence[Package]) -> tuple[Interpreter, ...]:
    if request.interpreters:
        return tuple(Interpreter.parse(tag) for tag in request.interpreters)
    if request.config.matrix.interpreters is not None:
        return tuple(Interpreter.parse(tag) for tag in request.config.matrix.interpreters)
    admitted = {one for package in tested for one in default_interpreters(package.requires_python or None)}
    return tuple(sorted(admitted, key=lambda one: one.version))
