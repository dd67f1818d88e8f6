"""The simple API of an index: a project's files with their sha256, as JSON (PEP 691) or HTML (PEP 503)."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from datetime import datetime
from html.parser import HTMLParser
from typing import TYPE_CHECKING
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

from msgspec import Struct, field
from msgspec.structs import replace

from wheelkit import limits
from wheelkit.config import normalise
from wheelkit.errors import IndexUnavailableError
from wheelkit.inputs import json_struct
from wheelkit.machine.concurrency import worker_pool
from wheelkit.machine.scratch import temporary_folder
from wheelkit.text import shorten_list, size

if TYPE_CHECKING:
    from collections.abc import Container, Iterable
    from pathlib import Path

    from wheelkit.publish.client import Client, Response
    from wheelkit.publish.index import Index
    from wheelkit.publish.model import DistributionFiles


_JSON = "application/vnd.pypi.simple.v1+json"
_ACCEPT = f"{_JSON}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
_PROVENANCE = "application/vnd.pypi.integrity.v1+json, application/json;q=0.5"
_HTML_TYPES = frozenset({"text/html", "application/vnd.pypi.simple.v1+html"})
_SHA256 = re.compile(r"[0-9a-f]{64}")
_SUFFIXES = (".whl", ".tar.gz", ".zip", ".egg")
_OK, _NOT_FOUND = 200, 404
_NOT_READABLE = frozenset({401, 403})
_PARALLEL = 8
_LONGEST_NAME = 255


class IndexFile(Struct, frozen=True, kw_only=True):
    """A file on an index. What the index does not state is empty, 0 or None; ``yanked`` is from PEP 592.

    ``metadata`` is the sha256 of METADATA that the index serves beside a wheel (PEP 658), empty if it is not
    stated, and None where there is no METADATA.
    """

    filename: str
    url: str
    sha256: str
    yanked: bool = False
    uploaded: datetime | None = None
    provenance: str = ""
    size: int = 0
    requires_python: str = ""
    metadata: str | None = None


class Listing(Struct, frozen=True, kw_only=True):
    """The files of a project on an index, none for an unknown project; ``now`` is by the index's clock.

    ``is_json`` is false for HTML, which does not state upload times; ``known`` tells a project without files
    from an unknown one.
    """

    project: str
    known: bool = True
    files: tuple[IndexFile, ...] = ()
    now: datetime | None = None
    is_json: bool = True

    def file(self, name: str) -> IndexFile | None:
        """Return the file of this exact name."""
        return next((file for file in self.files if file.filename == name), None)


def fetch_listings(
    client: Client, index: Index, distributions: Iterable[DistributionFiles]
) -> dict[str, Listing]:
    """Fetch the listings of distributions by their keys, with the sha256 of each of their files."""

    def fetch(distribution: DistributionFiles) -> Listing:
        names = {file.name for file in distribution.files}
        return fetch_listing(client, index, distribution.key, names)

    with worker_pool(_PARALLEL) as pool:
        return {listing.project: listing for listing in pool.map(fetch, distributions)}


def fetch_listing(client: Client, index: Index, project: str, hashed: Container[str] = ()) -> Listing:
    """Fetch the list of a project's files, with the sha256 at least of those named by ``hashed``.

    A file whose sha256 the index does not state is downloaded for it. Raises IndexUnavailableError for every
    response that is not a whole project page, or that lists two files of one name.
    """
    response = client.get(index.page(project), accept=_ACCEPT)
    if response.status == _NOT_FOUND:
        return Listing(project=project, known=False, now=response.date)
    if response.status in _NOT_READABLE:
        raise IndexUnavailableError(
            f"{index} does not let wheelkit read its files ({response.status} at {index.page(project)})",
            hint="wheelkit reads indexes without credentials\n"
            "make the index readable, or publish from inside its network",
        )
    if response.status != _OK:
        raise _not_a_page(index, response, f"the status is {response.status}")
    if response.content_type in {_JSON, "application/json"}:
        listing = _from_json(index, response, project)
    elif response.content_type in _HTML_TYPES:
        listing = _from_html(index, response, project)
    else:
        raise _not_a_page(index, response, f"the content type is {response.content_type}")
    _refuse_duplicates(index, listing)
    files = (
        file
        if file.sha256 or file.filename not in hashed
        else replace(file, sha256=_hash(client, index, file))
        for file in listing.files
    )
    return replace(listing, files=tuple(files))


def _refuse_duplicates(index: Index, listing: Listing) -> None:
    """Raise IndexUnavailableError for two files of one name: which of them users get is up to chance."""
    counts = Counter(file.filename for file in listing.files)
    duplicates = [name for name, count in counts.items() if count > 1]
    if duplicates:
        raise IndexUnavailableError(
            f"{index} lists {shorten_list(duplicates)} more than once",
            hint="installers take either of them; ask the index's administrators to remove one",
        )


def _hash(client: Client, index: Index, file: IndexFile) -> str:
    with temporary_folder("wheelkit-") as folder:
        try:
            return client.download(file.url, folder / "file")
        except IndexUnavailableError as error:
            raise IndexUnavailableError(
                f"{index} lists {file.filename} without its sha256, and the file cannot be read:"
                f" {error.message}",
                hint="without either, the files cannot be compared; ask the index's administrators",
            ) from error


def fetch_metadata(client: Client, file: IndexFile) -> bytes | None:
    """Fetch a wheel's METADATA without the wheel (PEP 658); None where the index does not serve it.

    Raises IndexUnavailableError where it is not what the index lists.
    """
    if file.metadata is None:
        return None
    response = client.get(f"{file.url}.metadata")
    if response.status != _OK:
        return None
    if file.metadata and hashlib.sha256(response.body).hexdigest() != file.metadata:
        raise _changed(f"METADATA of {file.filename} arrived with another sha256 than the index lists")
    return response.body


def fetch_provenance(client: Client, file: IndexFile) -> bytes | None:
    """Fetch a file's provenance (PEP 740): None where none is listed, empty where the index lacks it."""
    if not file.provenance:
        return None
    response = client.get(file.provenance, accept=_PROVENANCE)
    return response.body if response.status == _OK else b""


