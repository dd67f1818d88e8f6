"""Run a workflow's jobs in turn, each in a fresh checkout: `run:` steps by bash, actions by fakes."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from actions.artifacts import ArtifactError, Artifacts
from actions.expressions import condition, fill
from actions.hosted import Hosted

_WORKFLOW_KEYS = {
    "name",
    True,
    "permissions",
    "concurrency",
    "defaults",
    "jobs",
}  # PyYAML reads `on` as True
_JOB_KEYS = {
    "name",
    "runs-on",
    "timeout-minutes",
    "permissions",
    "steps",
    "needs",
    "if",
    "strategy",
    "environment",
}
_STEP_KEYS = {"name", "id", "if", "uses", "with", "run", "env", "working-directory", "shell"}
_BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail")


class UnknownError(Exception):
    """Something in a workflow that this runner does not know."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """What started the workflow, on which commit of which repository."""

    name: str
    ref: str
    sha: str
    repository: Path
    inputs: Mapping[str, str] = field(default_factory=dict)

    def github(self) -> dict[str, str]:
        """Return the ``github`` context."""
        return {
            "event_name": self.name,
            "ref": self.ref,
            "ref_name": self.ref.split("/", 2)[2],
            "ref_type": "tag" if self.ref.startswith("refs/tags/") else "branch",
            "sha": self.sha,
            "run_attempt": "1",
            "repository": "acme/gyro",
            "token": "token-of-the-job",
        }


@dataclass
class JobRun:
    """A run of a job; ``result`` is ``success``, ``failure``, or ``elsewhere`` (needs another machine)."""

    key: str
    row: Mapping[str, str]
    result: str = "success"
    steps: dict[str, str] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    summary: str = ""


@dataclass(frozen=True, kw_only=True)
class Service:
    """What does not change while a workflow runs.

    ``labels`` are the runners that this machine can simulate. ``elsewhere`` maps the others to their
    commands, each with one that builds the same here. ``identity`` holds the variables of jobs with
    ``id-token: write``.
    """

    hosted: Hosted
    event: Event
    labels: frozenset[str]
    elsewhere: Mapping[str, Mapping[str, str]]
    secrets: Mapping[str, str]
    identity: Mapping[str, str]


class Run:
    """A run of a workflow; ``go`` continues it, and ``fork`` returns a copy that continues on its own."""

    def __init__(self, workflow: Path, service: Service, folder: Path) -> None:
        self._document = yaml.safe_load(workflow.read_text(encoding="utf-8"))
        self._workflow = workflow
        self.service = service
        self.folder = folder
        self.artifacts = Artifacts(folder / "artifacts")
        self.results: dict[str, str] = {}
        self.jobs: list[JobRun] = []
        _refuse_unknown(self._document, _WORKFLOW_KEYS)
        if self._document["defaults"] != {"run": {"shell": "bash"}}:
            raise UnknownError(f"defaults: {self._document['defaults']}")

    def fork(self, folder: Path) -> Run:
        """Return a copy of the run as it is now, in another folder."""
        other = Run(self._workflow, self.service, folder)
        (folder / "artifacts").rmdir()
        other.artifacts = self.artifacts.copy(folder / "artifacts")
        other.results, other.jobs = dict(self.results), list(self.jobs)
        return other

    def go(self, *, until: str = "") -> Run:
        """Run the remaining jobs in the order of their needs, up to ``until`` or to the end."""
        for key in self._ordered():
            if key not in self.results:
                self.results[key] = self._job(key, self._document["jobs"][key])
            if key == until:
                break
        return self

    def job(self, key: str, row: str = "") -> JobRun:
        """Return the run of a job, or of one row of its matrix."""
        (match,) = (job for job in self.jobs if job.key == key and (not row or job.row.get("name") == row))
        return match

    def _ordered(self) -> Iterator[str]:
        done: list[str] = []
        jobs = self._document["jobs"]
        while len(done) < len(jobs):
            key = next(
                key for key, job in jobs.items() if key not in done and set(job.get("needs", ())) <= set(done)
            )
            done.append(key)
            yield key

    def _job(self, key: str, job: Mapping[str, Any]) -> str:
        _refuse_unknown(job, _JOB_KEYS)
        contexts = self._contexts(job)
        well = all(need["result"] == "success" for need in contexts["needs"].values())
        if not condition(job.get("if", "success()"), contexts, {"success": lambda: well}):
            return "skipped"
        strategy = job.get("strategy", {"matrix": {"include": [{}]}, "fail-fast": False})
        if strategy["fail-fast"] or set(strategy["matrix"]) != {"include"}:
            raise UnknownError(f"{key}: {strategy}")
        runs = [self._row(key, job, contexts, row) for row in strategy["matrix"]["include"]]
        self.jobs += runs
        return "failure" if any(run.result == "failure" for run in runs) else "success"

    def _contexts(self, job: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
        declared = (self._document[True]["workflow_dispatch"] or {}).get("inputs") or {}
        event = self.service.event
        return {
            "github": event.github(),
            "inputs": {name: event.inputs.get(name) for name in declared},
            "needs": {name: {"result": self.results[name]} for name in job.get("needs", ())},
            "secrets": self.service.secrets,
        }

    def _row(
        self,
        key: str,
        job: Mapping[str, Any],
        contexts: Mapping[str, Mapping[str, Any]],
        row: Mapping[str, str],
    ) -> JobRun:
        run = JobRun(key=key, row=row)
        label = fill(job["runs-on"], {"matrix": row}, {})
        exchange = self.service.elsewhere.get(label, {})
        if label not in self.service.labels and not any(step.get("run") in exchange for step in job["steps"]):
            if label not in self.service.elsewhere:
                raise UnknownError(f"there is no runner {label}")
            run.result = "elsewhere"
            return run
        folder = self.folder / "-".join(filter(None, (key, row.get("name"))))
        machine = _Machine(folder, self, {**contexts, "matrix": row}, exchange)
        machine.identify(job.get("permissions", {}))
        for step in job["steps"]:
            machine.step(step, run)
        run.summary = machine.summary
        return run


class _Machine:
    """One fresh machine while it runs the steps of one job."""

    def __init__(
        self, folder: Path, run: Run, contexts: Mapping[str, Mapping[str, Any]], exchange: Mapping[str, str]
    ) -> None:
        self._run = run
        self._exchange = exchange
        self._home, self._workspace, self._temporary = folder / "home", folder / "work", folder / "temp"
        for path in (self._home, self._workspace, self._temporary):
            path.mkdir(parents=True)
        self._files = {
            name: self._temporary / name
            for name in ("GITHUB_ENV", "GITHUB_PATH", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")
        }
        self._steps: dict[str, Any] = {}
        self._contexts = {**contexts, "steps": self._steps, "runner": {"temp": str(self._temporary)}}
        self._env = self._fresh(contexts["github"])
        self.summary = ""

    def _fresh(self, github: Mapping[str, str]) -> dict[str, str]:
        # The token is no variable of a job: a step has to pass it on.
        context = {f"GITHUB_{name.upper()}": value for name, value in github.items() if name != "token"}
        paths = {
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_WORKSPACE": str(self._workspace),
            "RUNNER_TEMP": str(self._temporary),
        }
        return {
            **self._run.service.hosted.environment(self._home),
            **context,
            **paths,
            "TMPDIR": str(self._temporary),
            "RUNNER_OS": "Linux",
        }

    def identify(self, permissions: Mapping[str, str]) -> None:
        """Set the variables for an OIDC identity if the job's permissions allow one."""
        if permissions.get("id-token") == "write":
            self._env.update(self._run.service.identity)

    def step(self, step: Mapping[str, Any], run: JobRun) -> None:
        """Run one step, or skip it."""
        _refuse_unknown(step, _STEP_KEYS)
        functions: Mapping[str, Callable[[], bool]] = {
            "success": lambda: run.result == "success",
            "failure": lambda: run.result == "failure",
            "cancelled": lambda: False,
        }
        if not condition(step.get("if", "success()"), self._contexts, functions):
            run.steps[step["name"]] = "skipped"
            return
        try:
            result = self._action(step, run) if "uses" in step else self._script(step, run)
        except ArtifactError as error:
            run.log.append(str(error))
            result = "failure"
        run.steps[step["name"]] = result
        if result == "failure":
            run.result = result

    def _action(self, step: Mapping[str, Any], run: JobRun) -> str:
        name = step["uses"].partition("@")[0]
        options = {key: fill(str(value), self._contexts, {}) for key, value in step.get("with", {}).items()}
        run.log.append(f"## {step['name']}: {name} {options}")
        match name:
            case "actions/checkout":
                self._check_out(options)
            case "actions/setup-python":
                if set(options) - {"python-version", "allow-prereleases"}:
                    raise UnknownError(f"{name}: {options}")
                folders = self._run.service.hosted.set_up_python(
                    options["python-version"].split(), self._temporary / "python"
                )
                self._env["PATH"] = os.pathsep.join([*folders, self._env["PATH"]])
            case "actions/upload-artifact":
                self._run.artifacts.upload(options, self._workspace, self._home)
            case "actions/download-artifact":
                self._run.artifacts.download(options, self._workspace)
            case "actions/cache":
                if set(options) != {"path", "key", "restore-keys"}:
                    raise UnknownError(f"{name}: {options}")  # the cache is always empty here
            case _:
                raise UnknownError(f"{name}: there is no fake for this action")
        return "success"

    def _check_out(self, options: Mapping[str, str]) -> None:
        if options != {"fetch-depth": "0", "persist-credentials": "false"}:
            raise UnknownError(f"checkout: {options}")
        event = self._run.service.event
        git = ["git", "-c", "advice.detachedHead=false"]
        subprocess.run(
            [*git, "clone", "--quiet", "--no-checkout", event.repository, self._workspace], check=True
        )
        subprocess.run(
            [*git, "-C", self._workspace, "checkout", "--quiet", "--detach", event.sha], check=True
        )

    def _script(self, step: Mapping[str, Any], run: JobRun) -> str:
        text = step["run"]
        if "${{" in text or step.get("shell", "bash") != "bash":
            raise UnknownError(f"{step['name']}: an expression inside a script, or another shell than bash")
        text = self._exchange.get(text.strip(), text)
        env = {name: fill(str(value), self._contexts, {}) for name, value in step.get("env", {}).items()}
        for path in self._files.values():
            path.write_text("")
        script = self._temporary / f"{len(run.steps)}.sh"
        script.write_text(text)
        done = subprocess.run(
            [*_BASH, script],
            cwd=self._workspace / fill(step.get("working-directory", "."), self._contexts, {}),
            env={**self._env, **env, **{name: str(path) for name, path in self._files.items()}},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        run.log += [f"## {step['name']}: {text}", done.stdout]
        self._take_over(step.get("id"))
        return "failure" if done.returncode else "success"

    def _take_over(self, name: str | None) -> None:
        """Apply what a step has written for the steps after it."""
        self._env.update(_pairs(self._files["GITHUB_ENV"]))
        folders = self._files["GITHUB_PATH"].read_text().split("\n")
        self._env["PATH"] = os.pathsep.join(
            [*reversed([folder for folder in folders if folder]), self._env["PATH"]]
        )
        self.summary += self._files["GITHUB_STEP_SUMMARY"].read_text()
        if name:
            self._steps[name] = {"outputs": _pairs(self._files["GITHUB_OUTPUT"])}


def _pairs(path: Path) -> dict[str, str]:
    lines = path.read_text().splitlines()
    if unknown := [line for line in lines if "=" not in line or "<<" in line]:
        raise UnknownError(f"{path.name}: {unknown[0]}")
    return dict(line.split("=", 1) for line in lines)


def _refuse_unknown(table: Mapping[Any, Any], known: set[Any]) -> None:
    if unknown := set(table) - known:
        raise UnknownError(f"this runner does not know {sorted(map(str, unknown))}")
