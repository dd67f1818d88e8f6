"""Whether the loader of Linux finds the libraries that a wheel holds, and where else loaders look."""

from __future__ import annotations

import re
from posixpath import basename
from typing import TYPE_CHECKING

from wheelkit.analysis.claims import claims, system_of, targets
from wheelkit.analysis.installed import installed_path
from wheelkit.analysis.libraries import of_macos
from wheelkit.analysis.policies import policy_for
from wheelkit.analysis.search import in_graft_folder, lost_libraries, search_path
from wheelkit.analysis.system_libraries import of_package_manager
from wheelkit.matrix import System
from wheelkit.text import first_and_count, shorten_list
from wheelkit.verification.checks.providers import provider_of, relevant_providers
from wheelkit.verification.findings import finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wheelkit._core import Slice
    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Binary, Wheel


# Folders in which every user of a machine can put files.
_WRITABLE = r"(?:/+private)?/+(?:tmp|var/+tmp|dev/+shm)(?:/|$)"


def absolute(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report absolute search paths: they lead to a folder of the build machine, or to none."""
    members: dict[str, None] = {}
    paths: dict[str, None] = {}
    for binary, slice_ in wheel.slices():
        for path in search_path(slice_):
            harmless = of_macos(f"{path}/") or of_package_manager(path) or _is_planted(binary, slice_, path)
            if path.startswith("/") and not harmless:
                members[binary.member] = paths[path] = None
    if members:
        users = list(members)
        what = f"{first_and_count(users)} looks for libraries on the build machine, in {shorten_list(paths)}"
        yield finding("WK506", what, member=users[0])


def planted(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report search paths through which somebody else's libraries get loaded."""
    # To musl, an empty element is the root of all folders.
    musl = {target.libc for target in targets(wheel, System.LINUX)} == {"musllinux"}
    relative: dict[str, dict[str, None]] = {}
    writable: dict[str, dict[str, None]] = {}
    for binary, slice_ in wheel.slices():
        for path in search_path(slice_):
            if _is_planted(binary, slice_, path):
                writable.setdefault(path, {})[binary.member] = None
            elif system_of(binary) is System.LINUX and not path.startswith(("/", "$")) and (path or not musl):
                relative.setdefault(path, {})[binary.member] = None
    for code, found in (("WK513", relative), ("WK514", writable)):
        if found:
            users = list(dict.fromkeys(member for members in found.values() for member in members))
            yield finding(code, _planted(users, found), member=users[0])


def _is_planted(binary: Binary, slice_: Slice, path: str) -> bool:
    """Return whether everybody can put a library in this folder that the loader takes.

    ld.so looks there for every library first, dyld only for those with @rpath.
    """
    if re.match(_WRITABLE, path) is None:
        return False
    return system_of(binary) is not System.MACOS or any(
        library.name.startswith("@rpath/") for library in slice_.needed
    )


def _planted(users: list[str], paths: Iterable[str]) -> str:
    names = shorten_list(path or "an empty element, the current folder" for path in paths)
    return f"{first_and_count(users)} has a search path (RPATH or RUNPATH) with {names}"


def reachable(wheel: Wheel, contract: Contract) -> Iterator[Finding]:
    """Report ELF files that need a library of the wheel, and have no search path to it.

    Where another file of the wheel loads the library, it can be there already, and so can that of a required
    provider. That weighs less for a library
    or program, which are not loaded on import by themselves.
    """
    if not any(claim.system is System.LINUX for claim in claims(wheel)):
        return
    lost: dict[tuple[str, bool], dict[str, None]] = {}
    needs = list(lost_libraries(wheel))
    providers = relevant_providers(wheel, contract) if needs else ()
    for need in needs:
        if provider_of(need.library, System.LINUX, providers) is not None:
            continue  # the process has the provider's
        certain = need.root.extension or not need.elsewhere
        if not need.library.startswith("/") and not _of_system(wheel, need.library):
            lost.setdefault((need.library, certain), {})[need.user.member] = None
    files = {installed_path(member.name) for member in wheel.members if not member.directory} if lost else ()
    by_name = {basename(path): path for path in files}
    for (library, certain), users in sorted(lost.items()):
        path = by_name.get(basename(library), "")
        if certain or _repaired(path):
            yield _unreachable(library, list(users), path, certain=certain)


def _of_system(wheel: Wheel, library: str) -> bool:
    """Return whether every system of the tag has a library, which then serves instead of the wheel's."""
    policies = [policy_for(target) for target in targets(wheel, System.LINUX)]
    return bool(policies) and all(policy is not None and policy.provides(library) for policy in policies)


def _repaired(path: str) -> bool:
    """Return whether only a repair tool can have put a library there, or taken it from there."""
    return not path or in_graft_folder(path)


def _unreachable(library: str, users: list[str], path: str, *, certain: bool) -> Finding:
    problem = f"no search path leads to {path}" if path else "the wheel has it under another file name"
    what = f"{first_and_count(users)} needs {library}, but {problem}"
    return finding("WK511" if certain and _repaired(path) else "WK512", what, member=users[0])
