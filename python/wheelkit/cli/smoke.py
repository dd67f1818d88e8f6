"""``wheelkit smoke``: install the family from its built files into fresh environments, and run its checks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct
from msgspec.structs import replace

from wheelkit.cli.options import (
    PATH,
    config_option,
    current_folder,
    json_option,
    load_config,
    python_option,
    verbose_option,
    wait_option,
)
from wheelkit.cli.output import columns, note, result, result_json
from wheelkit.cli.progress import TerminalProgress
from wheelkit.errors import MissingToolError, ProjectError, UsageError
from wheelkit.inputs import resolved
from wheelkit.machine.workspace import open_workspace
from wheelkit.matrix import Interpreter
from wheelkit.project import family
from wheelkit.smoke.install import Source, configured_index, require_valid
from wheelkit.smoke.model import FAMILY, CaseResult, InstallMode
from wheelkit.smoke.run import SmokeRequest
from wheelkit.smoke.smoke import smoke
from wheelkit.text import plural, shorten_list

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from wheelkit.config import Config
    from wheelkit.machine.workspace import Workspace
    from wheelkit.project.family import Family
    from wheelkit.smoke.model import SmokeResult


_MARKS = {True: "●", False: "✗"}


class SmokeOptions(Struct, frozen=True, kw_only=True):
    """The values of the command line."""

    dist: Path
    origin: str | None
    siblings: str | None
    wait: float
    interpreters: tuple[str, ...]
    index: str | None
    folders: tuple[Path, ...]
    offline: bool
    build_sdists: bool
    pip: bool
    emulate: bool
    tests: bool
    timeout: float
    jobs: int | None
    keep: bool
    verbose: bool
    config_file: Path | None
    as_json: bool


@click.command("smoke")
@click.argument("dist", type=PATH)
@click.option(
    "--from",
    "origin",
    metavar="INDEX",
    help="Download the family's files from this index, by the hashes in DIST's manifests.",
)
@click.option(
    "--siblings",
    metavar="INDEX",
    help="Take members of the family that DIST lacks from this index; by default from the one of --from.",
)
@wait_option
@python_option
@click.option(
    "--index",
    metavar="URL",
    help="Install third-party packages from this index only, a URL or a configured name.",
)
@click.option(
    "--find-links",
    "folders",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Install third-party packages from this folder only.",
)
@click.option("--offline", is_flag=True, help="Install third-party packages from uv's cache only.")
@click.option("--build-sdists", is_flag=True, help="Allow building third-party packages that have no wheel.")
@click.option("--pip", is_flag=True, help="Use venv and pip instead of uv.")
@click.option(
    "--emulate",
    is_flag=True,
    help="Try the wheels for other platforms too, with the emulators and interpreters that are installed.",
)
@click.option(
    "--tests",
    is_flag=True,
    help="Run the projects' own tests too, as [tool.cibuildwheel] describes them.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.1),
    default=60.0,
    show_default=True,
    help="The time limit of one check, in seconds; up to ten times that under an emulator.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    help="The number of parallel environments; by default it follows the number of cores.",
)
@click.option("--keep", is_flag=True, help="Keep the environments for inspection.")
@verbose_option
@config_option
@json_option
def command(**values: Any) -> int:  # noqa: ANN401 - one for each field of SmokeOptions
    """Install the wheels of DIST in fresh environments, as users do, and test them there.

    The family comes from its files only, by path and sha256; third-party packages come from one index. Each
    distribution is installed alone, then all of them together, and those with console scripts as tools.
    Modules are imported, scripts answer --help, entry points are loaded, and the configured commands run.

    With --emulate, wheels for other platforms are tried by interpreters of those: of other processors under
    qemu, of Windows under wine, of another C library with its loader, and Pyodide in node. wheelkit doctor
    says which are installed here.
    """
    options = SmokeOptions(**values)
    request = _request(options)
    with open_workspace(TerminalProgress(verbose=options.verbose), "smoke") as workspace:
        if options.origin is not None or options.siblings is not None:
            request = _from_index(request, options, workspace)
        smoked = smoke(request, workspace)
    if options.as_json:
        result_json(_to_json(smoked))
    else:
        show_result(smoked)
    if smoked.ok and options.emulate:
        _require_all_tried(smoked)
    return 0 if smoked.ok else 1


def _require_all_tried(smoked: SmokeResult) -> None:
    """Raise MissingToolError if an emulator would have run wheels that were not tried."""
    missing = [wheel for wheel in smoked.not_run if wheel.missing]
    if missing:
        fixes = dict.fromkeys(wheel.fix for wheel in missing if wheel.fix)
        raise MissingToolError(
            f"{plural(len(missing), 'wheel')} for other platforms could not be tried here",
            hint="\n".join(fixes),
        )


def _request(options: SmokeOptions) -> SmokeRequest:
    for tag in options.interpreters:
        try:
            Interpreter.parse(tag)
        except ValueError as error:
            raise UsageError(str(error)) from error
    config = load_config(current_folder(), options.config_file)
    return SmokeRequest(
        dist=resolved(options.dist),
        given=options.dist,
        source=_source(options, config),
        config=config,
        family=_family(config),
        interpreters=options.interpreters,
        pip=options.pip,
        emulate=options.emulate,
        tests=options.tests,
        keep=options.keep,
        timeout=options.timeout,
        jobs=options.jobs or 0,
    )


def _from_index(request: SmokeRequest, options: SmokeOptions, workspace: Workspace) -> SmokeRequest:
    """Download the dist's files from an index, by their hashes, or siblings of them, and test those."""
    from wheelkit.publish import collect_release, resolve
    from wheelkit.publish.client import Client
    from wheelkit.publish.fetch import fetch
    from wheelkit.publish.siblings import Patience, await_siblings, fetch_siblings, find_siblings

    if request.family is None:
        option = "--from" if options.origin is not None else "--siblings"
        raise UsageError(
            f"{option} needs the project: its names and manifests say which files to download",
            hint="run the command in the project's folder; to start one:  wheelkit init",
        )
    members, release = request.family, collect_release(request.dist, request.family)
    client = Client(note=workspace.progress.note)
    if options.origin is not None:
        folder = workspace.new_folder("from-index")
        fetch(release, resolve(options.origin, request.config), client, folder)
        request = replace(request, dist=folder)
    index = resolve(options.siblings or options.origin or "", request.config)
    patience = Patience(seconds=options.wait * 60, note=workspace.progress.note)
    found = await_siblings(lambda: find_siblings(release, index, client, members), patience, client.clock)
    return replace(request, siblings=fetch_siblings(found, client, workspace.new_folder("siblings")))


