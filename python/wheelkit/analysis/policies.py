"""What each Linux platform tag allows, from auditwheel's policy tables (PEP 600, PEP 656 for musl).

The tables are read as data: importing auditwheel fails on Windows.
"""

from __future__ import annotations

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Raw, Struct
from msgspec.json import decode
from msgspec.structs import replace

from wheelkit.errors import MissingToolError
from wheelkit.matrix import Target

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


_GENERIC = "linux"
# The tables list musl's C library by its link name; its soname contains the architecture.
_MUSL_ARCH = {"i686": "x86", "armv7l": "armv7"}
# musl's loader takes these names for itself, compared up to the dot (load_library in its ldso/dynlink.c).
_MUSL_ITSELF = tuple(f"lib{name}." for name in ("c", "pthread", "rt", "m", "dl", "util", "xnet"))
# Alpine's name for it, with the architecture, which is compared as a whole.
_MUSL_NAMED = "libc.musl-"
_NUMBERS = re.compile(r"\d+(?:\.\d+)*")
_LOADERS = ("ld-linux", "ld-musl", "ld64.so.")


# glibc's libraries, and what the names of their versions begin with; those of libgcc are in some.
_OF_GLIBC = frozenset(
    f"lib{name}" for name in ("c.so.6", "m.so.6", "pthread.so.0", "dl.so.2", "rt.so.1", "util.so.1")
)
_GLIBC_PREFIXES = ("GLIBC_", "GCC_")


class Policy(Struct, frozen=True, kw_only=True):
    """What one platform tag allows on one architecture.

    ``versions`` maps a prefix (``GLIBC``, ``GLIBCXX``) to the symbol versions of the oldest such system,
    ``libraries`` are those that every such system has, ``forbidden`` maps a library to symbols that must not
    be used.
    """

    target: Target
    versions: Mapping[str, frozenset[str]]
    libraries: frozenset[str]
    forbidden: Mapping[str, frozenset[str]]

    def admits(self, symbol_version: str) -> bool:
        """Return whether a symbol version such as ``GLIBC_2.17`` is allowed; those of other libraries are."""
        prefix, _, version = symbol_version.partition("_")
        known = self.versions.get(prefix)
        if known is None or version in known:
            return True
        # A tag between two tables, such as manylinux_2_29, names its glibc version itself.
        numbered = prefix == "GLIBC" and _NUMBERS.fullmatch(version)
        return bool(numbered) and numbers(version) <= self.target.version

    def defines(self, library: str, symbol_version: str) -> bool:
        """Return whether a library can define a version: those of glibc only define their own."""
        return library not in _OF_GLIBC or symbol_version.startswith(_GLIBC_PREFIXES)

    def provides(self, library: str) -> bool:
        """Return whether every system of this tag has a library; all have the dynamic loader."""
        if self.target.libc == "musllinux" and library.startswith(_MUSL_ITSELF):
            return not library.startswith(_MUSL_NAMED) or library in self.libraries
        return library in self.libraries or is_loader(library)


def is_loader(library: str) -> bool:
    """Return whether this is a name of the dynamic loader."""
    return library.startswith(_LOADERS)


def numbers(version: str) -> tuple[int, ...]:
    """Parse a version: ``2.17`` becomes (2, 17). Raises ValueError."""
    return tuple(int(part) for part in version.split("."))


def policies(libc: str, arch: str) -> Iterator[Policy]:
    """Yield the policies of an architecture, the oldest system first."""
    return map(_policy, _targets(libc, arch))


@cache
def policy_for(target: Target) -> Policy | None:
    """Return what a Linux target allows, by its own table or else the newest older one; None without either.

    Between two tables, a symbol is forbidden if both forbid it: the others were added in between.
    """
    targets = _targets(target.libc, target.arch)
    count = sum(known.version <= target.version for known in targets)
    if not count:
        return None
    older = _policy(targets[count - 1])
    if older.target.version == target.version or count == len(targets):
        return replace(older, target=target)
    newer = _policy(targets[count])
    forbidden = {
        library: symbols & newer.forbidden.get(library, frozenset())
        for library, symbols in older.forbidden.items()
    }
    return replace(older, target=target, forbidden=forbidden)


class _Row(Struct, frozen=True):
    """One entry of auditwheel's tables; symbol versions are decoded only for the architecture in use."""

    name: str
    symbol_versions: dict[str, Raw]
    lib_whitelist: list[str]
    blacklist: dict[str, list[str]]


@cache
def _targets(libc: str, arch: str) -> tuple[Target, ...]:
    """Return the targets of an architecture that have a table, the oldest system first."""
    names = (name for name, row in _tables(libc).items() if name != _GENERIC and arch in row.symbol_versions)
    targets = (Target.parse(f"{name}_{arch}") for name in names)
    return tuple(sorted(targets, key=lambda target: target.version))


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
    spec = find_spec("auditwheel")
    folders = spec.submodule_search_locations if spec else None
    if not folders:
        message = "auditwheel, whose policy tables are needed, is not installed"
        raise MissingToolError(message, hint="pip install auditwheel")
    rows = decode((Path(folders[0]) / "policy" / f"{libc}-policy.json").read_bytes(), type=list[_Row])
    return {row.name: row for row in rows}
