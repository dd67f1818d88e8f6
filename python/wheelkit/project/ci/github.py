"""The runs of cibuildwheel in GitHub workflows, for the event that makes a release."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from wheelkit.inputs import read_text, yaml_document
from wheelkit.matrix import System
from wheelkit.project.ci.expressions import UNKNOWN, OpenContext, fill, fill_script, holds, written
from wheelkit.project.ci.machines import hosted, runner_context
from wheelkit.project.ci.matrices import combinations
from wheelkit.project.ci.model import OwnCi, Run
from wheelkit.project.ci.scripts import PRINTS, publishes, read_script
from wheelkit.project.ci.triggers import input_defaults, release_event

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from wheelkit.project.ci.model import Hosted
    from wheelkit.project.ci.triggers import Event

    Table = Mapping[str, Any]

FOLDER = ".github/workflows"
OWN_MARK = "# Written by `wheelkit ci`"
_DEPTH = 4
# What decides over the builds besides cibuildwheel's own variables.
_VARIABLES = frozenset({"MACOSX_DEPLOYMENT_TARGET", "IPHONEOS_DEPLOYMENT_TARGET", "ANDROID_API_LEVEL"})
_DECIDING = re.compile(r"CIBW_(BUILD|SKIP|ENABLE|ARCHS(_[A-Z]+)?|(MANY|MUSL)LINUX_\w+_IMAGE)")
_UPLOADING = ("pypa/gh-action-pypi-publish", "./.github/actions/publish")


class Workflow(Struct, frozen=True, kw_only=True):
    """A workflow file that was read, by its path in the repository."""

    path: str
    table: dict[str, Any]


class _Scope(Struct, frozen=True, kw_only=True):
    """What the steps of a job know: where they are, the contexts of expressions, variables, the machine."""

    repository: Repository
    workflow: str
    job: str
    contexts: Mapping[str, Any]
    env: Mapping[str, Any]
    machine: Hosted | None = None
    labels: str = ""
    folder: str = ""
    depth: int = 0


class Repository(Struct, frozen=True, kw_only=True):
    """A checkout, the folder of the project in it, and its newest tag (empty: none)."""

    root: Path
    project: Path
    tag: str = ""


class _Found(Struct, kw_only=True):
    """What visiting jobs and steps has found so far."""

    runs: list[Run]
    incomplete: list[str]
    publishes: bool = False
    prints: bool = False


def workflow_files(root: Path) -> tuple[list[Workflow], list[str]]:
    """Read the project's own workflows; also return a sentence for each that cannot be read."""
    workflows, broken = [], []
    try:
        paths = sorted((root / FOLDER).iterdir()) if (root / FOLDER).is_dir() else []
    except OSError as error:
        return [], [f"{FOLDER} was left out: {error.strerror}"]
    for path in (path for path in paths if path.suffix in {".yml", ".yaml"}):
        name = f"{FOLDER}/{path.name}"
        try:
            text = read_text(path)
            table = {} if text.startswith(OWN_MARK) else yaml_document(text)
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else f"not valid YAML: {error}"
            broken.append(f"{name} was left out: {reason}")
            continue
        if isinstance(table, dict) and isinstance(table.get("jobs"), dict):
            workflows.append(Workflow(path=name, table=table))
    return workflows, broken


def read_github(repository: Repository) -> OwnCi:
    """Return the runs of cibuildwheel that a release of the project makes.

    They are those of the workflows that publish, if any does, or else of the workflows by the likeliest
    event of a release.
    """
    workflows, broken = workflow_files(repository.root)
    visited = []
    for workflow in workflows:
        event = release_event(workflow.table.get("on"), repository.tag)
        if event is None:
            continue
        found = _visit_workflow(repository, workflow, event)
        if found.runs or found.incomplete:
            visited.append((workflow.path, event, found))
    publishing = [entry for entry in visited if entry[2].publishes]
    best = max((event.rank for _, event, _ in visited), default=0)
    chosen = publishing or [entry for entry in visited if entry[1].rank == best]
    return OwnCi(
        runs=tuple({_key(run): run for _, _, found in chosen for run in found.runs}.values()),
        incomplete=tuple(dict.fromkeys(text for _, _, found in chosen for text in found.incomplete)),
        broken=tuple(broken),
        workflows=tuple(path for path, _, _ in chosen),
    )


def _key(run: Run) -> tuple[Any, ...]:
    options = run.only, run.archs, run.enable, run.config_file
    return run.system, run.machine, tuple(sorted(run.environ.items())), run.unknown, options


def _visit_workflow(repository: Repository, workflow: Workflow, event: Event) -> _Found:
    found = _Found(runs=[], incomplete=[])
    contexts = {"github": event.context(), "inputs": event.inputs}
    _visit_jobs(repository, workflow, contexts, found, 0)
    if found.prints:  # a step asks cibuildwheel for the builds, and other jobs make one each
        found.incomplete.clear()
    return found


