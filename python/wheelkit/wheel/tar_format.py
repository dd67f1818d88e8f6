"""The headers of a .tar.gz as strict readers take them (POSIX pax and ustar, GNU tar, RFC 1952).

tarfile, and with it pip and the indexes, reads on at most of what is wrong here. uv refuses it (astral's
tar-codec, tar-framing/src/stream.rs and pax.rs).
"""

from __future__ import annotations

import os
import re
import struct
import zlib
from typing import TYPE_CHECKING

from wheelkit.inputs import open_file
from wheelkit.tar_archives import most_unpacked
from wheelkit.wheel.model import UNKNOWN_TYPE, TarFormat

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO


_BLOCK, _CHUNK = 512, 1 << 16
_RAW = -15  # zlib's window bits for deflate data without a header
# The gzip header, its flags, and the trailer: checksum and length.
_HEADER_SIZE, _TRAILER, _WORD = 10, struct.Struct("<LL"), 0xFFFFFFFF
_HEADER_CHECKSUM, _EXTRA, _NAME, _COMMENT = 2, 4, 8, 16
_IDENTITIES = {b"ustar\x0000": "pax", b"ustar  \0": "GNU"}
# Octal digits, ended by blanks or NULs.
_OCTAL = re.compile(rb"[0-7]+[\0 ]+")
_FIELDS = {"mode": (100, 108), "uid": (108, 116), "gid": (116, 124), "time": (136, 148)}
_SIZE, _CHECKSUM, _IDENTITY, _TYPE = slice(124, 136), slice(148, 156), slice(257, 265), slice(156, 157)
_TYPES = frozenset(b"\x0001234567")
_PAX_TYPES, _GNU_TYPES, _FOR_ALL = frozenset(b"xg"), frozenset(b"LK"), ord("g")
# What cannot have contents: links (hard ones in GNU archives only), devices, folders and pipes.
_EMPTY_TYPES = frozenset(b"23456")
_HARD_LINK = ord("1")
# The largest extended headers that uv reads.
_LONGEST_EXTENSION = 1 << 20
_RECORD = re.compile(rb"([0-9]+) ([^=]+)=")
_DIGITS = 10  # of the length of a record
_NUMBER, _TIME = re.compile(rb"[0-9]*"), re.compile(rb"(?:[0-9]+(?:\.[0-9]+)?)?")
_TEXTS = frozenset((b"comment", b"charset", b"gname", b"uname", b"hdrcharset", b"path", b"linkpath"))
_VALUES = {
    **dict.fromkeys((b"atime", b"ctime", b"mtime"), _TIME),
    **dict.fromkeys((b"size", b"uid", b"gid"), _NUMBER),
}
# Groups of keys that do not change what a member is.
_IGNORED = (b"SCHILY.", b"LIBARCHIVE.", b"realtime.", b"security.")
_NOT_FOR_ALL = frozenset((b"path", b"linkpath", b"size"))


class _MalformedError(Exception):
    """What is malformed; completes "the archive ..."."""


def read_format(path: Path) -> TarFormat:
    """Read the headers of a .tar.gz that tarfile can read; raise OSError where the file cannot be read."""
    with open_file(path) as file:
        try:
            stream = _Stream(file)
            _Walker(stream).walk()
        except _MalformedError as error:
            return TarFormat(problem=str(error))
        return TarFormat(trailer=stream.trailer())


