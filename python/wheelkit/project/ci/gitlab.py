"""The runs of cibuildwheel in a simple ``.gitlab-ci.yml``, and services that run it and are not read."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

from wheelkit.inputs import read_text, yaml_document
from wheelkit.matrix import System
from wheelkit.project.ci.expressions import UNKNOWN
from wheelkit.project.ci.machines import hosted
from wheelkit.project.ci.model import OwnCi, Run
from wheelkit.project.ci.scripts import read_script, substitute

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

FILE = ".gitlab-ci.yml"
# The configuration of services that are not read; init says so where they run cibuildwheel.
_OTHERS = (
    "azure-pipelines.yml", ".azure-pipelines.yml", ".circleci/config.yml", ".cirrus.yml", ".cirrus.star",
    ".travis.yml", "appveyor.yml", ".appveyor.yml",
)  # fmt: skip
_MARK = "# Written by `wheelkit ci`"
_DEPTH = 5
# A job without tags runs there.
_DEFAULT = "saas-linux-small-amd64"


def read_gitlab(root: Path) -> OwnCi:
    """Return the runs of cibuildwheel of the jobs in ``.gitlab-ci.yml``, whatever their rules are."""
    broken, document = [], None
    try:
        text = read_text(root / FILE)
        document = {} if text.startswith(_MARK) else yaml_document(text)
    except FileNotFoundError:
        pass
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else f"not valid YAML: {error}"
        broken.append(f"{FILE} was left out: {reason}")
    runs: list[Run] = []
    incomplete = [f"{name} runs cibuildwheel, and wheelkit does not read it" for name in _others(root)]
    table = document if isinstance(document, dict) else {}
    for name, job in table.items():
        if isinstance(job, dict) and not str(name).startswith("."):
            _visit(str(name), _extended(table, job), _table(table.get("variables")), runs, incomplete)
    return OwnCi(
        runs=tuple(runs),
        incomplete=tuple(dict.fromkeys(incomplete)),
        broken=tuple(broken),
        workflows=(FILE,) if runs else (),
    )


def _others(root: Path) -> Iterator[str]:
    for name in _OTHERS:
        try:
            if "cibuildwheel" in read_text(root / name, errors="replace"):
                yield name
        except OSError:
            continue


def _extended(table: Mapping[str, Any], job: Mapping[str, Any], depth: int = 0) -> dict[str, Any]:
    """Return a job with what it takes from others by ``extends``."""
    parents = job.get("extends")
    names = [parents] if isinstance(parents, str) else parents if isinstance(parents, list) else []
    merged: dict[str, Any] = {}
    for name in names if depth < _DEPTH else ():
        parent = table.get(name)
        if isinstance(parent, dict):
            merged = _merged(merged, _extended(table, parent, depth + 1))
    return _merged(merged, job)


def _merged(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Merge two jobs: tables key by key, everything else whole."""
    both = {**first, **second}
    for key in first.keys() & second.keys():
        if isinstance(first[key], dict) and isinstance(second[key], dict):
            both[key] = {**first[key], **second[key]}
    return both


def _visit(
    name: str, job: Mapping[str, Any], variables: Mapping[str, str], runs: list[Run], incomplete: list[str]
) -> None:
    lines = [*_lines(job.get("before_script")), *_lines(job.get("script"))]
    if not any("cibuildwheel" in line for line in lines):
        return
    for row in _rows(job):
        seen: dict[str, Any] = {**variables, **_table(job.get("variables")), **row}
        tags = [substitute(str(tag), seen) for tag in _lines(job.get("tags"))]
        machine = hosted([str(tag) for tag in tags if tag is not UNKNOWN] or [_DEFAULT], "gitlab")
        if machine is None:
            text = f'{FILE}, job {name}: nothing is known of the runner "{", ".join(map(str, tags))}"'
            incomplete.append(text)
            continue
        for call in read_script("\n".join(lines), seen).calls:
            chosen = {**seen, **call.variables}
            platform = call.options.get("--platform") or str(chosen.get("CIBW_PLATFORM", "auto"))
            system = machine.system if platform == "auto" else platform
            if system not in set(System) or "$" in "".join(call.options.values()):
                incomplete.append(f"{FILE}, job {name}: only its run tells what it builds")
                continue
            environ = {key: value for key, value in chosen.items() if key.startswith("CIBW_")}
            runs.append(
                Run(
                    workflow=FILE,
                    job=name,
                    system=System(system),
                    machine=machine,
                    environ={key: str(value) for key, value in environ.items() if value is not UNKNOWN},
                    unknown=tuple(sorted(key for key, value in environ.items() if value is UNKNOWN)),
                    only=call.options.get("--only", ""),
                    archs=call.options.get("--archs", ""),
                    enable=call.options.get("--enable", ""),
                    config_file=call.options.get("--config-file", ""),
                )
            )


def _rows(job: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """Yield the variables of each job that ``parallel: matrix`` makes of one."""
    parallel = job.get("parallel")
    matrix = parallel.get("matrix") if isinstance(parallel, dict) else None
    if not isinstance(matrix, list):
        yield {}
        return
    for entry in (entry for entry in matrix if isinstance(entry, dict)):
        axes = {str(key): _lines(value) for key, value in entry.items()}
        yield from (dict(zip(axes, values, strict=True)) for values in product(*axes.values()))


def _lines(value: object) -> list[str]:
    if isinstance(value, list):
        return [line for item in value for line in _lines(item)]
    return [] if value is None or isinstance(value, dict) else [str(value)]


def _table(value: object) -> dict[str, str]:
    rows = value.items() if isinstance(value, dict) else ()
    plain = ((key, item.get("value", "") if isinstance(item, dict) else item) for key, item in rows)
    return {str(key): "" if item is None else str(item) for key, item in plain}
