"""Unpacking gives a member's contents only where they are as declared, to the last packed byte.

Isal and zlib agree.
"""

import mmap
import zlib
from collections.abc import Iterator
from functools import cache
from types import ModuleType

import pytest

from support.rows import rows
from wheelkit.wheel import inflate
from wheelkit.wheel.inflate import DEFLATED, STORED, BinaryCollector, InflateError
from wheelkit.wheel.zip_directory import DirectoryEntry

ELF = b"\x7fELF"
CODECS = [inflate.codec, zlib]


@pytest.fixture(params=CODECS, ids=lambda codec: codec.__name__, autouse=True)
def codec(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    chosen: ModuleType = request.param
    monkeypatch.setattr(inflate, "codec", chosen)
    monkeypatch.setattr(inflate, "_DAMAGED", chosen.error)
    return chosen


def pack(data: bytes) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def unpack(packed: bytes, size: int, crc: int, method: int = DEFLATED, chunk: int = 0) -> bytes:
    entry = DirectoryEntry(
        name="a",
        raw=b"a",
        flags=0,
        method=method,
        crc=crc,
        packed=len(packed),
        size=size,
        offset=0,
        mode=0,
        dated=True,
    )
    step = chunk or max(len(packed), 1)
    chunks: Iterator[bytes] = (packed[start : start + step] for start in range(0, len(packed), step))
    return b"".join(inflate.unpack(chunks, entry))


@cache
def sample(size: int) -> bytes:
    noise = b"".join(
        zlib.crc32(number.to_bytes(4, "big")).to_bytes(4, "big") for number in range(size // 8 + 1)
    )
    return noise[: size // 2] + bytes(size - size // 2)


@rows("size", [0, 1, 3, 1000, 70_000, (1 << 20) - 1, 1 << 20, 3 << 20])
@rows("chunk", [0, 997])
def test_contents_as_declared_are_given(size: int, chunk: int) -> None:
    data = sample(size)
    assert unpack(pack(data), size, zlib.crc32(data), chunk=chunk) == data
    assert unpack(data, size, zlib.crc32(data), STORED, chunk=chunk) == data


@rows("size", [0, 1, 1000, 70_000])
@rows("chunk", [0, 7])
def test_contents_other_than_declared_are_refused(size: int, chunk: int) -> None:
    data = sample(size)
    good, crc = pack(data), zlib.crc32(data)
    footer = crc.to_bytes(4, "little") + size.to_bytes(4, "little")
    for bad in (good + b"x", good[:-1], b"", good + footer, good + footer + b"behind", good + good):
        with pytest.raises(InflateError):
            unpack(bad, size, crc, chunk=chunk)
    for declared, checksum in ((size + 1, crc), (size, crc ^ 1), (max(size - 1, 0), crc ^ (size == 0))):
        for packed, method in ((good, DEFLATED), (data, STORED)):
            with pytest.raises(InflateError):
                unpack(packed, declared, checksum, method, chunk=chunk)


def test_no_more_than_declared_is_inflated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inflate, "_PIECE", 1000)
    monkeypatch.setattr(inflate, "ONE_PIECE", 999)
    packed = pack(bytes(1_000_000))
    entry = DirectoryEntry(
        name="a",
        raw=b"a",
        flags=0,
        method=DEFLATED,
        crc=0,
        packed=len(packed),
        size=2500,
        offset=0,
        mode=0,
        dated=True,
    )
    with pytest.raises(InflateError, match="holds more than the 2500 bytes"):
        list(inflate.unpack(iter([packed]), entry))
    pieces = inflate.unpack(iter([packed]), entry)
    assert [len(next(pieces)), len(next(pieces))] == [1000, 1000]


def test_a_stream_that_refers_to_before_its_beginning_is_damaged() -> None:
    """Return a fixed block (RFC 1951, 3.2.6) that starts with a match of length 3 at distance 1."""
    bits = "1" + "10" + "0000001" + "00000" + "0000000"
    stream = int(bits[::-1], 2).to_bytes(-(-len(bits) // 8), "little")
    with pytest.raises(InflateError, match="damaged"):
        unpack(stream, 3, zlib.crc32(bytes(3)))


@rows("pieces", [[ELF + b"abc"], [ELF, b"abc"], [ELF + b"a", b"b", b"c"]])
@rows("large", [1, 1000])
def test_binaries_are_collected(pieces: list[bytes], large: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inflate, "LARGE", large)
    with BinaryCollector(7) as collector:
        for piece in pieces:
            collector.add(piece)
        assert collector.binary
        whole = collector.whole()
        assert whole == ELF + b"abc"
        if large == 1:
            assert isinstance(whole, memoryview)
            assert isinstance(whole.obj, mmap.mmap)
        elif len(pieces) == 1:
            assert whole is pieces[0]


def test_other_members_are_not_kept() -> None:
    with BinaryCollector(6) as collector:
        for piece in (b"ab", ELF):
            collector.add(piece)
        assert not collector.binary
        assert collector.whole() == b""