def download_file(client: Client, file: IndexFile, path: Path) -> str:
    """Download a file and return its sha256; raise IndexUnavailableError where it is not what is listed."""
    digest = client.download(file.url, path)
    if file.sha256 and digest != file.sha256:
        raise _changed(
            f"{file.filename} arrived with sha256 {digest[:12]}…, but the index lists {file.sha256[:12]}…"
        )
    size = path.stat().st_size
    if file.size and size != file.size:
        raise _changed(f"{file.filename} arrived with {size} bytes, but the index lists {file.size}")
    return digest


def _changed(message: str) -> IndexUnavailableError:
    return IndexUnavailableError(
        message, hint="run it again; if it fails again, do not install from this index"
    )


def _not_a_page(index: Index, response: Response, reason: str) -> IndexUnavailableError:
    return IndexUnavailableError(
        f"{response.url} is not a project page of the simple API: {reason}",
        hint=f"check the simple address of {index}, and whether a proxy or a login page answers in its place",
    )


def _from_json(index: Index, response: Response, project: str) -> Listing:
    try:
        document = _decode(response.body)
        version, name = str(document.meta.version), document.name
        files = tuple(_json_file(entry, response.url) for entry in document.files)
    except ValueError as error:
        raise _not_a_page(index, response, f"its JSON has another form ({error})") from error
    if version.partition(".")[0] != "1":
        raise _not_a_page(index, response, f"it has version {version} of the API; wheelkit supports 1")
    if normalise(name) != project:
        raise _not_a_page(index, response, f"it is about {name} instead of {project}")
    return Listing(project=project, files=files, now=response.date)


class _Hashes(Struct, frozen=True):
    """The digests of a file; those by other algorithms are passed over."""

    sha256: str | None = None


class _Entry(Struct, frozen=True, rename="kebab"):
    """A file in JSON (PEP 691, 700, 740). What is not read takes no memory."""

    filename: str
    url: str
    hashes: _Hashes
    yanked: bool | str = False
    size: int | None = None
    upload_time: str | None = None
    provenance: str | None = None
    requires_python: str | None = None
    core_metadata: _Hashes | bool | None = None
    dist_info_metadata: _Hashes | bool | None = None


class _Meta(Struct, frozen=True):
    version: str = field(name="api-version")


class _Document(Struct, frozen=True):
    """A project page in JSON."""

    meta: _Meta
    name: str
    files: list[_Entry]


def _decode(body: bytes) -> _Document:
    """Parse a page; raises ValueError for everything else, and for more files than any project has."""
    # Each file has an object of its own, and one for its hashes.
    if body.count(b"{") > limits.PAGE_FILES * 5:
        raise ValueError(f"it lists more than {limits.PAGE_FILES} files")
    document = json_struct(body, _Document)
    if len(document.files) > limits.PAGE_FILES:
        raise ValueError(f"it lists more than {limits.PAGE_FILES} files")
    return document


