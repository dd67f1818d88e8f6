"""Runs cibuildwheel for one step, and says in the user's words why it failed."""

from __future__ import annotations

import json
import re
from ast import literal_eval
from typing import TYPE_CHECKING

from msgspec.structs import replace

from wheelkit import wheel as wheels
from wheelkit.builders.pure import not_native_error
from wheelkit.builders.results import BuiltWheel, supported_interpreters
from wheelkit.errors import CheckFailedError, MissingToolError, ProjectError, ToolFailedError, WheelkitError
from wheelkit.machine.compilers import compiler_errors
from wheelkit.machine.process import Command, Completed, query, tool_error
from wheelkit.machine.progress import step
from wheelkit.plan.model import OUT, SDIST
from wheelkit.repair.run import external_library_names
from wheelkit.wheel.library_names import matches

if TYPE_CHECKING:
    from pathlib import Path

    from wheelkit.builders.sdist import SourceDist
    from wheelkit.machine.workspace import Workspace
    from wheelkit.plan import NativeStep


_SECTION = re.compile(r"^(?:\x1b\[[\d;]*m)*Building (?P<identifier>\w+-\w+) wheel", re.MULTILINE)
_TESTING = "Testing wheel..."
# The headings of its steps, plain and as GitHub's and Azure's logs fold them.
_STEP = re.compile(
    r"^(?:::group::|##\[group\])?(?P<step>(?:Setting up|Running before_|Building|Repairing|Auditing|Testing|Copying)[\w ]*\.\.\.)\s*$",
    re.MULTILINE,
)
_ENGINE_GONE = re.compile(
    r"Cannot connect to the Docker daemon.*|Cannot connect to Podman.*|error during connect.*|"
    r"Failed to read the return code, the container shell has exited|container state improper|BrokenPipeError.*\Z"
)
_NO_IMAGE_REASON = re.compile(r"manifest unknown|pull access denied|initializing source")
_NO_IMAGE = re.compile(rf"Command \['\w+', 'create'.* failed with code 125|{_NO_IMAGE_REASON.pattern}")
_IMAGE = re.compile(r"Starting container image (?P<image>\S+)\.\.\.")
_NOT_IN_IMAGE = re.compile(r"'(?P<path>[^']+)' executable doesn't exist in image '(?P<image>[^']+)'")
_FAILED_COMMAND = re.compile(
    r"cibuildwheel: (?:\S*error\S*: )?Command (?P<argv>\[.*\]) failed with code (?P<code>\d+)"
)
_ANY_WHEEL = re.compile(r"[\w.]+-[\w.+!]+-\w+-none-any\.whl")
_AUDITED = re.compile(r'"future_abi3_objects": (?P<found>\{[^}]*\})')
_LABEL = "wheelkit.run"
# cibuildwheel's own exit codes (its errors module) that mean one thing each.
_CONFIGURATION, _NOTHING, _PURE, _ENGINE, _AUDIT = 2, 3, 5, 7, 9


def build(job: NativeStep, source: SourceDist, shop: Workspace) -> tuple[BuiltWheel, ...]:
    """Run cibuildwheel for all identifiers of the step, on the sdist; returns repaired and tested wheels.

    Raises ToolFailedError, CheckFailedError (a test said no) or MissingToolError (the engine is gone), each with what the log says.
    """
    out = shop.new_folder("wheels")
    for key in job.overridden:
        shop.progress.note(
            f"[tool.cibuildwheel] {key} is overridden: the support matrix and the exclude list decide it"
        )
    filled = {OUT: str(out), SDIST: str(source.path)}
    command = Command(argv=tuple(filled.get(word, word) for word in job.argv), env=job.env)
    shop.progress.builder_command(command.script())
    before = shop.log.stat().st_size if shop.log.exists() else 0
    with step(shop.progress, f"cibuildwheel {_short(job.identifiers)}"):
        done = _run(command, shop)
        said = _said(shop.log, before)
        if done.returncode != 0:
            raise _explained(replace(done, output=said), job)
    if (saved := compiled_before(said)) is not None:
        shop.progress.note(f"compiler cache: {saved[0]} of {saved[1]} compilations were not repeated")
    made = sorted(out.glob("*.whl"))
    if not made:
        raise ToolFailedError(f"cibuildwheel made no wheel for {', '.join(job.identifiers)}")
    return tuple(_made(path, job, tested_in(said)) for path in made)