def _source(options: SmokeOptions, config: Config) -> Source:
    index, folders, offline = options.index, options.folders, options.offline
    if sum([bool(index), bool(folders), offline]) > 1:
        raise UsageError(
            "--index, --find-links and --offline exclude each other",
            hint="third-party packages come from one place: use one of the options",
        )
    if options.emulate and options.tests:
        raise UsageError(
            "--emulate and --tests exclude each other", hint="run the project's tests on this machine"
        )
    if options.emulate and options.pip:
        raise UsageError(
            "--emulate and --pip exclude each other",
            hint="leave out --pip: for other platforms, uv installs what their interpreters ask for",
        )
    if offline and options.pip:
        raise UsageError(
            "--offline installs from uv's cache, which pip cannot use",
            hint="give a folder with the wheels of third-party packages: --find-links DIR",
        )
    if index is None:
        index = "" if folders or offline else configured_index()
    elif index in config.index:
        index = config.index[index].simple
    elif "://" not in index:
        raise UsageError(
            f'"{index}" is neither a URL nor a configured index', hint="--index https://…/simple/"
        )
    return Source(
        index=require_valid(index),
        find_links=tuple(resolved(path) for path in folders),
        offline=offline,
        sdists=options.build_sdists,
    )


def _family(config: Config) -> Family | None:
    """Return the project's family; None outside a project, where the wheels alone are tested."""
    try:
        return family.discover(config)
    except ProjectError:
        if (config.root / "pyproject.toml").is_file():
            raise
        return None


def show_result(smoked: SmokeResult) -> None:
    """Print the table of cases, the failures and the notes."""
    for title, results in _by_platform(smoked.results).items():
        if title:
            result(f"\n  {title}")
        result(_table(smoked, results))
    for outcomes in group_failed(smoked.results):
        result(f"\n{describe_failures(outcomes)}")
    for outcome in smoked.results:
        if outcome.kept is not None:
            note(f"kept: {outcome.case.title}   {outcome.kept}")
    note_skipped(smoked)
    _note_not_run(smoked)
    for text in smoked.notes:
        note(text)
    failed = sum(not outcome.ok for outcome in smoked.results)
    environments = plural(len(smoked.results), "environment")
    checks = plural(sum(outcome.checks for outcome in smoked.results), "check")
    result(f"\n  {environments}, {checks} · {f'{failed} failed' if failed else 'all fine'}")


