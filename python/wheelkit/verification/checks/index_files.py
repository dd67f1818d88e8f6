"""Wheels and sdists as files that the public indexes accept (warehouse, forklift/legacy.py, August 2026)."""

from __future__ import annotations

import re
from posixpath import commonpath
from typing import TYPE_CHECKING

from wheelkit.analysis.platform_tags import impossible
from wheelkit.fast_packaging import normalise
from wheelkit.inputs import numbers
from wheelkit.text import shorten_list, size
from wheelkit.verification.checks.entry_points import readable
from wheelkit.verification.checks.index_metadata import sent
from wheelkit.verification.checks.names import same_version
from wheelkit.verification.checks.size import INDEX_LIMIT
from wheelkit.verification.findings import finding
from wheelkit.verification.index_values import is_accepted_platform
from wheelkit.wheel.zip_headers import HAS_DESCRIPTOR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.verification.release import Release
    from wheelkit.wheel import Headers, Sdist, Wheel


# What unpacks to more than this, and to this many times the size of the archive, is taken for a bomb.
_BOMB_BYTES, _BOMB_RATIO = 64 * 1024 * 1024, 50
# The names of scripts (warehouse, utils/wheel.py).
_SCRIPT_NAME = r"[\w.-]+"
_PLAIN_NAME = rb"[A-Za-z0-9_.-]+ *"
_SCRIPTS = ("console_scripts", "gui_scripts")
_METADATA = "METADATA"
# The first metadata version whose License-File fields are sent to an index (twine, package.py).
_LICENSE_FILES_SINCE = (2, 4)


