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
    # A manifest may come from anywhere: only what lies in the folder itself is removed, whatever it says.
    files = [out / Path(one.file).name for record in manifest.read_all(out) for one in record.files]
    doomed = [path for path in dict.fromkeys([*files, *sorted(out.glob(f"*{manifest.SUFFIX}"))]) if path.is_file()]
    for path in doomed:
        try:
            path.unlink()
        except OSError as error:
            raise OutputError.of(error, path) from error
        result(str(path))
    if not doomed:
        note(f"nothing that wheelkit built is in {out}/")
