"""``wheelkit clean``: remove what was built, and nothing else."""

from __future__ import annotations

from pathlib import Path

import click

from wheelkit import manifest
from wheelkit.cli.options import out_option
from wheelkit.cli.output import note, result, size
from wheelkit.errors import OutputError


@click.command("clean")
@out_option
@click.option("--cache", "of_cache", is_flag=True, help="Remove the build cache instead, of all projects.")
def command(out: Path, of_cache: bool) -> None:
    """Remove the files that wheelkit's manifests in the dist folder name, and the manifests."""
    if of_cache:
        _empty_cache()
    else:
        _empty(out)


def _empty_cache() -> None:
    from wheelkit.builders.cache.eviction import clear
    from wheelkit.builders.cache.lookup import open_store

    store = open_store(note)
    files, count = clear(store)
    if files:
        result(f"{store.folder}   {files} files, {size(count)}")
    else:
        note(f"the build cache is empty: {store.folder}")


def _empty(out: Path) -> None:
    # A manifest may come from anywhere: only what lies in the folder itself is removed, whatever it says.
    files = [out / Path(one.file).name for record in manifest.read_all(out) for one in record.files]
    doomed = [
        path for path in dict.fromkeys([*files, *sorted(out.glob(f"*{manifest.SUFFIX}"))]) if path.is_file()
    ]
    for path in doomed:
        try:
            path.unlink()
        except OSError as error:
            raise OutputError.of(error, path) from error
        result(str(path))
    if not doomed:
        note(f"nothing that wheelkit built is in {out}/")
