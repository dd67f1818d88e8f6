"""The checks: each a pure function from facts and contract to findings, each with one entry here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelkit.verification.checks import (
    abi,
    archive,
    coverage,
    entry_points,
    libraries,
    linux,
    macos,
    metadata,
    mobile,
    names,
    platform_tag,
    project_rules,
    providers,
    size,
    suffixes,
    toplevel,
    windows,
)
from wheelkit.verification.contract import Contract, Promise, contract_of
from wheelkit.verification.release import Arriving, Dist, Release

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Sdist, Wheel

    WheelCheck = Callable[[Wheel, Contract], Iterator[Finding]]

    SdistCheck = Callable[[Sdist, Contract], Iterator[Finding]]

    ReleaseCheck = Callable[[Release, Contract], Iterator[Finding]]

    DistCheck = Callable[[Dist, Contract], Iterator[Finding]]


__all__ = [
    "DIST_CHECKS",
    "RELEASE_CHECKS",
    "WHEEL_CHECKS",
    "Arriving",
    "Contract",
    "Dist",
    "Promise",
    "Release",
    "contract_of",
    "sdist_checks",
]

WHEEL_CHECKS: tuple[WheelCheck, ...] = (
    archive.members,
    archive.headers,
    archive.hidden,
    archive.overlap,
    archive.paths,
    archive.windows_names,
    archive.links,
    archive.record,
    archive.dates,
    archive.stray,
    names.file_name,
    names.tags,
    names.contradiction,
    names.identity,
    names.wheel_file,
    names.purelib,
    toplevel.dist_info,
    toplevel.data,
    toplevel.names,
    toplevel.unimportable,
    toplevel.nothing,
    toplevel.compiled,
    platform_tag.damage,
    platform_tag.system,
    platform_tag.architecture,
    platform_tag.pure,
    platform_tag.generic,
    linux.symbol_versions,
    linux.forbidden_symbols,
    linux.c_library,
    linux.executable_stack,
    macos.minimum_system,
    macos.signature,
    windows.debug_runtime,
    mobile.binaries,
    mobile.unproven,
    abi.stable,
    abi.interpreter_library,
    abi.interpreter_build,
    suffixes.suffix,
    suffixes.entry_point,
    suffixes.own_name,
    suffixes.no_binary,
    libraries.missing,
    libraries.search_paths,
    libraries.twice,
    libraries.reachable,
    providers.bundled,
    providers.requirement,
    providers.threading_runtime,
    size.budget,
    size.growth,
    size.copies,
    size.strippable,
    metadata.valid,
    metadata.python_tags,
    metadata.local_version,
    metadata.direct_references,
    metadata.licence_files,
    entry_points.readable,
    entry_points.scripts,
    project_rules.dependencies,
    project_rules.meta,
    project_rules.bounded_ranges,
    metadata.renders,
)


def sdist_checks() -> tuple[tuple[SdistCheck, ...], tuple[ReleaseCheck, ...]]:
    """Give the checks of sdists, and those of a release that has one; a dist without any need not load them."""
    from wheelkit.verification.checks import sdists

    return (sdists.file_name, sdists.paths, sdists.complete), (sdists.same_metadata,)


# Coverage is not among them: it yields the matrix's rows along with its findings, so verify calls it by name.
RELEASE_CHECKS: tuple[ReleaseCheck, ...] = (
    metadata.same_metadata,
    metadata.sdist_missing,
    metadata.unserved_pythons,
)

DIST_CHECKS: tuple[DistCheck, ...] = (coverage.absent, providers.unused_patterns, metadata.family_ranges)
