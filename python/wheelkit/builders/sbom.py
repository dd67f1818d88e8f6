"""Writes each wheel anew as the last step of its build, native ones with an SBOM."""

from __future__ import annotations

import re
import tarfile
from functools import cache
from typing import TYPE_CHECKING

from msgspec.structs import asdict, replace

from wheelkit import wheel as wheels
from wheelkit.analysis.sboms import OWN_FILE
from wheelkit.errors import OutputError
from wheelkit.sbom.compose import compose
from wheelkit.sbom.model import Component, SbomSources
from wheelkit.sbom.sources import find_components
from wheelkit.sbom.submodules import submodules
from wheelkit.sbom.write import render
from wheelkit.tar_archives import open_tar
from wheelkit.wheel.rewrite import rewrite_wheel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from wheelkit.builders.results import BuiltWheel
    from wheelkit.builders.sdist import SourceDist
    from wheelkit.machine.workspace import Workspace
    from wheelkit.plan import NativeStep


# What Meson prints. A wrap file alone does not mean that its subproject is used.
_MESON = "The Meson build system"
_EXECUTED = re.compile(r"\bExecuting subproject ([\w.+-]+)")


def add_sboms(
    built: Sequence[BuiltWheel],
    step: NativeStep,
    source: SourceDist,
    workspace: Workspace,
    epoch: int | None = None,
) -> tuple[BuiltWheel, ...]:
    """Return the wheels of a step with an SBOM in each; ``epoch`` is the time of their files, if given.

    Raises OutputError if a wheel cannot be written.
    """
    found = (*_named_by_sdist(source.path), *_submodules(step, source))
    used = tuple(used_components(found, _log(workspace)))
    declared = tuple(_declared(step))
    with workspace.step("SBOM"):
        return tuple(
            _with_sbom(
                wheel,
                SbomSources(
                    declared=declared,
                    complete=step.components_complete,
                    found=used,
                    grafts=wheel.originals,
                ),
                workspace,
                epoch,
            )
            for wheel in built
        )


def normal_wheel(built: BuiltWheel, workspace: Workspace, epoch: int | None) -> BuiltWheel:
    """Return a wheel without native code, with its files in one order and with one time and mode."""
    return _rewritten(built, {}, workspace, epoch)


def used_components(found: Iterable[Component], log: str) -> Iterator[Component]:
    """Yield components without the Meson subprojects that the build did not use, by Meson's own output."""
    executed = set(_EXECUTED.findall(log))
    for component in found:
        is_subproject = "subprojects/" in component.origin
        if not is_subproject or _MESON not in log or component.name in executed:
            yield component


def _with_sbom(
    built: BuiltWheel, sources: SbomSources, workspace: Workspace, epoch: int | None
) -> BuiltWheel:
    wheel = wheels.read(built.path)
    sbom = render(wheel, compose(wheel, sources), complete=sources.complete, epoch=epoch)
    return _rewritten(built, {f"{wheel.dist_info}/sboms/{OWN_FILE}": sbom}, workspace, epoch)


def _rewritten(
    built: BuiltWheel, added: Mapping[str, bytes], workspace: Workspace, epoch: int | None
) -> BuiltWheel:
    path = workspace.new_folder("wheel") / built.path.name
    dist_info = wheels.read(built.path, contents=False).dist_info
    try:
        rewrite_wheel(built.path, path, dist_info, added=added, epoch=epoch)
    except OSError as error:
        raise OutputError.of(error, path) from error
    return replace(built, path=path)


def _declared(step: NativeStep) -> Iterator[Component]:
    for component in step.components:
        fields = asdict(component)
        yield Component(patterns=fields.pop("files"), origin="configuration", **fields)


@cache
def _named_by_sdist(sdist: Path) -> tuple[Component, ...]:
    return find_components(sdist)


def _submodules(step: NativeStep, source: SourceDist) -> Iterator[Component]:
    if step.distribution.from_sdist or not step.distribution.source.is_dir():
        return
    yield from submodules(step.distribution.source, _packed(source.path))


@cache
def _packed(sdist: Path) -> frozenset[str]:
    try:
        with open_tar(sdist) as archive:
            return frozenset(member.name.partition("/")[2] for member in archive.members())
    except (OSError, tarfile.TarError):
        return frozenset()


def _log(workspace: Workspace) -> str:
    try:
        return workspace.log.read_bytes().decode("utf-8", "replace")
    except OSError:
        return ""
