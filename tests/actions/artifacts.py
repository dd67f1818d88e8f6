"""Workflow artifacts, kept as folders by the rules of upload-artifact 7 and download-artifact 8."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path


class ArtifactError(Exception):
    """An error that fails the step."""


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
        """Return a copy in another folder, for a run that continues from here."""
        shutil.copytree(self.folder, folder)
        return Artifacts(folder)

    def lose(self, name: str) -> None:
        """Delete an artifact."""
        shutil.rmtree(self.folder / name)

    def upload(self, options: Mapping[str, str], workspace: Path, home: Path) -> None:
        """Store files, but no hidden ones, under a name; a name can be reused only with ``overwrite``."""
        name, paths, missing, overwrite = _known(options, "name", "path", "if-no-files-found", "overwrite")
        files = list(_chosen(paths.splitlines(), workspace, home))
        if not files:
            if missing == "ignore":
                return
            raise ArtifactError(f"no files were found for {name}: {paths}")
        place = self.folder / name
        if place.exists() and overwrite != "true":
            raise ArtifactError(f"there is already an artifact named {name}")
        shutil.rmtree(place, ignore_errors=True)
        for path, inside in files:
            (place / inside).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place / inside)

    def download(self, options: Mapping[str, str], workspace: Path) -> None:
        """Fetch an artifact by name, or merge those matching a pattern; files must not clash."""
        name, pattern, path, merge = _known(options, "name", "pattern", "path", "merge-multiple")
        if bool(name) is bool(pattern) or bool(pattern) is not (merge == "true"):
            raise ArtifactError(
                f"this runner supports a name, or a pattern with merge-multiple: {dict(options)}"
            )
        chosen = [
            artifact
            for artifact in self.names
            if (artifact == name if name else fnmatchcase(artifact, pattern))
        ]
        if not chosen and name:
            raise ArtifactError(f"there is no artifact named {name}")
        for source in (self.folder / artifact for artifact in chosen):
            for file in sorted(path for path in source.rglob("*") if path.is_file()):
                _place(file, workspace / path / file.relative_to(source))


def _known(options: Mapping[str, str], *names: str) -> list[str]:
    if unknown := set(options) - set(names):
        raise ArtifactError(f"this runner does not know the options {sorted(unknown)}")
    return [options.get(name, "") for name in names]


def _chosen(paths: list[str], workspace: Path, home: Path) -> Iterator[tuple[Path, Path]]:
    """Yield the files of folders, each with its path in the artifact (relative to a single folder)."""
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
