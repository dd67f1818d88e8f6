"""Symbol versions that ELF files need of libraries which are not loaded, or which do not define them.

glibc compares them when a file is loaded (elf/dl-version.c, _dl_check_map_versions); musl does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelkit.analysis.claims import targets
from wheelkit.analysis.linux import is_required, linux_slices
from wheelkit.analysis.policies import is_loader, policy_for
from wheelkit.matrix import System

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wheelkit._core import Slice
    from wheelkit.wheel import Binary, Wheel


# What libraries of the system load in turn, as far as version needs are concerned. Of other libraries it is
# not known.
_LOADS: Mapping[str, tuple[str, ...]] = {
    "libc.so.6": (),
    "libm.so.6": (),
    "libpthread.so.0": (),
    "libdl.so.2": (),
    "libutil.so.1": (),
    "librt.so.1": ("libpthread.so.0",),
    "libgcc_s.so.1": (),
    "libstdc++.so.6": ("libm.so.6", "libgcc_s.so.1"),
    "libz.so.1": (),
}
# Every interpreter has loaded these.
_IN_PROCESS = frozenset({"libc.so.6", "libm.so.6"})


def unloaded_libraries(wheel: Wheel) -> Iterator[tuple[Binary, str]]:
    """Yield the libraries that version needs name, but that loading the file does not load.

    glibc asserts that the library of each version need is loaded, and ends the process. Files are left out of
    which it is not known all that they load.
    """
    if not _has_glibc(wheel):
        return
    by_name: dict[str, Slice] | None = None
    for binary, slice_ in linux_slices(wheel):
        named = {version.library for version in slice_.versions} - _IN_PROCESS
        named -= {library.name for library in slice_.needed}
        named = {name for name in named if not is_loader(name)}
        if named:
            by_name = _by_name(wheel) if by_name is None else by_name
            loaded = _closure(slice_, by_name)
            for name in sorted(named - loaded) if loaded is not None else ():
                yield binary, name


def undefined_versions(wheel: Wheel) -> Iterator[tuple[Binary, str, str]]:
    """Yield ``(binary, library, version)`` where no copy of the library in the wheel defines the version.

    A library without any definition is accepted with each. Where the tag's systems have the library, theirs
    can serve too.
    """
    if not _has_glibc(wheel):
        return
    held = wheel.held
    policies = [
        policy for target in targets(wheel, System.LINUX) if (policy := policy_for(target)) is not None
    ]
    for binary, slice_ in linux_slices(wheel):
        for version in slice_.versions:
            library, name = version.library, version.version
            if library not in held:
                continue
            of_system = any(policy.provides(library) and policy.admits(name) for policy in policies)
            accepted = of_system or any(_accepts(copy, name) for copy in _copies(wheel, library))
            if not accepted and is_required(slice_, version):
                yield binary, library, name


def _has_glibc(wheel: Wheel) -> bool:
    return any(target.libc == "manylinux" for target in targets(wheel, System.LINUX))


def _accepts(library: Slice, version: str) -> bool:
    return not library.definitions or version in library.definitions


def _copies(wheel: Wheel, library: str) -> Iterator[Slice]:
    for binary, slice_ in linux_slices(wheel):
        if library in (binary.name, slice_.name):
            yield slice_


def _by_name(wheel: Wheel) -> dict[str, Slice]:
    """Map the file names and sonames of the wheel's ELF files to the files."""
    names: dict[str, Slice] = {}
    for binary, slice_ in linux_slices(wheel):
        for name in (binary.name, slice_.name):
            if name:
                names.setdefault(name, slice_)
    return names


def _closure(slice_: Slice, by_name: Mapping[str, Slice]) -> set[str] | None:
    """Return the names of all libraries that loading a file loads; None if that is not known."""
    loaded: set[str] = set()
    left = [library.name for library in slice_.needed]
    while left:
        name = left.pop()
        if name in loaded:
            continue
        loaded.add(name)
        if name in by_name:
            library = by_name[name]
            loaded.update([library.name] if library.name else ())
            left.extend(needed.name for needed in library.needed)
        elif name in _LOADS:
            left.extend(_LOADS[name])
        elif not is_loader(name):
            return None
    return loaded
