"""Runs cibuildwheel for one step, and explains its failures."""

from __future__ import annotations

import json
import re
import shlex
from ast import literal_eval
from functools import partial
from typing import TYPE_CHECKING

from msgspec.structs import replace

from wheelkit import wheel as wheels
from wheelkit.builders.causes import explain
from wheelkit.builders.frontend import outside_error
from wheelkit.builders.kinds import not_native_error
from wheelkit.builders.results import BuiltWheel, Failure, StepResult, supported_interpreters
from wheelkit.builders.siblings import MOUNT
from wheelkit.errors import CheckFailedError, MissingToolError, ProjectError, ToolFailedError, WheelkitError
from wheelkit.machine.process import Command, query, tool_error
from wheelkit.machine.signals import at_end
from wheelkit.machine.time_limits import ENGINE
from wheelkit.matrix import System
from wheelkit.plan.cibuildwheel import ENGINE_VARIABLE
from wheelkit.plan.model import OUT, SDIST, reduced
from wheelkit.plan.options import variable
from wheelkit.repair.run import external_library_names
from wheelkit.wheel.library_names import matches

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from wheelkit.builders.sdist import SourceDist
    from wheelkit.machine.process import Completed
    from wheelkit.machine.workspace import Workspace
    from wheelkit.plan import NativeStep


_SECTION = re.compile(r"^(?:\x1b\[[\d;]*m)*Building (?P<identifier>\w+-\w+) wheel", re.MULTILINE)
_TESTING = "Testing wheel..."
# The steps in which the tools of the build run; the last may be that of a project with before-all only.
_BUILDING = ("Setting up", "Running before_", "Building")
# The headings of its steps, plain and as in the folded logs of GitHub and Azure.
_STEP = re.compile(
    r"^(?:::group::|##\[group\])?"
    r"(?P<step>(?:Setting up|Running before_|Building|Repairing|Auditing|Testing|Copying)[\w ]*\.\.\.)\s*$",
    re.MULTILINE,
)
_ENGINE_GONE = re.compile(
    r"Cannot connect to the Docker daemon.*|Cannot connect to Podman.*|error during connect.*|"
    r"Failed to read the return code, the container shell has exited|container state improper|"
    r"BrokenPipeError.*\Z"
)
_NO_IMAGE_REASON = re.compile(r"manifest unknown|pull access denied|initializing source")
_NO_IMAGE = re.compile(rf"Command \['\w+', 'create'.* failed with code 125|{_NO_IMAGE_REASON.pattern}")
_IMAGE = re.compile(r"Starting container image (?P<image>\S+)\.\.\.")
_NOT_IN_IMAGE = re.compile(r"'(?P<path>[^']+)' executable doesn't exist in image '(?P<image>[^']+)'")
_FAILED_COMMAND = re.compile(
    r"cibuildwheel: (?:\S*error\S*: )?Command (?P<argv>\[.*\]) failed with code (?P<code>\d+)"
)
_ANY_WHEEL = re.compile(r"[\w.]+-[\w.+!]+-\w+-none-any\.whl")
_AUDITED = re.compile(r'"future_abi3_objects": (?P<objects>\{[^}]*\})')
_LABEL = "wheelkit.run"
# cibuildwheel's exit codes (its module errors).
_CONFIGURATION, _NOTHING, _PURE, _ENGINE, _AUDIT = 2, 3, 5, 7, 9
# What keeps cibuildwheel from mounting this machine's files in its containers.
_NO_MOUNT = "disable_host_mount: true"
_WITHOUT_CONTAINER = "or build without a container:  wheelkit build --native --builder host"


def build(
    step: NativeStep, source: SourceDist, workspace: Workspace, *, fail_fast: bool = False
) -> StepResult:
    """Run cibuildwheel on the sdist for all identifiers of the step, and again without those that failed.

    Raises MissingToolError without an engine or image, and what concerns all builds.
    """
    for place in step.overridden:
        workspace.note(
            f"[tool.cibuildwheel] {place} is overridden: the support matrix and the exclude list decide it"
        )
    wheels: list[BuiltWheel] = []
    failures: list[Failure] = []
    missing = [interpreter.tag for interpreter in step.interpreters]
    while missing:
        part = reduced(step, missing)
        result = _run_once(part, source, workspace)
        wheels += result.wheels
        failures += result.failures
        done = {tag for wheel in result.wheels for tag in wheel.cells}
        done |= {tag for failure in result.failures for tag in failure.interpreters}
        missing = [tag for tag in missing if tag not in done] if result.failures and not fail_fast else []
    # A stable ABI's wheel that failed for one interpreter may have been built again without it.
    failed = {tag for failure in failures for tag in failure.interpreters}
    good = (wheel for wheel in wheels if failed.isdisjoint(_cells(wheel.path, step)))
    return StepResult(wheels=tuple(good), failures=tuple(failures))


