"""``wheelkit clean``: remove what was built, and nothing else."""

from __future__ import annotations

from os.path import lexists
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wheelkit import manifest
from wheelkit.builders.cache.eviction import clear
from wheelkit.builders.cache.lookup import open_store
from wheelkit.cli.option_rules import checked
from wheelkit.cli.options import config_option, open_project, out_option
from wheelkit.cli.output import completed, note, result
from wheelkit.errors import OutputError, UsageError
from wheelkit.text import plural, printable, size

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wheelkit.manifest import Manifest

# Wheels, sdists and their attestations.
_SUFFIXES = (".whl", ".tar.gz", ".zip", ".attestation")


@click.command("clean")
@out_option
@click.option("--old", is_flag=True, help="Remove only files of other versions than the project's.")
@click.option(
    "--all", "everything", is_flag=True, help="Remove every wheel and sdist in the folder, whoever built it."
)
@click.option("--cache", "of_cache", is_flag=True, help="Remove the build cache of all projects instead.")
@config_option
@checked
def command(out: Path, old: bool, everything: bool, of_cache: bool, config_file: Path | None) -> None:
    """Remove the built files that the manifests in the dist folder list, and the manifests."""
    if sum((old, everything, of_cache)) > 1:
        raise UsageError("--old, --all and --cache exclude each other", hint="give one of them")
    if of_cache:
        _clean_cache()
    elif old:
        _remove(out, _outdated(out, config_file), "files of other versions")
    else:
        _remove(out, _built(out, everything=everything), "files that wheelkit built")


def _clean_cache() -> None:
    store = open_store(note)
    count, freed = clear(store)
    if count:
        completed(f"{plural(count, 'file')} removed from {store.folder}")
        result(f"{store.folder}   {plural(count, 'file')}, {size(freed)}")
    else:
        note(f"the build cache is empty: {store.folder}")


def _files_of(folder: Path, records: Iterable[Manifest]) -> list[Path]:
    """Return the files of manifests, of which anyone may have written any: only those in the folder."""
    names = (Path(file.file).name for record in records for file in record.files)
    return [folder / name for name in names if name not in {"", ".."}]


def _built(folder: Path, *, everything: bool) -> list[Path]:
    found = _files_of(folder, manifest.read_all(folder))
    if everything:
        found += [path for suffix in _SUFFIXES for path in sorted(folder.glob(f"*{suffix}"))]
    return [*found, *sorted(folder.glob(f"*{manifest.SUFFIX}"))]


def _outdated(folder: Path, config_file: Path | None) -> list[Path]:
    from wheelkit.publish.outdated import split_versions

    family = open_project((), config_file).family
    paths = {path: manifest.read(path) for path in sorted(folder.glob(f"*{manifest.SUFFIX}"))}
    versions = split_versions(tuple(paths.values()), family)
    kept = {path.name for path in _files_of(folder, versions.current)}
    files = [path for path in _files_of(folder, versions.outdated) if path.name not in kept]
    found = [path for suffix in _SUFFIXES for path in sorted(folder.glob(f"*{suffix}"))]
    unlisted = [path for path in found if path.name not in kept and versions.is_outdated(path.name)]
    return [*files, *unlisted, *(path for path, record in paths.items() if record in versions.outdated)]


def _remove(folder: Path, paths: Iterable[Path], what: str) -> None:
    found = [path for path in dict.fromkeys(paths) if lexists(path)]
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
        note(f"{folder}/ contains no {what}")
