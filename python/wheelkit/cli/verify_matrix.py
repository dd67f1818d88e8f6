"""``wheelkit verify-matrix``: prove from the bytes that each wheel is what it claims and that none is missing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from wheelkit import family, machine
from wheelkit import wheel as wheels
from wheelkit.checks.contract import Contract, contract_of
from wheelkit.cli.context import config_option, json_option, load_config
from wheelkit.cli.screen import result_json
from wheelkit.errors import ProjectError, WheelError
from wheelkit.family import Family
from wheelkit.project import Distribution, Kind
from wheelkit.verify import collect, verify

if TYPE_CHECKING:
    from wheelkit.matrix import Target
    from wheelkit.report.model import Report


@click.command("verify-matrix")
@click.argument("paths", metavar="DIST...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--native", is_flag=True, help="Judge only the coverage of the targets that this machine builds.")
@click.option("--shallow", is_flag=True, help="Read names, tags and METADATA only.")
@config_option
@json_option
def command(paths: tuple[Path, ...], config_file: Path | None, native: bool, shallow: bool, as_json: bool) -> int:
    """Prove that each wheel is what its name and metadata claim, and that none that was promised is missing.

    DIST is a folder of wheels and sdists, or single files. Outside a project each wheel's own claims are proven.
    """
    contract = _contract(paths, config_file)
    report = verify(paths, contract, native=_natives(contract) if native else None, shallow=shallow)
    _show(report, as_json=as_json)
    return 0 if report.ok else 1


def _contract(paths: tuple[Path, ...], config_file: Path | None) -> Contract:
    """Take the project's promise; a wheelkit.toml without a project speaks of whatever lies in the dist; else nothing is promised."""
    loaded = load_config(Path.cwd(), config_file)
    try:
        found = family.discover(loaded)
    except ProjectError:
        if (Path.cwd() / "pyproject.toml").is_file():
            raise
        return Contract() if loaded.source is None else contract_of(loaded, Family(root=loaded.root, distributions=_candidates(paths)))
    return contract_of(loaded, found)


def _candidates(paths: tuple[Path, ...]) -> tuple[Distribution, ...]:
    """Describe the distributions that the wheels themselves tell of: what is in a dist that was built from somebody else's sdist."""
    found: dict[str, Distribution] = {}
    for path in collect(paths):
        try:
            wheel = wheels.read(path, contents=False) if path.suffix == ".whl" else None
        except WheelError:
            wheel = None  # the verification reports it
        if wheel is not None and wheel.name is not None:
            kind = Kind.PURE if wheel.name.any_platform else Kind.NATIVE
            found.setdefault(
                wheel.distribution,
                Distribution(
                    name=wheel.distribution,
                    version=wheel.version,
                    kind=kind,
                    source=path,
                    requires_python=wheel.metadata.get("Requires-Python") or None,
                ),
            )
    return tuple(found.values())


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
