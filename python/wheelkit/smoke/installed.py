"""Checks that every installed member of the family comes from its wheel in the dist, byte for byte."""

from __future__ import annotations

import base64
import hashlib
import sys
from importlib.metadata import Distribution
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from wheelkit.config import normalise
from wheelkit.inputs import json_value, open_file
from wheelkit.smoke.model import Failure
from wheelkit.text import shorten_list

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wheelkit.smoke.model import Package


_CHECK = "the installed files"


def compare_installed(
    venv: Path, packages: Mapping[str, Package], family: frozenset[str]
) -> Iterator[Failure]:
    """Report installed members of the family that differ from their wheel or do not come from it."""
    for key, distribution in installed_distributions(venv).items():
        if key in family and (failure := _compare(key, distribution, packages.get(key))):
            yield failure


def installed_distributions(venv: Path) -> dict[str, Distribution]:
    """Return the distributions that an environment contains, by normalized name."""
    folders = sorted(info for site in site_packages(venv) for info in site.glob("*.dist-info"))
    return {
        normalise(info.name.partition("-")[0]): Distribution.at(info)
        for info in folders
        if (info / "METADATA").is_file()
    }


def site_packages(venv: Path) -> tuple[Path, ...]:
    """Return an environment's site-packages folders, of which some 64-bit systems have two."""
    # Those of tools are one level deeper.
    patterns = ("lib*/python*/", "Lib/", "*/lib*/python*/", "*/Lib/")
    folders = (path.resolve() for pattern in patterns for path in venv.glob(f"{pattern}site-packages"))
    return tuple(dict.fromkeys(folders))


def _compare(key: str, distribution: Distribution, package: Package | None) -> Failure | None:
    source, version = _source(distribution), distribution.version
    if package is None or source != package.path or version != package.version:
        return Failure(
            check=_CHECK,
            what=f"{key} {version} was installed from {source or 'an index'}, not from its wheel in the dist",
            fix="this is a bug in wheelkit; please report it, with the log",
        )
    different = [
        path
        for path, digest in _unchanged_rows(package)
        if _digest(Path(str(distribution.locate_file(path)))) != digest
    ]
    if not different:
        return None
    what = f"files of {key} are missing or differ from RECORD: {shorten_list(different)}"
    return Failure(check=_CHECK, what=what, fix="wheelkit verify-matrix @WHEEL@")


def _unchanged_rows(package: Package) -> Iterator[tuple[str, str]]:
    """Return path and digest of the members that installers copy unchanged: not scripts and RECORD."""
    for row in package.record:
        parts = PurePosixPath(row.path).parts
        if row.digest.startswith("sha256=") and parts and not parts[0].endswith(".data"):
            yield row.path, row.digest


def _digest(path: Path) -> str:
    """Return a file's sha256 as RECORD writes it; empty if the file is missing."""
    if not path.is_file():
        return ""
    with open_file(path) as stream:
        digest = hashlib.file_digest(stream, "sha256").digest()
    return "sha256=" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _source(distribution: Distribution) -> Path | None:
    """Return the file that a distribution was installed from (PEP 610), None if it came from an index."""
    try:
        text = distribution.read_text("direct_url.json") or ""
        url = urlsplit(json_value(text.encode())["url"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    path = unquote(url.path)
    # On Windows, file:///C:/x is the path C:/x.
    return Path(path.lstrip("/") if sys.platform == "win32" else path) if url.scheme == "file" else None
