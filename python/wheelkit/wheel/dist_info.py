"""Read the files in .dist-info: METADATA and WHEEL, and RECORD."""

from __future__ import annotations

import csv
import io
import re
from sys import intern

from wheelkit import limits
from wheelkit.fast_packaging import plain_headers
from wheelkit.wheel.model import Headers, RecordRow

# sha256 or stronger (binary distribution format, "Recording installed projects").
RECORD_HASHES = {"sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512", "blake2b", "blake2s"}
_ROW = 3
_FIELD = re.compile(rb"^[!-9;-~]+(?=:)", re.MULTILINE)
_HEADER_END = re.compile(rb"\n\r?\n|\r\r")
# A 64 bit size, or nothing; int() refuses thousands of digits.
_SIZE = re.compile(r"[0-9]{0,19}")


def excessive_headers(text: bytes) -> str:
    """Return what METADATA or PKG-INFO has too much of for any parser; completes "it has ..."."""
    head = _HEADER_END.split(text, maxsplit=1)[0]
    lines = head.count(b"\n") + head.count(b"\r")
    if lines > limits.HEADER_LINES:
        return f"{lines} lines of fields; real ones have up to 1500"
    if len(head) > limits.HEADER:
        return f"{len(head)} bytes of fields; real ones have up to 100 kB"
    fields = len(set(_FIELD.findall(head)))
    if fields > limits.FIELDS:
        return f"{fields} different fields; there are some 40"
    return ""


def parse_headers(text: bytes) -> Headers:
    """Read METADATA, WHEEL or PKG-INFO as pip does; values are stripped, bytes not in UTF-8 replaced."""
    decoded = text.decode("utf-8", errors="replace")
    fields = plain_headers(decoded)
    if fields is None:
        from email.parser import HeaderParser

        fields = {}
        for name, value in HeaderParser().parsestr(decoded).items():
            fields.setdefault(name.lower(), []).append(str(value).strip())
    # Many wheels have the same few names: each is kept once.
    return Headers(fields={intern(name): tuple(values) for name, values in fields.items()})


def parse_record(text: bytes) -> tuple[RecordRow, ...]:
    """Read RECORD; raise ValueError with the first line that is not path, hash and size."""
    try:
        decoded = text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(f"it is not UTF-8: {error.reason} at byte {error.start}") from error
    reader = csv.reader(io.StringIO(decoded, newline=""))
    try:
        return tuple(_record_row(row, reader.line_num) for row in reader)
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: {error}") from error


def _record_row(row: list[str], line: int) -> RecordRow:
    if not row:
        raise ValueError(f"line {line} is empty, and pip refuses it")
    if len(row) != _ROW or not _SIZE.fullmatch(row[2]):
        raise ValueError(f"line {line} is not path,hash,size")
    path, digest, size = row
    return RecordRow(path=path, digest=digest.rstrip("="), size=int(size) if size else None)
