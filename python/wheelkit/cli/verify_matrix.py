"""``wheelkit verify-matrix``: prove from the bytes that each wheel is what it claims and that none is missing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wheelkit import machine
from wheelkit.checks.contract import Contract, contract_of
from wheelkit.cli.context import config_option, json_option, open_project
from wheelkit.cli.screen import result_json
from wheelkit.errors import ProjectError
from wheelkit.verify import verify

if TYPE_CHECKING:
    from wheelkit.matrix import Target
    from wheelkit.report.model import Report


@click.command("verify-matrix")
@click.argument("paths", metavar="DIST...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--native", is_flag=True, help="Judge only the coverage of the targets that this machine builds.")
@click.option("--shallow", is_flag=True, help="Read names, tags and METADATA only.")
@config_option
@json_option
def command(paths: tuple[Path, ...], config_file: Path | None, native: bool, shallow: bool, as_json: bool) -> int:  # noqa: FBT001
    """Prove that each wheel is what its name and metadata claim, and that none that was promised is missing.

    DIST is a folder of wheels and sdists, or single files. Outside a project each wheel's own claims are proven.
    """
    contract = _contract(config_file)
    natives = _natives(contract) if native else ()
    report = verify(paths, replace(contract, native=natives[0]) if natives else contract, shallow=shallow)
    _show(report, as_json=as_json)
    return 0 if report.ok else 1


def _contract(config_file: Path | None) -> Contract:
    """Take the project's promise; outside a project there is none."""
    try:
        project = open_project((), config_file)
    except ProjectError:
        if config_file is not None or (Path.cwd() / "pyproject.toml").is_file():
            raise
        return Contract()
    return contract_of(project.config, project.family)


def _natives(contract: Contract) -> tuple[Target, ...]:
    here = machine.detect({"CIBW_CONTAINER_ENGINE": "none"})
    targets = (target for promise in contract.promises.values() for target in promise.matrix.targets)
    return tuple(target for target in dict.fromkeys(targets) if here.runs(target))


def _show(report: Report, *, as_json: bool) -> None:
    if as_json:
        from wheelkit.report.json import to_json

        result_json(to_json(report))
        return
    from rich.console import Console

    from wheelkit.report.text import render

    render(report, Console())
