"""Lines of METADATA and PKG-INFO that readers take for something else than the writer meant."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheelkit.fast_packaging import plain_headers
from wheelkit.verification.findings import finding
from wheelkit.wheel import Wheel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Sdist


_BOM = b"\xef\xbb\xbf"
_REQUIRED = frozenset({"name", "version"})
_LINE_END = r"\r\n|\r|\n"
# What the email parser, and with it pip, takes for a field or for the continuation of one (RFC 5322).
_FIELD = re.compile(r"From |[!-9;-~]*:|[ \t]")
_NAMED = r"([A-Z][A-Za-z-]+)[ \t]*:"
# A carriage return that does not end a line as \r\n does.
_LONE_RETURN = r"\r(?!\n)"


def unreadable(text: bytes) -> str:
    """Return why installers find no name and version in a METADATA or PKG-INFO; completes "METADATA ..."."""
    if text.startswith(_BOM):
        return "begins with a byte order mark, which hides its first field: pip and uv refuse it"
    if text.startswith((b"\n", b"\r")):
        return "begins with an empty line, so that all of it is description: pip and uv find no Name"
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        return f"is not UTF-8 in line {line}, and pip refuses it"
    lost, names = _lost_fields(decoded) if plain_headers(decoded) is None else ("", ())
    missing = [name for name in names if name.lower() in _REQUIRED]
    return f"{lost}: pip and uv find no {' and no '.join(missing)}" if missing else ""


def lines(file: Wheel | Sdist, _: Contract) -> Iterator[Finding]:
    """Report carriage returns within lines, NUL bytes, and lines behind which fields are not read."""
    if isinstance(file, Wheel) and file.shallow:
        return
    text = file.metadata_text.decode("utf-8", errors="replace")
    if not text or plain_headers(text) is not None or unreadable(file.metadata_text):
        return
    source = "METADATA" if isinstance(file, Wheel) else "PKG-INFO"
    line, names = _lost_fields(text)
    lost = f"{line}: {', '.join(names)}" if names else ""
    problem = _returns(text) or lost or _nul(text)
    if problem:
        yield finding("WK722", f"{source} {problem}")


def _lost_fields(text: str) -> tuple[str, tuple[str, ...]]:
    """Return what is wrong with the line at which reading stops, and the fields that follow it."""
    read = re.split(_LINE_END, text)
    head = read[: read.index("") if "" in read else len(read)]
    number = next((number for number, line in enumerate(head, 1) if not _FIELD.match(line)), 0)
    if not number:
        return "", ()
    names = tuple(match[1] for lost in head[number - 1 :] if (match := re.match(_NAMED, lost)))
    return (
        f'has "{head[number - 1][:60]}" in line {number}, which is no field, and what follows is not read',
        names,
    )


def _returns(text: str) -> str:
    headers = re.split(r"\r?\n\r?\n", text, maxsplit=1)[0]
    match = re.search(_LONE_RETURN, headers)
    # A file that has no other line ends was written that way on purpose.
    if match is None or "\n" not in headers:
        return ""
    line = headers.count("\n", 0, match.start()) + 1
    return f"has a carriage return in line {line}, and readers take what follows for a line of its own"


def _nul(text: str) -> str:
    place = text.find("\0")
    return f"has a NUL byte in line {text.count(chr(10), 0, place) + 1}" if place >= 0 else ""
