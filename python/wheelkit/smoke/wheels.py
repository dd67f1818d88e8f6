"""The wheels of a dist as an installer sees them, and which of them it would take on this machine."""

from __future__ import annotations

import configparser
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from wheelkit import manifest
from wheelkit.errors import CheckFailedError, UsageError, WheelError
from wheelkit.fast_packaging import is_requirement, normalise
from wheelkit.matrix import Candidate, pick
from wheelkit.smoke.model import Dependency, Package
from wheelkit.wheel.archive import Archive
from wheelkit.wheel.inflate import InflateError
from wheelkit.wheel.names import parse_file_name, parse_headers, parse_record

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from wheelkit.matrix import Interpreter, Target
    from wheelkit.wheel.model import FileName, RecordRow


_EXTENSION = re.compile(r"(?P<module>\w+)(?:\.[\w-]+)?\.(?:so|pyd)")
_WANTED = frozenset({"METADATA", "RECORD", "entry_points.txt"})
_SCHEMES = ("purelib", "platlib")
# A name, extras, versions that is_requirement() judges, and no marker but for the extra that brings it.
_PLAIN = re.compile(
    r"(?P<name>[\w.-]+) *(?:\[(?P<extras>[^\]]+)\])? *(?:[(<>=!~][^;]*)?(?:; *extra *== *(?P<quote>['\"])(?P<extra>[\w.-]+)(?P=quote) *)?"
)


def collect(folder: Path) -> tuple[Path, ...]:
    """List the wheels of a dist folder; raise UsageError where there are none, CheckFailedError where one is not what was built."""
    if not folder.is_dir():
        raise UsageError(
            f"{folder} is no folder", hint="give the folder that wheelkit build fills:  wheelkit smoke dist/"
        )
    wheels = tuple(sorted(folder.glob("*.whl")))
    if not wheels:
        raise UsageError(f"{folder} holds no wheel", hint="build them first:  wheelkit build")
    return wheels


def require_as_built(folder: Path, packages: Iterable[Package]) -> None:
    """Compare the files with the manifests beside them; raise CheckFailedError for one that changed since it was built."""
    built = {one.file: one.sha256 for record in manifest.read_all(folder) for one in record.files}
    changed = [one.path.name for one in packages if built.get(one.path.name, one.sha256) != one.sha256]
    if changed:
        raise CheckFailedError(
            f"{folder} holds files that are not those that were built: the manifest names another sha256",
            detail="\n".join(changed),
            hint="build again, or take the files from where they were built",
        )


def read(path: Path) -> Package:
    """Read a wheel's own metadata, without looking at its modules; raise WheelError where it is none."""
    try:
        name = parse_file_name(path.name)
        return _package(path, name, _dist_info(Archive(path, shallow=True)))
    except (ValueError, OSError, configparser.Error, InflateError) as error:
        raise WheelError(
            f"{path.name} cannot be read as a wheel: {error}", hint=f"wheelkit verify-matrix {path}"
        ) from error


def _package(path: Path, name: FileName, texts: Mapping[str, bytes]) -> Package:
    headers = parse_headers(texts["METADATA"])
    record = parse_record(texts["RECORD"])
    entries = tuple(_entry_points(texts.get("entry_points.txt", b"")))
    files = tuple(_installed(row) for row in record if _installed(row))
    return Package(
        path=path.resolve(),
        sha256=manifest.sha256(path),
        key=name.key,
        name=headers.get("Name") or name.distribution,
        version=headers.get("Version") or name.version,
        requires=tuple(map(_need, headers.all("Requires-Dist"))),
        extras=headers.all("Provides-Extra"),
        requires_python=headers.get("Requires-Python"),
        record=record,
        modules=tuple(dict.fromkeys(_modules(files))),
        extensions=tuple(dict.fromkeys(_extensions(files))),
        scripts={
            name: target.partition(":")[0].strip()
            for group, name, target in entries
            if group == "console_scripts"
        },
        entries=tuple(entry for entry in entries if entry[0] != "console_scripts"),
    )


def _dist_info(archive: Archive) -> dict[str, bytes]:
    found = {}
    with archive.opened() as contents:
        for member in archive.entries:
            folder, _, file = member.name.rpartition("/")
            if folder.endswith(".dist-info") and "/" not in folder and file in _WANTED:
                found[file] = contents.text(member)
    if not {"METADATA", "RECORD"} <= found.keys():
        raise ValueError("it holds no METADATA or no RECORD")
    return found


