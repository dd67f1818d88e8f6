"""Reads the wheels of a dist folder as an installer sees them, and chooses those that it would take."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from packaging.version import Version

from wheelkit import limits, manifest
from wheelkit.analysis.installed import installed_path
from wheelkit.errors import CheckFailedError, UsageError, WheelError
from wheelkit.fast_packaging import parse_requirement
from wheelkit.matrix import Candidate, pick
from wheelkit.smoke.model import Package
from wheelkit.text import lines_of
from wheelkit.wheel.archive import Archive
from wheelkit.wheel.dist_info import excessive_headers, parse_headers, parse_record
from wheelkit.wheel.entry_points import parse_entry_points
from wheelkit.wheel.inflate import InflateError
from wheelkit.wheel.names import parse_file_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from packaging.requirements import Requirement

    from wheelkit.matrix import Interpreter, Target
    from wheelkit.wheel.model import FileName, RecordRow


_EXTENSION = re.compile(r"(?P<module>\w+)(?:\.[\w-]+)?\.(?:so|pyd)")
_DIST_INFO_FILES = frozenset({"METADATA", "RECORD", "entry_points.txt"})


def list_wheels(folder: Path) -> tuple[Path, ...]:
    """List the wheels of a dist folder; raises UsageError if there are none."""
    if not folder.is_dir():
        raise UsageError(f"{folder} is not a folder", hint="give the folder that wheelkit build fills: dist/")
    wheels = tuple(sorted(folder.glob("*.whl")))
    if not wheels:
        raise UsageError(f"{folder} contains no wheels", hint="build them first:  wheelkit build")
    return wheels


def require_unchanged(folder: Path, packages: Iterable[Package]) -> None:
    """Raise CheckFailedError if a wheel differs from the sha256 that the manifests in its folder record."""
    built = {file.file: file.sha256 for record in manifest.read_all(folder) for file in record.files}
    changed = [
        package.path.name
        for package in packages
        if built.get(package.path.name, package.sha256) != package.sha256
    ]
    if changed:
        raise CheckFailedError(
            f"wheels in {folder} changed since they were built: their sha256 differs from the manifest",
            detail=lines_of(changed),
            hint="build again, or copy the files again from where they were built",
        )


def read_package(path: Path) -> Package:
    """Read a wheel's metadata, without inflating its modules; raises WheelError if it cannot be read."""
    try:
        name = parse_file_name(path.name)
        return _package(path, name, _dist_info_files(Archive(path, shallow=True)))
    except (ValueError, OSError, InflateError) as error:
        raise WheelError(
            f"{path.name} cannot be read as a wheel: {error}", hint=f"wheelkit verify-matrix {path}"
        ) from error


def _package(path: Path, name: FileName, files: Mapping[str, bytes]) -> Package:
    headers = parse_headers(files["METADATA"])
    record = parse_record(files["RECORD"])
    entry_points = tuple(_entry_points(files.get("entry_points.txt", b"")))
    installed = tuple(filter(None, map(_installed_path, record)))
    version = headers.get("Version") or name.version
    Version(version)  # InvalidVersion is a ValueError
    return Package(
        path=path.resolve(),
        sha256=manifest.sha256(path),
        key=name.key,
        name=headers.get("Name") or name.distribution,
        version=version,
        requires=tuple(map(_requirement, headers.all("Requires-Dist"))),
        extras=headers.all("Provides-Extra"),
        requires_python=headers.get("Requires-Python"),
        record=record,
        modules=tuple(dict.fromkeys(_modules(installed))),
        extensions=tuple(dict.fromkeys(_extensions(installed))),
        scripts=tuple(script for group, script, _ in entry_points if group == "console_scripts"),
        entry_points=tuple(entry for entry in entry_points if entry[0] != "console_scripts"),
    )


