"""What each Linux platform tag allows: auditwheel's own policy tables, read as data.

auditwheel itself is never imported: that takes 85 ms, and fails on Windows. PEP 600 defines the tags, PEP 656 those of musl.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Raw, Struct
from msgspec.json import decode

from wheelkit.errors import MissingToolError
from wheelkit.matrix import Target

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


_FILES = {"manylinux": "manylinux-policy.json", "musllinux": "musllinux-policy.json"}
_GENERIC = "linux"
# musl's C library is listed by its link name; each architecture's real soname differs (auditwheel maps them the same way).
_MUSL_ARCH = {"i686": "x86", "armv7l": "armv7"}
# musl's loader takes these names for itself, whatever lies on the disk (load_library in its ldso/dynlink.c): toolchains other than
# Alpine's leave them in binaries, some as glibc spells them (libc.so.6), since the loader compares no further than the dot.
_MUSL_ITSELF = tuple(f"lib{name}." for name in ("c", "pthread", "rt", "m", "dl", "util", "xnet"))
# The name under which Alpine links it, one for each architecture, which is compared as a whole.
_MUSL_NAMED = "libc.musl-"
_NUMBERS = re.compile(r"\d+(?:\.\d+)*")


class Policy(Struct, frozen=True, kw_only=True):
    """What one platform tag allows on one architecture.

    ``versions`` maps a prefix (``GLIBC``, ``GLIBCXX``) to the versions that the oldest such system has, ``libraries`` are those
    that it surely has, ``forbidden`` maps a library to symbols of it that must not be used.
    """

    target: Target
    versions: Mapping[str, frozenset[str]]
    libraries: frozenset[str]
    forbidden: Mapping[str, frozenset[str]]

    def admits(self, symbol_version: str) -> bool:
        """Tell whether a symbol version such as ``GLIBC_2.17`` is there; those of unknown libraries are not judged."""
        prefix, _, version = symbol_version.partition("_")
        known = self.versions.get(prefix)
        if known is None or version in known:
            return True
        # A tag between two tables, such as manylinux_2_29: glibc's own version stands in the tag itself.
        return (
            prefix == "GLIBC"
            and bool(_NUMBERS.fullmatch(version))
            and numbers(version) <= self.target.version
        )

    def provides(self, library: str) -> bool:
        """Tell whether every system of this tag has the library; the dynamic loader belongs to all of them."""
        if self.target.libc == "musllinux" and library.startswith(_MUSL_ITSELF):
            return not library.startswith(_MUSL_NAMED) or library in self.libraries
        return library in self.libraries or loader(library)


def loader(library: str) -> bool:
    """Tell whether this is the dynamic loader under one of its names."""
    return library.startswith(("ld-linux", "ld-musl")) or library in {"ld64.so.1", "ld64.so.2"}


def numbers(version: str) -> tuple[int, ...]:
    """Read ``2.17`` as (2, 17)."""
    return tuple(int(part) for part in version.split("."))


def policies(libc: str, arch: str) -> Iterator[Policy]:
    """Walk the policies of an architecture, the oldest system first; none where auditwheel knows none."""
    return (_policy(target) for target in _targets(libc, arch))


@cache
def policy_for(target: Target) -> Policy | None:
    """Give what a Linux target allows: its own table, else the newest one that is older, since each system only adds.

    Of the symbols that the older table forbids, those count between two tables that the newer one forbids as well: the others came to be in
    between, as pthread_setattr_default_np did with glibc 2.18.
    """
    targets = _targets(target.libc, target.arch)
    older = [one for one in targets if one.version <= target.version]
    if not older:
        return None
    newest = _policy(older[-1])
    later = (
        newest
        if newest.target.version == target.version
        else next(map(_policy, targets[len(older) :]), newest)
    )
    forbidden = {
        library: symbols & later.forbidden.get(library, frozenset())
        for library, symbols in newest.forbidden.items()
    }
    return Policy(target=target, versions=newest.versions, libraries=newest.libraries, forbidden=forbidden)


class _Row(Struct, frozen=True):
    """One entry of auditwheel's tables; what it says of architectures that nobody asks for is not read."""

    name: str
    symbol_versions: dict[str, Raw]
    lib_whitelist: list[str]
    blacklist: dict[str, list[str]]


@cache
def _targets(libc: str, arch: str) -> tuple[Target, ...]:
    """List the targets of an architecture that have a table of their own, the oldest system first."""
    names = (name for name, row in _tables(libc).items() if name != _GENERIC and arch in row.symbol_versions)
    return tuple(
        sorted((Target.parse(f"{name}_{arch}") for name in names), key=lambda target: target.version)
    )


@cache
def _policy(target: Target) -> Policy:
    libc, arch = target.libc, target.arch
    row = _tables(libc)[target.tag.removesuffix(f"_{arch}")]
    libraries = frozenset(row.lib_whitelist)
    if libc == "musllinux":
        libraries = frozenset(
            f"{_MUSL_NAMED}{_MUSL_ARCH.get(arch, arch)}.so.1" if name == "libc.so" else name
            for name in libraries
        )
    return Policy(
        target=target,
        versions=decode(row.symbol_versions[arch], type=dict[str, frozenset[str]]),
        libraries=libraries,
        forbidden={library: frozenset(symbols) for library, symbols in row.blacklist.items()},
    )


@cache
def _tables(libc: str) -> Mapping[str, _Row]:
    from importlib.util import find_spec

    spec = find_spec("auditwheel")
    folders = spec.submodule_search_locations if spec else None
    if not folders:
        raise MissingToolError("auditwheel's policy tables were not found", hint="pip install auditwheel")
    rows = decode((Path(folders[0]) / "policy" / _FILES[libc]).read_bytes(), type=list[_Row])
    return {row.name: row for row in rows}
