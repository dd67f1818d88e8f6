"""Tests the host builder's wheels, each installed into a fresh environment, by the project's own commands."""

from __future__ import annotations

import re
import shutil
import tarfile
import threading
from contextlib import suppress
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from wheelkit.builders.results import BuiltWheel, Failure
from wheelkit.command_lines import split_command
from wheelkit.errors import CheckFailedError, OutputError, ToolFailedError
from wheelkit.machine import project_tests, uv_settings
from wheelkit.machine.concurrency import run_jobs
from wheelkit.machine.process import Command, find_tool, run_checked, run_configured, tool_error
from wheelkit.machine.time_limits import ENVIRONMENT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from wheelkit.builders.sdist import SourceDist
    from wheelkit.machine.concurrency import Stop
    from wheelkit.machine.interpreters import Python
    from wheelkit.machine.workspace import Workspace
    from wheelkit.plan import NativeStep
    from wheelkit.plan.model import HostTests

# cibuildwheel's environments have pip; here it is installed only where a command uses it.
_PIP = re.compile(r"\bpip\b")


class _TestsFailedError(Exception):
    """Some tests failed; each failure is kept by itself."""


class WheelTests(Struct, frozen=True, kw_only=True):
    """Tests every wheel of a step on each of its interpreters, several at a time.

    Only one is installed at a time: uv downloads in parallel by itself, and each file once. With
    ``fail_fast``, nothing more is begun after the first failure.
    """

    step: NativeStep
    source: SourceDist
    pythons: Mapping[str, Python]
    workspace: Workspace
    fail_fast: bool = False
    _installing: threading.Lock = field(default_factory=threading.Lock)

    def run(self, built: Sequence[BuiltWheel]) -> tuple[tuple[BuiltWheel, ...], tuple[Failure, ...]]:
        """Return the wheels that passed on all of their interpreters, and the failures of the others.

        Raises UsageError or OutputError if the files of ``test-sources`` cannot be copied.
        """
        passed: set[tuple[Path, str]] = set()
        failures: list[Failure] = []

        def test(case: tuple[Path, str], stop: Stop | None) -> None:
            path, tag = case
            own = self.workspace.for_job(tag, stop)
            try:
                self._test(path, tag, own)
                passed.add(case)
            except (CheckFailedError, ToolFailedError) as error:
                cells = next(wheel.cells for wheel in built if wheel.path == path)
                failures.append(Failure(error=error, interpreters=cells, wheel=path, log=own.log))
                if self.fail_fast:
                    raise _TestsFailedError from error

        cases = [(wheel.path, tag) for wheel in built for tag in wheel.cells if self._is_tested(tag)]
        with suppress(_TestsFailedError), self.workspace.step("tests on " + " ".join(self.pythons)):
            run_jobs(cases, test)
            if failures:
                raise _TestsFailedError
        waiting = {*cases} - passed
        good = (wheel for wheel in built if all((wheel.path, tag) not in waiting for tag in wheel.cells))
        tested = (
            replace(wheel, tested=tuple(tag for tag in wheel.cells if (wheel.path, tag) in passed))
            for wheel in good
        )
        return tuple(tested), tuple(failures)

    def _is_tested(self, tag: str) -> bool:
        tests = self.step.project_tests.get(tag)
        return bool(tests.command) if tests else True

    def _project_tests(self, tag: str) -> HostTests | None:
        """Return the project's own tests for an interpreter, None where the usual ones run."""
        tests = self.step.project_tests.get(tag)
        return tests if tests and tests.command else None

    def _unpacked(self, folder: Path) -> Path:
        """Unpack the sdist, which cibuildwheel takes the files of tests from, too; return its one folder.

        Each interpreter has its own, for tests may write into it.
        """
        try:
            with tarfile.open(self.source.path) as archive:
                archive.extractall(folder, filter="data")
        except OSError as error:
            raise OutputError.of(error, folder) from error
        return next(folder.iterdir())

    def _test(self, path: Path, tag: str, workspace: Workspace) -> None:
        python, tests = self.pythons[tag], self._project_tests(tag)
        with self._installing:
            folder = _install(path, python, tests, workspace)
        env = folder / "env"
        work, project, env_variables = folder, None, {"VIRTUAL_ENV": str(env)}
        if tests is not None:
            work, project = folder / "work", self._unpacked(folder / "sources")
            work.mkdir()
            project_tests.copy_sources(tests.sources, project, work)
            env_variables |= tests.variables
        for line, argv in self._commands(tests, project, path):
            command = Command(
                argv=argv,
                cwd=work,
                env=env_variables,
                unset=("PYTHONPATH", "PYTHONHOME"),
                prefix_path=(str(env / "bin"),),
            )
            completed = run_configured(workspace.run, command)
            if completed.returncode != 0:
                error = tool_error(completed, f"the test of {path.name} on {python.interpreter}")
                log = f"full log: {workspace.log}"
                raise CheckFailedError(f"{error.message}: {line}", detail=error.detail, hint=log)
        shutil.rmtree(folder, ignore_errors=True)

    def _commands(
        self, tests: HostTests | None, project: Path | None, wheel: Path
    ) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield the commands of a test, each as it is written and as it is run."""
        if tests is None or project is None:
            yield from ((line, split_command(line)) for line in self.step.tests)
            return
        for line in filter(None, (tests.before, tests.command)):
            yield line, project_tests.shell(project_tests.fill_in(line, project, wheel))


def _install(path: Path, python: Python, tests: HostTests | None, workspace: Workspace) -> Path:
    """Install the wheel into a new environment, and return the folder that contains it as ``env``."""
    folder = workspace.new_folder(f"test-{python.interpreter.tag}")
    uv, env = find_tool("uv"), folder / "env"
    install = (uv, "pip", "install", "--quiet", *uv_settings.options(), "--python", str(env / "bin/python"))
    seed = ("--seed",) if tests and _PIP.search(f"{tests.before} {tests.command}") else ()
    commands = [
        (uv, "venv", "--quiet", *seed, "--python", str(python.path), str(env)),
        (*install, f"{path}{tests.extras if tests else ''}"),
    ]
    if tests and tests.requires:
        commands.append((*install, *tests.requires))
    for argv in commands:
        command = Command(argv=argv, env=uv_settings.variables(), timeout=ENVIRONMENT.seconds)
        run_checked(workspace.run, command, f"installing {path.name} on {python.interpreter}")
    return folder