def _said(log: Path, start: int) -> str:
    """Read all that cibuildwheel printed, without the frame that the log puts around it; the end alone may not show what failed."""
    text = log.read_bytes()[start:].decode(errors="replace")
    return text.partition("\n")[2].rpartition("[exit status")[0]


def _run(command: Command, shop: Workspace) -> Completed:
    """Run cibuildwheel with its containers labelled and its scratch files in ours, and leave neither behind if it does not end well.

    Ended by a signal, cibuildwheel leaves its container running.
    """
    scratch = shop.new_folder("cibuildwheel")
    label = f"{_LABEL}={shop.folder.name}-{scratch.name}"  # of this step alone: others may run beside it
    env = {**command.env, "TMPDIR": str(scratch)}
    engine = command.env.get("CIBW_CONTAINER_ENGINE")
    if engine:
        env["CIBW_CONTAINER_ENGINE"] = labelled(engine, label)
    finished = False
    try:
        done = shop.run(replace(command, env=env))
        finished = done.returncode == 0
        return done
    finally:
        if engine and not finished:
            _remove_containers(engine.split(";")[0].strip(), label)


def labelled(engine: str, label: str) -> str:
    """Add a label to the options with which cibuildwheel creates containers: ``docker`` -> ``docker; create_args: --label=L``."""
    if "create_args:" in engine:
        return engine.replace("create_args:", f"create_args: --label={label}", 1)
    return f"{engine}; create_args: --label={label}"


def _remove_containers(engine: str, label: str) -> None:
    listed = query(Command(argv=(engine, "ps", "--all", "--quiet", "--filter", f"label={label}")))
    containers = listed.output.split() if listed.returncode == 0 else []
    if containers:
        # Removal alone would give the container ten seconds to stop; nothing in it is wanted any more.
        query(Command(argv=(engine, "kill", *containers)))
        query(Command(argv=(engine, "rm", "--force", *containers)))


def _short(identifiers: tuple[str, ...]) -> str:
    """Join identifiers of one platform: ``cp311 cp312 manylinux_x86_64``."""
    if len(identifiers) == 1:
        return identifiers[0]
    return " ".join([*(name.split("-")[0] for name in identifiers), identifiers[0].split("-", 1)[1]])


def tested_in(log: str) -> frozenset[str]:
    """Read from cibuildwheel's output on which interpreters a wheel was tested: the user may have it skip builds or tests."""
    starts = [*_SECTION.finditer(log)]
    ends = [*(match.start() for match in starts[1:]), len(log)]
    sections = zip(starts, ends, strict=False)  # without a section there is still an end
    return frozenset(
        match["identifier"].split("-")[0] for match, end in sections if _TESTING in log[match.end() : end]
    )


def compiled_before(log: str) -> tuple[int, int] | None:
    """Read from sccache's last statistics how many compilations it served, and of how many; None where it was not used."""
    requests = re.findall(r"^Compile requests executed +(\d+)", log, re.MULTILINE)
    hits = re.findall(r"^Cache hits +(\d+) *$", log, re.MULTILINE)
    return (int(hits[-1]), int(requests[-1])) if requests and hits else None


def _made(path: Path, job: NativeStep, tested: frozenset[str]) -> BuiltWheel:
    cells = supported_interpreters(path, job, job.interpreters)
    wheel = wheels.read(path)
    left = {name.rsplit("/", 1)[-1] for name in external_library_names(wheel)}
    return BuiltWheel(
        path=path,
        cells=cells,
        tested=tuple(tag for tag in cells if tag in tested),
        grafted=tuple(
            sorted(
                binary.name
                for binary in wheel.binaries
                if ".libs/" in binary.member or ".dylibs/" in binary.member
            )
        ),
        excluded=tuple(sorted(name for name in left if matches(name, job.patterns, job.target.system))),
    )


def _explained(done: Completed, job: NativeStep) -> WheelkitError:
    """Say what happened, in the order of how surely it is known: the engine, the image, the code, the audit, a test, the repair."""
    error = tool_error(done, "cibuildwheel")
    for explain in (_engine, _image, _pure, _compiler, _audit, _command, _selection):
        explained = explain(error, done, job)
        if explained is not None:
            return explained
    return error


def _last_step(log: str) -> str:
    return next((match["step"] for match in reversed([*_STEP.finditer(log)])), "")


def _engine(error: ToolFailedError, done: Completed, _: NativeStep) -> WheelkitError | None:
    match = _ENGINE_GONE.search(done.output)
    if done.returncode != _ENGINE and match is None:
        return None
    said = match[0].strip() if match else "it is too old or does not work"
    error.message = f"the container engine stopped answering: {said}"
    error.hint = (
        error.hint
        or "start it and run the same command again, or build without it:  wheelkit build --native --builder host"
    )
    return error


