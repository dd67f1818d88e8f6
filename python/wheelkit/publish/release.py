"""Collect a release from a dist folder: an error with every reason unless all files match their manifests.

Where it is to be uploaded, every file is copied first, and only the copies are read from then on.
"""

from __future__ import annotations

import shlex
from base64 import b64decode
from glob import escape
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING

from msgspec.structs import replace

from wheelkit import manifest
from wheelkit import wheel as wheels
from wheelkit.config import normalise
from wheelkit.errors import CheckFailedError, UsageError, WheelError
from wheelkit.inputs import json_value, read_bytes
from wheelkit.project.family import named_in
from wheelkit.project.kinds import Kind
from wheelkit.project.requirements import requirement_name
from wheelkit.publish.copies import copy_files
from wheelkit.publish.model import DistributionFiles, Release, ReleaseId, ShippedFile, identify, parse_name
from wheelkit.publish.outdated import canonical, split_versions, superseded
from wheelkit.text import lines_of, shorten_list
from wheelkit.verification.files import collect_files

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from wheelkit.manifest import BuiltFile, Manifest
    from wheelkit.project.family import Family
    from wheelkit.project.read import Distribution


def collect_release(
    folder: Path, family: Family, into: Path | None = None, members: Sequence[str] = ()
) -> Release:
    """Read the manifests of a dist folder and compare every file with them.

    With ``into``, an empty folder of this process, the release consists of copies there. ``members`` limits
    it to these distributions. Raises UsageError without a dist folder, CheckFailedError with all differences,
    OutputError without space for copies.
    """
    if not folder.is_dir():
        raise UsageError(
            f"{folder} is not a folder", hint="give the folder that `wheelkit build` filled, usually dist/"
        )
    location = into or folder
    if into is not None:
        _copy_manifests(folder, into)
    manifests = manifest.read_all(location, folder)
    present = {path.name: path for path in collect_files([folder])}
    if not manifests:
        raise CheckFailedError(
            f"{folder} has no manifest, so the origin of its {len(present)} files is unknown",
            hint="`wheelkit build` writes manifests beside the files that it builds\n"
            "in CI, keep the .wheelkit.json files together with the wheels",
        )
    if members:
        manifests, present = _limited(manifests, present, members, folder)
    misplaced = tuple(_misplaced(manifests))
    split = split_versions(manifests, family)
    versions = superseded(split)
    manifests = versions.current
    listed = {file.file: file for record in manifests for file in record.files}
    outdated = {file.file for record in versions.outdated for file in record.files}
    outdated |= {name for name in present if versions.is_outdated(name)}
    present = {name: path for name, path in present.items() if name in listed or name not in outdated}
    unlisted = tuple(_unlisted(present, listed))
    unreadable = {} if into is None else _copy_listed(present, listed, into)
    present = {name: location / name for name in present}
    problems = [
        *unlisted,
        *_changed(present, listed, unreadable),
        *misplaced,
        *_version_problems(manifests, family),
        *_attestation_problems(present, listed),
    ]
    if problems:
        raise CheckFailedError(
            f"{folder} does not match its manifests; nothing was uploaded",
            detail=lines_of(problems),
            hint=_ways_out(folder, unlisted=bool(unlisted), outdated=manifests != split.current),
        )
    release = _release(folder, manifests, present, family)
    return replace(release, left_out=versions.labels)


def _limited(
    manifests: Sequence[Manifest], present: Mapping[str, Path], members: Sequence[str], folder: Path
) -> tuple[tuple[Manifest, ...], dict[str, Path]]:
    """Leave out the manifests and files of other distributions; raise CheckFailedError if one is missing."""
    found = tuple(record for record in manifests if normalise(record.distribution) in members)
    missing = set(members) - {normalise(record.distribution) for record in found}
    if missing:
        raise CheckFailedError(
            f"{folder} has no manifest of {shorten_list(sorted(missing))}; nothing was uploaded",
            hint=f"build it:  wheelkit build {' '.join(sorted(missing))}",
        )
    others = {file.file for record in manifests if record not in found for file in record.files}
    return found, {name: path for name, path in present.items() if name not in others}


def _ways_out(folder: Path, *, unlisted: bool, outdated: bool) -> str:
    """Return the commands that empty a dist folder and fill it again, or leave out other versions."""
    out = "" if str(folder) == "dist" else f" --out {shlex.quote(str(folder))}"
    clean = f"wheelkit clean{' --all' if unlisted else ''}{out}"
    again = f"build again into an empty folder:  {clean} && wheelkit build{out}"
    return f"{again}\nor leave out other versions:      wheelkit clean --old{out}" if outdated else again


