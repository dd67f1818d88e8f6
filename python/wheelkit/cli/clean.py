"""``wheelkit clean``: remove what was built, and nothing else."""

from __future__ import annotations

from pathlib import Path

import click

from wheelkit import manifest
from wheelkit.cli.context import out_option
from wheelkit.cli.screen import note, result
from wheelkit.errors import OutputError


@click.command("clean")
@out_option
def command(out: Path) -> None:
    """Remove the files that wheelkit's manifests in the dist folder name, and the manifests."""
    records = manifest.read_all(out)
    files = [out / Path(one.file).name for record in records for one in record.files]
    doomed = [path for path in [*files, *(out / record.filename for record in records)] if path.is_file()]
    for path in doomed:
        try:
            path.unlink()
        except OSError as error:
            raise OutputError.of(error, path) from error
        result(str(path))
    if not doomed:
        note(f"nothing that wheelkit built is in {out}/")
