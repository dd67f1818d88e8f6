"""Unpack members: inflate them, check size and CRC-32, and join the pieces of binaries for the scanner."""

from __future__ import annotations

from contextlib import ExitStack
from io import BytesIO
from typing import TYPE_CHECKING

try:
    # Inflates the benchmark's 44 wheels (1 GB unpacked) in half of zlib's time: 1.28 s of processor time
    # instead of 2.57 s.
    from isal import isal_zlib as codec
except ImportError:  # isal has no wheel for this platform
    import zlib as codec  # type: ignore[no-redef]

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import IO, Self

    from wheelkit.wheel.zip_directory import DirectoryEntry


STORED = 0
DEFLATED = 8
# A member of up to this size is one piece; a larger one is never wholly in memory, unless it is a binary.
ONE_PIECE = 32 * 1024 * 1024
# A binary of this size or more is collected in a temporary file instead of memory.
LARGE = 1024 * 1024 * 1024
_DAMAGED: type[Exception] = codec.error  # type: ignore[assignment]  # isal's types call it an instance
_RAW = -15  # no zlib header, the largest window (RFC 1951 as used in zip archives)
_HIGHEST_RATIO = 1032  # deflate packs 258 bytes into two bits at best
_PIECE = 4 * 1024 * 1024


class InflateError(Exception):
    """A member is damaged, or holds more or less than the archive declares; completes "NAME …"."""


def unpack(chunks: Iterator[bytes], entry: DirectoryEntry) -> Iterator[bytes]:
    """Yield a member's contents, given its packed bytes in chunks: one piece for one chunk of a small member.

    Raises InflateError, at the latest after the last piece, where the contents are not as declared.
    """
    size = crc = 0
    for piece in _pieces(chunks, entry):
        size += len(piece)
        if size > entry.size:
            raise InflateError(f"holds more than the {entry.size} bytes that the archive declares")
        crc = codec.crc32(piece, crc)
        yield piece
    if size < entry.size:
        raise InflateError(f"holds {size} bytes where the archive declares {entry.size}")
    if crc != entry.crc:
        raise InflateError(f"fails its CRC: {crc:08x} where the archive declares {entry.crc:08x}")


def _pieces(chunks: Iterator[bytes], entry: DirectoryEntry) -> Iterator[bytes]:
    if entry.method == STORED:
        return chunks
    if entry.method != DEFLATED:
        raise InflateError(
            f"is packed by zip method {entry.method}; wheels hold stored and deflated files only"
        )
    if entry.size > entry.packed * _HIGHEST_RATIO:
        raise InflateError(f"declares {entry.size} bytes, more than {entry.packed} packed bytes can hold")
    return _inflate(chunks, entry.size + 1 if entry.size <= ONE_PIECE else _PIECE)


def _inflate(chunks: Iterator[bytes], limit: int) -> Iterator[bytes]:
    """Inflate a raw deflate stream into pieces of at most ``limit`` bytes."""
    stream = codec.decompressobj(_RAW)
    while not stream.eof:
        packed = stream.unconsumed_tail or next(chunks, b"")
        try:
            piece = stream.decompress(packed, limit)
        except _DAMAGED as error:
            raise InflateError("has damaged packed bytes") from error
        if piece:
            yield piece
        elif not packed:
            raise InflateError("ends too early in its packed bytes")
    if stream.unused_data or next(chunks, b""):
        raise InflateError("has bytes behind the end of its packed data")


class BinaryCollector:
    """Joins the pieces of a binary, which the scanner needs whole, for the time of a ``with`` block.

    Pieces of other members are dropped; ``binary`` tells them apart from the first piece on.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._stack: ExitStack | None = None
        self._file: IO[bytes] | None = None
        self._begun = False
        self.binary = False

    def __enter__(self) -> Self:
        """Return the collector."""
        return self

    def __exit__(self, *_: object) -> None:
        """Release the memory or the temporary file."""
        if self._stack is not None:
            self._stack.close()

    def add(self, piece: bytes) -> None:
        """Add the next piece; raise OSError or MemoryError where there is no room for it."""
        if self._file is not None:
            self._file.write(piece)
        elif not self._begun and is_binary(piece):
            self.binary = True
            self._stack = ExitStack()
            self._file = self._stack.enter_context(self._open(piece))
        self._begun = True

    def _open(self, first: bytes) -> IO[bytes]:
        if self._size < LARGE:
            file: IO[bytes] = BytesIO(first)  # shares the bytes of a single piece instead of copying them
            file.seek(len(first))
            return file
        from tempfile import TemporaryFile

        file = TemporaryFile()  # noqa: SIM115 - the caller's stack closes it
        file.write(first)
        return file

    def whole(self) -> bytes | memoryview:
        """Return all bytes of a binary, valid until the end of the ``with`` block."""
        if self._stack is None or self._file is None:
            return b""
        if isinstance(self._file, BytesIO):
            return self._file.getvalue()
        import mmap

        self._file.flush()
        mapped = mmap.mmap(self._file.fileno(), 0, access=mmap.ACCESS_READ)
        return self._stack.enter_context(memoryview(self._stack.enter_context(mapped)))


# The first bytes of ELF, PE, WebAssembly, Mach-O and fat Mach-O files.
_MACHO_MAGIC = ("feedface", "feedfacf", "cefaedfe", "cffaedfe", "cafebabe", "cafebabf")
_MAGIC = (b"\x7fELF", b"MZ", b"\0asm", *map(bytes.fromhex, _MACHO_MAGIC))


def is_binary(begin: bytes) -> bool:
    """Return whether a file's first bytes are those of a binary."""
    return begin.startswith(_MAGIC)
