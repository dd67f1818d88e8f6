"""Tar files that uv refuses: what is said of each kind of damage, and twins that are fine."""

from __future__ import annotations

import gzip
import struct
import tarfile
import zlib
from pathlib import Path

import pytest

from support.rows import rows
from wheelkit.wheel import tar_format

END = bytes(1024)


def header(name: str = "a/b", kind: bytes = b"0", size: int = 0, *, form: int = tarfile.PAX_FORMAT) -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    return info.tobuf(form)[-512:]


def gnu(**fields: object) -> bytes:
    return header(form=tarfile.GNU_FORMAT, **fields)  # type: ignore[arg-type]


def problem(folder: Path, content: bytes, packed: bytes | None = None) -> str:
    path = folder / "x.tar.gz"
    path.write_bytes(gzip.compress(content) if packed is None else packed)
    found = tar_format.read_format(path)
    return found.problem or found.trailer


def record(text: str) -> bytes:
    length = len(text) + 3 + (len(text) > 96)
    return f"{length} {text}\n".encode()


def extended(*records: bytes, kind: bytes = b"x") -> bytes:
    data = b"".join(records)
    return header("pax", kind, len(data)) + data.ljust(-(-len(data) // 512) * 512, b"\0")


def long_name(text: bytes) -> bytes:
    return gnu(name="././@LongLink", kind=b"L", size=len(text)) + text.ljust(512, b"\0")


FOLDER_WITH_DATA = "has a folder, link or device with contents"
HUGE = 1 << 21
TOO_LONG = f"has an extended header of {HUGE} bytes"
CUT = "ends within a file, where its first gzip member ends"
CHECKSUM = "has a wrong gzip checksum or length"
NO_NUL = "has a long name that does not end with a NUL byte"
CONTENTS: dict[str, tuple[bytes, str]] = {
    "a file": (header() + END, ""),
    "a file with data": (header(size=3) + b"abc".ljust(512, b"\0") + END, ""),
    "a folder": (header(kind=b"5") + END, ""),
    "a folder with data": (header(kind=b"5", size=3) + bytes(512) + END, FOLDER_WITH_DATA),
    "a link with data": (header(kind=b"2", size=3) + bytes(512) + END, FOLDER_WITH_DATA),
    "a hard link with data": (header(kind=b"1", size=3) + b"abc".ljust(512, b"\0") + END, ""),
    "a hard link with data, GNU": (gnu(kind=b"1", size=3) + bytes(512) + END, FOLDER_WITH_DATA),
    "an extended header": (extended(record("path=x")) + header() + END, ""),
    "a long name": (long_name(b"x" * 200 + b"\0") + gnu() + END, ""),
    "a long name without end": (long_name(b"x" * 200) + gnu() + END, NO_NUL),
    "a long name with more": (long_name(b"x\0y") + gnu() + END, NO_NUL),
    "a long name, twice": (2 * long_name(b"x\0") + gnu() + END, "has an extended header twice"),
    "a huge extended header": (header("p", b"x", HUGE) + bytes(HUGE) + END, TOO_LONG),
    "both forms": (header() + gnu() + END, "begins as pax and goes on as GNU"),
    "one empty block": (header() + bytes(512), "has one empty block where two mark the end"),
    "no end": (header(), "has no end marker of two empty blocks"),
    "half a header": (header() + header()[:100], "ends within a header"),
    "a file that is cut off": (header(size=600) + bytes(512), CUT),
    "data behind the end": (header() + END + b"x".ljust(512, b"\0"), "has data behind its last file"),
}  # fmt: skip


@rows("case", CONTENTS)
def test_contents(case: str, tmp_path: Path) -> None:
    content, expected = CONTENTS[case]
    assert problem(tmp_path, content) == expected


WHOLE = header() + END
RAW = zlib.compressobj(9, zlib.DEFLATED, -15)
PACKED = RAW.compress(WHOLE) + RAW.flush()
TRAILER = struct.pack("<LL", zlib.crc32(WHOLE), len(WHOLE))


def member(flags: int = 0, behind: bytes = b"", packed: bytes = PACKED, trailer: bytes = TRAILER) -> bytes:
    return b"\x1f\x8b\x08" + bytes([flags]) + bytes(6) + behind + packed + trailer


MEMBERS: dict[str, tuple[bytes, str]] = {
    "plain": (member(), ""),
    "a name": (member(8, b"x.tar\0"), ""),
    "a comment": (member(16, b"what\0"), ""),
    "a name and a comment": (member(24, b"x.tar\0what\0"), ""),
    "an extra field": (member(4, b"\x03\x00abc"), ""),
    "an extra field and a name": (member(12, b"\x03\x00a\0cx.tar\0"), ""),
    "a checksum of the header": (member(2, b"\0\0"), "has a checksum of its gzip header"),
    "a name without end": (b"\x1f\x8b\x08\x08" + bytes(6) + b"x" * 30, "has a gzip header without end"),
    "another method": (b"\x1f\x8b\x07" + member()[3:], "is not gzip data"),
    "text": (b"no archive at all", "is not gzip data"),
    "too short": (b"\x1f\x8b\x08\x00", "is not gzip data"),
    "damaged": (member(packed=b"\xff" * 40), "has damaged gzip data"),
    "another checksum": (member(trailer=struct.pack("<LL", 1, len(WHOLE))), CHECKSUM),
    "another length": (member(trailer=struct.pack("<LL", zlib.crc32(WHOLE), 1)), CHECKSUM),
    "no trailer": (member(trailer=b""), "ends before the gzip checksum"),
    "zeros behind": (member() + bytes(20), ""),
    "more behind": (member() + b"x", "has data behind its gzip data"),
}  # fmt: skip


@rows("case", MEMBERS)
def test_gzip_around_it(case: str, tmp_path: Path) -> None:
    packed, expected = MEMBERS[case]
    assert problem(tmp_path, b"", packed) == expected


def test_a_bomb_ends_where_the_limit_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content = header(size=512) + bytes(512) + END
    for most, expected in (
        (len(content), ""),
        (len(content) - 1, f"unpacks to more than {len(content) - 1} bytes"),
    ):
        monkeypatch.setattr(tar_format, "most_unpacked", lambda _size, most=most: most)
        assert problem(tmp_path, content) == expected
