"""``wheelkit smoke``: install the family from its built files into fresh environments, and run its checks."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct
from msgspec.structs import replace

from wheelkit.cli.options import config_option, json_option, load_config
from wheelkit.cli.output import columns, note, result, result_json
from wheelkit.cli.progress import TerminalProgress
from wheelkit.errors import ProjectError, UsageError
from wheelkit.matrix import Interpreter
from wheelkit.smoke.model import FAMILY, CaseResult, InstallMode

if TYPE_CHECKING:
    from wheelkit.config import Config
    from wheelkit.machine.workspace import Workspace
    from wheelkit.project.family import Family
    from wheelkit.smoke.install import Source
    from wheelkit.smoke.model import SmokeResult
    from wheelkit.smoke.smoke import SmokeRequest


_MARKS = {True: "●", False: "✗"}


class SmokeOptions(Struct, frozen=True, kw_only=True):
    """The command line: each option's value by its name, and its default."""

    dist: Path
    origin: str | None = None
    interpreters: tuple[str, ...] = ()
    index: str | None = None
    folders: tuple[Path, ...] = ()
    offline: bool = False
    build_sdists: bool = False
    pip: bool = False
    timeout: float = 60.0
    jobs: int | None = None
    keep: bool = False
    verbose: bool = False
    config_file: Path | None = None
    as_json: bool = False


def run_smoke(wish: SmokeOptions) -> int:
    """Run the smoke test that the command line asks for, show how it went, and give the exit code."""
    from wheelkit.machine.workspace import open_workspace
    from wheelkit.smoke.smoke import SmokeRequest, smoke

    config = load_config(Path.cwd(), wish.config_file)
    request = SmokeRequest(
        dist=wish.dist.resolve(),
        source=_source(wish, config),
        config=config,
        family=_family(config),
        interpreters=_known(wish.interpreters),
        pip=wish.pip,
        keep=wish.keep,
        timeout=wish.timeout,
        jobs=wish.jobs or 0,
    )
    with open_workspace(TerminalProgress(verbose=wish.verbose), "smoke") as shop:
        smoked = smoke(request if wish.origin is None else _from_index(request, wish.origin, shop), shop)
    result_json(_document(smoked)) if wish.as_json else _show(smoked)
    return 0 if smoked.ok else 1


def _from_index(request: SmokeRequest, origin: str, shop: Workspace) -> SmokeRequest:
    """Put what the index serves in the place of the dist: the same files by their hashes, or an error."""
    from wheelkit.publish import collect_release, resolve
    from wheelkit.publish.client import Client
    from wheelkit.publish.fetch import fetch

    if request.family is None:
        raise UsageError(
            "--from needs the project: its manifests and names say which files are meant",
            hint="run it in the project's folder",
        )
    folder = shop.new_folder("from-index")
    fetch(
        collect_release(request.dist, request.family),
        resolve(origin, request.config),
        Client(note=shop.progress.note),
        folder,
    )
    return replace(request, dist=folder)


def _known(tags: tuple[str, ...]) -> tuple[str, ...]:
    for tag in tags:
        try:
            Interpreter.parse(tag)
        except ValueError as error:
            raise UsageError(str(error)) from error
    return tags


def _source(wish: SmokeOptions, config: Config) -> Source:
    from wheelkit.smoke.install import Source, configured_index

    index, folders = wish.index, wish.folders
    if sum([bool(index), bool(folders), wish.offline]) > 1:
        raise UsageError(
            "--index, --find-links and --offline exclude each other", hint="third parties come from one place"
        )
    if wish.offline and wish.pip:
        raise UsageError(
            "--offline uses uv's cache, which pip does not know",
            hint="give the folder with their wheels:  --find-links DIR",
        )
    if index is None:
        index = "" if folders or wish.offline else configured_index()
    elif index in config.index:
        index = config.index[index].simple
    elif "://" not in index:
        raise UsageError(
            f'"{index}" is neither an address nor a configured index', hint="--index https://…/simple/"
        )
    return Source(
        index=index,
        find_links=tuple(path.resolve() for path in folders),
        offline=wish.offline,
        sdists=wish.build_sdists,
    )


def _family(config: Config) -> Family | None:
    """Find the project's family; where there is no project, the wheels alone are tested."""
    from wheelkit.project import family

    try:
        return family.discover(config)
    except ProjectError:
        if (config.root / "pyproject.toml").is_file():
            raise
        return None


