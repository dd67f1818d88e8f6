"""Files that two distributions of one dist install to one path.

What a wheel installs is kept packed, a few kilobytes for each: the wheels of a dist are read one after the
other, and can be thousands.
"""

from __future__ import annotations

import zlib
from itertools import combinations
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from wheelkit.analysis.installed import Installer, Origin, installed_files, posix_environment
from wheelkit.analysis.together import installable_together
from wheelkit.text import shorten_list
from wheelkit.verification.findings import finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from wheelkit.verification.model import Finding
    from wheelkit.wheel import FileName, Member, Wheel


_ENVIRONMENT = posix_environment()
_SITE = f"{_ENVIRONMENT.site}/"
# Enough of a digest to tell contents apart.
_DIGEST = 24
_FASTEST = 1


class Footprint(Struct, frozen=True, kw_only=True):
    """What one wheel installs: ``packed`` are its paths and digests, ``tops`` what they begin with.

    Most distributions have tops of their own, so nothing has to be unpacked for them.
    """

    name: FileName
    filename: str
    tops: frozenset[str]
    packed: bytes

    def files(self) -> Iterator[tuple[str, str]]:
        """Yield the path and the digest of each file."""
        for line in zlib.decompress(self.packed).decode("utf-8").split("\n"):
            path, _, digest = line.partition("\0")
            yield path, digest


class OverlapCollector:
    """Collects what wheels install, and reports the paths that several distributions have."""

    def __init__(self) -> None:
        """Begin without wheels."""
        self._footprints: list[Footprint] = []

    def add(self, wheel: Wheel) -> None:
        """Add a wheel while its members are known; one without them or without a valid name is left out."""
        lines = list(_lines(wheel)) if wheel.name is not None else []
        if lines and wheel.name is not None:
            packed = zlib.compress("\n".join(lines).encode("utf-8", "replace"), _FASTEST)
            tops = frozenset(map(_top, lines))
            self._footprints.append(
                Footprint(name=wheel.name, filename=wheel.filename, tops=tops, packed=packed)
            )

    def findings(self) -> Iterator[Finding]:
        """Yield a finding for each group of distributions and kind of overlap."""
        groups: dict[tuple[str, tuple[str, ...]], list[str]] = {}
        files: dict[str, Footprint] = {}
        for path, users in self._shared_files():
            overlap = _overlap(users)
            if overlap is not None:
                code, distributions, last = overlap
                groups.setdefault((code, distributions), []).append(path.removeprefix(_SITE))
                files.setdefault(path.removeprefix(_SITE), last)
        for (code, distributions), paths in sorted(groups.items()):
            if code == "WK229" and ("WK227", distributions) in groups:
                continue  # copies of one package: the files that differ say so
            last = files[paths[0]]
            contents = "the same file" if code == "WK229" else "different files"
            what = f"{shorten_list(distributions)} install {contents} to one path: {shorten_list(paths)}"
            result = finding(code, what, file=last.filename, member=paths[0])
            yield replace(result, distribution=last.name.key)

    def _shared_files(self) -> Iterable[tuple[str, Sequence[tuple[Footprint, str]]]]:
        """Return the files in folders that several distributions have, with the wheels that install them."""
        self._footprints.sort(key=lambda footprint: footprint.filename)
        owners: dict[str, str] = {}
        shared: set[str] = set()
        for footprint in self._footprints:
            for top in footprint.tops:
                if owners.setdefault(top, footprint.name.key) != footprint.name.key:
                    shared.add(top)
        users: dict[str, list[tuple[Footprint, str]]] = {}
        for footprint in self._footprints:
            if not shared.isdisjoint(footprint.tops):
                for path, digest in footprint.files():
                    if _top(path) in shared:
                        users.setdefault(path, []).append((footprint, digest))
        return sorted((path, group) for path, group in users.items() if len(group) > 1)


def _lines(wheel: Wheel) -> Iterator[str]:
    """Yield a line for each file: its path, and a part of its digest if it is in the wheel."""
    moved: list[Member] = []
    digests: dict[str, str] = {}
    for member in wheel.members:
        name = member.name
        top = name.partition("/")[0]
        if top.endswith(".data"):
            moved.append(member)
            digests[name] = member.digest[-_DIGEST:]
        elif not top.endswith(".dist-info") and not name.endswith("/") and _is_line(name):
            yield f"{_SITE}{name}\0{member.digest[-_DIGEST:]}"
    for file in installed_files(wheel, _ENVIRONMENT, Installer.PIP, moved):
        info = file.path.startswith(_SITE) and file.path[len(_SITE) :].partition("/")[0].endswith(
            ".dist-info"
        )
        if file.origin is not Origin.INSTALLER and not info and _is_line(file.path):
            yield f"{file.path}\0{digests.get(file.member, '')}"


def _is_line(path: str) -> bool:
    return "\n" not in path and "\0" not in path


def _top(line: str) -> str:
    """Return the first part of a path below site-packages, else the whole path."""
    path = line.partition("\0")[0]
    return path[len(_SITE) :].partition("/")[0] if path.startswith(_SITE) else path


def _overlap(users: Sequence[tuple[Footprint, str]]) -> tuple[str, tuple[str, ...], Footprint] | None:
    """Return the code, the distributions and one of the wheels; None if no machine installs two of them."""
    wheels = {(_key(one.name), digest): one for one, digest in users}
    one_digest = len({digest for _, digest in wheels}) == 1
    same: tuple[Footprint, Footprint] | None = None
    differing: tuple[Footprint, Footprint] | None = None
    for ((_, first_digest), first), ((_, second_digest), second) in combinations(wheels.items(), 2):
        if first.name.key == second.name.key or not installable_together(first.name, second.name):
            continue
        if first_digest and first_digest == second_digest:
            same = same or (first, second)
        else:
            differing = (first, second)
        if differing or one_digest:
            break
    pair = differing or same
    if pair is None:
        return None
    distributions = tuple(sorted({one.name.key for one, _ in users}))
    return ("WK227" if differing else "WK229"), distributions, max(pair, key=lambda one: one.name.key)


def _key(name: FileName) -> tuple[str, tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    return name.key, name.pythons, name.abis, name.platforms
