"""Write sdists record by record, so that tar headers and gzip members can be wrong on their own."""

import struct
import tarfile
import zlib
from dataclasses import dataclass, field

BLOCK = 512


@dataclass(kw_only=True)
class Record:
    """A member: what tarfile writes for it, or ``raw`` bytes in its place."""

    name: str
    data: bytes = b""
    kind: bytes = tarfile.REGTYPE
    link: str = ""
    mode: int = 0o644
    pax: dict[str, str] = field(default_factory=dict)
    changes: dict[str, object] = field(default_factory=dict)
    form: int = tarfile.PAX_FORMAT
    raw: bytes | None = None

    def write(self) -> bytes:
        """Return the header, the data and its padding."""
        if self.raw is not None:
            return self.raw
        info = tarfile.TarInfo(self.name)
        info.type, info.linkname, info.mode = self.kind, self.link, self.mode
        info.size, info.mtime, info.pax_headers = len(self.data), 1_700_000_000, self.pax
        for name, value in self.changes.items():
            setattr(info, name, value)
        head = info.tobuf(self.form, "utf-8", "surrogateescape")
        return head + self.data + bytes(-len(self.data) % BLOCK)


def with_checksum(header: bytes, **fields: bytes) -> bytes:
    """Return a header block with other bytes at some places, and a checksum that fits."""
    places = {"name": (0, 100), "mode": (100, 8), "size": (124, 12), "mtime": (136, 12), "kind": (156, 1),
              "link": (157, 100), "magic": (257, 8)}  # fmt: skip
    block = bytearray(header[:BLOCK])
    for name, value in fields.items():
        start, length = places[name]
        block[start : start + length] = value.ljust(length, b"\0")
    block[148:156] = b"        "
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block) + header[BLOCK:]


@dataclass(kw_only=True)
class Gzip:
    """A gzip member around bytes: flags, header fields, and a trailer that can be wrong."""

    flags: int = 0
    fields: bytes = b""
    crc: int = 0
    size: int = 0
    after: bytes = b""
    cut: int = 0

    def wrap(self, data: bytes) -> bytes:
        """Compress bytes."""
        packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        packed = packer.compress(data) + packer.flush()
        trailer = struct.pack("<LL", zlib.crc32(data) ^ self.crc, (len(data) + self.size) & 0xFFFFFFFF)
        head = struct.pack("<4BL2B", 0x1F, 0x8B, 8, self.flags, 0, 0, 255)
        whole = head + self.fields + packed + trailer
        return whole[: len(whole) - self.cut] + self.after


@dataclass(kw_only=True)
class RawSdist:
    """An sdist: its records, what is behind them in the tar file, and the compression."""

    records: list[Record]
    end: bytes = bytes(2 * BLOCK)
    gzip: Gzip = field(default_factory=Gzip)
    whole: bytes | None = None

    def tar(self) -> bytes:
        """Return the tar file."""
        return b"".join(record.write() for record in self.records) + self.end

    def record(self, name: str) -> Record:
        """Return the first record of this name, below the top folder."""
        return next(record for record in self.records if record.name == f"demo-1.0/{name}")

    def write(self) -> bytes:
        """Return the sdist's bytes."""
        return self.gzip.wrap(self.tar()) if self.whole is None else self.whole