def note_skipped(smoked: SmokeResult) -> None:
    """Print which interpreters were not tested."""
    if smoked.skipped:
        note(f"skipped, not installed here: {', '.join(smoked.skipped)}")


def _note_not_run(smoked: SmokeResult) -> None:
    """Print which wheels for other platforms were not tried, those of one reason together."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for wheel in smoked.not_run:
        reasons.setdefault((wheel.what, wheel.fix), []).append(wheel.file)
    for (what, fix), files in reasons.items():
        note(f"not run: {shorten_list(files)}: {what}")
        if fix:
            note(f"  to run: {fix}")


def _by_platform(results: Iterable[CaseResult]) -> dict[str, list[CaseResult]]:
    """Group the results by the platform and emulator that they are from; this machine's own come first."""
    groups: dict[str, list[CaseResult]] = {}
    for outcome in results:
        groups.setdefault(str(outcome.case.python.runtime or ""), []).append(outcome)
    return groups


def _table(smoked: SmokeResult, results: Sequence[CaseResult]) -> str:
    tags = tuple(dict.fromkeys(outcome.case.interpreter.tag for outcome in results))
    rows = [("distribution", "as", *tags)]
    for label in (*smoked.order, FAMILY):
        for mode in InstallMode:
            marks = {
                outcome.case.interpreter.tag: _MARKS[outcome.ok]
                for outcome in results
                if outcome.case.label == label and outcome.case.mode is mode
            }
            if marks:
                cells = (marks.get(tag, "-").center(5) for tag in tags)
                rows.append((_label(smoked, label), mode.value, *cells))
    return columns(rows)


def _label(smoked: SmokeResult, label: str) -> str:
    for outcome in smoked.results:
        if label in outcome.case.packages:
            package = outcome.case.packages[label]
            return f"{package.name} {package.version}"
    return f"{label} of {len(smoked.order)}" if label == FAMILY else label


def group_failed(results: Iterable[CaseResult]) -> Iterable[list[CaseResult]]:
    """Group the failed cases with one cause: all that differs is the distribution and the interpreter."""
    groups: dict[object, list[CaseResult]] = {}
    for outcome in results:
        if not outcome.ok:
            runtime, tag = str(outcome.case.python.runtime), str(outcome.case.interpreter)
            causes = tuple(
                (failure.check, failure.what.replace(tag, ""), failure.fix) for failure in outcome.failures
            )
            groups.setdefault((runtime, causes), []).append(outcome)
    return groups.values()


def describe_failures(outcomes: list[CaseResult]) -> str:
    """Describe the failures of a group, with the details of its first case."""
    first = outcomes[0]
    titles: dict[str, list[str]] = {}
    for outcome in outcomes:
        name, _, where = outcome.case.title.rpartition(" on ")
        titles.setdefault(name, []).append(where)
    lines = [f"  {name} on {', '.join(places)}" for name, places in titles.items()]
    for failure in first.failures:
        lines.append(f"    {failure.check}: {failure.what}")
        lines += [f"      {line}" for line in (*failure.detail.splitlines(), *failure.fix.splitlines())]
    if first.log is not None:
        lines.append(f"    full log: {first.log}")
    return "\n".join(lines)


def _to_json(smoked: SmokeResult) -> dict[str, Any]:
    return {
        "schema": 1,
        "ok": smoked.ok,
        "skipped": list(smoked.skipped),
        "not_run": [{"file": wheel.file, "what": wheel.what, "fix": wheel.fix} for wheel in smoked.not_run],
        "notes": list(smoked.notes),
        "cases": [_case_to_json(outcome) for outcome in smoked.results],
    }


def _case_to_json(outcome: CaseResult) -> dict[str, Any]:
    case = outcome.case
    runtime = case.python.runtime
    checked = [case.packages[key] for key in case.checked if key in case.packages]
    return {
        "distribution": case.label,
        "how": case.mode,
        "interpreter": case.interpreter.tag,
        "python": case.python.version,
        "platform": runtime.target.tag if runtime else None,
        "emulator": runtime.emulator if runtime else None,
        "ok": outcome.ok,
        "checks": outcome.checks,
        "seconds": round(outcome.seconds, 3),
        "files": {package.path.name: package.sha256 for package in checked},
        "failures": outcome.failures,
        "log": str(outcome.log) if outcome.log else None,
        "kept": str(outcome.kept) if outcome.kept else None,
    }