def _show(smoked: SmokeResult) -> None:
    result(_table(smoked))
    for outcome in smoked.outcomes:
        if not outcome.ok:
            result(f"\n{_told(outcome)}")
    for outcome in smoked.outcomes:
        if outcome.kept is not None:
            note(f"kept: {outcome.case.title}   {outcome.kept}")
    if smoked.skipped:
        note(f"skipped, because they are not on this machine: {', '.join(smoked.skipped)}")
    for text in smoked.notes:
        note(text)
    failed = sum(not outcome.ok for outcome in smoked.outcomes)
    checks = sum(outcome.checks for outcome in smoked.outcomes)
    tail = f"{failed} failed" if failed else "all fine"
    environments = "1 environment" if len(smoked.outcomes) == 1 else f"{len(smoked.outcomes)} environments"
    result(f"\n  {environments}, {'1 check' if checks == 1 else f'{checks} checks'} · {tail}")


def _table(smoked: SmokeResult) -> str:
    tags = tuple(dict.fromkeys(outcome.case.interpreter.tag for outcome in smoked.outcomes))
    rows = [("distribution", "as", *tags)]
    for label in (*smoked.order, FAMILY):
        for how in InstallMode:
            cells = {
                one.case.interpreter.tag: one
                for one in smoked.outcomes
                if one.case.label == label and one.case.how is how
            }
            if cells:
                marks = (_MARKS[cells[tag].ok] if tag in cells else "-" for tag in tags)
                rows.append((_label(smoked, label), how.value, *(mark.center(5) for mark in marks)))
    return columns(rows)


def _label(smoked: SmokeResult, label: str) -> str:
    package = next((one.case.packages[label] for one in smoked.outcomes if label in one.case.packages), None)
    return (
        f"{package.name} {package.version}"
        if package
        else f"{label} of {len(smoked.order)}"
        if label == FAMILY
        else label
    )


def _told(outcome: CaseResult) -> str:
    lines = [f"  {outcome.case.title}"]
    for failure in outcome.failures:
        lines.append(f"    {failure.check}: {failure.what}")
        lines += [f"      {line}" for line in failure.detail.splitlines()]
        lines += [f"      {line}" for line in failure.fix.splitlines()]
    if outcome.log is not None:
        lines.append(f"    full log: {outcome.log}")
    return "\n".join(lines)


def _document(smoked: SmokeResult) -> dict[str, Any]:
    return {
        "schema": 1,
        "ok": smoked.ok,
        "skipped": list(smoked.skipped),
        "notes": list(smoked.notes),
        "cases": [_case(one) for one in smoked.outcomes],
    }


def _case(outcome: CaseResult) -> dict[str, Any]:
    case = outcome.case
    return {
        "distribution": case.label,
        "how": case.how,
        "interpreter": case.interpreter.tag,
        "python": case.python.version,
        "ok": outcome.ok,
        "checks": outcome.checks,
        "seconds": round(outcome.seconds, 3),
        "files": {
            case.packages[key].path.name: case.packages[key].sha256
            for key in case.checked
            if key in case.packages
        },
        "failures": [
            {"check": one.check, "what": one.what, "detail": one.detail, "fix": one.fix}
            for one in outcome.failures
        ],
        "log": str(outcome.log) if outcome.log else None,
        "kept": str(outcome.kept) if outcome.kept else None,
    }


@click.command("smoke")
@click.argument("dist", type=click.Path(path_type=Path))
@click.option(
    "--from",
    "origin",
    metavar="INDEX",
    help="Take the family's files from this index, by the sha256 that DIST's manifests tell.",
)
@click.option(
    "--python",
    "interpreters",
    multiple=True,
    metavar="TAG",
    help="Only this interpreter, such as cp312; can be repeated.",
)
@click.option(
    "--index",
    metavar="URL",
    help="The one index that third parties come from, or the name of a configured one.",
)
@click.option(
    "--find-links",
    "folders",
    multiple=True,
    type=click.Path(exists=True, path_type=Path),
    help="Third parties from this folder alone.",
)
@click.option("--offline", "offline", is_flag=True, help="Third parties from uv's cache alone.")
@click.option(
    "--build-sdists", "build_sdists", is_flag=True, help="Allow building third parties that have no wheel."
)
@click.option("--pip", "pip", is_flag=True, help="Make the environments with venv and pip.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.1),
    default=60.0,
    show_default=True,
    help="Seconds for one check.",
)
@click.option(
    "--jobs",
    type=click.IntRange(min=1),
    help="Environments at a time; by default as many as the cores can serve.",
)
@click.option("--keep", "keep", is_flag=True, help="Leave the environments for a look.")
@click.option("-v", "--verbose", is_flag=True, help="Show every command that runs.")
@config_option
@json_option
def command(dist: Path, **wishes: Any) -> int:  # noqa: ANN401 - one for each field of Wish
    """Install the wheels of DIST in fresh environments, as their users do, and try them there.

    The family comes from the files alone, by path and sha256; third parties from one index. Every distribution is installed by itself,
    then all of them together, and those with console scripts as tools; modules are imported, scripts answer --help, entry points load,
    and the configured commands run.
    """
    return run_smoke(SmokeOptions(dist=dist, **wishes))
