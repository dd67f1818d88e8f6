"""The raw wheels of the host builder: compiled by this machine's own compiler or, where its libraries are too new, by zig."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from wheelkit import wheel as wheels
from wheelkit.analysis.linux import linux_floor
from wheelkit.builders import zig_compile
from wheelkit.builders.pure import not_native_error
from wheelkit.errors import CheckFailedError, InterruptedByUserError, ToolFailedError, WheelkitError
from wheelkit.machine.compilers import (
    compiler_errors,
    compiler_version,
    first_compiler_error,
    missing_rust_error,
)
from wheelkit.machine.process import Command, find_tool, tool_error
from wheelkit.machine.progress import step
from wheelkit.plan.model import OUT, PYTHON, SDIST, HostSettings
from wheelkit.text import shorten_list
from wheelkit.verification.checks import linux
from wheelkit.verification.contract import Contract
from wheelkit.wheel.names import parse_file_name

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from wheelkit.builders.sdist import SourceDist
    from wheelkit.builders.zig_compile import Zig
    from wheelkit.machine.interpreters import Python
    from wheelkit.machine.workspace import Workspace
    from wheelkit.plan import NativeStep
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Wheel


class CompiledWheel(Struct, frozen=True, kw_only=True):
    """One wheel as the backend made it, and what compiled it, in words for the manifest."""

    path: Path
    compiler: str


class HostCompiler(Struct, kw_only=True):
    """Makes the raw wheels of one step.

    ``modules`` are the binaries, without their suffixes, that this machine's own compiler made when it turned out too new: known from an
    earlier build, or found out here. Empty as long as it does.
    """

    job: NativeStep
    source: SourceDist
    shop: Workspace
    modules: frozenset[str] = frozenset()
    _zig: Zig | None = None
    _why: str = ""

    def wheel(self, python: Python) -> CompiledWheel:
        """Make the wheel of one interpreter, compiled by whatever keeps the target's promise.

        Raises ToolFailedError when the backend refuses, CheckFailedError where no compiler here makes a wheel that is old enough.
        """
        usable = zig_compile.supports_target(self.job.target)
        failed: WheelkitError | None = None
        if self.modules and usable:
            made = self._by_zig(python)
            if isinstance(made, CompiledWheel) and not self._lacking(made):
                return self._told(made, "")
            failed = None if isinstance(made, CompiledWheel) else made
        path = compile_wheels(self.job, self.source, python, self.shop)
        findings = too_new(path, self.job)
        self.modules = _modules(path) if findings else frozenset()
        if not findings:
            return CompiledWheel(path=path, compiler=compiler_version())
        if failed is None and usable and any(one.code == "WK311" for one in findings):
            made = self._by_zig(python)
            failed = self._lacking(made) if isinstance(made, CompiledWheel) else made
            if isinstance(made, CompiledWheel) and failed is None:
                return self._told(made, findings[0].what)
        raise too_new_message(path, self.job, findings, failed)

    def _by_zig(self, python: Python) -> CompiledWheel | WheelkitError:
        """Make the wheel with zig; gives the error where that fails, for the caller to weigh."""
        if self._zig is None:
            self._zig = zig_compile.zig_for(self.job, self.shop.new_folder("zig"))
        try:
            path = compile_wheels(self.job, self.source, python, self.shop, self._zig)
            if findings := too_new(path, self.job):
                return too_new_message(path, self.job, findings)
            zig_compile.reject_shared_cxx(wheels.read(path))
            zig_compile.reject_shared_registry(wheels.read(path), self._zig.mark)
        except InterruptedByUserError:
            raise
        except WheelkitError as error:
            return error
        return CompiledWheel(path=path, compiler=self._zig.described)

    def _lacking(self, made: CompiledWheel) -> WheelkitError | None:
        """Tell which binaries zig's wheel lacks: backends pass over optional ones that do not compile."""
        lacking = sorted(self.modules - _modules(made.path))
        return (
            CheckFailedError(f"its wheel lacks {shorten_list(lacking)}, which this machine's compiler made")
            if lacking
            else None
        )

    def _told(self, made: CompiledWheel, what: str) -> CompiledWheel:
        """Say once why zig made the wheels: ``what`` the machine's own compiler had left in one, where that was tried."""
        assert self._zig is not None  # noqa: S101 - it has just made the wheel
        reason = what.partition(", which ")[0]
        why = (
            f"with this machine's own libraries {reason}"
            if reason
            else "this machine's own was too new when it was last built"
        )
        if not self._why:
            self._why = (
                f"compiled {'again ' if reason else ''}with zig against glibc {self._zig.glibc}: {why}"
            )
            self.shop.progress.note(self._why)
        return made


