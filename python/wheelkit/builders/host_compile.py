"""Compiles the host builder's wheels: with this machine's compiler or, if its libraries are too new, zig."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from wheelkit import wheel as wheels
from wheelkit.analysis.linux import linux_floor
from wheelkit.builders import zig_compile
from wheelkit.builders.frontend import BuildTask, build_file
from wheelkit.builders.kinds import not_native_error
from wheelkit.builders.source_folder import map_away, unpack_source
from wheelkit.builders.units import FirstWheel
from wheelkit.errors import CheckFailedError, ToolFailedError, WheelkitError
from wheelkit.machine import uv_settings
from wheelkit.machine.compilers import (
    compiler_errors,
    compiler_version,
    missing_rust_error,
)
from wheelkit.machine.process import Command, find_tool
from wheelkit.plan.model import OUT, PYTHON, SDIST, HostSettings
from wheelkit.text import shorten_list
from wheelkit.verification.checks import linux
from wheelkit.verification.contract import Contract
from wheelkit.wheel.names import parse_file_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheelkit.builders.sdist import SourceDist
    from wheelkit.builders.zig_compile import Zig
    from wheelkit.machine.interpreters import Python
    from wheelkit.machine.workspace import Workspace
    from wheelkit.plan import NativeStep
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Wheel


class MissingModulesError(CheckFailedError):
    """A wheel lacks binaries, since backends skip optional ones that do not compile."""


class CompiledWheel(Struct, frozen=True, kw_only=True):
    """A wheel as the backend made it, and the compiler as manifests describe it."""

    path: Path
    compiler: str


class HostCompiler(Struct, kw_only=True):
    """Compiles the wheels of one step.

    ``modules`` are the binaries, without suffixes, of the last wheel that this machine's compiler made too
    new for the target, in this build or an earlier one; empty if its wheels are old enough. ``first`` is the
    wheel from which the kind was learnt.
    """

    step: NativeStep
    source: SourceDist
    workspace: Workspace
    modules: frozenset[str] = frozenset()
    first: FirstWheel | None = None
    _zig: Zig | None = None
    _noted: bool = False

    def compile(self, python: Python) -> CompiledWheel:
        """Compile the wheel for one interpreter.

        Raises ToolFailedError when the backend fails, and CheckFailedError if every wheel is too new.
        """
        usable = _serves(self.step) and zig_compile.supports_target(self.step.target)
        by_zig = self._try_zig(python, "") if self.modules and usable else None
        if isinstance(by_zig, CompiledWheel):
            return by_zig
        path = self.compile_with(python)
        wheel = read_as_target(path, self.step)
        findings = too_new(wheel)
        self.modules = _modules(wheel) if findings else frozenset()
        if not findings:
            return CompiledWheel(path=path, compiler=compiler_version())
        if isinstance(by_zig, MissingModulesError):
            by_zig = None  # the project may have dropped these modules
        if by_zig is None and usable and any(finding.code == "WK311" for finding in findings):
            by_zig = self._try_zig(python, findings[0].what)
            if isinstance(by_zig, CompiledWheel):
                return by_zig
        raise too_new_error(wheel, self.step, findings, by_zig)

    def compile_with(self, python: Python, zig: Zig | None = None) -> Path:
        """Build one raw wheel from the sdist, with zig or this machine's compiler."""
        if zig is None and (kept := self._first_wheel(python)) is not None:
            return kept
        step, workspace = self.step, self.workspace
        out = workspace.new_folder("raw")
        settings = step.settings.get(python.interpreter.tag, HostSettings())
        environ = {**os.environ, **settings.environment}
        env = {
            **uv_settings.variables(environ),
            **zig_compile.link_environment(python.links),
            **settings.environment,
        }
        if zig is not None:
            env = {**uv_settings.variables(environ), **settings.environment, **zig.environment(python)}
        folder = unpack_source(self.source.path, workspace.new_folder("source"))
        env |= map_away(folder, environ)
        values = {
            PYTHON: str(python.path),
            OUT: str(out),
            SDIST: str(folder),
            "uv": find_tool("uv"),
        }
        argv = (
            *(values.get(word, word) for word in step.argv),
            *settings.words,
            *uv_settings.options(environ),
        )
        command = Command(argv=argv, env=env, unset=("VIRTUAL_ENV",))
        name = step.distribution.name
        with workspace.step(
            f"host build {python.interpreter.tag}-{step.target.build_suffix}{', zig' if zig else ''}"
        ):
            purpose = f"building {name} for {python.interpreter}{' with zig' if zig else ''}"
            task = BuildTask(purpose=purpose, distribution=step.distribution, sdist=self.source.path)
            try:
                path, output = build_file(workspace.run, command, out, task)
            except ToolFailedError as error:
                no_rust = missing_rust_error(self.source.distribution, error.log)
                if no_rust is not None and not compiler_errors(error.detail):
                    raise no_rust from error
                raise
        if parse_file_name(path.name).any_platform:
            first = FirstWheel(path=path, sdist=self.source.path)
            raise not_native_error(step.distribution, path.name, output, first)
        return path

    def _first_wheel(self, python: Python) -> Path | None:
        """Return the wheel that showed that the distribution is native, if this build would make the same."""
        tag, first = python.interpreter.tag, self.first
        if first is None or first.sdist != self.source.path or python.path != Path(sys.executable):
            return None
        configured = self.step.settings.get(tag) or "--config-setting" in self.step.argv
        return None if configured else first.path

    def _try_zig(self, python: Python, reason: str) -> CompiledWheel | WheelkitError:
        """Compile the wheel with zig, or return the error; ``reason`` is why the other wheel is too new."""
        if self._zig is None:
            self._zig = zig_compile.write_compilers(self.step, self.workspace.new_folder("zig"))
        try:
            path = self.compile_with(python, self._zig)
            wheel = read_as_target(path, self.step)
            if findings := too_new(wheel):
                return too_new_error(wheel, self.step, findings)
            zig_compile.reject_shared_cxx(wheel)
            zig_compile.reject_shared_registry(wheel, self._zig.mark)
        except WheelkitError as error:
            return error
        if missing := sorted(self.modules - _modules(wheel)):
            return MissingModulesError(
                f"its wheel lacks {shorten_list(missing)}, which this machine's compiler made"
            )
        self._note_zig(self._zig, reason)
        return CompiledWheel(path=path, compiler=self._zig.description)

    def _note_zig(self, zig: Zig, reason: str) -> None:
        """Report once why the wheels are compiled with zig."""
        if self._noted:
            return
        self._noted = True
        again, why = "", "this machine's libraries were too new when it was last built"
        if reason:
            again, why = " again", f"with this machine's own libraries {reason.partition(', which ')[0]}"
        self.workspace.note(f"compiled{again} with zig against glibc {zig.glibc}: {why}")


