"""The file name of a wheel, and the texts inside ``.dist-info``, read without judging them."""

from __future__ import annotations

import io
import re
from functools import lru_cache
from sys import intern
from typing import TYPE_CHECKING

from wheelkit.fast_packaging import release
from wheelkit.wheel.model import FileName, Headers, RecordRow

if TYPE_CHECKING:
    from collections.abc import Iterator


_PARTS_WITHOUT_BUILD = 5
_PARTS_WITH_BUILD = 6
_NAME = re.compile(r"\w(?:[\w.]*\w)?", re.ASCII)
_BUILD = re.compile(r"\d\w*", re.ASCII)
_ROW = 3


def parse_file_name(filename: str) -> FileName:
    """Take a wheel's file name apart (binary distribution format, "File name convention"); raise ValueError with the reason.

    Unlike ``packaging.utils.parse_wheel_filename`` it keeps the spelling, which the checks judge.
    """
    if not filename.endswith(".whl"):
        raise ValueError("it does not end in .whl")
    parts = filename.removesuffix(".whl").split("-")
    if len(parts) not in {_PARTS_WITHOUT_BUILD, _PARTS_WITH_BUILD}:
        message = (
            f"it has {len(parts)} parts between dashes instead of name-version[-build]-python-abi-platform"
        )
        raise ValueError(message)
    build = parts.pop(2) if len(parts) == _PARTS_WITH_BUILD else ""
    distribution, version, *sets = parts
    if not all(map(_is_word, distribution.split("."))) and not _NAME.fullmatch(distribution):
        message = f'"{distribution}" is no name of a distribution'
        raise ValueError(message)
    if not _is_version(version):
        message = f'"{version}" is no version'
        raise ValueError(message)
    if build and not _BUILD.fullmatch(build):
        message = f'the build tag "{build}" does not begin with a digit'
        raise ValueError(message)
    pythons, abis, platforms = map(_tags, sets)
    return FileName(
        distribution=distribution,
        version=version,
        build=build,
        pythons=pythons,
        abis=abis,
        platforms=platforms,
    )


@lru_cache(maxsize=256)
def _tags(text: str) -> tuple[str, ...]:
    """Take a compressed tag set apart; a thousand wheels have a few between them, so each is kept once."""
    tags = text.split(".")
    if not all(map(_is_word, tags)):
        message = f'"{text}" is no tag'
        raise ValueError(message)
    return tuple(tags)


def _is_word(text: str) -> bool:
    """Tell whether this is one or more of letters, digits and underscores, of ASCII."""
    return text.isascii() and text.replace("_", "a").isalnum()


def _is_version(text: str) -> bool:
    if release(text):
        return True
    from packaging.version import InvalidVersion, Version

    try:
        Version(text.replace("_", "-"))
    except InvalidVersion:
        return False
    return True


def parse_headers(text: bytes) -> Headers:
    """Read RFC 822 style fields up to the first empty line; what is no field is passed over, for the metadata check to name."""
    fields: dict[str, list[str]] = {}
    last: list[str] | None = None
    # Not splitlines(): it also cuts at form feeds and other characters that a summary may hold.
    for line in text.decode("utf-8", errors="replace").replace("\r\n", "\n").split("\n"):
        if not line.strip():
            break
        if line[0] in " \t":
            if last:
                last[-1] += "\n" + line.strip()
            continue
        key, colon, value = line.partition(":")
        if colon:
            last = fields.setdefault(intern(key.strip().lower()), [])
            last.append(value.strip())
    return Headers(fields={key: tuple(values) for key, values in fields.items()})


def parse_record(text: bytes) -> tuple[RecordRow, ...]:
    """Read RECORD; raise ValueError with the line that is no row of path, hash and size."""
    return tuple(_rows(text))


def _rows(text: bytes) -> list[RecordRow]:
    found: list[RecordRow] = []
    try:
        lines = text.decode("utf-8")
    except UnicodeDecodeError as error:
        message = f"it is not UTF-8: {error.reason} at byte {error.start}"
        raise ValueError(message) from error
    for number, row in _cells(lines):
        if len(row) != _ROW or (
            row[2] and not (row[2].isascii() and row[2].isdigit() and len(row[2]) < _LONGEST_SIZE)
        ):
            message = f"line {number} is not path,hash,size"
            raise ValueError(message)
        path, digest, size = row
        found.append(RecordRow(path=path, digest=digest.rstrip("="), size=int(size) if size else None))
    return found


def _cells(text: str) -> Iterator[tuple[int, list[str]]]:
    """Give each line that is not empty with its number, cut at the commas; the csv module reads what is quoted, and odd lines."""
    plain = text.replace("\r\n", "\n")
    if '"' not in plain and "\r" not in plain:
        lines = plain.split("\n")
        if len(max(lines, key=len)) < _LONGEST_CELL:
            yield from ((number, line.split(",")) for number, line in enumerate(lines, 1) if line)
            return
    import csv

    reader = csv.reader(io.StringIO(text, newline=""))
    try:
        yield from ((reader.line_num, row) for row in reader if row)
    except csv.Error as error:
        message = f"line {reader.line_num}: {error}"
        raise ValueError(message) from error


# The csv module refuses cells above 128 KiB.
_LONGEST_CELL = 1 << 17
# More digits than a 64 bit size has are no size, and int() refuses thousands of them.
_LONGEST_SIZE = 20