def compile_wheels(
    job: NativeStep, source: SourceDist, python: Python, shop: Workspace, zig: Zig | None = None
) -> Path:
    """Build one raw wheel from the sdist, in an isolated environment of the interpreter; ``zig`` takes the compiler's place."""
    out = shop.new_folder("raw")
    filled = {PYTHON: str(python.path), OUT: str(out), SDIST: str(source.path), "uv": find_tool("uv")}
    own = job.settings.get(python.interpreter.tag, HostSettings())
    env = (
        {**link_environment(python), **own.environment}
        if zig is None
        else {**own.environment, **zig.environment(python)}
    )
    argv = (*(filled.get(word, word) for word in job.argv), *own.words)
    command = Command(argv=argv, env=env, unset=("VIRTUAL_ENV",))
    shop.progress.builder_command(command.script())
    with step(
        shop.progress,
        f"host build {python.interpreter.tag}-{job.target.build_suffix}{'' if zig is None else ', zig'}",
    ):
        done = shop.run(command)
        if done.returncode != 0:
            error = tool_error(
                done,
                f"building {job.distribution.name} for {python.interpreter}{'' if zig is None else ' with zig'}",
            )
            lines = compiler_errors(done.output)
            error.detail = lines or error.detail
            raise (None if lines else missing_rust_error(source.distribution, error.log)) or error
    built = sorted(out.glob("*.whl"))
    if len(built) != 1:
        raise ToolFailedError(
            f"building {job.distribution.name} gave {len(built)} wheels, where one was expected"
        )
    if parse_file_name(built[0].name).any_platform:
        raise not_native_error(job.distribution, built[0].name, done.output)
    return built[0]


def link_environment(python: Python, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Take this machine's search paths out of the interpreter's own link commands.

    An interpreter that was built with ``-rpath`` hands it on to every extension that setuptools links, and a user's machine has no such
    folder. What the user set in the environment stays.
    """
    clean = {}
    for name, line in python.links.items():
        words = shlex.split(line)
        kept = [word for word in words if not zig_compile.is_search_path(word)]
        if kept != words and name not in environ:
            clean[name] = shlex.join(kept)
    return clean


def _modules(path: Path) -> frozenset[str]:
    """Name the binaries of a wheel without their suffixes, which tell of the interpreter."""
    parts = (one.member.rpartition("/") for one in wheels.read(path).binaries)
    return frozenset(f"{folder}{slash}{name.partition('.')[0]}" for folder, slash, name in parts)


def too_new(path: Path, job: NativeStep) -> list[Finding]:
    """Find what this machine's libraries put into the wheel that the target does not have, before the repair tool meets it."""
    claimed = _claiming(path, job)
    return (
        [*linux.symbol_versions(claimed, Contract()), *linux.forbidden_symbols(claimed, Contract())]
        if claimed.name
        else []
    )


def _claiming(path: Path, job: NativeStep) -> Wheel:
    """Read the wheel as if it were named for the target already."""
    raw = wheels.read(path)
    return replace(raw, name=replace(raw.name, platforms=(job.target.tag,))) if raw.name else raw


def too_new_message(
    path: Path, job: NativeStep, findings: list[Finding], zig: WheelkitError | None = None
) -> CheckFailedError:
    """Make the error for a wheel that needs a newer system than its target; ``zig`` is how zig failed, where it was tried."""
    floor = linux_floor(_claiming(path, job))
    newer = f"{floor.target}, which this wheel satisfies," if floor else "a newer target"
    what = [finding.what for finding in findings]
    said = f"{path.name} needs a newer system than {job.target}"
    ways = "build in a container (install docker or podman),"
    if zig is not None:
        reason = first_compiler_error(zig.detail)
        what = [f"this machine's compiler: {what[0]}", f"zig: {zig.message}{f': {reason}' if reason else ''}"]
        said += ", and zig could not make it for an older one"
    elif zig_compile.is_known_target(job.target) and (mend := zig_compile.unavailable_reason()):
        ways = f"compile against older ones with zig ({mend}),\n{ways}"
    hint = f"this machine's own libraries are too new for that target: {ways}\nor promise {newer} in [tool.wheelkit.matrix]"
    log = getattr(zig, "log", None)
    return CheckFailedError(said, detail="\n".join(what), hint=f"{hint}\nfull log: {log}" if log else hint)