def _modules(wheel: Wheel) -> frozenset[str]:
    """Return the binaries of a wheel without their suffixes, which depend on the interpreter."""
    parts = (binary.member.rpartition("/") for binary in wheel.binaries)
    return frozenset(f"{folder}{slash}{name.partition('.')[0]}" for folder, slash, name in parts)


def read_as_target(path: Path, step: NativeStep) -> Wheel:
    """Read a raw wheel as if it were tagged for the step's target already."""
    wheel = wheels.read(path)
    return replace(wheel, name=replace(wheel.name, platforms=(step.target.tag,))) if wheel.name else wheel


def too_new(wheel: Wheel) -> list[Finding]:
    """Return what this machine's libraries put into the wheel that its target does not have."""
    if not wheel.name:
        return []
    return [*linux.symbol_versions(wheel, Contract()), *linux.forbidden_symbols(wheel, Contract())]


def _serves(step: NativeStep) -> bool:
    """Return whether zig can compile for the target, and its C++ library does no harm to the project."""
    return zig_compile.is_known_target(step.target) and not step.distribution.uses_nanobind


def too_new_error(
    wheel: Wheel, step: NativeStep, findings: Sequence[Finding], zig_error: WheelkitError | None = None
) -> CheckFailedError:
    """Return the error for a wheel that needs a newer system; ``zig_error`` is how zig failed."""
    floor = linux_floor(wheel)
    newer = f"{floor.target}, which this wheel satisfies," if floor else "a newer target"
    problems = [finding.what for finding in findings]
    message = f"{wheel.path.name} needs a newer system than {step.target}"
    ways = "build in a container (install docker or podman),"
    log = getattr(zig_error, "log", None)
    if zig_error is not None:
        problems = [f"this machine's compiler: {problems[0]}", f"zig: {zig_error.message}"]
        message += ", and zig could not build it for an older one"
    elif _serves(step) and (fix := zig_compile.unavailable_reason()):
        ways = f"compile against older ones with zig ({fix}),\n{ways}"
    hint = f"this machine's own libraries are too new for that target: {ways}\n"
    hint += f"or promise {newer} in [tool.wheelkit.matrix]"
    if log:
        hint += f"\nfull log: {log}"
    return CheckFailedError(message, detail="\n".join(problems), hint=hint)