def _json_file(entry: _Entry, base: str) -> IndexFile:
    digest = (entry.hashes.sha256 or "").lower()
    return IndexFile(
        filename=_file_name(entry.filename),
        url=urljoin(base, entry.url),
        sha256=digest if _SHA256.fullmatch(digest) else "",
        # An empty reason counts as well.
        yanked=bool(entry.yanked) or isinstance(entry.yanked, str),
        uploaded=_parse_time(entry.upload_time),
        provenance=urljoin(base, entry.provenance) if entry.provenance else "",
        size=max(entry.size or 0, 0),
        requires_python=entry.requires_python or "",
        metadata=_json_metadata(entry.core_metadata or entry.dist_info_metadata),
    )


def _json_metadata(value: _Hashes | bool | None) -> str | None:  # noqa: FBT001 - as in JSON
    """Return what ``IndexFile.metadata`` is for a value of PEP 714."""
    if not value:
        return None
    digest = (value.sha256 or "").lower() if isinstance(value, _Hashes) else ""
    return digest if _SHA256.fullmatch(digest) else ""


def _file_name(name: str) -> str:
    """Return the name of a file; raise ValueError for one that no file system can hold."""
    if len(name.encode()) > _LONGEST_NAME or "/" in name or not name.isprintable():
        raise ValueError(f'"{name[:_LONGEST_NAME]}" is not the name of a file')
    return name


def _parse_time(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else None


# What a page that ends too early leaves open; other elements may do so on purpose.
_CLOSED = frozenset({"html", "body", "a"})


class _PageParser(HTMLParser):
    """Collects the links of a page, what it leaves open, and whether it declares itself as an index's."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[dict[str, str | None]] = []
        self.declared = False
        self._open: set[str] = set()

    @property
    def truncated(self) -> bool:
        """Whether the page ends within a tag, a link or its body."""
        return bool(self._open) or self.rawdata.startswith("<")

    def handle_endtag(self, tag: str) -> None:
        self._open.discard(tag)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        self._open |= _CLOSED & {tag}
        if tag == "a" and values.get("href"):
            self.links.append(values)
        elif tag == "meta" and values.get("name") == "pypi:repository-version":
            self.declared = True


def _from_html(index: Index, response: Response, project: str) -> Listing:
    page = _PageParser()
    try:
        _require_bounded(response.body)
        page.feed(response.body.decode("utf-8", errors="replace"))
        files = tuple(file for link in page.links if (file := _html_file(link, response.url)) is not None)
    except (ValueError, AssertionError) as error:  # HTMLParser asserts for "<![foo"
        raise _not_a_page(index, response, f"its HTML cannot be read ({error})") from error
    if page.truncated:
        raise _not_a_page(index, response, "it is truncated")
    # Without the declaration, a proxy's page looks like that of a project without files.
    if not files and not page.declared:
        raise _not_a_page(index, response, "it is a web page that lists no files")
    return Listing(project=project, files=files, now=response.date, is_json=False)


def _require_bounded(body: bytes) -> None:
    """Raise ValueError for a page that HTMLParser reads for minutes: it looks at a tag again and again."""
    if body.count(b"<") > limits.PAGE_TAGS:
        raise ValueError(f"it has more than {limits.PAGE_TAGS} tags")
    if body.count(b"'") + body.count(b'"') > limits.PAGE_QUOTES:
        raise ValueError(f"it has more than {limits.PAGE_QUOTES} quotes")
    if max(map(len, body.split(b">"))) > limits.TAG:
        raise ValueError(f"a tag has more than {size(limits.TAG)}")


def _html_file(link: dict[str, str | None], base: str) -> IndexFile | None:
    url, fragment = urldefrag(urljoin(base, link["href"] or ""))
    filename = unquote(urlsplit(url).path.rpartition("/")[2])
    if not filename.endswith(_SUFFIXES):
        return None
    algorithm, _, digest = fragment.lower().partition("=")
    return IndexFile(
        filename=_file_name(filename),
        url=url,
        sha256=digest if algorithm == "sha256" and _SHA256.fullmatch(digest) else "",
        yanked="data-yanked" in link,
        requires_python=link.get("data-requires-python") or "",
        metadata=_html_metadata(link),
    )


def _html_metadata(link: dict[str, str | None]) -> str | None:
    names = [name for name in ("data-core-metadata", "data-dist-info-metadata") if name in link]
    if not names:
        return None
    algorithm, _, digest = (link[names[0]] or "").lower().partition("=")
    return digest if algorithm == "sha256" and _SHA256.fullmatch(digest) else ""
