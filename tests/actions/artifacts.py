"""Artifacts as folders, by the rules of upload-artifact 7 and download-artifact 8."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path


class ArtifactError(Exception):
    """What would fail the step."""


class Artifacts:
    """The artifacts of one run of a workflow, each a folder below ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    @property
    def names(self) -> list[str]:
        """List the artifacts."""
        return sorted(path.name for path in self.folder.iterdir())

    def copy(self, folder: Path) -> Artifacts:
        """Give the artifacts of another run that goes on from here."""
        shutil.copytree(self.folder, folder)
        return Artifacts(folder)

    def lose(self, name: str) -> None:
        """Lose an artifact."""
        shutil.rmtree(self.folder / name)

    def upload(self, options: Mapping[str, str], workspace: Path, home: Path) -> None:
        """Keep files under a name; hidden ones stay behind, and a name is taken only once unless told otherwise."""
        name, paths, missing, overwrite = _known(options, "name", "path", "if-no-files-found", "overwrite")
        files = list(_chosen(paths.splitlines(), workspace, home))
        if not files:
            if missing == "ignore":
                return
            raise ArtifactError(f"no files were found for {name}: {paths}")
        place = self.folder / name
        if place.exists() and overwrite != "true":
            raise ArtifactError(f"an artifact of the name {name} is there already")
        shutil.rmtree(place, ignore_errors=True)
        for path, inside in files:
            (place / inside).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place / inside)

    def download(self, options: Mapping[str, str], workspace: Path) -> None:
        """Fetch one artifact by its name, or merge those that a pattern matches; files that would replace each other fail."""
        name, pattern, path, merge = _known(options, "name", "pattern", "path", "merge-multiple")
        if bool(name) is bool(pattern) or bool(pattern) is not (merge == "true"):
            raise ArtifactError(
                f"this runner knows a name, or a pattern with merge-multiple: {dict(options)}"
            )
        chosen = [one for one in self.names if (one == name if name else fnmatchcase(one, pattern))]
        if not chosen and name:
            raise ArtifactError(f"there is no artifact of the name {name}")
        for one in chosen:
            for file in sorted(path for path in (self.folder / one).rglob("*") if path.is_file()):
                _place(file, workspace / path / file.relative_to(self.folder / one))


def _known(options: Mapping[str, str], *names: str) -> list[str]:
    if unknown := set(options) - set(names):
        raise ArtifactError(f"this runner does not know the options {sorted(unknown)}")
    return [options.get(name, "") for name in names]


def _chosen(paths: list[str], workspace: Path, home: Path) -> Iterator[tuple[Path, Path]]:
    """List the files of folders, each with its path in the artifact: from the folder on where there is one only."""
    folders = [home / text[2:] if text.startswith("~/") else workspace / text for text in paths]
    for folder in folders:
        for file in sorted(folder.rglob("*")):
            inside = file.relative_to(folder)
            if file.is_file() and not any(part.startswith(".") for part in inside.parts):
                yield file, inside if len(folders) == 1 else Path(folder.name) / inside


def _place(file: Path, target: Path) -> None:
    if target.exists() and target.read_bytes() != file.read_bytes():
        raise ArtifactError(f"two artifacts hold {target.name}, with different bytes")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(file, target)