def _cells(path: Path, step: NativeStep) -> tuple[str, ...]:
    return supported_interpreters(path, step, step.interpreters)


def _run_once(step: NativeStep, source: SourceDist, workspace: Workspace) -> StepResult:
    """Run cibuildwheel once: it ends at the first build that fails, with the wheels before it."""
    out, repaired = workspace.new_folder("wheels"), workspace.new_folder("repaired")
    values = {OUT: str(out), SDIST: str(source.path)}
    command = Command(argv=tuple(values.get(word, word) for word in step.argv), env=step.env)
    start = workspace.log.stat().st_size if workspace.log.exists() else 0
    completed = None
    try:
        with workspace.step(f"cibuildwheel {_join(step.identifiers)}"):
            completed = _run(_handing_out(command, step, repaired), workspace)
            completed = replace(completed, output=_read_output(workspace.log, start))
            if completed.returncode != 0:
                raise _explain(completed, step, source.path)
    except (ToolFailedError, CheckFailedError) as error:
        if completed is None or not _is_of_one_build(completed):
            raise
        found = {path.name: path for folder in (repaired, out) for path in folder.glob("*.whl")}
        return _partial(step, completed, error, sorted(found.values()))
    if (hits := compiler_cache_hits(completed.output)) is not None:
        workspace.note(f"compiler cache: {hits[0]} of {hits[1]} compilations were not repeated")
    paths = sorted(out.glob("*.whl"))
    if not paths:
        raise ToolFailedError(f"cibuildwheel built no wheel for {', '.join(step.identifiers)}")
    tested = tested_interpreters(completed.output)
    return StepResult(wheels=tuple(_describe(path, step, tested) for path in paths))


def _handing_out(command: Command, step: NativeStep, folder: Path) -> Command:
    """Copy each wheel out of the container as soon as it is repaired.

    cibuildwheel copies all of them at the end of a run, and none if a build fails.
    """
    name = variable("repair-wheel-command", System.LINUX)
    mounted = step.in_container and _NO_MOUNT not in command.env.get(ENGINE_VARIABLE, "")
    if not mounted or name not in command.env:
        return command
    copying = f"(cp {{dest_dir}}/*.whl {shlex.quote(f'{MOUNT}{folder}')} 2>/dev/null || true)"
    return replace(command, env={**command.env, name: f"{command.env[name]} && {copying}"})


def _is_of_one_build(completed: Completed) -> bool:
    """Return whether a run failed because of the build that it names last, so that others may succeed."""
    of_all = completed.returncode in {_CONFIGURATION, _NOTHING, _PURE, _ENGINE} or completed.cut_off
    gone = _ENGINE_GONE.search(completed.output) or completed.met_full_disk
    return not of_all and not gone and _SECTION.search(completed.output) is not None


def _partial(
    step: NativeStep, completed: Completed, error: WheelkitError, paths: Sequence[Path]
) -> StepResult:
    """Return what a failed run leaves: the wheels of the builds before the last one, and its failure."""
    *before, last = (match["identifier"].split("-")[0] for match in _SECTION.finditer(completed.output))
    tested = tested_interpreters(completed.output)
    wheels = [_describe(path, step, tested) for path in paths]
    failing = next((wheel for wheel in wheels if last in wheel.cells), None)
    failed = failing.cells if failing else (last,)
    if step.distribution.limited_api and _is_stable(last, step):
        failed = tuple(interpreter.tag for interpreter in step.interpreters if interpreter.has_stable_abi)
    good = [wheel for wheel in wheels if wheel.cells and set(wheel.cells) <= {*before} - {*failed}]
    failure = Failure(
        error=error, interpreters=failed, wheel=failing.path if failing else None, log=completed.log
    )
    return StepResult(wheels=tuple(good), failures=(failure,))


def _is_stable(tag: str, step: NativeStep) -> bool:
    return any(interpreter.has_stable_abi for interpreter in step.interpreters if interpreter.tag == tag)


def _read_output(log: Path, start: int) -> str:
    """Return everything that cibuildwheel printed, since the end of it alone may not show what failed."""
    text = log.read_bytes()[start:].decode(errors="replace")
    return text.partition("\n")[2].rpartition("[exit status")[0]


