"""What a failed build leaves: verified files in the cache, and the wheels that failed with their logs."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from msgspec import Struct, field

from wheelkit.builders.parts import built_parts
from wheelkit.builders.verify import verify_built
from wheelkit.errors import WheelkitError
from wheelkit.text import plural, shorten_list

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from wheelkit.builders.results import Failure, Results, UnitResult
    from wheelkit.machine.workspace import Workspace
    from wheelkit.verification.contract import Contract

FOLDER = "failed"
"""The folder in the dist folder that holds a folder for each unit with wheels that failed."""


class Kept(Struct, frozen=True, kw_only=True):
    """The names of files that are in the cache now, and the folders with what is handed out."""

    files: list[str] = field(default_factory=list)
    folders: list[Path] = field(default_factory=list)


def keep(results: Results, contract: Contract, workspace: Workspace) -> Kept:
    """Save what was built and passes verification, each unit and each part of one by itself."""
    kept = Kept()
    built = [result for result in results if result.hit is None]
    parts = [part for result in results.failed for part in built_parts(result)]
    silent = workspace.silent()
    for result in (*built, *parts) if results.cache is not None else ():
        try:
            verify_built([result], contract, silent, results.store)
        except WheelkitError:
            continue
        results.save_built([result])
        kept.files.extend(file.file for file in result.record.files)
    return kept


def hand_out(results: Results, workspace: Workspace) -> list[Path]:
    """Copy wheels that failed, and their logs, into a folder for each unit; return the folders.

    Without a cache, the wheels that did not fail are copied too.
    """
    folders: list[Path] = []
    for result in results.failed:
        files = dict(_files(result, cached=results.cache is not None))
        if files:
            folder = results.plan.out / FOLDER / result.unit.label
            try:
                _copy(files, folder)
            except OSError as error:
                workspace.progress.note(f"{folder} cannot be written: {error.strerror or error}")
            else:
                folders.append(folder)
    return folders


def clear(results: Iterable[UnitResult], out: Path) -> None:
    """Remove what earlier builds handed out of units that are built now."""
    for result in results:
        shutil.rmtree(out / FOLDER / result.unit.label, ignore_errors=True)
    if (out / FOLDER).is_dir() and not any((out / FOLDER).iterdir()):
        (out / FOLDER).rmdir()


def _files(result: UnitResult, *, cached: bool) -> Iterator[tuple[str, Path]]:
    """Yield the names and sources of files: failed wheels with the logs of their interpreters."""
    for failure in result.failures:
        if failure.wheel is not None:
            yield failure.wheel.name, failure.wheel
            if failure.log is not None:
                yield f"{failure.wheel.stem}-{failure.log.stem.rpartition('-')[2]}.log", failure.log
    if not cached:
        yield from result.paths.items()


def _copy(files: dict[str, Path], folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, path in files.items():
        shutil.copyfile(path, folder / name)


def failure_of(results: Results, kept: Kept) -> WheelkitError:
    """Return the error of a build with failures: the worst one, the others, and what was kept."""
    failures = _distinct(results)
    first, *others = sorted(failures, key=lambda failure: -failure.error.exit_code)
    error = first.error
    more = [f"also failed: {other.error.message}" for other in others]
    more += [f"not built, since {lacking} failed: {key}" for key, lacking in sorted(results.skipped.items())]
    error.detail = "\n".join(filter(None, [error.detail, *more]))
    hints = [error.hint, *(f"the wheel and its log:  {folder}" for folder in kept.folders)]
    if kept.files:
        count = plural(len(kept.files), "file")
        names = shorten_list(kept.files)
        hints += [
            f"{count} passed verification and stay in the cache: {names}",
            "the next build makes only what is missing; the dist folder was left unchanged",
        ]
    error.hint = "\n".join(filter(None, hints))
    return error


def _distinct(results: Results) -> list[Failure]:
    """Return the failures, of those with the same message only the first."""
    failures = [failure for result in results.failed for failure in result.failures]
    return list({failure.error.message: failure for failure in reversed(failures)}.values())[::-1]
