"""Runs the cases of a smoke test in parallel, each in an environment and with a log of its own."""

from __future__ import annotations

import shlex
import time
from itertools import chain
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from wheelkit.command_lines import split_command
from wheelkit.machine.concurrency import run_jobs, worker_count
from wheelkit.machine.process import find_tool, run_configured, tool_error
from wheelkit.machine.project_tests import copy_sources
from wheelkit.smoke import foreign_environments, install, probe, project_tests
from wheelkit.smoke.import_errors import ErrorContext, explain_import_error
from wheelkit.smoke.install_errors import explain_install_error
from wheelkit.smoke.installed import compare_installed
from wheelkit.smoke.model import CaseResult, Failure, InstallMode, located

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from wheelkit.config import Config
    from wheelkit.machine.concurrency import Stop
    from wheelkit.machine.process import Command, Completed, LoggedRun
    from wheelkit.project.family import Family
    from wheelkit.smoke.environments import Environment, Environments
    from wheelkit.smoke.install import Source
    from wheelkit.smoke.model import Case, ProjectTests
    from wheelkit.smoke.probe import ProbeFailure


_DETAIL_LINES = 14


class SmokeRequest(Struct, frozen=True, kw_only=True):
    """The dist folder to test, the project that it belongs to, if any, and how to create the environments.

    ``siblings`` are wheels of members that the dist does not contain: they are installed where they are
    needed, but not tested.
    ``interpreters`` are tags that replace the promised ones. ``pip`` installs with pip instead of uv,
    ``emulate`` tries the wheels for other platforms as well, ``tests`` runs the project's own tests.
    ``given`` is the folder as the user named it, if ``dist`` is a copy of it.
    ``timeout`` is the seconds that one check may take. ``jobs`` environments exist at a time; 0: the default.
    """

    dist: Path
    source: Source
    config: Config
    family: Family | None = None
    siblings: tuple[Path, ...] = ()
    interpreters: tuple[str, ...] = ()
    pip: bool = False
    emulate: bool = False
    tests: bool = False
    given: Path | None = None
    keep: bool = False
    timeout: float = 60.0
    jobs: int = 0


def run_cases(
    cases: Sequence[Case], request: SmokeRequest, family: frozenset[str], environments: Environments
) -> tuple[CaseResult, ...]:
    """Run all cases in parallel, and return their results in their order; ``family`` are all members' keys.

    Raises MissingToolError if uv is not installed or the index is unreachable, ToolFailedError if the disk is
    full, which says nothing about the wheels. An interrupt ends every running program.
    """
    results: dict[int, CaseResult] = {}

    def run_one(position: int, _stop: Stop | None) -> None:
        result = results[position] = _run_case(cases[position], request, family, environments)
        environments.workspace.progress.end(result.case.title, result.seconds, ok=result.ok)

    # The family first: it takes longest, and others can run beside it.
    order = sorted(range(len(cases)), key=lambda position: -len(cases[position].checked))
    # Installers wait for the index, and another environment can use the processor meanwhile.
    jobs = request.jobs or worker_count() * (2 if request.source.uses_index else 1)
    run_jobs(order, run_one, workers=jobs, stop=environments.stop)
    return tuple(results[position] for position in range(len(cases)))


def _run_case(
    case: Case, request: SmokeRequest, family: frozenset[str], environments: Environments
) -> CaseResult:
    """Run one case; its log is removed if it passes."""
    if case.problem:
        fix = "wheelkit build"
        if case.missing:
            released = f"{shlex.quote(str(request.dist))} --siblings {request.config.ci.production}"
            fix = f"wheelkit build {case.missing}\nor take the released one:  wheelkit smoke {released}"
        return CaseResult(case=case, failures=(Failure(check="the dist", what=case.problem, fix=fix),))
    started = time.monotonic()
    environment, run = environments.environment(case), environments.logged_run(case)
    try:
        environment.prepare(case)
        case_run = _CaseRun(case=case, request=request, family=family, environment=environment, run=run)
        result = case_run.result()
    finally:
        environments.finish(environment)
    if result.ok:
        run.log.unlink(missing_ok=True)
    return replace(
        result,
        failures=tuple(_located(failure, case, request) for failure in result.failures),
        seconds=time.monotonic() - started,
        log=None if result.ok else run.log,
        kept=environment.folder if environments.keep else None,
    )


def _located(failure: Failure, case: Case, request: SmokeRequest) -> Failure:
    """Name the folder and the wheel in a fix: that of the module which failed, else that of the case."""
    module = failure.check.removeprefix("import ")
    owners = (package for package in case.packages.values() if module in package.modules_to_import)
    checked = (case.packages[key] for key in case.checked if key in case.packages)
    wheel = next(chain(owners, checked), None)
    name = wheel.path.name if wheel else ""
    return replace(failure, fix=located(failure.fix, request.given or request.dist, name))


