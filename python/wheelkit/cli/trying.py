"""What ``wheelkit smoke`` does once its command line is read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct
from msgspec.structs import replace

from wheelkit.cli.context import load_config
from wheelkit.cli.quick import Flag
from wheelkit.cli.screen import columns, note, result, result_json
from wheelkit.cli.steps import Steps
from wheelkit.errors import ProjectError, UsageError
from wheelkit.matrix import Interpreter
from wheelkit.smoke.model import FAMILY, How, Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelkit.config import Config
    from wheelkit.family import Family
    from wheelkit.machine.workspace import Workspace
    from wheelkit.smoke.dist import Request
    from wheelkit.smoke.install import Source
    from wheelkit.smoke.model import Smoked


PYTHON = Flag(word="--python", field="interpreters", metavar="TAG", help="Only this interpreter, such as cp312; can be repeated.")
OFFLINE = Flag(word="--offline", field="offline", help="Third parties from uv's cache alone.")
BUILD_SDISTS = Flag(word="--build-sdists", field="build_sdists", help="Allow building third parties that have no wheel.")
PIP = Flag(word="--pip", field="pip", help="Make the environments with venv and pip.")
KEEP = Flag(word="--keep", field="keep", help="Leave the environments for a look.")
AS_JSON = Flag(word="--json", field="as_json", help="Print the result as JSON.")
FLAGS = (PYTHON, OFFLINE, BUILD_SDISTS, PIP, KEEP, AS_JSON)

_MARKS = {True: "●", False: "✗"}


class Wish(Struct, frozen=True, kw_only=True):
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


def quickly(paths: tuple[Path, ...], options: Mapping[str, Any]) -> int | None:
    """Do it for one path and options; None for none or several, of which click complains."""
    return attempt(Wish(dist=paths[0], **options)) if len(paths) == 1 else None


def attempt(wish: Wish) -> int:
    """Run the smoke test that the command line asks for, show how it went, and give the exit code."""
    from wheelkit.machine.workspace import workspace
    from wheelkit.smoke.dist import Request, smoke

    config = load_config(Path.cwd(), wish.config_file)
    request = Request(
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
    with workspace(Steps(verbose=wish.verbose), "smoke") as shop:
        smoked = smoke(request if wish.origin is None else _from_index(request, wish.origin, shop), shop)
    result_json(_document(smoked)) if wish.as_json else _show(smoked)
    return 0 if smoked.ok else 1


def _from_index(request: Request, origin: str, shop: Workspace) -> Request:
    """Put what the index serves in the place of the dist: the same files by their hashes, or an error."""
    from wheelkit.publish import gather, resolve
    from wheelkit.publish.client import Client
    from wheelkit.publish.fetch import fetch

    if request.family is None:
        raise UsageError(
            "--from needs the project: its manifests and names say which files are meant", hint="run it in the project's folder"
        )
    folder = shop.fresh("from-index")
    fetch(gather(request.dist, request.family), resolve(origin, request.config), Client(note=shop.progress.note), folder)
    return replace(request, dist=folder)


def _known(tags: tuple[str, ...]) -> tuple[str, ...]:
    for tag in tags:
        try:
            Interpreter.parse(tag)
        except ValueError as error:
            raise UsageError(str(error)) from error
    return tags


def _source(wish: Wish, config: Config) -> Source:
    from wheelkit.smoke.install import Source, index_of

    index, folders = wish.index, wish.folders
    if sum([bool(index), bool(folders), wish.offline]) > 1:
        raise UsageError("--index, --find-links and --offline exclude each other", hint="third parties come from one place")
    if wish.offline and wish.pip:
        raise UsageError("--offline uses uv's cache, which pip does not know", hint="give the folder with their wheels:  --find-links DIR")
    if index is None:
        index = "" if folders or wish.offline else index_of()
    elif index in config.index:
        index = config.index[index].simple
    elif "://" not in index:
        raise UsageError(f'"{index}" is neither an address nor a configured index', hint="--index https://…/simple/")
    return Source(index=index, find_links=tuple(path.resolve() for path in folders), offline=wish.offline, sdists=wish.build_sdists)


def _family(config: Config) -> Family | None:
    """Find the project's family; where there is no project, the wheels alone are tested."""
    from wheelkit import family

    try:
        return family.discover(config)
    except ProjectError:
        if (config.root / "pyproject.toml").is_file():
            raise
        return None


def _show(smoked: Smoked) -> None:
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


def _table(smoked: Smoked) -> str:
    tags = tuple(dict.fromkeys(outcome.case.interpreter.tag for outcome in smoked.outcomes))
    rows = [("distribution", "as", *tags)]
    for label in (*smoked.order, FAMILY):
        for how in How:
            cells = {one.case.interpreter.tag: one for one in smoked.outcomes if one.case.label == label and one.case.how is how}
            if cells:
                marks = (_MARKS[cells[tag].ok] if tag in cells else "-" for tag in tags)
                rows.append((_label(smoked, label), how.value, *(mark.center(5) for mark in marks)))
    return columns(rows)


def _label(smoked: Smoked, label: str) -> str:
    package = next((one.case.packages[label] for one in smoked.outcomes if label in one.case.packages), None)
    return f"{package.name} {package.version}" if package else f"{label} of {len(smoked.order)}" if label == FAMILY else label


def _told(outcome: Outcome) -> str:
    lines = [f"  {outcome.case.title}"]
    for failure in outcome.failures:
        lines.append(f"    {failure.check}: {failure.what}")
        lines += [f"      {line}" for line in failure.detail.splitlines()]
        lines += [f"      {line}" for line in failure.fix.splitlines()]
    if outcome.log is not None:
        lines.append(f"    the whole log: {outcome.log}")
    return "\n".join(lines)


def _document(smoked: Smoked) -> dict[str, Any]:
    return {
        "schema": 1,
        "ok": smoked.ok,
        "skipped": list(smoked.skipped),
        "notes": list(smoked.notes),
        "cases": [_case(one) for one in smoked.outcomes],
    }


def _case(outcome: Outcome) -> dict[str, Any]:
    case = outcome.case
    return {
        "distribution": case.label,
        "how": case.how,
        "interpreter": case.interpreter.tag,
        "python": case.python.version,
        "ok": outcome.ok,
        "checks": outcome.checks,
        "seconds": round(outcome.seconds, 3),
        "files": {case.packages[key].path.name: case.packages[key].sha256 for key in case.checked if key in case.packages},
        "failures": [{"check": one.check, "what": one.what, "detail": one.detail, "fix": one.fix} for one in outcome.failures],
        "log": str(outcome.log) if outcome.log else None,
        "kept": str(outcome.kept) if outcome.kept else None,
    }
