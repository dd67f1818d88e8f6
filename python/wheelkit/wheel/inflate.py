"""The one small interface to decompression, behind which the fastest library at hand does it."""

from __future__ import annotations

import mmap
import tempfile
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

STORED = 0
DEFLATED = 8
_RAW = -15  # no zlib header, the largest window (RFC 1951 as used in zip archives)
_PIECE = 4 * 1024 * 1024
_HIGHEST_RATIO = 1032  # deflate: 258 bytes from two bits, at best

# Members above this size are inflated into a mapped temporary file, so that their bytes are the kernel's to page out.
LARGE = 1024 * 1024 * 1024


class InflateError(Exception):
    """The packed bytes are damaged or hold more or less than the archive says; the message says which."""


class _Stream(Protocol):
    eof: bool
    unconsumed_tail: bytes
    unused_data: bytes

    def decompress(self, data: bytes | memoryview, max_length: int = 0, /) -> bytes: ...


class _Codec:
    """One library that speaks zlib's interface."""

    def __init__(self, name: str) -> None:
        module = import_module(name)
        self.name = name
        self.new: Callable[[int], _Stream] = module.decompressobj
        self.crc32: Callable[..., int] = module.crc32
        self.error: type[Exception] = module.error


def _fastest() -> _Codec:
    for name in ("isal.isal_zlib", "zlib_ng.zlib_ng"):
        try:
            return _Codec(name)
        except ImportError:
            continue
    return _Codec("zlib")


_codec = _fastest()


def library() -> str:
    """Name the module that inflates in this process."""
    return _codec.name


@contextmanager
def unpacked(packed: memoryview, method: int, size: int, crc: int) -> Iterator[memoryview]:
    """Give a member's contents for the time of the ``with`` block; raise InflateError where they are not as declared.

    ``size`` is a claim: never more than one byte above it is produced. Stored members are not copied.
    """
    if method == STORED:
        _agree(len(packed), size)
        _agree_crc(_codec.crc32(packed), crc)
        yield packed
        return
    if method != DEFLATED:
        message = f"is packed by zip method {method}; wheels hold stored and deflated files only"
        raise InflateError(message)
    if size > len(packed) * _HIGHEST_RATIO:
        message = f"declares {size} bytes, more than {len(packed)} packed bytes can hold"
        raise InflateError(message)
    if size >= LARGE:
        with _inflated_to_file(packed, size, crc) as view:
            yield view
        return
    data = _inflated(packed, size)
    _agree_crc(_codec.crc32(data), crc)
    yield memoryview(data)


def _inflated(packed: memoryview, size: int) -> bytes:
    stream = _codec.new(_RAW)
    try:
        data = stream.decompress(packed, size + 1)
        # An empty member's end marker is only seen once all input was consumed.
        if not stream.eof and len(data) <= size and stream.unconsumed_tail:
            data += stream.decompress(stream.unconsumed_tail, size + 1 - len(data))
    except _codec.error as error:
        raise InflateError("its packed bytes are damaged") from error
    _agree(len(data), size)
    _finished(stream)
    return data


@contextmanager
def _inflated_to_file(packed: memoryview, size: int, crc: int) -> Iterator[memoryview]:
    with tempfile.TemporaryFile() as file:
        found, got = 0, 0
        stream = _codec.new(_RAW)
        source: bytes | memoryview = packed
        try:
            while not stream.eof and got <= size:
                piece = stream.decompress(source, min(_PIECE, size + 1 - got))
                source = stream.unconsumed_tail
                if not piece and not source:
                    break
                file.write(piece)
                got += len(piece)
                found = _codec.crc32(piece, found)
        except _codec.error as error:
            raise InflateError("its packed bytes are damaged") from error
        _agree(got, size)
        _finished(stream)
        _agree_crc(found, crc)
        file.flush()
        with mmap.mmap(file.fileno(), size, access=mmap.ACCESS_READ) as mapped, memoryview(mapped) as view:
            yield view


def _finished(stream: _Stream) -> None:
    if not stream.eof:
        raise InflateError("its packed bytes end too early")
    if stream.unused_data:
        raise InflateError("has bytes behind the end of its packed data")


def _agree(got: int, size: int) -> None:
    if got > size:
        message = f"holds more than the {size} bytes that the archive declares"
        raise InflateError(message)
    if got < size:
        message = f"holds {got} bytes where the archive declares {size}"
        raise InflateError(message)


def _agree_crc(found: int, declared: int) -> None:
    if found != declared:
        message = f"fails its CRC: {found:08x} where the archive declares {declared:08x}"
        raise InflateError(message)