def _copy_manifests(folder: Path, into: Path) -> None:
    unreadable = copy_files(sorted(folder.glob(f"*{manifest.SUFFIX}")), into)
    for name, problem in unreadable.items():
        raise CheckFailedError(
            f"{folder / name} {problem}", hint="build again, or remove the file if it is not wheelkit's"
        )


def _copy_listed(present: Mapping[str, Path], listed: Mapping[str, BuiltFile], into: Path) -> dict[str, str]:
    """Copy the files of manifests and their attestations; return why others cannot be read."""
    files = [path for name, path in present.items() if name in listed]
    return copy_files((path for file in files for path in (file, *_attestation_files(file))), into)


def _unlisted(present: Mapping[str, Path], listed: Mapping[str, BuiltFile]) -> Iterator[str]:
    """Name files that are in no manifest, with the entry that is only spelled in another way."""
    spellings = {normalise(name): name for name in listed}
    for name in present:
        if name not in listed:
            other = spellings.get(normalise(name))
            yield f"{name} is in no manifest" + (f"; the manifest has {other}" if other else "")


def _changed(
    present: Mapping[str, Path], listed: Mapping[str, BuiltFile], unreadable: Mapping[str, str]
) -> Iterator[str]:
    yield from (f"{name} {problem}" for name, problem in unreadable.items())
    for name, file in listed.items():
        path = present.get(name)
        if path is None:
            yield f"{name} is in the manifest, but not in the folder"
        elif name in unreadable:
            continue
        elif problem := _difference(path, file):
            yield f"{name} {problem}"


def _difference(path: Path, file: BuiltFile) -> str:
    """Return how a file differs from the one that was built; empty for the same bytes."""
    try:
        same = (path.stat().st_size, manifest.sha256(path)) == (file.size, file.sha256)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    what = f"was changed after it was built and verified (sha256 is not {file.sha256[:12]}…)"
    return "" if same else what


def _attestation_problems(present: Mapping[str, Path], listed: Mapping[str, BuiltFile]) -> Iterator[str]:
    for name, path in present.items():
        for attestation in _attestation_files(path) if name in listed else ():
            if problem := attestation_problem(attestation, name, listed[name].sha256):
                yield problem


def _attestation_files(path: Path) -> tuple[Path, ...]:
    """Return the attestations of a file, which are named after it: ``FILE.publish.attestation``."""
    return tuple(sorted(path.parent.glob(f"{escape(path.name)}.*.attestation")))


