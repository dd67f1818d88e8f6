"""Read the files in .dist-info: METADATA and WHEEL, RECORD, and entry_points.txt."""

from __future__ import annotations

import csv
import io
from sys import intern
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.fast_packaging import plain_headers
from wheelkit.wheel.model import Headers, RecordRow

if TYPE_CHECKING:
    from collections.abc import Iterator


# sha256 or stronger (binary distribution format, "Recording installed projects").
RECORD_HASHES = frozenset(
    {"sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512", "blake2b", "blake2s"}
)
_ROW = 3
# The digits of a 64 bit size; int() refuses thousands of them.
_LONGEST_SIZE = 19


def parse_headers(text: bytes) -> Headers:
    """Read the fields of METADATA, WHEEL or PKG-INFO as pip does: by the standard library's email parser.

    Surrounding white space of the values is left out. What is not UTF-8 is replaced; the check of METADATA
    names it.
    """
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
        message = f"it is not UTF-8: {error.reason} at byte {error.start}"
        raise ValueError(message) from error
    reader = csv.reader(io.StringIO(decoded, newline=""))
    try:
        return tuple(_record_row(row, reader.line_num) for row in reader if row)
    except csv.Error as error:
        message = f"line {reader.line_num}: {error}"
        raise ValueError(message) from error


def _record_row(row: list[str], line: int) -> RecordRow:
    if len(row) != _ROW or (row[2] and not _is_size(row[2])):
        message = f"line {line} is not path,hash,size"
        raise ValueError(message)
    path, digest, size = row
    return RecordRow(path=path, digest=digest.rstrip("="), size=int(size) if size else None)


def _is_size(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _LONGEST_SIZE


class EntryPoint(Struct, frozen=True, kw_only=True):
    """One line of entry_points.txt: ``group``, ``name`` and the object reference that it stands for.

    ``problem`` says why the line is not an entry point, and is empty where it is one; ``line`` counts from 1
    (0: the whole file).
    """

    line: int
    group: str = ""
    name: str = ""
    reference: str = ""
    problem: str = ""


def parse_entry_points(text: bytes) -> tuple[EntryPoint, ...]:
    """Read entry_points.txt line by line, as importlib.metadata (and with it pip) does.

    ``;`` begins a comment too, as for uv.

    Names are case-sensitive; everything behind the first ``=`` is the reference (entry points specification,
    "File format").
    """
    try:
        return tuple(_entry_points(text.decode("utf-8")))
    except UnicodeDecodeError as error:
        return (EntryPoint(line=0, problem=f"byte {error.start}: not UTF-8"),)


def _entry_points(text: str) -> Iterator[EntryPoint]:
    group = ""
    for number, line in enumerate(map(str.strip, text.splitlines()), 1):
        if not line or line[0] in "#;":
            continue
        if line[0] == "[" and line[-1] == "]":
            group = line.strip("[]")
            continue
        name, equals, reference = (part.strip() for part in line.partition("="))
        problem = ""
        if not equals:
            problem = f'"{line}" is not name = module:function'
        elif not group:
            problem = f"{name} is not in a [group]"
        elif not name:
            problem = f'"{reference}" has no name'
        yield EntryPoint(line=number, group=group, name=name, reference=reference, problem=problem)
