"""``wheelkit clean``: remove what was built, and nothing else."""

from __future__ import annotations

import sys
from os.path import lexists
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import Struct

from wheelkit import manifest
from wheelkit.builders.cache.eviction import clear, measure
from wheelkit.builders.cache.lookup import open_store
from wheelkit.cli.option_rules import checked
from wheelkit.cli.options import config_option, json_option, open_project, out_option
from wheelkit.cli.output import completed, note, result, result_json
from wheelkit.errors import OutputError, UsageError
from wheelkit.text import plural, printable, size

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wheelkit.builders.cache.store import Store
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
@click.option("--yes", is_flag=True, help="With --cache: do not ask.")
@click.option("--dry-run", is_flag=True, help="Show what would be removed, and remove nothing.")
@config_option
@json_option
@checked
def command(
    out: Path,
    old: bool,
    everything: bool,
    of_cache: bool,
    yes: bool,
    dry_run: bool,
    config_file: Path | None,
    as_json: bool,
) -> None:
    """Remove the built files that the manifests in the dist folder list, and the manifests."""
    if of_cache:
        _clean_cache(open_store(note), yes=yes, dry_run=dry_run, as_json=as_json)
        return
    if old:
        paths, what = _outdated(out, config_file), "files of other versions"
    else:
        paths, what = _built(out, everything=everything), "files that wheelkit built"
    removal = _plan_removal(paths)
    for path in removal.others:
        note(f"{path} is not a file and was left unchanged")
    if not dry_run:
        _remove(removal.files)
        if removal.files:
            completed(f"{plural(len(removal.files), 'file')} removed from {out}")
    if not removal.files and not removal.others:
        note(f"{out}/ contains no {what}")
    if as_json:
        files = [str(path) for path in removal.files]
        result_json({"schema": 1, "removed": not dry_run, "folder": str(out), "files": files})
    else:
        for path in removal.files:
            result(printable(str(path)))


def _clean_cache(store: Store, *, yes: bool, dry_run: bool, as_json: bool) -> None:
    count, freed = measure(store)
    remove = bool(count) and not dry_run
    if remove and not yes and not _confirm(f"{store.folder} ({plural(count, 'file')}, {size(freed)})"):
        note("nothing was removed")
        return
    if remove:
        clear(store)
        completed(f"{plural(count, 'file')} removed from {store.folder}")
    elif not count:
        note(f"the build cache is empty: {store.folder}")
    if as_json:
        document = {"schema": 1, "removed": not dry_run, "folder": str(store.folder)}
        result_json({**document, "count": count, "bytes": freed})
    elif count:
        result(f"{store.folder}   {plural(count, 'file')}, {size(freed)}")


def _confirm(what: str) -> bool:
    """Ask whether the cache of all projects is to be removed; raises UsageError without a terminal."""
    if not sys.stdin.isatty():
        raise UsageError(
            "nothing was removed: no terminal to ask on; use --yes", hint="wheelkit clean --cache --yes"
        )
    return click.confirm(f"Remove {what}?", err=True)


class _Removal(Struct, frozen=True):
    """The files and links to remove, and what is in the way of others."""

    files: list[Path]
    others: list[Path]


def _plan_removal(paths: Iterable[Path]) -> _Removal:
    found = [path for path in dict.fromkeys(paths) if lexists(path)]
    files = [path for path in found if path.is_symlink() or path.is_file()]
    return _Removal(files, [path for path in found if path not in files])


def _remove(files: Iterable[Path]) -> None:
    for path in files:
        try:
            path.unlink()
        except OSError as error:
            raise OutputError.of(error, path) from error


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