class _CaseRun(Struct, frozen=True, kw_only=True):
    """Installs one case and runs its checks."""

    case: Case
    request: SmokeRequest
    family: frozenset[str]
    environment: Environment
    run: LoggedRun

    def result(self) -> CaseResult:
        failure = self._install()
        if failure is not None:
            return CaseResult(case=self.case, failures=(failure,), checks=1)
        checks = [list(compare_installed(self.environment.venv, self.case.packages, self.family))]
        if self.case.tests is not None:
            checks.append(self._run_tests(self.case.tests))
            return self._finished(checks)
        if probes := self._probes():
            checks.append(self._run_probes(probes))
        checks += [self._run_program(label, argv) for label, argv in self._programs().items()]
        return self._finished(checks)

    def _finished(self, checks: Sequence[Sequence[Failure]]) -> CaseResult:
        failures = tuple(failure for failed in checks for failure in failed)
        return CaseResult(case=self.case, failures=failures, checks=len(checks))

    def _run_tests(self, tests: ProjectTests) -> list[Failure]:
        """Run the project's own tests, which stop at the first command that fails."""
        copy_sources(tests.tests.sources, tests.project, self.environment.work)
        wheel = self.case.packages[self.case.checked[0]]
        for line, command in project_tests.commands(tests, wheel, self.environment, self._timeout):
            if failures := self._run_command(line, command):
                return failures
        return []

    def _install(self) -> Failure | None:
        for command in self._install_commands():
            completed = self.run(command)
            if completed.returncode != 0:
                self._require_space(completed, "the installation")
                requirements = " ".join(self.case.requirements)
                return explain_install_error(completed, requirements, self.request.source)
        if self._emulated:
            foreign_environments.adopt_scripts(self.environment)
        return None

    @property
    def _emulated(self) -> bool:
        runtime = self.case.python.runtime
        return runtime is not None and not runtime.is_direct

    @property
    def _timeout(self) -> float:
        runtime = self.case.python.runtime
        return self.request.timeout * (runtime.slowness if runtime else 1)

    def _install_commands(self) -> tuple[Command, ...]:
        source, runtime = self.request.source, self.case.python.runtime
        if runtime is not None and self._emulated:
            foreign_environments.create(self.environment, self.case.python, runtime)
            return install.foreign_commands(find_tool("uv"), self.case, self.environment, source)
        if self.case.mode is InstallMode.TOOL:
            return install.tool_commands(find_tool("uv"), self.case, self.environment, source)
        if self.request.pip:
            return install.pip_commands(self.case, self.environment, source)
        return install.uv_commands(find_tool("uv"), self.case, self.environment, source)

    def _probes(self) -> list[probe.ProbeCheck]:
        if self.case.mode is InstallMode.TOOL:
            return []  # the same modules are imported in the distribution's environment
        return probe.probe_checks(self.case.packages[key] for key in self.case.checked)

    def _programs(self) -> dict[str, tuple[str, ...]]:
        """Return the configured commands and the scripts that they do not run, by label."""
        programs = {command: split_command(command) for command in self.case.commands}
        mode = self.case.mode
        alone = mode is InstallMode.ENVIRONMENT and self.case.distribution is not None
        if alone and not self.request.pip and self.case.python.runtime is None:
            return programs  # the distribution is installed as a tool as well, and its scripts run there
        started = {argv[0] for argv in programs.values()}
        for key in self.case.checked:
            for script in self.case.packages[key].scripts:
                if script not in started:
                    programs[f"{script} --help"] = (self.environment.script(script, mode), "--help")
        return programs

    def _run_probes(self, probes: Sequence[probe.ProbeCheck]) -> list[Failure]:
        words = (word for check in probes for word in check)
        argv = (self.environment.python, "-I", "-c", probe.SCRIPT, *words)
        completed = self.run(self.environment.command(*argv, timeout=self._timeout))
        failures = list(probe.parse_report(completed))
        if failures:
            self._require_space(completed, "importing the modules")
        return [self._explain(failure) for failure in failures]

    def _run_program(self, label: str, argv: tuple[str, ...]) -> list[Failure]:
        return self._run_command(label, self.environment.command(*argv, timeout=self._timeout))

    def _run_command(self, label: str, command: Command) -> list[Failure]:
        completed = run_configured(self.run, command)
        if completed.returncode == 0:
            return []
        self._require_space(completed, label)
        failure = _program_failure(label, completed, command.timeout or self._timeout)
        import_error = None if completed.timed_out else probe.import_error(label, completed)
        if import_error is not None and (explained := self._explain(import_error)).fix:
            return [replace(failure, what=f"{failure.what}: {explained.what}", fix=explained.fix)]
        return [failure]

    def _require_space(self, completed: Completed, task: str) -> None:
        """Raise ToolFailedError if a program failed because the disk is full."""
        if completed.met_full_disk:
            raise tool_error(completed, f"{self.case.title}: {task}")

    def _explain(self, failure: ProbeFailure) -> Failure:
        providers = self.request.config.exclude
        runtime = self.case.python.runtime
        context = ErrorContext(
            venv=self.environment.venv,
            packages=self.case.packages,
            providers=providers,
            emulator=runtime.emulator if runtime else "",
        )
        return explain_import_error(failure, context)


def _program_failure(label: str, completed: Completed, timeout: float) -> Failure:
    detail = "\n".join(completed.output.strip().splitlines()[-_DETAIL_LINES:])
    if completed.timed_out:
        return Failure(
            check=label,
            what=f"timed out after {timeout:g} s; it and every program that it started were ended",
            detail=detail,
            fix="find out what it waits for, or allow more time:  --timeout SECONDS",
        )
    return Failure(
        check=label, what=completed.ending, detail=detail, fix=completed.advice if completed.cut_off else ""
    )
