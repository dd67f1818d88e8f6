"""Runs cibuildwheel for one step, and says in the user's words why it failed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheelkit import wheel as wheels
from wheelkit.build.compiler import complaints
from wheelkit.build.host import serves
from wheelkit.build.made import Made
from wheelkit.build.progress import step
from wheelkit.errors import CheckFailedError, MissingToolError, ToolFailedError, WheelkitError
from wheelkit.plan.cibuildwheel import option
from wheelkit.plan.model import OUT, SDIST
from wheelkit.process import Command, Completed, failure
from wheelkit.repair import matches, needed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from wheelkit.build.sdist import SourceDist
    from wheelkit.build.workshop import Workshop
    from wheelkit.plan import NativeStep

_SECTION = re.compile(r"^(?:\x1b\[[\d;]*m)*Building (?P<identifier>\w+-\w+) wheel", re.MULTILINE)
_TESTING = "Testing wheel..."
_ENGINE_GONE = re.compile(
    r"Cannot connect to the Docker daemon|Cannot connect to Podman|error during connect|OCI runtime|container .* is not running|"
    r"no such container|container state improper|can only create exec sessions on running containers|exec died|BrokenPipeError",
    re.IGNORECASE,
)
_TEST_FAILED = re.compile(r"Command (?P<command>.*) failed with code \d+\. Test command|test_command.*failed.*(?P<none>$)")
_NO_IMAGE = re.compile(r"(?:Unable to find image|initializing source|manifest unknown|pull access denied|short-name).*", re.IGNORECASE)


def build(job: NativeStep, source: SourceDist, shop: Workshop) -> tuple[Made, ...]:
    """Run cibuildwheel for all identifiers of the step, on the sdist; returns repaired and tested wheels.

    Raises ToolFailedError, CheckFailedError (a test said no) or MissingToolError (the engine is gone), each with what the log says.
    """
    out = shop.fresh("wheels")
    filled = {OUT: str(out), SDIST: str(source.path)}
    command = Command(argv=tuple(filled.get(word, word) for word in job.argv), env=job.env)
    for key in job.overridden:
        shop.progress.note(f"[tool.cibuildwheel] {key} is overridden: the support matrix and the exclude list decide it")
    shop.progress.builder(str(command))
    before = len(shop.log.read_text(encoding="utf-8", errors="replace")) if shop.log.exists() else 0
    with step(shop.progress, f"cibuildwheel {_short(job.identifiers)}"):
        done = shop.run(command)
        if done.returncode != 0:
            raise _explained(done, job, shop)
    made = sorted(out.glob("*.whl"))
    if not made:
        raise ToolFailedError(f"cibuildwheel made no wheel for {', '.join(job.identifiers)}", log=shop.log)
    tested = tested_in(shop.log.read_text(encoding="utf-8", errors="replace")[before:])
    return tuple(_made(path, job, tested) for path in made)


def _short(identifiers: tuple[str, ...]) -> str:
    """Join identifiers of one platform: ``cp311 cp312 manylinux_x86_64``."""
    if len(identifiers) == 1:
        return identifiers[0]
    return " ".join([*(name.split("-")[0] for name in identifiers), identifiers[0].split("-", 1)[1]])


def tested_in(log: str) -> frozenset[str]:
    """Read from cibuildwheel's output on which interpreters a wheel was tested: the user may have it skip builds or tests."""
    starts = [*_SECTION.finditer(log)]
    ends = [*(match.start() for match in starts[1:]), len(log)]
    sections = zip(starts, ends, strict=True)
    return frozenset(match["identifier"].split("-")[0] for match, end in sections if _TESTING in log[match.end() : end])


def _made(path: Path, job: NativeStep, tested: frozenset[str]) -> Made:
    cells = serves(path, job, job.interpreters)
    wheel = wheels.read(path)
    left = {name.rsplit("/", 1)[-1] for name in needed(wheel)}
    return Made(
        path=path,
        cells=cells,
        tested=tuple(tag for tag in cells if tag in tested),
        grafted=tuple(sorted(binary.name for binary in wheel.binaries if ".libs/" in binary.member or ".dylibs/" in binary.member)),
        excluded=tuple(sorted(name for name in left if matches(name, job.patterns, job.target.system))),
    )


def _explained(done: Completed, job: NativeStep, shop: Workshop) -> WheelkitError:
    """Say what happened: the engine, the image or the disk, the project's code, its tests, the audit or the repair."""
    error = failure(done, "cibuildwheel", log=shop.log)
    lines = complaints(done.output)
    if match := _ENGINE_GONE.search(done.output):
        error.message = f"the container engine stopped answering: {match[0]}"
        error.hint = "start it again and run the same command, or build without it: --builder host"
    elif match := _NO_IMAGE.search(done.output):
        image = job.env.get(option(f"{job.target.libc}-{job.target.arch}-image"), "of the configuration")
        return MissingToolError(
            f"the container image {image} cannot be had: {match[0]}",
            hint=f"check the network and the registry, or build without a container: --builder host\nthe whole log: {shop.log}",
        )
    elif lines:
        error.message = f"compiling {job.distribution.name} failed"
        error.detail = lines
    elif match := _TEST_FAILED.search(done.output):
        return CheckFailedError(
            f"a test of the repaired wheel failed: {match['command']}", detail=error.detail, hint=f"the whole log: {shop.log}"
        )
    elif "too-recent versioned symbols" in done.output or "could not be located" in done.output:
        error.message = f"auditwheel cannot repair the wheel for {job.target}"
    return error