def _need(line: str) -> Dependency:
    """Read a requirement; what build backends write for most needs no library to be understood."""
    match = _PLAIN.fullmatch(line)
    if match and is_requirement(line):
        extras = tuple(one.strip() for one in match["extras"].split(",")) if match["extras"] else ()
        return Dependency(
            name=match["name"],
            extras=extras,
            marker=f'extra == "{normalise(match["extra"])}"' if match["extra"] else "",
        )

    from packaging.requirements import InvalidRequirement, Requirement

    try:
        need = Requirement(line)
    except InvalidRequirement as error:
        raise ValueError(f"Requires-Dist: {line}: {error}") from error
    return Dependency(name=need.name, extras=tuple(sorted(need.extras)), marker=str(need.marker or ""))


class _EntryPoints(configparser.ConfigParser):
    """Reads entry_points.txt: names keep their case."""

    def optionxform(self, optionstr: str) -> str:
        """Leave the name as it is."""
        return optionstr


def _entry_points(text: bytes) -> Iterator[tuple[str, str, str]]:
    """Read entry_points.txt (entry points specification), as (group, name, target)."""
    parser = _EntryPoints(delimiters=("=",), interpolation=None, strict=False)
    parser.read_string(text.decode("utf-8", errors="replace"))
    for group in parser.sections():
        for name, target in parser.items(group):
            yield group, name, target


def _installed(row: RecordRow) -> str:
    """Give the path below site-packages at which a member is installed, empty for what goes elsewhere or is metadata."""
    parts = PurePosixPath(row.path).parts
    if parts and parts[0].endswith(".data"):
        return "/".join(parts[2:]) if len(parts) > 2 and parts[1] in _SCHEMES else ""  # noqa: PLR2004 - name.data/scheme/path
    return "" if parts and parts[0].endswith(".dist-info") else row.path


def _modules(files: Sequence[str]) -> Iterator[str]:
    """Name what can be imported at the top: modules, packages, and the highest packages inside namespaces."""
    packages = {
        str(PurePosixPath(file).parent)
        for file in files
        if PurePosixPath(file).name in {"__init__.py", "__init__.pyc"}
    }
    for file in files:
        path = PurePosixPath(file)
        if len(path.parts) == 1:
            if path.suffix == ".py":
                yield path.stem
            continue
        parents = [str(parent) for parent in reversed(path.parents) if str(parent) != "."]
        highest = next((parent for parent in parents if parent in packages), None)
        if highest is not None and _importable(highest):
            yield highest.replace("/", ".")


def _extensions(files: Sequence[str]) -> Iterator[str]:
    for file in files:
        path = PurePosixPath(file)
        match = _EXTENSION.fullmatch(path.name)
        # Grafted libraries lie in folders such as name.libs, and plain libraries begin with lib.
        if match and not path.name.startswith("lib") and _importable(str(path.parent)):
            yield ".".join([*path.parent.parts, match["module"]])


def _importable(folder: str) -> bool:
    return all(part.isidentifier() for part in PurePosixPath(folder).parts)


def choose(packages: Iterable[Package], target: Target, interpreter: Interpreter) -> dict[str, Package]:
    """Choose for each distribution the wheel that an installer would take; those without one are left out."""
    by_name: dict[str, dict[str, Package]] = {}
    for one in packages:
        by_name.setdefault(one.key, {})[one.path.name] = one
    chosen = {}
    for key, files in by_name.items():
        candidates = [_candidate(one) for one in files.values()]
        best = pick(candidates, target, interpreter)
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


def newest(
    packages: Sequence[Package], stated: Mapping[str, str | None]
) -> tuple[tuple[Package, ...], tuple[str, ...]]:
    """Keep one version of each distribution: the project's own where it lies here, else the newest; and say what was left out."""
    versions: dict[str, set[str]] = {}
    for one in packages:
        versions.setdefault(one.key, set()).add(one.version)
    kept = {
        key: own if (own := stated.get(key)) in found else _newest(found) for key, found in versions.items()
    }
    notes = tuple(
        f"{key}: {kept[key]} is tested, {', '.join(sorted(found - {str(kept[key])}))} in the same folder is not"
        for key, found in versions.items()
        if len(found) > 1
    )
    return tuple(one for one in packages if one.version == kept[one.key]), notes


def _newest(versions: Collection[str]) -> str:
    if len(versions) > 1:
        from packaging.version import Version

        return max(versions, key=Version)
    return next(iter(versions))
