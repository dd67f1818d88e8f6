"""Inflates a member at once by libdeflate, the fastest there is, and proves that the packed data ended where the archive says.

The binding does not tell how much of the packed bytes was used, and bytes behind their end must not stay unseen. So a member is read as
a gzip file (RFC 1952), whose footer libdeflate expects right behind the data: with the checksum and the size that the archive declares.
Who made the archive could have put such a footer earlier, and anything behind it. Therefore a block of random bytes, new in every
process, comes first: the checksum covers them too, and nobody can have known them.
"""

from __future__ import annotations

import os
import struct
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Final, Self


class _Library:
    """What the binding offers of libdeflate."""

    def __init__(self) -> None:
        module = import_module("deflate")
        self.gzip: Callable[[memoryview, int], bytearray] = module.gzip_decompress
        self.crc32: Callable[..., int] = module.crc32
        self.error: type[Exception] = module.DeflateError


def _library() -> _Library | None:
    try:
        return _Library()
    except ImportError:  # no wheel of it for this platform
        return None


_deflate = _library()
# Above this the packed bytes would take much memory beside what they hold.
MOST_PACKED = 32 * 1024 * 1024
_HEAD: Final = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_SECRET: Final = os.urandom(4)
# A stored block (RFC 1951, 3.2.4): the two block bits and padding, its length and the length's complement. More blocks follow.
_BEGIN: Final = b"".join((_HEAD, b"\x00", b"\x04\x00", b"\xfb\xff", _SECRET))
HEAD: Final = len(_BEGIN)
_TWO: Final = struct.Struct("<2L")
FOOTER: Final = _TWO.size
_LEAST: Final = 1 << 16
_ZEROS: Final = memoryview(bytes(1 << 16))
_ALL: Final = 0xFFFFFFFF


def available() -> bool:
    """Tell whether libdeflate is installed."""
    return _deflate is not None


def stored(data: memoryview, size: int, crc: int) -> bool:
    """Tell whether these are so many bytes with that CRC."""
    return _deflate is not None and len(data) == size and _deflate.crc32(data) == crc


class Frame:
    """Memory for packed bytes, with what stands before them and ``FOOTER`` bytes more, so that no one has to copy them.

    It is used for one member after the other, or given for one. To be used by one thread.
    """

    def __init__(self, view: memoryview | None = None) -> None:
        self._view = memoryview(b"") if view is None else view[:]
        self._steps: list[int] = []

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the memory."""
        self._view.release()

    def room(self, size: int) -> memoryview:
        """Give so many writable bytes; what was given before is not to be used any more."""
        if len(self._view) < size + FOOTER:
            self._view = memoryview(
                bytearray(max(size, min(2 * len(self._view), MOST_PACKED), _LEAST) + FOOTER)
            )
        return self._view[:size]

    def inflated(self, begin: int, end: int, size: int, crc: int) -> memoryview | None:
        """Give the bytes that the raw deflate stream between the two places of the room holds.

        None unless it ends with the last packed byte and holds that many bytes with that CRC. The bytes before ``begin``, at least
        ``HEAD`` of them, are overwritten. A stream that refers back to before its own beginning may give bytes of the secret; these
        are different in every run.
        """
        if _deflate is None:
            return None
        footer = (_behind_secret(_deflate.crc32, size, self._steps) ^ crc, size + len(_SECRET) & _ALL)
        self._view[begin - HEAD : begin] = _BEGIN
        _TWO.pack_into(self._view, end, *footer)
        try:
            data = _deflate.gzip(self._view[begin - HEAD : end + FOOTER], size + len(_SECRET))
        except _deflate.error:
            return None
        return memoryview(data)[len(_SECRET) :]


def _behind_secret(crc32: Callable[..., int], count: int, steps: list[int]) -> int:
    """Give what the secret's CRC contributes to that of itself and so many bytes behind it.

    CRCs are linear: the CRC of both is that of the bytes, and the secret's own after as many zeros (without the inversions at both ends).
    What many zeros do to it is kept in ``steps``.
    """
    many, few = divmod(count, len(_ZEROS))
    while len(steps) <= many:
        steps.append(crc32(_ZEROS, steps[-1]) if steps else crc32(_SECRET) ^ _ALL)
    return crc32(_ZEROS[:few], steps[many]) ^ _ALL
