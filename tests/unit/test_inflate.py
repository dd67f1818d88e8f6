"""Members are inflated at once by libdeflate; what it accepts has to be as declared to its last packed byte."""

import struct
import zlib

import pytest

from wheelkit.wheel import inflate, libdeflate

pytestmark = pytest.mark.skipif(not libdeflate.available(), reason="no libdeflate for this platform")

GZIP_FOOTER = 8


def packed(data: bytes) -> bytes:
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def inflated(packed: bytes, size: int, crc: int) -> memoryview | None:
    frame = libdeflate.Frame()
    end = libdeflate.HEAD + len(packed)
    frame.room(end)[libdeflate.HEAD :] = packed
    return frame.inflated(libdeflate.HEAD, end, size, crc)


def sample(size: int) -> bytes:
    noise = b"".join(
        zlib.crc32(number.to_bytes(4, "big")).to_bytes(4, "big") for number in range(size // 8 + 1)
    )
    return noise[: size // 2] + bytes(size - size // 2)


@pytest.mark.parametrize("size", [0, 1, 3, 1000, 70_000, (1 << 20) - 1, 1 << 20, 3 << 20])
def test_what_is_as_declared_is_given(size: int) -> None:
    data = sample(size)
    assert inflated(packed(data), size, zlib.crc32(data)) == data


@pytest.mark.parametrize("size", [0, 1, 1000, 70_000])
def test_what_is_not_as_declared_is_not_given(size: int) -> None:
    data = sample(size)
    good, crc = packed(data), zlib.crc32(data)
    footer = crc.to_bytes(4, "little") + size.to_bytes(4, "little")
    for bad in (good + b"x", good[:-1], b"", good + footer, good + footer + b"behind", good + good):
        assert inflated(bad, size, crc) is None
    assert inflated(good, size + 1, crc) is None
    assert inflated(good, size, crc ^ 1) is None
    if size:
        assert inflated(good, size - 1, crc) is None


def test_a_footer_that_hides_bytes_would_need_the_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shown by giving the secret away: then, and only then, bytes behind a footer of one's own stay unseen."""
    data = sample(1000)
    crc = zlib.crc32(data)
    known = struct.pack(
        "<2L", libdeflate._behind_secret(zlib.crc32, 1000, []) ^ crc, 1000 + len(libdeflate._SECRET)
    )
    hiding = packed(data) + known + b"payload"
    assert inflated(hiding, 1000, crc) == data
    other = bytes(byte ^ 0x5A for byte in libdeflate._SECRET)
    monkeypatch.setattr(libdeflate, "_BEGIN", libdeflate._BEGIN[: -len(other)] + other)
    monkeypatch.setattr(libdeflate, "_SECRET", other)
    assert inflated(hiding, 1000, crc) is None
    with pytest.raises(inflate.InflateError, match="behind the end"):
        inflate.whole(memoryview(hiding), inflate.DEFLATED, 1000, crc)


def before_the_beginning() -> bytes:
    """A fixed block (RFC 1951, 3.2.6) with one match of length 3 at distance 1, before any byte was produced."""
    bits = "1" + "10" + "0000001" + "00000" + "0000000"
    return int(bits[::-1], 2).to_bytes(-(-len(bits) // 8), "little")


def test_a_stream_that_refers_to_before_its_beginning_never_has_a_declared_content() -> None:
    stream = before_the_beginning()
    with pytest.raises(zlib.error, match="too far back"):
        zlib.decompress(stream, -15)
    for crc in (0, zlib.crc32(bytes(3)), zlib.crc32(libdeflate._SECRET[:3])):
        assert inflated(stream, 3, crc) is None
    own = zlib.crc32(libdeflate._SECRET[-1:] * 3)  # only who knows the secret can declare this
    assert inflated(stream, 3, own) == libdeflate._SECRET[-1:] * 3
    with pytest.raises(inflate.InflateError, match="damaged"):
        inflate.whole(memoryview(stream), inflate.DEFLATED, 3, own)