def _run(command: Command, workspace: Workspace) -> Completed:
    """Run cibuildwheel with labelled containers, which are removed if it fails or is interrupted."""
    scratch = workspace.new_folder("cibuildwheel")
    label = f"{_LABEL}={workspace.folder.name}-{scratch.name}"  # other steps may run at the same time
    env = {**command.env, "TMPDIR": str(scratch)}
    engine = command.env.get(ENGINE_VARIABLE)
    if engine:
        env[ENGINE_VARIABLE] = with_label(engine, label)

    def remove_containers() -> None:
        problem = _remove_containers(engine.split(";")[0].strip(), label) if engine else ""
        if problem:
            workspace.note(problem)

    remove = at_end(remove_containers)
    try:
        completed = workspace.run(replace(command, env=env))
        if completed.returncode == 0:
            remove.cancel()
        return completed
    finally:
        remove()


def with_label(engine: str, label: str) -> str:
    """Add a label to the containers of an engine setting: ``docker; create_args: --label=L``."""
    if "create_args:" in engine:
        return engine.replace("create_args:", f"create_args: --label={label}", 1)
    return f"{engine}; create_args: --label={label}"


def _remove_containers(engine: str, label: str) -> str:
    """Remove the containers with a label; return what to do where that fails, and nothing otherwise."""
    listing = (engine, "ps", "--all", "--quiet", "--filter", f"label={label}")
    done = query(Command(argv=listing), timeout=ENGINE.seconds)
    if done.returncode == 0 and (containers := done.output.split()):
        # rm alone gives a container ten seconds to stop, and one that has stopped cannot be killed.
        query(Command(argv=(engine, "kill", *containers)), timeout=ENGINE.seconds)
        done = query(Command(argv=(engine, "rm", "--force", *containers)), timeout=ENGINE.seconds)
    if done.returncode == 0:
        return ""
    return f"containers may be left: {engine} {done.ending}; to find them:  {shlex.join(listing)}"


def _join(identifiers: tuple[str, ...]) -> str:
    """Join identifiers of one platform: ``cp311 cp312 manylinux_x86_64``."""
    if len(identifiers) == 1:
        return identifiers[0]
    return " ".join([*(name.split("-")[0] for name in identifiers), identifiers[0].split("-", 1)[1]])


def tested_interpreters(log: str) -> frozenset[str]:
    """Return the interpreters on which cibuildwheel tested a wheel; the user may skip builds or tests."""
    starts = [*_SECTION.finditer(log)]
    ends = [*(match.start() for match in starts[1:]), len(log)]
    return frozenset(
        match["identifier"].split("-")[0]
        for match, end in zip(starts, ends, strict=False)
        if _TESTING in log[match.end() : end]
    )


def compiler_cache_hits(log: str) -> tuple[int, int] | None:
    """Return how many compilations sccache served, and of how many; None if it was not used."""
    requests = re.findall(r"^Compile requests executed +(\d+)", log, re.MULTILINE)
    hits = re.findall(r"^Cache hits +(\d+) *$", log, re.MULTILINE)
    return (int(hits[-1]), int(requests[-1])) if requests and hits else None


def _describe(path: Path, step: NativeStep, tested: frozenset[str]) -> BuiltWheel:
    cells = supported_interpreters(path, step, step.interpreters)
    wheel = wheels.read(path)
    grafted = {binary.name for binary in wheel.binaries if re.search(r"\.(dy)?libs/", binary.member)}
    external = {name.rsplit("/", 1)[-1] for name in external_library_names(wheel)}
    return BuiltWheel(
        path=path,
        cells=cells,
        tested=tuple(tag for tag in cells if tag in tested),
        grafted=tuple(sorted(grafted)),
        excluded=tuple(sorted(name for name in external if matches(name, step.patterns, step.target.system))),
    )


def _explain(completed: Completed, step: NativeStep, sdist: Path | None = None) -> WheelkitError:
    """Return the error for a failed run, from the most to the least certain explanation."""
    error = tool_error(completed, "cibuildwheel")
    build_error = partial(_build, sdist=sdist)
    for explanation in (_engine, _image, _pure, _outside, build_error, _audit, _command, _selection):
        explained = explanation(error, completed, step)
        if explained is not None:
            return explained
    return error


def _last_step(log: str) -> str:
    return next((match["step"] for match in reversed([*_STEP.finditer(log)])), "")


def _engine(error: ToolFailedError, completed: Completed, _: NativeStep) -> WheelkitError | None:
    match = _ENGINE_GONE.search(completed.output)
    if completed.returncode != _ENGINE and match is None:
        return None
    error.message = f"the container engine failed: {match[0].strip() if match else 'too old, or not working'}"
    error.hint = error.hint or f"start it and run the same command again, {_WITHOUT_CONTAINER}"
    return error