def _visit_jobs(
    repository: Repository, workflow: Workflow, contexts: Mapping[str, Any], found: _Found, depth: int
) -> None:
    env = _filled(workflow.table.get("env"), contexts)
    jobs = {str(name): job for name, job in workflow.table["jobs"].items() if isinstance(job, dict)}
    skipped = _skipped(jobs, {**contexts, "env": env})
    for name, job in jobs.items():
        if name in skipped:
            continue
        scope = _Scope(
            repository=repository,
            workflow=workflow.path,
            job=name,
            contexts=contexts,
            env=env,
            depth=depth,
        )
        _visit_job(scope, job, found)


def _skipped(jobs: Mapping[str, Table], contexts: Mapping[str, Any]) -> set[str]:
    """Return the jobs that do not run, those included that need one of them."""
    skipped: set[str] = set()
    while more := [name for name in jobs.keys() - skipped if not _runs(jobs[name], skipped, contexts)]:
        skipped.update(more)
    return skipped


def _runs(job: Table, skipped: set[str], contexts: Mapping[str, Any]) -> bool:
    """Return whether a job runs: its condition may hold, and no job that it needs was skipped."""
    needs = job.get("needs")
    needed = [needs] if isinstance(needs, str) else needs if isinstance(needs, list) else []
    condition = job.get("if")
    anyway = any(word in str(condition) for word in ("always()", "cancelled()", "failure()"))
    if not anyway and skipped.intersection(map(str, needed)):
        return False
    return holds(condition, contexts)


def _visit_job(scope: _Scope, job: Table, found: _Found) -> None:
    strategy = job.get("strategy")
    matrix = fill(strategy, scope.contexts).get("matrix") if isinstance(strategy, dict) else None
    rows = combinations(None if matrix is None else matrix)
    if rows is None:
        inner = _Found(runs=[], incomplete=[])
        _visit_combination(scope, job, OpenContext(), inner)
        if inner.runs or inner.incomplete:
            text = f"{scope.workflow}, job {scope.job}: another job makes its matrix"
            found.incomplete.append(text)
        found.publishes |= inner.publishes
        return
    for row in rows:
        _visit_combination(scope, job, row, found)


def _visit_combination(scope: _Scope, job: Table, row: Mapping[str, Any], found: _Found) -> None:
    contexts = {**scope.contexts, "matrix": row, "strategy": OpenContext()}
    if isinstance(job.get("uses"), str):
        _visit_called(scope, job, contexts, found)
        return
    labels = _labels(fill(job.get("runs-on"), contexts))
    machine = hosted(labels)
    contexts["runner"] = runner_context(machine) or UNKNOWN
    env = {**scope.env, **_filled(job.get("env"), {**contexts, "env": scope.env})}
    defaults = fill(job.get("defaults"), contexts)
    run = defaults.get("run") if isinstance(defaults, dict) else None
    folder = run.get("working-directory") if isinstance(run, dict) else None
    inner = replace(
        scope, contexts=contexts, env=env, machine=machine, labels=", ".join(labels), folder=str(folder or "")
    )
    _visit_steps(inner, job.get("steps"), found)


def _visit_called(scope: _Scope, job: Table, contexts: Mapping[str, Any], found: _Found) -> None:
    """Visit the jobs of a workflow of this repository that a job calls."""
    path = job["uses"].removeprefix("./")
    if scope.depth >= _DEPTH or not job["uses"].startswith("./"):
        return
    workflow = _read(scope.repository.root, path)
    if workflow is None:
        return
    triggers = workflow.table.get("on")
    call = triggers.get("workflow_call") if isinstance(triggers, dict) else None
    defaults = input_defaults(call.get("inputs") if isinstance(call, dict) else None)
    inputs = {**defaults, **_filled(job.get("with"), contexts)}
    inner = {"github": contexts["github"], "inputs": inputs}
    _visit_jobs(scope.repository, workflow, inner, found, scope.depth + 1)


def _read(root: Path, path: str) -> Workflow | None:
    try:
        table = yaml_document(read_text(root / path))
    except (OSError, ValueError):
        return None
    known = isinstance(table, dict) and isinstance(table.get("jobs", {}), dict)
    return Workflow(path=path, table={"jobs": {}, **table}) if known else None


def _visit_steps(scope: _Scope, steps: object, found: _Found) -> None:
    env = dict(scope.env)
    for step in steps if isinstance(steps, list) else ():
        if not isinstance(step, dict):
            continue
        contexts = {**scope.contexts, "env": env}
        if not holds(step.get("if"), contexts):
            continue
        own = {**env, **_filled(step.get("env"), contexts)}
        inner = replace(scope, contexts={**contexts, "env": own}, env=own)
        env |= _visit_step(inner, step, found)


