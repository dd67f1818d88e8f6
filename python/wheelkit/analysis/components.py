"""Well-known C libraries in binaries: recognised by texts that every build of them contains.

The texts are evidence. They confirm or contradict what an SBOM or a configuration says; nothing is named
because of them alone.
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING

from msgspec import Struct, convert

from wheelkit import data
from wheelkit.wheel.library_names import plain_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


_TABLE = "components.toml"
# Distributors write 1:1.2.13.dfsg-1+b2, 1.2.11-41.el8 and 1.3.1-r2, and projects v1.3.1 and R_2_6_2.
_EPOCH = re.compile(r"^\d+:")
_REVISION = re.compile(r"(?:[.+~-]?dfsg|-r?\d|\+).*$")
_TAG = re.compile(r"^(?:[A-Za-z][A-Za-z-]*[_-])?v?(?=\d)")


class KnownLibrary(Struct, frozen=True, kw_only=True):
    """A row of data/components.toml, which explains the fields; ``cpe`` is the vendor and the product."""

    name: str
    names: tuple[str, ...]
    libraries: tuple[str, ...]
    license: str
    cpe: str
    marker: str = ""
    version: str = ""
    others: tuple[str, ...] = ()

    def calls(self, name: str) -> bool:
        """Return whether an SBOM or a package manager means this library by a name, or two with a slash."""
        patterns = (self.name.lower(), *self.names)
        names = (part.strip() for part in name.lower().split(" / "))
        return any(fnmatchcase(part, pattern) for part in names for pattern in patterns)

    def is_file(self, member: str) -> bool:
        """Return whether a file is the shared form of this library, by its name."""
        name = plain_name(member).lower()
        return any(fnmatchcase(name, pattern) for pattern in self.libraries)

    def cpe_of(self, version: str) -> str:
        """Return the CPE 2.3 name of a version."""
        return f"cpe:2.3:a:{self.cpe}:{version}:*:*:*:*:*:*:*"


class Recognised(Struct, frozen=True, kw_only=True):
    """A library that a binary contains; ``version`` is empty where its texts do not say exactly one."""

    library: KnownLibrary
    member: str
    version: str


@cache
def known_libraries() -> tuple[KnownLibrary, ...]:
    """Return the rows of data/components.toml."""
    return tuple(convert({**row, "name": name}, KnownLibrary) for name, row in data.table(_TABLE).items())


def known_library(name: str) -> KnownLibrary | None:
    """Return the library that a name means, or None."""
    return next((library for library in known_libraries() if library.calls(name)), None)


def recognise(
    member: str, contents: bytes, among: Iterable[KnownLibrary] | None = None
) -> Iterator[Recognised]:
    """Yield the known libraries that a binary contains, by its texts."""
    for library in known_libraries() if among is None else among:
        if not library.marker or library.marker.encode() not in contents:
            continue
        if any(text.encode() in contents for text in library.others):
            continue
        versions = {match[1].decode() for match in re.finditer(library.version.encode(), contents)}
        version = versions.pop() if len(versions) == 1 else ""
        yield Recognised(library=library, member=member, version=version)


def upstream_version(version: str) -> str:
    """Return the version of a library in that of a package or a tag: ``1:1.2.13.dfsg-1`` is 1.2.13."""
    version = _TAG.sub("", _EPOCH.sub("", version))
    return _REVISION.sub("", version if "." in version else version.replace("_", "."))


def is_version(declared: str, found: str) -> bool:
    """Return whether the version of a package or a tag is of the one that a binary's texts say."""
    return upstream_version(declared) == found