def _image(error: ToolFailedError, completed: Completed, step: NativeStep) -> WheelkitError | None:
    if _NO_IMAGE.search(completed.output):
        image = _IMAGE.search(completed.output)
        reasons = [line for line in completed.output.splitlines() if _NO_IMAGE_REASON.search(line)]
        return MissingToolError(
            f"the container image {image['image'] if image else f'for {step.target}'} cannot be pulled",
            detail=reasons[-1] if reasons else error.detail,
            hint=f"check the network and the registry, {_WITHOUT_CONTAINER}\nfull log: {error.log}",
        )
    if match := _NOT_IN_IMAGE.search(completed.output):
        return MissingToolError(
            f"the container image {match['image']} has no {match['path']}",
            hint="use another image, or skip that interpreter with CIBW_SKIP or [tool.cibuildwheel] skip",
        )
    return None


def _pure(_: ToolFailedError, completed: Completed, step: NativeStep) -> WheelkitError | None:
    if completed.returncode != _PURE:
        return None
    match = _ANY_WHEEL.search(completed.output)
    wheel = match[0] if match else f"{step.distribution.name}-…-none-any.whl"
    return not_native_error(step.distribution, wheel, completed.output)


def _outside(_: ToolFailedError, completed: Completed, step: NativeStep) -> WheelkitError | None:
    return outside_error(completed.output, step.distribution, completed.log)


def _build(
    _: ToolFailedError, completed: Completed, step: NativeStep, sdist: Path | None
) -> WheelkitError | None:
    # The output of a test may look like a compiler's.
    if not _last_step(completed.output).startswith(_BUILDING):
        return None
    wheel = next(reversed([*_SECTION.finditer(completed.output)]), None)
    interpreter = f" for {wheel['identifier'].split('-')[0]}" if wheel else ""
    # Earlier wheels were built, whatever their compilers said.
    output = completed.output[wheel.start() :] if wheel else completed.output
    task = f"building {step.distribution.name}{interpreter}"
    return explain(replace(completed, output=output), task, step.distribution, sdist)


def _audit(error: ToolFailedError, completed: Completed, _: NativeStep) -> WheelkitError | None:
    if completed.returncode != _AUDIT:
        return None
    match = _AUDITED.search(completed.output)
    objects = json.loads(match["objects"]) if match else {}
    symbols = ", ".join(f"{name} (stable from {since})" for name, since in objects.items())
    return CheckFailedError(
        "the wheel is tagged abi3 but imports symbols that its Python version does not have: "
        f"{symbols or 'see the audit below'}",
        detail="" if symbols else error.detail,
        hint=f"raise the oldest Python version, or avoid the call\nfull log: {error.log}",
    )


def _command(error: ToolFailedError, completed: Completed, step: NativeStep) -> WheelkitError | None:
    match = _FAILED_COMMAND.search(completed.output)
    if match is None:
        return None
    if "auditwheel" in match["argv"]:
        error.message = f"auditwheel cannot repair the wheel for {step.target}"
        error.detail = "\n".join(_auditwheel_lines(completed.output))
        error.hint = (
            "a library that it needs is missing in the container, or newer than the target:\n"
            "build that library there (before-all), or promise a newer target in [tool.wheelkit.matrix]"
        )
        return error
    if _last_step(completed.output) == _TESTING and match["argv"].startswith("['sh', '-c'"):
        *_, section = _SECTION.finditer(completed.output)
        interpreter, test = section["identifier"].split("-")[0], literal_eval(match["argv"])[-1]
        status = f"failed with exit status {match['code']}"
        return CheckFailedError(
            f"the test of the repaired wheel on {interpreter} {status}: {test}",
            detail=error.detail,
            hint=f"full log: {error.log}",
        )
    return None


def _auditwheel_lines(log: str) -> Iterator[str]:
    """Yield auditwheel's error, and what it then shows of the wheel, since the repair command asks for it."""
    failed = False
    for line in filter(str.strip, log.splitlines()):
        failed = failed or "auditwheel: error" in line or "cannot repair" in line
        if failed and (line.startswith("cibuildwheel: ") or "✕" in line):
            return
        if failed:
            yield line


def _selection(error: ToolFailedError, completed: Completed, step: NativeStep) -> WheelkitError | None:
    if completed.returncode == _CONFIGURATION:
        error.message = "cibuildwheel rejects the project's [tool.cibuildwheel] or a CIBW_ variable"
        return error
    if completed.returncode == _NOTHING:
        return ProjectError(
            f"cibuildwheel has nothing to build: {', '.join(step.identifiers)} are all skipped",
            hint="check CIBW_SKIP and [tool.cibuildwheel] skip",
        )
    return None