def _image(error: ToolFailedError, done: Completed, job: NativeStep) -> WheelkitError | None:
    if _NO_IMAGE.search(done.output):
        started = _IMAGE.search(done.output)
        reasons = [line for line in done.output.splitlines() if _NO_IMAGE_REASON.search(line)]
        return MissingToolError(
            f"the container image {started['image'] if started else f'for {job.target}'} cannot be had",
            detail=reasons[-1] if reasons else error.detail,
            hint=f"check the network and the registry, or build without it:  wheelkit build --native --builder host\nfull log: {error.log}",
        )
    if match := _NOT_IN_IMAGE.search(done.output):
        return MissingToolError(
            f"the container image {match['image']} holds no {match['path']}",
            hint="take another image, or skip that interpreter with CIBW_SKIP or [tool.cibuildwheel] skip",
        )
    return None


def _pure(_: ToolFailedError, done: Completed, job: NativeStep) -> WheelkitError | None:
    if done.returncode != _PURE:
        return None
    match = _ANY_WHEEL.search(done.output)
    return not_native_error(
        job.distribution, match[0] if match else f"{job.distribution.name}-…-none-any.whl", done.output
    )


def _compiler(error: ToolFailedError, done: Completed, job: NativeStep) -> WheelkitError | None:
    # What a test prints may look like a compiler's words.
    lines = "" if _last_step(done.output) == _TESTING else compiler_errors(done.output)
    if not lines:
        return None
    error.message = f"compiling {job.distribution.name} failed"
    error.detail = lines
    return error


def _audit(error: ToolFailedError, done: Completed, _: NativeStep) -> WheelkitError | None:
    if done.returncode != _AUDIT:
        return None
    found = _AUDITED.search(done.output)
    symbols = (
        ", ".join(f"{name} (stable from {since})" for name, since in json.loads(found["found"]).items())
        if found
        else ""
    )
    return CheckFailedError(
        f"the wheel promises abi3 but imports what its floor does not have: {symbols or 'see the audit below'}",
        detail="" if symbols else error.detail,
        hint=f"raise the floor, or avoid the call\nfull log: {error.log}",
    )


def _command(error: ToolFailedError, done: Completed, job: NativeStep) -> WheelkitError | None:
    match = _FAILED_COMMAND.search(done.output)
    if match is None:
        return None
    if "auditwheel" in match["argv"]:
        error.message = f"auditwheel cannot repair the wheel for {job.target}"
        error.detail = _refusal(done.output)
        error.hint = (
            "a library that it needs is missing in the container, or newer than the target: build that library there (before-all),\n"
            "or promise a newer target in [tool.wheelkit.matrix]"
        )
        return error
    if _last_step(done.output) == _TESTING and match["argv"].startswith("['sh', '-c'"):
        interpreter = [found["identifier"] for found in _SECTION.finditer(done.output)][-1].split("-")[0]
        return CheckFailedError(
            f"the test of the repaired wheel on {interpreter} failed with exit status {match['code']}: {literal_eval(match['argv'])[-1]}",
            detail=error.detail,
            hint=f"full log: {error.log}",
        )
    return None


def _refusal(log: str) -> str:
    """Cut auditwheel's refusal out of a log, and what it then shows of the wheel (the repair line asks for it)."""
    lines = [line for line in log.splitlines() if line.strip()]
    refused = [
        number for number, line in enumerate(lines) if "auditwheel: error" in line or "cannot repair" in line
    ]
    start = refused[0] if refused else len(lines)
    after = [
        number
        for number in range(start, len(lines))
        if lines[number].startswith("cibuildwheel: ") or "✕" in lines[number]
    ]
    end = after[0] if after else len(lines)
    return "\n".join(lines[start:end])


def _selection(error: ToolFailedError, done: Completed, job: NativeStep) -> WheelkitError | None:
    if done.returncode == _CONFIGURATION:
        error.message = "cibuildwheel refuses the project's [tool.cibuildwheel] or a CIBW_ variable"
        return error
    if done.returncode == _NOTHING:
        names = ", ".join(job.identifiers)
        return ProjectError(
            f"cibuildwheel has nothing to build: {names} are all skipped",
            hint="look at CIBW_SKIP and [tool.cibuildwheel] skip",
        )
    return None
