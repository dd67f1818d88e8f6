"""What was installed against the files of the dist: every member of the family is there, from its file, byte for byte."""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from wheelkit.config import normalise
from wheelkit.smoke.model import Failure
from wheelkit.wheel.names import parse_headers

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wheelkit.smoke.model import Package


_CHECK = "the installed files"


def compare(env: Path, packages: Mapping[str, Package], family: frozenset[str]) -> Iterator[Failure]:
    """Compare each installed distribution of the family with its file; name those that came from anywhere else."""
    for site in sites(env):
        for info in sorted(site.glob("*.dist-info")):
            headers = (
                parse_headers((info / "METADATA").read_bytes()) if (info / "METADATA").is_file() else None
            )
            key = normalise(headers.get("Name")) if headers else ""
            if headers is not None and key in family:
                yield from _installed(info, key, headers.get("Version"), packages)


def installed(env: Path) -> frozenset[str]:
    """Name every distribution that an environment holds."""
    names = (info.name.partition("-")[0] for site in sites(env) for info in site.glob("*.dist-info"))
    return frozenset(map(normalise, names))


def sites(env: Path) -> tuple[Path, ...]:
    """Find an environment's site-packages: two on some 64 bit systems; a tool has its own folder around."""
    return tuple(
        dict.fromkeys(
            path.resolve()
            for pattern in ("lib*/python*/", "Lib/", "*/lib*/python*/", "*/Lib/")
            for path in env.glob(f"{pattern}site-packages")
        )
    )


def _installed(info: Path, key: str, version: str, packages: Mapping[str, Package]) -> Iterator[Failure]:
    package = packages.get(key)
    source = _source(info)
    if package is None or source != package.path or version != package.version:
        where = str(source) if source else "an index"
        yield Failure(
            check=_CHECK,
            what=f"{key} {version} was installed from {where}, not from the file in the dist",
            fix="this must never happen; keep the log and report it",
        )
        return
    changed = [row for path, row in _rows(package) if _digest(info.parent / path) != row]
    missing = [path for path, _ in _rows(package) if not (info.parent / path).is_file()]
    if missing or changed:
        names = ", ".join(missing[:3]) or "contents"
        yield Failure(
            check=_CHECK,
            what=f"{key} was installed with {len(missing) or len(changed)} files that are missing or other than RECORD says: {names}",
            fix=f"wheelkit verify-matrix {package.path}",
        )


def _rows(package: Package) -> Iterator[tuple[str, str]]:
    """Walk the members that are installed as they are: not scripts, whose first line changes, nor RECORD itself."""
    for row in package.record:
        parts = PurePosixPath(row.path).parts
        if row.digest.startswith("sha256=") and parts and not parts[0].endswith(".data"):
            yield row.path, row.digest


def _digest(path: Path) -> str:
    if not path.is_file():
        return ""
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").digest()
    return "sha256=" + base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _source(info: Path) -> Path | None:
    """Read from which file a distribution was installed (PEP 610); None where it came from an index."""
    try:
        url = json.loads((info / "direct_url.json").read_text(encoding="utf-8"))["url"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    parts = urlsplit(url)
    place = unquote(parts.path)
    # file:///C:/x is C:/x on Windows; urllib.request knows that too, and loads TLS and HTTP for it.
    return Path(place.lstrip("/") if sys.platform == "win32" else place) if parts.scheme == "file" else None
