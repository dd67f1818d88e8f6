"""Puts the pieces of a binary together again, because the scanner wants it whole; all other members are only let through."""

from __future__ import annotations

import mmap
from contextlib import ExitStack, suppress
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

from wheelkit.wheel import libdeflate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import IO, Self


_HUGE = 8 * 1024 * 1024


class MemberCollector:
    """Collects one member's pieces for the time of a ``with`` block; ``size`` is how many bytes it declares.

    ``binary`` tells, from the first piece on, whether it begins like one.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._got = 0
        self._stack = ExitStack()
        self._view: memoryview | None = None
        self._file: IO[bytes] | None = None
        self.binary = False

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the memory."""
        self._stack.close()

    def add(self, piece: bytes | memoryview) -> None:
        """Take the next piece; raise OSError or MemoryError where there is no room for it."""
        if self._got == 0:
            self.binary = is_binary(piece)
            if self.binary:
                self._make_room(piece)
        end = self._got + len(piece)
        # What is more than declared is not kept: the reader of the pieces complains about it.
        if self.binary and end <= self._size:
            if self._file is not None:
                self._file.write(piece)
            elif self._view is not None and not self._view.readonly:
                self._view[self._got : end] = piece
        self._got = end

    def _make_room(self, first: bytes | memoryview) -> None:
        if len(first) == self._size:
            self._view = self._stack.enter_context(memoryview(first).toreadonly())
        elif self._size >= LARGE:
            from tempfile import TemporaryFile

            self._file = self._stack.enter_context(TemporaryFile())  # noqa: SIM115 - the stack is the context
        else:
            self._view = self._stack.enter_context(memoryview(self._stack.enter_context(_memory(self._size))))

    def whole(self) -> memoryview:
        """Give all bytes of a binary, once every piece is there."""
        if self._file is not None:
            self._file.flush()
            mapped = self._stack.enter_context(
                mmap.mmap(self._file.fileno(), self._size, access=mmap.ACCESS_READ)
            )
            self._view, self._file = self._stack.enter_context(memoryview(mapped)), None
        return self._view if self._view is not None else memoryview(b"")


def _memory(size: int) -> mmap.mmap:
    """Take memory in large pages where the kernel has them: to make many small ones takes longer than to fill them."""
    memory = mmap.mmap(-1, size)
    if size >= _HUGE and hasattr(mmap, "MADV_HUGEPAGE"):
        with suppress(OSError):  # a kernel without huge pages
            memory.madvise(mmap.MADV_HUGEPAGE)
    return memory


STORED = 0
DEFLATED = 8
_RAW = -15  # no zlib header, the largest window (RFC 1951 as used in zip archives)
HIGHEST_RATIO = 1032  # deflate: 258 bytes from two bits, at best
# Up to this size a member is given in one piece. Above it, windows of packed bytes give pieces, and neither is all in memory at once.
ONE_PIECE = 32 * 1024 * 1024
# Above this no member is held in memory.
LARGE = 1024 * 1024 * 1024
_LITTLE = 512 * 1024
_WINDOW = 256 * 1024
_PIECE = 4 * 1024 * 1024


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
        self.new: Callable[[int], _Stream] = module.decompressobj
        self.crc32: Callable[..., int] = module.crc32
        self.error: type[Exception] = module.error


@cache
def _codec() -> _Codec:
    """Give the fastest library with zlib's interface."""
    for name in ("isal.isal_zlib", "zlib_ng.zlib_ng"):
        try:
            return _Codec(name)
        except ImportError:
            continue
    return _python()


@cache
def _python() -> _Codec:
    return _Codec("zlib")


def _codec_for(size: int) -> _Codec:
    """Give Python's own for the little that libdeflate leaves over: to load another takes longer."""
    return _python() if size <= _LITTLE and libdeflate.available() else _codec()


def whole(packed: memoryview, method: int, size: int, crc: int) -> bytes | memoryview:
    """Give a member's contents at once; raise InflateError where they are not as declared. A stored member is not copied."""
    codec = _codec_for(size)
    if method == STORED:
        _agree(len(packed), size)
        _agree_crc(codec.crc32(packed), crc)
        return packed
    if method != DEFLATED:
        message = f"is packed by zip method {method}; wheels hold stored and deflated files only"
        raise InflateError(message)
    if size > len(packed) * HIGHEST_RATIO:
        message = f"declares {size} bytes, more than {len(packed)} packed bytes can hold"
        raise InflateError(message)
    data = _inflated(codec, packed, size)
    _agree_crc(codec.crc32(data), crc)
    return data


def pieces(
    packed: memoryview, method: int, size: int, crc: int, done: Callable[[int], object] = lambda _: None
) -> Iterator[bytes | memoryview]:
    """Yield a member's contents in one or more pieces; raise InflateError where they are not as declared, at the end at the latest.

    ``size`` is a claim: never more than a piece above it is produced. Stored members are not copied. ``done`` is told from time to
    time how many of the packed bytes are not needed any more.
    """
    if method == DEFLATED and size <= len(packed) * HIGHEST_RATIO:
        yield from _in_pieces(packed, size, crc, done)
    else:
        yield whole(packed, method, size, crc)


def _inflated(codec: _Codec, packed: memoryview, size: int) -> bytes:
    stream = codec.new(_RAW)
    try:
        data = stream.decompress(packed, size + 1)
        # An empty member's end marker is only seen once all input was consumed.
        if not stream.eof and len(data) <= size and stream.unconsumed_tail:
            data += stream.decompress(stream.unconsumed_tail, size + 1 - len(data))
    except codec.error as error:
        raise InflateError("has damaged packed bytes") from error
    _agree(len(data), size)
    _finished(stream)
    return data


def _in_pieces(packed: memoryview, size: int, crc: int, done: Callable[[int], object]) -> Iterator[bytes]:
    codec = _codec()
    stream = codec.new(_RAW)
    position, got, found = 0, 0, 0
    source: bytes | memoryview = b""
    while not stream.eof and got <= size:
        if not source:
            done(position)
            source = packed[position : position + _WINDOW]
            position += len(source)
        exhausted = not source
        try:
            piece = stream.decompress(source, _PIECE)
        except codec.error as error:
            raise InflateError("has damaged packed bytes") from error
        source = stream.unconsumed_tail
        if exhausted and not piece:
            break
        got += len(piece)
        found = codec.crc32(piece, found)
        yield piece
    _agree(got, size)
    _finished(stream)
    if position < len(packed):
        raise InflateError("has bytes behind the end of its packed data")
    _agree_crc(found, crc)


def _finished(stream: _Stream) -> None:
    if not stream.eof:
        raise InflateError("ends too early in its packed bytes")
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


# The first bytes of ELF, PE, Mach-O and fat Mach-O files.
_MAGIC = (
    b"\x7fELF",
    b"MZ",
    *(
        bytes.fromhex(magic)
        for magic in ("feedface", "feedfacf", "cefaedfe", "cffaedfe", "cafebabe", "cafebabf")
    ),
)


def is_binary(begin: bytes | memoryview) -> bool:
    """Tell whether a file's first bytes are those of a binary."""
    return bytes(begin[:4]).startswith(_MAGIC)