def _dist_info_files(archive: Archive) -> dict[str, bytes]:
    files = {}
    with archive.opened() as opened:
        for member in archive.entries:
            folder, _, file = member.name.rpartition("/")
            if folder.endswith(".dist-info") and "/" not in folder and file in _DIST_INFO_FILES:
                if member.size > limits.DIST_INFO[file]:
                    raise ValueError(f"its {file} has {member.size} bytes")
                files[file] = opened.read(member)
    if not {"METADATA", "RECORD"} <= files.keys():
        raise ValueError("it has no METADATA or no RECORD")
    if problem := excessive_headers(files["METADATA"]):
        raise ValueError(f"its METADATA has {problem}")
    return files


def _requirement(line: str) -> Requirement:
    try:
        return parse_requirement(line)
    except ValueError as error:
        raise ValueError(f"Requires-Dist: {line}: {error}") from error


def _entry_points(text: bytes) -> Iterator[tuple[str, str, str]]:
    """Yield group, name and reference of each entry point; raise ValueError for a line that is none."""
    for entry in parse_entry_points(text):
        if entry.problem:
            raise ValueError(f"entry_points.txt: {entry.problem}")
        yield entry.group, entry.name, entry.reference


def _installed_path(row: RecordRow) -> str:
    """Return a member's path below site-packages; empty if it is metadata or is installed elsewhere."""
    path = installed_path(row.path)
    return "" if path.partition("/")[0].endswith((".data", ".dist-info")) else path


def _modules(files: Sequence[str]) -> Iterator[str]:
    """Return the importable top-level names: modules, packages, and packages inside namespace packages."""
    packages = {
        PurePosixPath(file).parent
        for file in files
        if PurePosixPath(file).name in {"__init__.py", "__init__.pyc"}
    } - {PurePosixPath()}
    for file in map(PurePosixPath, files):
        if len(file.parts) == 1:
            if file.suffix == ".py":
                yield file.stem
            continue
        topmost = next((folder for folder in reversed(file.parents) if folder in packages), None)
        if topmost is not None and _is_importable(topmost):
            yield ".".join(topmost.parts)


def _extensions(files: Sequence[str]) -> Iterator[str]:
    for file in map(PurePosixPath, files):
        match = _EXTENSION.fullmatch(file.name)
        # Grafted libraries are in folders such as name.libs, which cannot be imported; other libraries start
        # with lib.
        if match and not file.name.startswith("lib") and _is_importable(file.parent):
            yield ".".join([*file.parent.parts, match["module"]])


def _is_importable(folder: PurePosixPath) -> bool:
    return all(part.isidentifier() for part in folder.parts)


def choose_wheels(
    packages: Iterable[Package], target: Target, interpreter: Interpreter
) -> dict[str, Package]:
    """Choose the wheel of each distribution that an installer would take; without one it is left out."""
    wheels: dict[str, dict[str, Package]] = {}
    for package in packages:
        wheels.setdefault(package.key, {})[package.path.name] = package
    chosen = {}
    for key, files in wheels.items():
        best = pick(map(_candidate, files.values()), target, interpreter)
        if best is not None:
            chosen[key] = files[best.filename]
    return chosen


def _candidate(package: Package) -> Candidate:
    name = parse_file_name(package.path.name)
    build = re.match(r"(\d+)(.*)", name.build)
    return Candidate(
        filename=package.path.name,
        tags=name.tags,
        build=(int(build[1]), build[2]) if build else (),
        requires_python=package.requires_python or None,
    )


def select_versions(
    packages: Sequence[Package], declared: Mapping[str, str | None]
) -> tuple[tuple[Package, ...], tuple[str, ...]]:
    """Keep the declared version of each distribution, else the newest; remark on the others."""
    versions: dict[str, set[str]] = {}
    for package in packages:
        versions.setdefault(package.key, set()).add(package.version)
    selected = {
        key: version if (version := declared.get(key)) in found else max(found, key=Version)
        for key, found in versions.items()
    }
    notes = tuple(
        f"{key}: testing {selected[key]}; ignored: {', '.join(sorted(found - {str(selected[key])}))}"
        for key, found in versions.items()
        if len(found) > 1
    )
    return tuple(package for package in packages if package.version == selected[package.key]), notes
