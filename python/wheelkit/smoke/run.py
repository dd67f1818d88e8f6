"""Runs the cases of a smoke test side by side, each in an environment, a folder and a log of its own."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from wheelkit.errors import MissingToolError
from wheelkit.machine.concurrency import run_jobs, worker_count
from wheelkit.machine.process import find_tool
from wheelkit.smoke import install, probe
from wheelkit.smoke.bytecode import Bytecode
from wheelkit.smoke.environments import remove
from wheelkit.smoke.install import Source
from wheelkit.smoke.installed import compare, sites
from wheelkit.smoke.model import CaseResult, Failure, InstallMode
from wheelkit.smoke.probe import import_results, run_results
from wheelkit.smoke.shelf import user_store

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wheelkit.config import Provider
    from wheelkit.machine.concurrency import Stop
    from wheelkit.machine.process import Command, Completed
    from wheelkit.smoke.environments import Environment, Environments
    from wheelkit.smoke.install import InstallTarget
    from wheelkit.smoke.model import Case
    from wheelkit.smoke.probe import ProbeFailure


_LINES = 14


class SmokeSettings(Struct, frozen=True, kw_only=True):
    """How cases are run: where third parties come from, by uv or pip, seconds for one check, and whether environments stay."""

    source: Source = field(default_factory=Source)
    pip: bool = False
    keep: bool = False
    timeout: float = 60.0
    jobs: int = 0
    providers: tuple[Provider, ...] = ()
    family: frozenset[str] = frozenset()


def run(cases: Sequence[Case], settings: SmokeSettings, rooms: Environments) -> tuple[CaseResult, ...]:
    """Run all cases and give their outcomes in the order of the cases.

    Raises MissingToolError where the index cannot be reached, or uv is not there. An interrupt ends every program that runs.
    """
    compiled = rooms.folder / "bytecode"
    try:
        compiled.mkdir()
        bytecode = Bytecode(folder=compiled, family=settings.family, shelf=user_store())
        unmade = {case.title for case in cases if not case.missing}
        bench = _SmokeRun(
            settings=settings,
            rooms=rooms,
            bytecode=bytecode,
            turns=threading.Semaphore(settings.jobs or worker_count()),
            unmade=unmade,
        )
        outcomes = _all(cases, bench)
        bytecode.remember()
        return outcomes
    finally:
        remove(compiled)


def _all(cases: Sequence[Case], bench: _SmokeRun) -> tuple[CaseResult, ...]:
    outcomes: dict[int, CaseResult] = {}

    def run_case(number: int, _stop: Stop | None) -> None:
        outcome = outcomes[number] = bench.outcome(cases[number])
        bench.rooms.shop.progress.end(outcome.case.title, outcome.seconds, ok=outcome.ok)

    order = sorted(
        range(len(cases)), key=lambda number: -cases[number].weight
    )  # what takes longest is not left for the end
    run_jobs(order, run_case, workers=bench.rooms.at_a_time, stop=bench.rooms.stop)
    return tuple(outcomes[number] for number in range(len(cases)))


class _SmokeRun(Struct, frozen=True, kw_only=True):
    """What all cases of one run share.

    ``turns`` lets as many of them try something at a time as there are cores; ``unmade`` are the titles of those without an environment.
    """

    settings: SmokeSettings
    rooms: Environments
    bytecode: Bytecode
    turns: threading.Semaphore
    unmade: set[str]

    def outcome(self, case: Case) -> CaseResult:
        """Run one case; its log is removed where all went well, its environment unless it is to be kept."""
        started = time.monotonic()
        if case.missing:
            return CaseResult(
                case=case, failures=(Failure(check="the dist", what=case.missing, fix="wheelkit build"),)
            )
        room = self.rooms.room(case.label, case.how, case.python)
        try:
            room.place.prepare(case)
            outcome = _CaseJob(case=case, room=room, bench=self).outcome()
        finally:
            if not self.settings.keep:
                self.rooms.leave(room, others=bool(self.unmade))
        if outcome.ok:
            room.log.unlink(missing_ok=True)
        kept = room.place.folder if self.settings.keep else None
        return replace(
            outcome, seconds=time.monotonic() - started, log=None if outcome.ok else room.log, kept=kept
        )


class _CaseJob(Struct, frozen=True, kw_only=True):
    """One case while it runs."""

    case: Case
    room: Environment
    bench: _SmokeRun

    @property
    def settings(self) -> SmokeSettings:
        return self.bench.settings

    @property
    def place(self) -> InstallTarget:
        return self.room.place

    def outcome(self) -> CaseResult:
        refusal = self._install()
        self.bench.unmade.discard(self.case.title)
        if refusal is not None:
            return CaseResult(case=self.case, failures=(refusal,), checks=1)
        with self.bench.turns:
            return self._tried()

    def _tried(self) -> CaseResult:
        """Compare and try what was installed."""
        failures: list[Failure] = list(compare(self.place.env, self.case.packages, self.settings.family))
        checks = 1
        found = sites(self.place.env) if self.case.weight else ()
        for site in found:
            self.bench.bytecode.teach(self.case.python, site)
        for failed in self._checks():
            checks += 1
            failures += failed
        for site in found:
            self.bench.bytecode.learn(self.case.python, site)
        return CaseResult(case=self.case, failures=tuple(failures), checks=checks)

    def _install(self) -> Failure | None:
        for command in self._commands():
            done = self.room.run(command)
            if done.returncode != 0:
                from wheelkit.smoke.install_errors import install_error

                refusal = install_error(done, " ".join(self.case.wanted), self.settings.source)
                if refusal.network:
                    failure = refusal.failure
                    raise MissingToolError(failure.what, detail=failure.detail, hint=failure.fix)
                return refusal.failure
        return None

    def _commands(self) -> tuple[Command, ...]:
        source = self.settings.source
        if self.case.how is InstallMode.TOOL:
            return install.tool_commands(find_tool("uv"), self.case, self.place, source)
        if self.settings.pip:
            return install.pip_commands(self.case, self.place, source)
        return install.uv_commands(find_tool("uv"), self.case, self.place, source)

    def _checks(self) -> Iterator[list[Failure]]:
        """Try everything, one group after another; each gives what failed in it."""
        packages = [self.case.packages[key] for key in self.case.checked]
        scripts = {name: module for one in packages for name, module in one.scripts.items()}
        began: dict[str, str] = {}
        if self.case.how is InstallMode.ENVIRONMENT:
            told = [(command, self._ran(command, self._shell(command))) for command in self.case.commands]
            began = run_results((command for command, failed in told if not failed), scripts, self.place)
            if asked := probe.probe_questions(packages, import_results(began.values())):
                yield self._probed(asked)
            yield from (failed for _, failed in told)
        if self.case.how is InstallMode.ENVIRONMENT and len(self.case.checked) == 1 and not self.settings.pip:
            return  # the tool's environment holds the same, and its scripts are tried there
        tools = self.place.folder / "tools" if self.case.how is InstallMode.TOOL else None
        for name in (name for name in scripts if name not in began):
            yield self._ran(f"{name} --help", (self.place.script(name, tools), "--help"))

    def _probed(self, asked: list[tuple[str, str, str]]) -> list[Failure]:
        argv = (self.place.python(), "-I", "-c", probe.SCRIPT, *probe.probe_arguments(asked))
        done = self.room.run(self.place.command(*argv, timeout=self.settings.timeout))
        return [self._explained(trouble) for trouble in probe.parse_answers(done)]

    def _explained(self, trouble: ProbeFailure) -> Failure:
        from wheelkit.smoke.import_errors import ErrorContext, explain_import_error

        return explain_import_error(
            trouble,
            ErrorContext(env=self.place.env, packages=self.case.packages, providers=self.settings.providers),
        )

    def _ran(self, label: str, argv: tuple[str, ...]) -> list[Failure]:
        done = self.room.run(self.place.command(*argv, timeout=self.settings.timeout))
        if done.returncode == 0:
            return []
        failed = _failed(label, done, self.settings.timeout)
        trouble = None if done.timed_out else probe.raised(label, done)
        told = self._explained(trouble) if trouble else failed
        return [
            replace(told, what=f"{failed.what}: {told.what}", detail=failed.detail)
            if told.fix and trouble
            else failed
        ]

    @staticmethod
    def _shell(command: str) -> tuple[str, ...]:
        return ("cmd", "/d", "/s", "/c", command) if sys.platform == "win32" else ("sh", "-c", command)


def _failed(label: str, done: Completed, timeout: float) -> Failure:
    detail = "\n".join(done.output.strip().splitlines()[-_LINES:])
    if done.timed_out:
        what = f"it did not end within {timeout:g} s, and was ended with all that it had started"
        return Failure(
            check=label,
            what=what,
            detail=detail,
            fix="mend what it waits for, or give it more:  --timeout SECONDS",
        )
    return Failure(check=label, what=f"it ended with exit status {done.returncode}", detail=detail)
