"""The registry of checks.

A check is a pure function that takes facts and the contract and yields findings. To add one, write the
function in the module of its concern, add its code to data/findings.toml, and list it below.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.verification.checks import (
    abi,
    abi_tags,
    archive,
    contents,
    coverage,
    description,
    dylibs,
    elf,
    entry_points,
    hidden,
    index_files,
    index_metadata,
    installed,
    libraries,
    linux,
    macos,
    metadata,
    metadata_lines,
    mobile,
    names,
    platform_tag,
    project_rules,
    providers,
    record,
    sboms,
    sdist_archive,
    sdists,
    search_paths,
    size,
    startup,
    suffixes,
    toplevel,
    windows,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.verification.release import Dist, Release
    from wheelkit.wheel import Sdist, Wheel

    WheelCheck = Callable[[Wheel, Contract], Iterable[Finding]]
    SdistCheck = Callable[[Sdist, Contract], Iterable[Finding]]
    ReleaseCheck = Callable[[Release, Contract], Iterable[Finding]]
    DistCheck = Callable[[Dist, Contract], Iterable[Finding]]


class CheckSet(Struct, frozen=True, kw_only=True):
    """The checks of one verification, by what they look at: a wheel, an sdist, a release, the whole dist."""

    wheel: tuple[WheelCheck, ...]
    sdist: tuple[SdistCheck, ...] = ()
    release: tuple[ReleaseCheck, ...]
    dist: tuple[DistCheck, ...] = ()


# What METADATA of a wheel and PKG-INFO of an sdist have in common.
_INDEX_METADATA = (
    index_metadata.valid, index_metadata.metadata_version, index_metadata.local_version,
    index_metadata.direct_references, index_metadata.classifiers, index_metadata.urls, index_metadata.summary,
    index_metadata.emails, index_metadata.license_fields, index_metadata.rare_fields, metadata_lines.lines,
)  # fmt: skip
# Coverage is not listed, except for absent distributions: it also yields the rows of the matrix, so the
# runner calls it by name. So it does with losses, which compare a release with an earlier one.
ALL_CHECKS = CheckSet(
    wheel=(
        archive.members, archive.headers, archive.hidden, archive.overlap, archive.paths,
        archive.windows_names, archive.links, archive.dates, archive.stray, archive.end, record.record,
        names.file_name, names.tags, names.contradiction, names.platforms, names.identity,
        names.wheel_file, names.purelib,
        toplevel.dist_info, toplevel.data, toplevel.names, toplevel.unimportable, toplevel.nothing,
        toplevel.compiled,
        installed.one_path, installed.own_metadata, installed.lost_scripts, installed.others_files,
        installed.one_python, hidden.modules, startup.editable, startup.executed,
        sboms.readable, sboms.build_paths, sboms.true, sboms.complete,
        contents.placeholder, contents.leftovers, contents.first_line, contents.mode,
        platform_tag.damage, platform_tag.system, platform_tag.architecture, platform_tag.pure,
        platform_tag.generic,
        linux.symbol_versions, linux.forbidden_symbols, linux.c_library, linux.executable_stack,
        elf.refused, elf.page_size, elf.contradictory, elf.processor, elf.thread_storage,
        elf.version_libraries, elf.version_definitions, elf.self_modifying,
        macos.minimum_system, macos.signature, macos.changed_after_signing, macos.duplicates,
        macos.chained_fixups, platform_tag.refused, dylibs.reachable,
        libraries.debug_runtime, libraries.missing, libraries.twice,
        windows.renamed, windows.unreachable, windows.plain_runtime, windows.fixed_base,
        search_paths.absolute, search_paths.planted, search_paths.reachable,
        mobile.binaries, mobile.libraries, mobile.page_size, mobile.unverified,
        abi.stable, abi.interpreter_library, abi.interpreter_build,
        abi_tags.export_hook, abi_tags.hidden_definition, abi_tags.floor_of_abi3t, abi_tags.without_abi,
        suffixes.suffix, suffixes.entry_point, suffixes.own_name, suffixes.no_binary,
        providers.bundled, providers.grafted_beside, providers.requirement, providers.threading_runtime,
        size.budget, size.copies, size.strippable,
        metadata.python_tags, description.description, *_INDEX_METADATA,
        index_files.dist_info, index_files.read_by_twine, index_files.platforms, index_files.license_files,
        index_files.compression, index_files.archive_form, index_files.entry_points,
        entry_points.readable, entry_points.scripts,
        project_rules.dependencies, project_rules.meta, project_rules.bounded_ranges,
    ),
    sdist=(
        sdists.file_name, sdists.paths, sdists.complete,
        sdist_archive.unpacking, sdist_archive.form, sdist_archive.twice, sdist_archive.compiled,
        contents.sdist_leftovers,
        description.rendering, *_INDEX_METADATA,
        index_files.sdist_layout, index_files.sdist_license_files, index_files.sdist_size,
    ),
    release=(
        metadata.same_metadata, metadata.sdist_missing, metadata.unserved_pythons, sdists.same_metadata,
        index_files.one_sdist,
    ),
    dist=(coverage.absent, providers.unused_patterns, metadata.family_ranges),
)  # fmt: skip
# What can be checked from file names and an index's listing, without the files.
NAME_CHECKS = CheckSet(
    wheel=(
        names.file_name, names.contradiction, names.platforms, metadata.python_tags,
        index_metadata.local_version, index_files.platforms,
    ),
    release=(metadata.sdist_missing, metadata.unserved_pythons),
)  # fmt: skip
