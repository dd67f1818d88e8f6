"""``wheelkit clean``: remove what was built, and nothing else."""

from __future__ import annotations

from os.path import lexists
from pathlib import Path

import click

from wheelkit import manifest
from wheelkit.builders.cache.eviction import clear
from wheelkit.builders.cache.lookup import open_store
from wheelkit.cli.options import out_option
from wheelkit.cli.output import completed, note, result
from wheelkit.errors import OutputError
from wheelkit.text import plural, printable, size


@click.command("clean")
@out_option
@click.option("--cache", "of_cache", is_flag=True, help="Remove the build cache of all projects instead.")
def command(out: Path, of_cache: bool) -> None:
    """Remove the built files that the manifests in the dist folder list, and the manifests."""
    if of_cache:
        _clean_cache()
    else:
        _clean_dist(out)


def _clean_cache() -> None:
    store = open_store(note)
    count, freed = clear(store)
    if count:
        completed(f"{plural(count, 'file')} removed from {store.folder}")
        result(f"{store.folder}   {plural(count, 'file')}, {size(freed)}")
    else:
        note(f"the build cache is empty: {store.folder}")


def _clean_dist(folder: Path) -> None:
    # Manifests may come from anywhere, so only files directly in the folder are removed, whatever paths they
    # list.
    names = (Path(file.file).name for record in manifest.read_all(folder) for file in record.files)
    built = [folder / name for name in names if name not in {"", ".."}]
    manifests = sorted(folder.glob(f"*{manifest.SUFFIX}"))
    found = [path for path in dict.fromkeys([*built, *manifests]) if lexists(path)]
    files = [path for path in found if path.is_symlink() or path.is_file()]
    for path in found:
        if path not in files:
            note(f"{path} is not a file and was left unchanged")
    for path in files:
        try:
            path.unlink()
        except OSError as error:
            raise OutputError.of(error, path) from error
    if files:
        completed(f"{plural(len(files), 'file')} removed from {folder}")
    for path in files:
        result(printable(str(path)))
    if not found:
        note(f"{folder}/ contains nothing that wheelkit built")
