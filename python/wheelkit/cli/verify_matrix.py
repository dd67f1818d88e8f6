"""``wheelkit verify-matrix``: prove from the bytes that each wheel is what it claims and that none is missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from wheelkit.cli.context import config_option, flag_option
from wheelkit.cli.proving import AS_JSON, NATIVE, SHALLOW, Wish, prove

_FORMATS = ("text", "json", "markdown", "github")


@click.command("verify-matrix")
@click.argument("paths", metavar="[DIST]...", nargs=-1, type=click.Path(path_type=Path))
@flag_option(NATIVE)
@flag_option(SHALLOW)
@click.option("--reference", type=click.Path(path_type=Path), help="Compare sizes with earlier wheels: a folder, or one wheel.")
@click.option("--from-index", "release", metavar="NAME==VERSION", help="Prove what is published; a DIST beside it lends its manifests.")
@click.option("--index", default="pypi", show_default=True, metavar="INDEX", help="For --from-index: a name, or an upload address.")
@click.option("--deep", is_flag=True, help="For --from-index: fetch the files and read them, where else their names and hashes judge.")
@click.option("--repository", metavar="URL", help="For --deep: attestations have to be by this repository's workflows.")
@click.option("--format", "form", type=click.Choice(_FORMATS), default="text", show_default=True, help="How the report is written.")
@flag_option(AS_JSON)
@click.option("--fix-hint/--no-fix-hint", "fixes", default=True, show_default=True, help="Say below each finding what to do about it.")
@config_option
def command(paths: tuple[Path, ...], **wishes: Any) -> int:  # noqa: ANN401 - one for each field of Wish
    """Prove that each wheel is what its name and metadata claim, and that none that was promised is missing.

    DIST is a folder of wheels and sdists, or single files. Outside a project each wheel's own claims are proven.
    """
    return prove(Wish(paths=paths, **wishes))
