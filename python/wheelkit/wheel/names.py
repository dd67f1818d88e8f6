"""The file names of wheels (binary distribution format, "File name convention")."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from wheelkit.fast_packaging import release
from wheelkit.wheel.model import FileName

if TYPE_CHECKING:
    from packaging.version import Version

_FORM = re.compile(
    r"(?P<distribution>[^-]*)-(?P<version>[^-]*)(?:-(?P<build>[^-]*))?"
    r"-(?P<pythons>[^-]*)-(?P<abis>[^-]*)-(?P<platforms>[^-]*)"
)
# pip refuses two underscores in a row (packaging, utils.py), uv a name that does not begin and end with a
# letter or digit.
_DISTRIBUTION = re.compile(r"(?!.*__)[^\W_](?:[\w.]*[^\W_])?", re.ASCII)
_BUILD = r"(?a)(?P<number>\d+)\w*"
# uv keeps the number of a build tag in 64 bits.
_LARGEST_BUILD = 2**64 - 1
_TAG_SET = re.compile(r"\w+(?:\.\w+)*", re.ASCII)


def parse_file_name(filename: str) -> FileName:
    """Take a wheel's file name apart, its spelling kept; raise ValueError with the reason if invalid."""
    match = _FORM.fullmatch(filename.removesuffix(".whl"))
    if not filename.endswith(".whl") or match is None:
        raise ValueError("expected name-version[-build]-python-abi-platform.whl")
    _require(_DISTRIBUTION.fullmatch(match["distribution"]), "distribution name", match["distribution"])
    version = match["version"]
    _require(release(version) or _is_version(version), "version", version)
    if match["build"] is not None:
        _check_build(match["build"])
    tags = {kind: _tags(match[kind]) for kind in ("pythons", "abis", "platforms")}
    return FileName(
        distribution=match["distribution"], version=match["version"], build=match["build"] or "", **tags
    )


@lru_cache(maxsize=256)
def _tags(text: str) -> tuple[str, ...]:
    """Take a compressed tag set apart; a thousand wheels have a few between them, so each is kept once."""
    _require(_TAG_SET.fullmatch(text), "tag", text)
    return tuple(text.split("."))


def _require(valid: object, kind: str, text: str) -> None:
    if not valid:
        raise ValueError(f'"{text}" is not a valid {kind}')


def _is_version(text: str) -> bool:
    """Return whether installers accept a version in a file name: one of PEP 440, without blanks around it.

    Before 25.3, pip also read "1.0_1" as "1.0-1".
    """
    from packaging.version import InvalidVersion, Version

    try:
        Version(text)
    except InvalidVersion:
        return False
    return text == text.strip()


def _check_build(text: str) -> None:
    match = re.fullmatch(_BUILD, text)
    if match is None:
        raise ValueError(f'the build tag "{text}" does not begin with a digit')
    if int(match["number"]) > _LARGEST_BUILD:
        raise ValueError(f'the number of the build tag "{text}" is too large for uv')


def parse_version(text: str) -> Version | None:
    """Return a version as file names spell it, with underscores for dashes; None if it is invalid."""
    from packaging.version import Version

    try:
        return Version(text.replace("_", "-"))
    except ValueError:  # InvalidVersion is one, and so is the error for a number of thousands of digits
        return None
