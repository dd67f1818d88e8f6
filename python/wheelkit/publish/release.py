"""From a dist folder and its manifests to the release: refused, with every reason, unless each file is what a manifest says of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from wheelkit import manifest
from wheelkit import wheel as wheels
from wheelkit.config import normalise
from wheelkit.errors import CheckFailedError, UsageError, WheelError
from wheelkit.project.family import named_in
from wheelkit.project.read import Kind
from wheelkit.publish import attestations
from wheelkit.publish.model import DistributionFiles, Release, ShippedFile, parse_file_name
from wheelkit.verification.run import collect

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from wheelkit.manifest import BuiltFile, Manifest
    from wheelkit.project.family import Family
    from wheelkit.project.read import Distribution


def collect_release(folder: Path, family: Family) -> Release:
    """Read the manifests of a dist folder and hold every file against them.

    Raises UsageError where there is no dist, CheckFailedError with all that does not agree.
    """
    if not folder.is_dir():
        raise UsageError(
            f"{folder} is no folder",
            hint="give the folder that wheelkit build filled:  wheelkit publish dist/ --to testpypi",
        )
    records = manifest.read_all(folder)
    present = {path.name: path for path in collect([folder])}
    if not records:
        raise CheckFailedError(
            f"{folder} holds no manifest, so nothing tells where its {len(present)} files come from",
            hint="wheelkit build writes one beside what it builds\nin CI, keep the .wheelkit.json files with the wheels",
        )
    listed = _listed(records)
    problems = [
        *_unlisted(present, listed),
        *_changed(present, listed),
        *_misfiled(records),
        *_versions(records, family),
    ]
    problems += _missigned(present, listed)
    if problems:
        raise CheckFailedError(
            f"{folder} is not what its manifests say; nothing was uploaded",
            detail="\n".join(problems),
            hint="build again into an empty folder:  wheelkit clean && wheelkit build",
        )
    return _release(records, present, family)


def _listed(records: Iterable[Manifest]) -> dict[str, BuiltFile]:
    return {one.file: one for record in records for one in record.files}


def _unlisted(present: Mapping[str, Path], listed: Mapping[str, BuiltFile]) -> Iterator[str]:
    for name in present:
        if name not in listed:
            twin = next((one for one in listed if _alike(one, name)), None)
            more = f"; the manifest has {twin}" if twin else ""
            yield f"{name} is in no manifest{more}"


def _alike(one: str, other: str) -> bool:
    """Tell whether two names are spellings of one: they differ only by ``-``, ``_``, ``.`` or case."""
    return normalise(one) == normalise(other)


def _changed(present: Mapping[str, Path], listed: Mapping[str, BuiltFile]) -> Iterator[str]:
    for name, one in listed.items():
        path = present.get(name)
        if path is None:
            yield f"{name} is in the manifest and not in the folder"
        elif (path.stat().st_size, manifest.sha256(path)) != (one.size, one.sha256):
            yield f"{name} was changed after it was built and proven (its sha256 is not {one.sha256[:12]}…)"


def _missigned(present: Mapping[str, Path], listed: Mapping[str, BuiltFile]) -> Iterator[str]:
    for name, path in present.items():
        signed = attestations.attestation_files(path) if name in listed else ()
        yield from filter(
            None, (attestations.attestation_problem(one, name, listed[name].sha256) for one in signed)
        )


def _misfiled(records: Iterable[Manifest]) -> Iterator[str]:
    """Name files that stand in the manifest of another distribution or version."""
    for record in records:
        for one in record.files:
            identity = parse_file_name(one.file)
            if identity is None or (identity.distribution, identity.version) != (
                normalise(record.distribution),
                _canonical(record.version),
            ):
                yield f"{one.file} stands in {record.filename}, which is about {record.distribution} {record.version}"


def _canonical(version: str) -> str:
    from packaging.utils import canonicalize_version

    return canonicalize_version(version, strip_trailing_zero=False)


def _versions(records: Sequence[Manifest], family: Family) -> Iterator[str]:
    for key, versions in _by_distribution(records).items():
        item = family.members.get(key)
        if item is None:
            yield f"{key} is no distribution of this project ({', '.join(family.members)})"
        elif len(versions) > 1:
            yield f"{key} is here in {len(versions)} versions: {', '.join(sorted(versions))}"
        elif item.version is not None and _canonical(item.version) not in versions:
            yield f"{key} {next(iter(versions))} is what was built, and the project says {item.version}"
    commits = sorted({record.commit for record in records})
    if len(commits) > 1:
        yield f"the files were built from {len(commits)} commits: {', '.join(one[:12] or 'none' for one in commits)}"


def _by_distribution(records: Iterable[Manifest]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for record in records:
        found.setdefault(normalise(record.distribution), set()).add(_canonical(record.version))
    return found


def _release(records: Sequence[Manifest], present: Mapping[str, Path], family: Family) -> Release:
    files: dict[str, list[ShippedFile]] = {}
    for record in records:
        for one in record.files:
            path = present[one.file]
            shipped = ShippedFile(
                path=path,
                sha256=one.sha256,
                size=one.size,
                builder=record.builder,
                attestations=attestations.attestation_files(path),
            )
            files.setdefault(normalise(record.distribution), []).append(shipped)
    batches = [_batch(item, files[item.key], family) for item in family.distributions if item.key in files]
    return Release(
        batches=_ordered(batches),
        commit=records[0].commit,
        dirty=any(record.dirty for record in records),
        created=max(record.created for record in records),
    )


def _batch(item: Distribution, files: Sequence[ShippedFile], family: Family) -> DistributionFiles:
    ordered = tuple(sorted(files, key=lambda one: (not one.is_wheel, one.name)))
    identity = parse_file_name(ordered[0].name)
    return DistributionFiles(
        distribution=item.key,
        name=item.name,
        version=identity.version if identity else item.version or "",
        kind=item.kind,
        needs=_needs(item, ordered, family),
        files=ordered,
    )


def _needs(item: Distribution, files: Iterable[ShippedFile], family: Family) -> tuple[str, ...]:
    """Name the siblings that the project states and those that its wheels ask for, which is what installers go by."""
    stated = (
        *item.dependencies,
        *item.build_requires,
        *(text for texts in item.extras.values() for text in texts),
    )
    told = (line for one in files if one.is_wheel for line in _requirements(one.path))
    return named_in((*stated, *told), item, family.members)


def _requirements(path: Path) -> tuple[str, ...]:
    try:
        return wheels.read(path, contents=False).metadata.all("Requires-Dist")
    except WheelError:
        return ()  # the proof that follows says what is wrong with it


def _ordered(batches: Iterable[DistributionFiles]) -> tuple[DistributionFiles, ...]:
    """Put meta distributions last, as far as nothing needs them; a need that comes later, as an extra can, is none to wait for."""
    waiting = list(batches)
    family_order = [one.distribution for one in waiting]
    placed: list[DistributionFiles] = []
    while waiting:
        here = {one.distribution for one in placed}
        ready = [
            one
            for one in waiting
            if all(
                need in here or family_order.index(need) > family_order.index(one.distribution)
                for need in one.needs
                if need in family_order
            )
        ]
        chosen = next((one for one in ready if one.kind is not Kind.META), (ready or waiting)[0])
        waiting.remove(chosen)
        placed.append(replace(chosen, needs=tuple(need for need in chosen.needs if need in here)))
    return tuple(placed)