class _Stream:
    """The bytes that the first gzip member of a file holds (RFC 1952)."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._most = most_unpacked(os.fstat(file.fileno()).st_size)
        self._unpacker = zlib.decompressobj(_RAW)
        self._packed = _behind_gzip_header(file)
        self._data = b""
        self._checksum = self._length = 0

    def read(self, size: int) -> bytes:
        """Return so many bytes, or fewer at the end."""
        while len(self._data) < size and not self._unpacker.eof:
            packed = self._packed or self._unpacker.unconsumed_tail or self._file.read(_CHUNK)
            self._packed = b""
            try:
                data = self._unpacker.decompress(packed, _CHUNK)
            except zlib.error as error:
                raise _MalformedError("has damaged gzip data") from error
            if not data and not packed:
                break
            self._checksum, self._length = zlib.crc32(data, self._checksum), self._length + len(data)
            if self._length > self._most:
                raise _MalformedError(f"unpacks to more than {self._most} bytes")
            self._data += data
        data, self._data = self._data[:size], self._data[size:]
        return data

    def skip(self, size: int) -> None:
        """Pass over so many bytes."""
        while size:
            data = self.read(min(size, _CHUNK))
            if not data:
                member = ", where its first gzip member ends" if self._unpacker.eof else ""
                raise _MalformedError(f"ends within a file{member}")
            size -= len(data)

    def trailer(self) -> str:
        """Read the rest, and say what is wrong with it."""
        try:
            while rest := self.read(_CHUNK):
                if rest.strip(b"\0"):
                    return "has data behind its last file"
        except _MalformedError as error:
            return str(error)
        rest = self._unpacker.unused_data + self._file.read(_TRAILER.size + 1)
        if len(rest) < _TRAILER.size:
            return "ends before the gzip checksum"
        if _TRAILER.unpack_from(rest) != (self._checksum, self._length & _WORD):
            return "has a wrong gzip checksum or length"
        return "has data behind its gzip data" if rest[_TRAILER.size :].strip(b"\0") else ""


def _behind_gzip_header(file: BinaryIO) -> bytes:
    """Read the gzip header; return what was read behind it."""
    head = file.read(_CHUNK)
    if len(head) < _HEADER_SIZE or not head.startswith(b"\x1f\x8b\x08"):
        raise _MalformedError("is not gzip data")
    flags, place = head[3], _HEADER_SIZE
    if flags & _HEADER_CHECKSUM:
        raise _MalformedError("has a checksum of its gzip header")
    if flags & _EXTRA:
        place += 2 + int.from_bytes(head[place : place + 2], "little")
    for text in (_NAME, _COMMENT):
        if flags & text:
            place = head.find(b"\0", place) + 1
            if not place:
                raise _MalformedError("has a gzip header without end")
    return head[place:]


class _Walker:
    """A walk over the headers: the archive's format, and the extended headers of the next member."""

    def __init__(self, stream: _Stream) -> None:
        self._stream = stream
        self._form = ""
        self._extended: set[int] = set()
        self._size: int | None = None

    def walk(self) -> None:
        """Read all headers; raise _MalformedError at the first that uv refuses."""
        while block := self._block():
            kind, size = block[_TYPE][0], self._size_of(block)
            if kind in (_PAX_TYPES if self._form == "pax" else _GNU_TYPES):
                self._extension(kind, size)
            else:
                self._member(block, kind, size)

    def _block(self) -> bytes:
        """Return the next header; nothing at the end marker."""
        block = self._stream.read(_BLOCK)
        if len(block) < _BLOCK:
            raise _MalformedError(
                "ends within a header" if block else "has no end marker of two empty blocks"
            )
        if block.strip(b"\0"):
            return block
        second = self._stream.read(_BLOCK)
        if self._extended or len(second) < _BLOCK or second.strip(b"\0"):
            raise _MalformedError("has one empty block where two mark the end")
        return b""

    def _size_of(self, block: bytes) -> int:
        form = _IDENTITIES.get(block[_IDENTITY])
        if form is None:
            raise _MalformedError("has a header that is neither of pax nor of GNU tar")
        if self._form and form != self._form:
            raise _MalformedError(f"begins as {self._form} and goes on as {form}")
        self._form = form
        # The checksum is of the header with blanks in its own place.
        right = sum(block) - sum(block[_CHECKSUM]) + len(block[_CHECKSUM]) * ord(" ")
        if self._number(block[_CHECKSUM], "checksum") != right:
            raise _MalformedError("has a header with a wrong checksum")
        return self._number(block[_SIZE], "size")

    def _number(self, field: bytes, name: str) -> int:
        """Return a number: octal, or in GNU archives also binary."""
        if _OCTAL.fullmatch(field):
            return int(field.rstrip(b"\0 "), 8)
        if self._form == "GNU" and field.startswith(b"\x80"):
            return int.from_bytes(field[1:], "big")
        raise _MalformedError(f"has a header whose {name} is no octal number")

    def _member(self, block: bytes, kind: int, size: int) -> None:
        if kind not in _TYPES:
            raise _MalformedError(f"{UNKNOWN_TYPE} {chr(kind)!r}")
        for name, (start, end) in _FIELDS.items():
            if block[start:end].strip(b"\0"):
                self._number(block[start:end], name)
        size = size if self._size is None else self._size
        if size and (kind in _EMPTY_TYPES or (kind == _HARD_LINK and self._form == "GNU")):
            raise _MalformedError("has a folder, link or device with contents")
        self._extended.clear()
        self._size = None
        self._stream.skip(-(-size // _BLOCK) * _BLOCK)

    def _extension(self, kind: int, size: int) -> None:
        if kind in self._extended or (self._form == "pax" and self._extended):
            raise _MalformedError("has an extended header twice")
        if size > _LONGEST_EXTENSION:
            raise _MalformedError(f"has an extended header of {size} bytes")
        data = self._stream.read(size)
        self._stream.skip(-size % _BLOCK)
        if self._form == "pax":
            self._records(data, for_all=kind == _FOR_ALL)
        elif b"\0" not in data or data.partition(b"\0")[2].strip(b"\0"):
            raise _MalformedError("has a long name that does not end with a NUL byte")
        if kind != _FOR_ALL:
            self._extended.add(kind)

    def _records(self, data: bytes, *, for_all: bool) -> None:
        """Read the records ``LENGTH KEY=VALUE`` of an extended header, each with a line feed at its end."""
        seen: set[bytes] = set()
        place = 0
        while place < len(data) or not seen:
            match = _RECORD.match(data, place)
            end = place + int(match[1]) if match and len(match[1]) < _DIGITS else 0
            if match is None or end > len(data) or data[end - 1 : end] != b"\n" or end <= match.end():
                raise _MalformedError("has a damaged extended header")
            key, value = match[2], data[match.end() : end - 1]
            if key in seen:
                raise _MalformedError(f"has {_shown(key)} twice in an extended header")
            if for_all and key in _NOT_FOR_ALL:
                raise _MalformedError(f"has {_shown(key)} in an extended header for all files")
            self._record(key, value)
            seen.add(key)
            place = end

    def _record(self, key: bytes, value: bytes) -> None:
        if key in _VALUES:
            if not _VALUES[key].fullmatch(value):
                raise _MalformedError(f"has the {_shown(key)} {_shown(value)} in an extended header")
            if key == b"size" and value:
                self._size = int(value)
        elif key in _TEXTS:
            if not _is_utf8(value):
                raise _MalformedError(f"has a {_shown(key)} in an extended header that is not UTF-8")
        elif not key.startswith(_IGNORED):
            raise _MalformedError(f"has the unknown key {_shown(key)} in an extended header")


def _is_utf8(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _shown(text: bytes) -> str:
    return text[:40].decode("utf-8", errors="replace")
