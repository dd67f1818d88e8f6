"""What an index shows of one project: every file with its sha256, as JSON (PEP 691), or as HTML (PEP 503) where there is no JSON."""

from __future__ import annotations

import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from msgspec import Struct
from msgspec.structs import replace

from wheelkit.config import normalise
from wheelkit.errors import IndexUnavailableError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wheelkit.publish.client import Client, Response
    from wheelkit.publish.index import Index
    from wheelkit.publish.model import DistributionFiles


_JSON = "application/vnd.pypi.simple.v1+json"
_ACCEPT = f"{_JSON}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
_HTML_TYPES = frozenset({"text/html", "application/vnd.pypi.simple.v1+html"})
_SHA256 = re.compile(r"[0-9a-f]{64}")
_ENDINGS = (".whl", ".tar.gz", ".zip", ".egg")
_OK, _NOT_FOUND = 200, 404
_LOCKED = frozenset({401, 403})


class IndexFile(Struct, frozen=True, kw_only=True):
    """One file on the index. ``sha256`` is empty and ``uploaded`` None where the index does not tell; ``yanked`` is PEP 592's mark.

    ``size`` is 0 where it is not told; ``requires_python`` is what installers go by before they download.
    """

    filename: str
    url: str
    sha256: str
    yanked: bool = False
    uploaded: datetime | None = None
    provenance: str = ""
    size: int = 0
    requires_python: str = ""


class Listing(Struct, frozen=True, kw_only=True):
    """All files of one project, none where the index does not know it; ``now`` is the time by the index's clock.

    ``json`` is false where only HTML was to be had: upload times are then unknown.
    """

    project: str
    files: tuple[IndexFile, ...] = ()
    now: datetime | None = None
    json: bool = True

    def file(self, name: str) -> IndexFile | None:
        """Find a file by its exact name."""
        return next((one for one in self.files if one.filename == name), None)


def fetch_listing(client: Client, index: Index, project: str) -> Listing:
    """Ask an index for a project's files; raises IndexUnavailableError for anything that is no index's answer."""
    answer = client.get(index.page(project), accept=_ACCEPT)
    if answer.status == _NOT_FOUND:
        return Listing(project=project, now=answer.date)
    if answer.status in _LOCKED:
        raise IndexUnavailableError(
            f"{index} does not let us see its files ({answer.status} at {index.page(project)})",
            hint="wheelkit looks at an index without credentials\nopen it for reading, or publish from inside its network",
        )
    if answer.status != _OK:
        raise _stranger(index, answer, f"it answers {answer.status}")
    if answer.content_type in {_JSON, "application/json"}:
        return _from_json(index, answer, project)
    if answer.content_type in _HTML_TYPES:
        return _from_html(index, answer, project)
    raise _stranger(index, answer, f"it answers with {answer.content_type}")


def _stranger(index: Index, answer: Response, what: str) -> IndexUnavailableError:
    return IndexUnavailableError(
        f"{answer.url} is no list of an index's files: {what}",
        hint=f"check the simple address of {index}, and whether a proxy or a login page answers in its place",
    )


def _from_json(index: Index, answer: Response, project: str) -> Listing:
    try:
        document = answer.json()
        version = str(document["meta"]["api-version"])
        name, entries = document["name"], document["files"]
        files = tuple(_json_file(entry, answer.url) for entry in entries)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _stranger(
            index, answer, f"its JSON is not that of the simple API ({type(error).__name__}: {error})"
        ) from error
    if version.partition(".")[0] != "1":
        raise _stranger(index, answer, f"it speaks version {version} of the simple API, and wheelkit knows 1")
    if normalise(str(name)) != project:
        raise _stranger(index, answer, f"it is about {name}, and {project} was asked for")
    return Listing(project=project, files=files, now=answer.date)


def _json_file(entry: dict[str, Any], base: str) -> IndexFile:
    digest = str(entry["hashes"].get("sha256", "")).lower()
    stamp = entry.get("upload-time")
    return IndexFile(
        filename=str(entry["filename"]),
        url=urljoin(base, str(entry["url"])),
        sha256=digest if _SHA256.fullmatch(digest) else "",
        yanked=bool(entry.get("yanked", False)) or isinstance(entry.get("yanked"), str),
        uploaded=_time(stamp) if isinstance(stamp, str) else None,
        provenance=urljoin(base, str(entry.get("provenance") or "")) if entry.get("provenance") else "",
        size=int(entry.get("size") or 0),
        requires_python=str(entry.get("requires-python") or ""),
    )


def _time(stamp: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(stamp)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


class _Anchors(HTMLParser):
    """Collects the links of a page, and whether it calls itself an index's."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[dict[str, str | None]] = []
        self.declared = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "a" and values.get("href"):
            self.links.append(values)
        elif tag == "meta" and values.get("name") == "pypi:repository-version":
            self.declared = True


def _from_html(index: Index, answer: Response, project: str) -> Listing:
    page = _Anchors()
    page.feed(answer.body.decode("utf-8", errors="replace"))
    files = tuple(one for link in page.links if (one := _html_file(link, answer.url)) is not None)
    # A proxy's page and an empty project's look alike, but for what only an index says of itself.
    if not files and not page.declared:
        raise _stranger(index, answer, "it is a web page without a single file")
    return Listing(project=project, files=files, now=answer.date, json=False)


def _html_file(link: dict[str, str | None], base: str) -> IndexFile | None:
    address, fragment = urldefrag(urljoin(base, link["href"] or ""))
    filename = unquote(urlsplit(address).path.rpartition("/")[2])
    if not filename.endswith(_ENDINGS):
        return None
    algorithm, _, digest = fragment.partition("=")
    known = algorithm == "sha256" and _SHA256.fullmatch(digest.lower())
    return IndexFile(
        filename=filename,
        url=address,
        sha256=digest.lower() if known else "",
        yanked="data-yanked" in link,
        requires_python=link.get("data-requires-python") or "",
    )


_AT_ONCE = 8
_HTTP_OK = 200


def fetch_existing(client: Client, index: Index, batches: Iterable[DistributionFiles]) -> dict[str, Listing]:
    """Ask for the files of every distribution, several at a time; maps normalised names.

    Where the index tells no sha256 of a file that we have too, the file is fetched and hashed. Raises IndexUnavailableError.
    """
    wanted = tuple(batches)
    if len(wanted) == 1:
        return {wanted[0].distribution: _listing(client, index, wanted[0])}
    with ThreadPoolExecutor(max_workers=min(_AT_ONCE, max(len(wanted), 1))) as pool:
        found = pool.map(lambda batch: _listing(client, index, batch), wanted)
        return {batch.distribution: listing for batch, listing in zip(wanted, found, strict=True)}


def _listing(client: Client, index: Index, batch: DistributionFiles) -> Listing:
    listing = fetch_listing(client, index, batch.distribution)
    ours = {one.name for one in batch.files}
    if all(one.sha256 or one.filename not in ours for one in listing.files):
        return listing
    files = (
        replace(one, sha256=_hashed(client, one)) if one.filename in ours and not one.sha256 else one
        for one in listing.files
    )
    return replace(listing, files=tuple(files))


def _hashed(client: Client, file: IndexFile) -> str:
    answer = client.get(file.url)
    if answer.status != _HTTP_OK:
        raise IndexUnavailableError(
            f"the index lists {file.filename} without its sha256, and answers {answer.status} when asked for the file",
            hint="nobody can tell whether it is the same file; ask whoever runs the index",
        )
    return hashlib.sha256(answer.body).hexdigest()
