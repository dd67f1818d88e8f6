"""Gather what is compared of releases: from wheels that are read, and from an earlier release's folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace
from packaging.version import Version

from wheelkit.analysis.claims import claims
from wheelkit.analysis.floor import UNSATISFIED, linux_needs, needs
from wheelkit.analysis.installed import top_level_names
from wheelkit.errors import UsageError, WheelError
from wheelkit.fast_packaging import normalise
from wheelkit.matrix import System
from wheelkit.text import shorten_list
from wheelkit.verification.comparison.facts import (
    Contents,
    Declared,
    Earlier,
    ReleaseFacts,
    WheelFacts,
    release_facts,
)
from wheelkit.verification.comparison.serve import platforms_of, system_version
from wheelkit.verification.files import collect_files
from wheelkit.verification.release import release_key
from wheelkit.wheel import read_batches
from wheelkit.wheel.diff import lasting_path
from wheelkit.wheel.entry_points import parse_entry_points
from wheelkit.wheel.names import parse_file_name, parse_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from wheelkit.wheel import Wheel


def wheel_facts(wheel: Wheel) -> WheelFacts | None:
    """Return what is compared of a wheel, None for one whose name no installer accepts."""
    if wheel.name is None:
        return None
    read = bool(wheel.metadata_text)
    return WheelFacts(
        name=wheel.name,
        filename=wheel.filename,
        size=wheel.size,
        requires_python=wheel.metadata.get("Requires-Python"),
        declared=Declared.of(wheel.metadata) if read else None,
        contents=_contents(wheel) if read and not wheel.shallow else None,
    )


def _contents(wheel: Wheel) -> Contents:
    points = (point for point in parse_entry_points(wheel.entry_points) if not point.problem)
    members: dict[str, int] = {}
    for member in wheel.members:
        path = lasting_path(wheel, member)
        members[path] = members.get(path, 0) + member.packed
    return Contents(
        entry_points=frozenset(f"{point.group}: {point.name}" for point in points),
        modules=frozenset(filter(_is_for_imports, top_level_names(wheel))),
        members=members,
        needs=dict(_needs(wheel)),
    )


def _needs(wheel: Wheel) -> Iterator[tuple[str, str]]:
    """Yield what the binaries need on each platform of Linux and macOS that the tags claim."""
    linux = {wheel.path: linux_needs(wheel)}
    for claim in claims(wheel):
        if claim.target is None or claim.system is System.WINDOWS:
            continue
        for platform, _, _ in platforms_of(claim.platform):
            # A universal2 wheel has binaries for two architectures.
            target = replace(claim.target, arch=platform.partition("_")[2])
            need = needs([wheel], target, linux)
            if need.floor != UNSATISFIED:
                yield platform, str(need).partition(": ")[2] or _policy(need.floor)


def _policy(floor: str) -> str:
    """Name the system that a policy stands for, ``musl 1.2``; return what is no policy as it is."""
    kind, *version = floor.split("_")
    return system_version(kind, version) or floor


def _is_for_imports(name: str) -> bool:
    """Return whether users import a module: not ``demo.libs``, nor mypyc's own with a hash for each build."""
    return name.isidentifier() and not name.endswith("__mypyc")


def releases_by_name(filenames: Iterable[str]) -> tuple[ReleaseFacts, ...]:
    """Return the releases that files belong to, with what the names alone say of wheels and sdists."""
    wheels: dict[tuple[str, str], list[WheelFacts]] = {}
    sdists: set[tuple[str, str]] = set()
    for filename in filenames:
        if filename.endswith(".whl"):
            try:
                name = parse_file_name(filename)
            except ValueError:
                continue
            facts = WheelFacts(name=name, filename=filename, size=0)
            wheels.setdefault((name.key, name.version), []).append(facts)
        else:
            stem, _, version = filename.removesuffix(".tar.gz").rpartition("-")
            if parse_version(version) is not None:
                sdists.add((normalise(stem), version))
    return tuple(
        release_facts(*release, wheels.get(release, ()), sdists=("",) if release in sdists else ())
        for release in sorted({*wheels, *sdists})
    )


def earlier_in_folder(folder: Path, later: Sequence[ReleaseFacts], *, shallow: bool = False) -> Earlier:
    """Read the wheels of earlier releases: of each distribution of ``later`` the newest release there.

    ``folder`` may be a single wheel. Raises UsageError where it has nothing to compare with, or a wheel that
    cannot be read.
    """
    files = collect_files((folder,))
    found = _read(folder, files, shallow=shallow)
    newest: dict[str, ReleaseFacts] = {}
    for release in sorted(found, key=_version):
        newest[release.distribution] = release
    releases = {
        release_key(release.distribution, release.version): newest[release.distribution]
        for release in later
        if release.distribution in newest
    }
    if not releases:
        wanted = shorten_list(dict.fromkeys(release.distribution for release in later))
        raise UsageError(
            f"{folder} has no wheel of {wanted} to compare with",
            hint="give the wheels of an earlier release:  --against OLD/",
        )
    missing = dict.fromkeys(one.distribution for one in later if one.distribution not in newest)
    gaps = tuple(f"{name} was not compared: {folder} has no wheel of it" for name in missing)
    return Earlier(releases=releases, gaps=gaps)


def _version(release: ReleaseFacts) -> Version:
    return parse_version(release.version) or Version("0")


def _read(folder: Path, files: Sequence[Path], *, shallow: bool) -> list[ReleaseFacts]:
    """Return the releases with wheels in a folder; raise UsageError for a wheel that cannot be read."""
    wheels: dict[tuple[str, str], list[WheelFacts]] = {}
    paths = [path for path in files if path.suffix == ".whl"]
    for batch in read_batches(paths, contents=not shallow):
        for _, outcome in batch:
            if isinstance(outcome, WheelError):
                raise UsageError(
                    f"--against: {outcome.message}", hint="remove it from there, or give single wheels"
                ) from outcome
            if (facts := wheel_facts(outcome)) is not None:
                wheels.setdefault((facts.name.key, facts.name.version), []).append(facts)
    return [release_facts(*release, found, origin=str(folder)) for release, found in wheels.items()]