def attestation_problem(path: Path, file: str, sha256: str) -> str:
    """Return what is wrong with a file's attestation; empty where it is for this file with these bytes."""
    try:
        document = json_value(read_bytes(path))
        statement = json_value(b64decode(document["envelope"]["statement"], validate=True))
        subjects = {
            str(subject["name"]): str(subject["digest"]["sha256"]) for subject in statement["subject"]
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return f"{path.name} is not an attestation (PEP 740)"
    digests = [digest for name, digest in subjects.items() if _same_file(name, file)]
    if not digests:
        return f"{path.name} is for {shorten_list(subjects) or 'no file'}"
    if sha256 not in digests:
        return f"{path.name} is for other bytes: sha256 {digests[0][:12]}…, but the file has {sha256[:12]}…"
    return ""


def _same_file(name: str, file: str) -> bool:
    """Compare file names as indexes do: parsed, since a name can be spelled in several ways."""
    parsed = parse_name(name)
    return name == file or (parsed is not None and parsed == parse_name(file))


def _misplaced(manifests: Iterable[Manifest]) -> Iterator[str]:
    """Name files that are in the manifest of another distribution or version."""
    for record in manifests:
        release = ReleaseId(distribution=normalise(record.distribution), version=canonical(record.version))
        for file in record.files:
            if identify(file.file) != release:
                about = f"{record.distribution} {record.version}"
                yield f"{file.file} is in {record.filename}, which is about {about}"


def _version_problems(manifests: Sequence[Manifest], family: Family) -> Iterator[str]:
    built: dict[str, set[str]] = {}
    commits: dict[str, set[str]] = {}
    for record in manifests:
        built.setdefault(normalise(record.distribution), set()).add(canonical(record.version))
        if record.commit or record.builder != manifest.FROM_INDEX:
            commits.setdefault(normalise(record.distribution), set()).add(record.commit)
    for key, versions in built.items():
        member = family.members.get(key)
        if member is None:
            yield f"{key} is not a distribution of this project ({', '.join(family.members)})"
        elif len(versions) > 1:
            yield f"{key} has {len(versions)} versions: {', '.join(sorted(versions))}"
        elif member.version is not None and canonical(member.version) not in versions:
            yield f"{key} was built as {next(iter(versions))}, but the project's version is {member.version}"
        if len(commits.get(key, ())) > 1:
            names = ", ".join(commit[:12] or "none" for commit in sorted(commits[key]))
            yield f"the files of {key} were built from {len(commits[key])} commits: {names}"


def _release(
    folder: Path, manifests: Sequence[Manifest], present: Mapping[str, Path], family: Family
) -> Release:
    files: dict[str, list[ShippedFile]] = {}
    records: dict[str, list[Manifest]] = {}
    for record in manifests:
        key = normalise(record.distribution)
        records.setdefault(key, []).append(record)
        for file in record.files:
            path = present[file.file]
            shipped = ShippedFile(
                path=path,
                sha256=file.sha256,
                size=file.size,
                builder=record.builder,
                commit=record.commit,
                attestations=_attestation_files(path),
            )
            files.setdefault(key, []).append(shipped)
    members = family.members
    distributions = [
        _distribution(members[key], files[key], records[key], members) for key in members if key in files
    ]
    latest = max(manifests, key=lambda record: (bool(record.commit), record.created))
    return Release(
        folder=folder,
        distributions=_in_upload_order(distributions),
        commit=latest.commit,
        created=latest.created,
    )


def _distribution(
    member: Distribution,
    files: Sequence[ShippedFile],
    records: Sequence[Manifest],
    members: Mapping[str, Distribution],
) -> DistributionFiles:
    ordered = tuple(sorted(files, key=lambda file: (not file.is_wheel, file.name)))
    release = identify(ordered[0].name)
    stated = (*member.dependencies, *(text for texts in member.extras.values() for text in texts))
    required = tuple(line for file in ordered if file.is_wheel for line in _requires_dist(file.path))
    lines = dict.fromkeys(required or member.dependencies)
    return DistributionFiles(
        key=member.key,
        name=member.name,
        version=release.version if release else member.version or "",
        kind=member.kind,
        needs=named_in((*stated, *member.build_requires, *required), member, members),
        files=ordered,
        requires=tuple(line for line in lines if named_in([line], member, members)),
        commit=next((record.commit for record in records if record.commit), ""),
        dirty=any(record.dirty for record in records),
    )


def _requires_dist(path: Path) -> tuple[str, ...]:
    try:
        return wheels.read(path, contents=False).metadata.all("Requires-Dist")
    except WheelError:
        return ()  # verification, which follows, reports it


def _in_upload_order(distributions: Sequence[DistributionFiles]) -> tuple[DistributionFiles, ...]:
    """Put each distribution after those that it needs, and metas last as far as nothing needs them."""
    # The order of the family breaks cycles, which extras can cause: what comes later is not waited for.
    position = {distribution.key: number for number, distribution in enumerate(distributions)}
    dependents: dict[str, list[int]] = {key: [] for key in position}
    open_needs: list[int] = []
    for number, distribution in enumerate(distributions):
        before = [need for need in distribution.needs if position.get(need, number) < number]
        open_needs.append(len(before))
        for need in before:
            dependents[need].append(number)
    ready = [
        (distribution.kind is Kind.META, number)
        for number, distribution in enumerate(distributions)
        if not open_needs[number]
    ]
    heapify(ready)
    placed: dict[str, DistributionFiles] = {}
    while ready:
        first = distributions[heappop(ready)[1]]
        placed[first.key] = _after(first, placed, position)
        for number in dependents[first.key]:
            open_needs[number] -= 1
            if not open_needs[number]:
                heappush(ready, (distributions[number].kind is Kind.META, number))
    return tuple(placed.values())


def _after(
    distribution: DistributionFiles, placed: Container[str], shipped: Container[str]
) -> DistributionFiles:
    """Return a distribution at its place: it waits for what is placed, and requires the rest elsewhere."""
    return replace(
        distribution,
        needs=tuple(need for need in distribution.needs if need in placed),
        requires=tuple(line for line in distribution.requires if requirement_name(line) not in shipped),
    )
