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
_DISTRIBUTION = re.compile(r"\w(?:[\w.]*\w)?", re.ASCII)
_BUILD = re.compile(r"\d\w*", re.ASCII)
_TAG_SET = re.compile(r"\w+(?:\.\w+)*", re.ASCII)


def parse_file_name(filename: str) -> FileName:
    """Take a wheel's file name apart, its spelling kept; raise ValueError with the reason if invalid."""
    match = _FORM.fullmatch(filename.removesuffix(".whl"))
    if not filename.endswith(".whl") or match is None:
        raise ValueError("expected name-version[-build]-python-abi-platform.whl")
    _require(_DISTRIBUTION.fullmatch(match["distribution"]), "distribution name", match["distribution"])
    version = match["version"]
    _require(release(version) or parse_version(version) is not None, "version", version)
    if match["build"] is not None and not _BUILD.fullmatch(match["build"]):
        raise ValueError(f'the build tag "{match["build"]}" does not begin with a digit')
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


def parse_version(text: str) -> Version | None:
    """Return a version as file names spell it, with underscores for dashes; None if it is invalid."""
    from packaging.version import InvalidVersion, Version

    try:
        return Version(text.replace("_", "-"))
    except InvalidVersion:
        return None
