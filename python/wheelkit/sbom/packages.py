"""Which package of this system a file belongs to: dpkg, rpm or apk."""

from __future__ import annotations

import platform
import re
import shutil
from functools import cache
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.machine.process import Command, query
from wheelkit.sbom.model import Component

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path


class _Manager(Struct, frozen=True, kw_only=True):
    """A package manager: its program, its type in package URLs, and how to ask for the owner of a file."""

    program: str
    kind: str
    owner: Callable[[str], tuple[str, str, str] | None]


def owning_package(path: Path) -> Component | None:
    """Return the system package that a file belongs to, with its version; None if none owns it."""
    for manager in _MANAGERS:
        if shutil.which(manager.program) is None:
            continue
        for name in _spellings(path):
            if (found := manager.owner(name)) is not None:
                package, version, arch = found
                purl = _purl(manager.kind, package, version, arch)
                return Component(name=package, version=version, purl=purl, origin=manager.program)
    return None


def _spellings(path: Path) -> Iterator[str]:
    """Yield the paths under which a package may list a file: Debian 12 has /lib in its lists."""
    names = (str(path), str(path.resolve()))
    merged = (name.removeprefix("/usr") for name in names if name.startswith(("/usr/lib", "/usr/bin")))
    yield from dict.fromkeys((*names, *merged))


def _ask(*argv: str) -> str:
    done = query(Command(argv=argv, env={"LC_ALL": "C"}))
    return done.output.strip() if done.returncode == 0 else ""


def _dpkg(path: str) -> tuple[str, str, str] | None:
    owner = re.search(
        r"^(?!diversion)([^:,\s]+)(?::(\S+))?: ", _ask("dpkg-query", "--search", path), re.MULTILINE
    )
    if owner is None:
        return None
    package = f"{owner[1]}:{owner[2]}" if owner[2] else owner[1]
    words = _ask("dpkg-query", "--show", "--showformat", "${Version} ${Architecture}", package).split()
    return (owner[1], words[0], words[1]) if len(words) == 2 else None  # noqa: PLR2004 - version and architecture


def _rpm(path: str) -> tuple[str, str, str] | None:
    form = r"%{NAME} %|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE} %{ARCH}\n"
    words = _ask("rpm", "--query", "--file", "--queryformat", form, path).splitlines()[:1]
    parts = words[0].split() if words else []
    return (parts[0], parts[1], parts[2]) if len(parts) == 3 else None  # noqa: PLR2004 - as in the format


def _apk(path: str) -> tuple[str, str, str] | None:
    owner = re.search(r" is owned by (\S+)-(\d\S*-r\d+)$", _ask("apk", "info", "--who-owns", path))
    return (owner[1], owner[2], platform.machine()) if owner else None


_MANAGERS: Sequence[_Manager] = (
    _Manager(program="dpkg-query", kind="deb", owner=_dpkg),
    _Manager(program="rpm", kind="rpm", owner=_rpm),
    _Manager(program="apk", kind="apk", owner=_apk),
)


def _purl(kind: str, package: str, version: str, arch: str) -> str:
    from packageurl import PackageURL

    release = _os_release()
    distro = release.get("ID", "")
    qualifiers = {"arch": arch}
    if distro and "VERSION_ID" in release:
        qualifiers["distro"] = f"{distro}-{release['VERSION_ID']}"
    return str(PackageURL(kind, distro or None, package, version, qualifiers))


@cache
def _os_release() -> dict[str, str]:
    try:
        return platform.freedesktop_os_release()
    except OSError:
        return {}