def dist_info(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report a .dist-info folder that the index does not find: it takes the spelling of the file name."""
    if wheel.name is None or not wheel.dist_info:
        return
    expected = f"{wheel.name.distribution}-{wheel.name.version}.dist-info"
    folder_name, _dash, version = wheel.dist_info.removesuffix(".dist-info").rpartition("-")
    same = normalise(folder_name) == wheel.distribution and same_version(version, wheel.version)
    if wheel.dist_info != expected and same:
        yield finding("WK742", f"the folder is {wheel.dist_info}, and the file name makes it {expected}")


def read_by_twine(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report a file that twine reads in place of METADATA.

    It takes the first path with METADATA in it, the nearest to the top and then by the alphabet, whose
    contents have a Metadata-Version (twine/wheel.py).
    """
    if not wheel.name or wheel.shallow:
        return
    own = [wheel.dist_info, _METADATA]
    named = (member.name.split("/") for member in wheel.members if member.name.endswith(_METADATA))
    first = min(
        (path for path in named if path[-1] == _METADATA), key=lambda path: (len(path), path), default=own
    )
    if first != own and not first[0].endswith(".dist-info"):
        name = "/".join(first)
        yield finding("WK752", f"twine finds {name} before {'/'.join(own)}", member=name)


def platforms(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report platform tags that the index does not accept; ``platform_tag.generic`` reports linux_* tags.

    Where no installer makes any of the tags either, ``names.platforms`` has an error.
    """
    tags = [tag.lower() for tag in wheel.name.platforms] if wheel.name else []
    refused = [tag for tag in tags if not is_accepted_platform(tag) and not tag.startswith("linux_")]
    if refused and not all(map(impossible, tags)):
        yield finding("WK744", f"public indexes do not accept {shorten_list(refused)}")


def license_files(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report license files that METADATA names, and that are not in .dist-info/licenses (PEP 639).

    Before metadata 2.4, build backends put them at other places, and indexes do not look for them.
    """
    declared = () if wheel.shallow else sent(wheel, "License-File")
    if not declared:
        return
    names = {member.name for member in wheel.members}
    looked_for = _sends_license_files(wheel.metadata)
    for file in declared:
        right = f"{wheel.dist_info}/licenses/{file}"
        others = (f"license_files/{file}", file, file.rpartition("/")[2])
        found = next((path for other in others if (path := f"{wheel.dist_info}/{other}") in names), "")
        if right not in names and not found:
            what = f"METADATA names the license file {file}, which is not in the wheel"
            yield finding("WK708" if looked_for else "WK741", what)
        elif right not in names and looked_for:
            yield finding("WK740", f"the license file {file} is at {found}, and indexes look for {right}")


def sdist_license_files(sdist: Sdist, _: Contract) -> Iterator[Finding]:
    """Report license files that PKG-INFO names and the sdist lacks."""
    for file in sent(sdist, "License-File"):
        if f"{sdist.folder}/{file}" not in sdist.names:
            what = f"PKG-INFO names the license file {file}, which is not in the sdist"
            yield finding("WK708" if _sends_license_files(sdist.metadata) else "WK741", what)


def _sends_license_files(metadata: Headers) -> bool:
    return (numbers(metadata.get("Metadata-Version")) or ()) >= _LICENSE_FILES_SINCE


def compression(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report a wheel that the index takes for a decompression bomb."""
    unpacked = sum(member.size for member in wheel.members if not member.problem)
    if unpacked > _BOMB_BYTES and unpacked > _BOMB_RATIO * wheel.size:
        what = f"{size(wheel.size)} unpack to {size(unpacked)}, {unpacked // max(wheel.size, 1)} times"
        yield finding("WK745", what)


def archive_form(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report members whose sizes are behind their data, as archives have that were written to a stream."""
    streamed = [member.name for member in wheel.members if member.flags & HAS_DESCRIPTOR]
    if streamed:
        what = f"sizes are only behind the data (data descriptor) for {shorten_list(streamed)}"
        yield finding("WK746", what, member=streamed[0])


def entry_points(wheel: Wheel, contract: Contract) -> Iterator[Finding]:
    """Report an entry_points.txt that installers accept, and the index's parser, configparser, does not."""
    if not wheel.entry_points or _is_plain(wheel.entry_points) or any(readable(wheel, contract)):
        return
    problem = _entry_points_problem(wheel.entry_points)
    if problem:
        member = f"{wheel.dist_info}/entry_points.txt"
        yield finding("WK747", f"entry_points.txt: {problem}", member=member)


def _is_plain(text: bytes) -> bool:
    """Return whether this is surely valid: each section once, with lines ``name = value``, each name once."""
    seen: set[bytes] = set()
    section = b""
    for line in filter(None, text.splitlines() if text.isascii() else [b"?"]):
        if line.startswith(b"[") and line.endswith(b"]"):
            section = key = line
        else:
            name, equals, _ = line.partition(b"=")
            key = section + name.strip()
            if not section or not equals or not re.fullmatch(_PLAIN_NAME, name):
                return False
        if key in seen:
            return False
        seen.add(key)
    return True


def _entry_points_problem(text: bytes) -> str:
    from configparser import ConfigParser, Error

    parser = ConfigParser(delimiters=("=",), interpolation=None)
    # Names are case-sensitive.
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(text.decode("utf-8"))
    except (Error, UnicodeDecodeError) as error:
        return " ".join(str(error).split())
    names = [name for group in _SCRIPTS if parser.has_section(group) for name in parser[group]]
    wrong = [name for name in names if not re.fullmatch(_SCRIPT_NAME, name)]
    return f"names with other signs than letters, digits, . _ - : {shorten_list(wrong)}" if wrong else ""


def sdist_layout(sdist: Sdist, _: Contract) -> Iterator[Finding]:
    """Report an sdist in which twine and the index do not find PKG-INFO, or with sparse files."""
    tops = {name.removeprefix("./").partition("/")[0] for name in sdist.names}
    top = commonpath(sdist.names) if len(tops) == 1 else ""
    if top and f"{top}/PKG-INFO" not in sdist.names:
        found = f"{sdist.folder}/PKG-INFO"
        yield finding("WK748", f"PKG-INFO is at {found}, and uploads need it at {top}/PKG-INFO")
    if sdist.sparse:
        yield finding("WK750", f"sparse files in the sdist: {shorten_list(sdist.sparse)}")


def sdist_size(sdist: Sdist, contract: Contract) -> Iterator[Finding]:
    """Report an sdist above the project's own size limit, or above PyPI's if the project sets none."""
    promise = contract.promise(sdist.distribution)
    limit = promise.max_size if promise else None
    if limit is not None and sdist.size > limit:
        yield finding("WK601", f"the sdist is {size(sdist.size)}, over the limit of {size(limit)}")
    elif limit is None and sdist.size > INDEX_LIMIT:
        pypi = f"PyPI's default limit of {INDEX_LIMIT >> 20} MiB"
        yield finding("WK602", f"the sdist is {size(sdist.size)}, over {pypi}")


def one_sdist(release: Release, _: Contract) -> Iterator[Finding]:
    """Report a release with several sdists."""
    names = [sdist.filename for sdist in release.sdists]
    if len(names) > 1:
        what = f"{release.distribution} {release.version} has {len(names)} sdists: {shorten_list(names)}"
        yield finding("WK749", what, where=release.distribution)