def _visit_step(scope: _Scope, step: Table, found: _Found) -> dict[str, Any]:
    """Note what a step does, and return the variables that it sets for later ones."""
    uses = str(step.get("uses") or "")
    found.publishes |= uses.startswith(_UPLOADING)
    if uses.lower().startswith("pypa/cibuildwheel"):
        options = _filled(step.get("with"), scope.contexts)
        _add_run(scope, _action_options(options), options.get("package-dir") or "", found)
    elif uses.startswith("./") and scope.depth < _DEPTH:
        _visit_action(scope, uses, step, found)
    elif isinstance(step.get("run"), str):
        text = fill_script(step["run"], scope.contexts)
        found.publishes |= publishes(text)
        folder = fill(step.get("working-directory"), scope.contexts) or scope.folder
        script = read_script(
            text, {name: value if value is UNKNOWN else written(value) for name, value in scope.env.items()}
        )
        for call in script.calls:
            inner = replace(scope, env={**scope.env, **call.variables}, folder=str(folder or ""))
            found.prints |= PRINTS in call.options
            _add_run(inner, call.options, call.package, found)
        return dict(script.exported)
    return {}


def _action_options(options: Table) -> dict[str, Any]:
    names = {"only": "--only", "config-file": "--config-file", "enable": "--enable"}
    return {option: options[name] for name, option in names.items() if options.get(name)}


def _visit_action(scope: _Scope, uses: str, step: Table, found: _Found) -> None:
    """Visit the steps of an action of this repository."""
    for name in ("action.yml", "action.yaml"):
        action = _read(scope.repository.root, f"{uses.removeprefix('./')}/{name}")
        if action is not None:
            defaults = input_defaults(action.table.get("inputs"))
            inputs = {**defaults, **_filled(step.get("with"), scope.contexts)}
            runs = action.table.get("runs")
            inner = replace(scope, contexts={**scope.contexts, "inputs": inputs}, depth=scope.depth + 1)
            _visit_steps(inner, runs.get("steps") if isinstance(runs, dict) else None, found)
            return


def _add_run(scope: _Scope, options: Table, package: object, found: _Found) -> None:
    if not _concerns(scope, package):
        return
    where = f"{scope.workflow}, job {scope.job}"
    texts = {
        name: UNKNOWN if value is UNKNOWN or "$" in str(value) else written(value)
        for name, value in options.items()
    }
    platform = texts.get("--platform") or scope.env.get("CIBW_PLATFORM") or "auto"
    if scope.machine is None:
        found.incomplete.append(f'{where}: nothing is known of the runner "{scope.labels}"')
        return
    if UNKNOWN in (platform, *(texts.get(name) for name in ("--only", "--archs", "--enable"))):
        found.incomplete.append(f"{where}: only its run tells what it builds")
        return
    system = scope.machine.system if platform == "auto" else str(platform)
    if system not in set(System):
        found.incomplete.append(f'{where}: cibuildwheel has no platform "{system}"')
        return
    variables = {
        name: value for name, value in scope.env.items() if name.startswith("CIBW_") or name in _VARIABLES
    }
    unknown = tuple(sorted(name for name, value in variables.items() if value is UNKNOWN))
    if deciding := [name for name in unknown if _DECIDING.fullmatch(name)]:
        found.incomplete.append(f"{where}: only its run tells {', '.join(deciding)}")
    found.runs.append(
        Run(
            workflow=scope.workflow,
            job=scope.job,
            system=System(system),
            machine=scope.machine,
            environ={name: written(value) for name, value in variables.items() if value is not UNKNOWN},
            unknown=unknown,
            only=str(texts.get("--only", "")),
            archs=str(texts.get("--archs", "")),
            enable=str(texts.get("--enable", "")),
            config_file=str(texts.get("--config-file", "")),
        )
    )


def _concerns(scope: _Scope, package: object) -> bool:
    """Return whether a run builds the project, and not another one of the repository."""
    root, project = scope.repository.root, scope.repository.project
    folder = root / scope.folder if scope.folder and "$" not in scope.folder else root
    if package is UNKNOWN or "$" in str(package) or "*" in str(package):
        return True
    built = folder / str(package or ".")
    if not built.is_dir():  # an sdist, or a folder that only the job has
        return True
    return built.resolve() == project.resolve()


def _labels(value: object) -> list[str]:
    if isinstance(value, dict):
        return _labels(value.get("labels") or value.get("group"))
    if isinstance(value, list):
        return [str(label) for label in value if label is not UNKNOWN]
    return [str(value)] if isinstance(value, str) else []


def _filled(table: object, contexts: Mapping[str, Any]) -> dict[str, Any]:
    """Return a table of variables or inputs with its expressions evaluated."""
    value = fill(table, contexts)
    return {str(name): item for name, item in value.items()} if isinstance(value, dict) else {}
