"""Write zip archives in which every field of every header can be wrong (APPNOTE 4.3)."""

import bz2
import lzma
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

LOCAL, CENTRAL, END, DESCRIPTOR = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06", b"PK\x07\x08"
ZIP64_END, ZIP64_LOCATOR = b"PK\x06\x06", b"PK\x06\x07"
STORED, DEFLATED, DEFLATE64, BZIP2, LZMA, ZSTD, XZ = 0, 8, 9, 12, 14, 93, 95
UNIX = 3
UTF8, HAS_DESCRIPTOR, ENCRYPTED = 0x800, 0x8, 0x1
WIDE = 0xFFFFFFFF
# 1 January 2026, midnight.
_DATE, _TIME = (46 << 9) | (1 << 5) | 1, 0
Fields = dict[str, int | bytes]


def _deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(6, wbits=-15)
    return packer.compress(data) + packer.flush()


def _lzma(data: bytes) -> bytes:
    filters = [{"id": lzma.FILTER_LZMA1, "preset": 6, "dict_size": 1 << 16, "lc": 3, "lp": 0, "pb": 2}]
    properties = bytes([(2 * 5 + 0) * 9 + 3]) + (1 << 16).to_bytes(4, "little")
    head = bytes([9, 4]) + len(properties).to_bytes(2, "little") + properties
    return head + lzma.compress(data, lzma.FORMAT_RAW, filters=filters)


def _zstd(data: bytes) -> bytes:
    """Return one frame with one raw block: up to 64 kB (RFC 8878)."""
    block = ((len(data) << 3) | 1).to_bytes(3, "little")
    # A content size of four bytes, and a single segment: no window descriptor.
    return b"\x28\xb5\x2f\xfd\xa0" + len(data).to_bytes(4, "little") + block + data


PACKERS: dict[int, Callable[[bytes], bytes]] = {
    STORED: bytes,
    DEFLATED: _deflate,
    DEFLATE64: _deflate,
    BZIP2: bz2.compress,
    LZMA: _lzma,
    ZSTD: _zstd,
    XZ: lzma.compress,
}


@dataclass(kw_only=True)
class Entry:
    """One member; ``local`` and ``central`` replace fields of its two headers, by name.

    ``descriptor`` is the form of its data descriptor: ``signed32``, ``bare32``, ``signed64``, ``bare64``.
    ``zip64`` names the headers that hold the sizes in a ZIP64 field. A member that is not
    ``listed`` has no entry in the central directory, one that is not ``stored`` has nothing but that.
    """

    name: bytes
    data: bytes = b""
    method: int = DEFLATED
    flags: int = 0
    attributes: int = 0o100644 << 16
    maker: int = UNIX << 8 | 20
    needed: int = 20
    extra: bytes = b""
    comment: bytes = b""
    local: Fields = field(default_factory=dict)
    central: Fields = field(default_factory=dict)
    descriptor: str = ""
    descriptor_fields: Fields = field(default_factory=dict)
    zip64: frozenset[str] = frozenset()
    packed: bytes | None = None
    listed: bool = True
    stored: bool = True
    before: bytes = b""
    behind: bytes = b""

    def fields(self, where: str, packed: bytes, offset: int) -> Fields:
        """Return the fields of its local or central header."""
        fields: Fields = {
            "maker": self.maker,
            "needed": self.needed,
            "flags": self.flags | (HAS_DESCRIPTOR if self.descriptor else 0),
            "method": self.method,
            "time": _TIME,
            "date": _DATE,
            "crc": zlib.crc32(self.data),
            "packed": len(packed),
            "size": len(self.data),
            "disk": 0,
            "internal": 0,
            "attributes": self.attributes,
            "offset": offset,
            "name": self.name,
            "extra": self.extra,
            "comment": self.comment,
        }
        if where == "local" and self.descriptor:
            fields |= {"crc": 0, "packed": 0, "size": 0}
        if where in self.zip64:
            sizes = struct.pack("<QQ", int(fields["size"]), int(fields["packed"]))
            fields["extra"] = struct.pack("<HH", 1, len(sizes)) + sizes + self.extra
            fields |= {"packed": WIDE, "size": WIDE, "needed": 45}
        return fields | (self.local if where == "local" else self.central)

    def write(self, start: int) -> tuple[bytes, bytes]:
        """Return its bytes among the members, which begin at ``start``, and its directory entry."""
        packed = PACKERS[self.method](self.data) if self.packed is None else self.packed
        offset = start + len(self.before)
        body = self.before
        if self.stored:
            body += _local_header(self.fields("local", packed, offset)) + packed + self._descriptor(packed)
        listing = _directory_entry(self.fields("central", packed, offset)) if self.listed else b""
        return body + self.behind, listing

    def _descriptor(self, packed: bytes) -> bytes:
        if not self.descriptor:
            return b""
        usual: Fields = {"crc": zlib.crc32(self.data), "packed": len(packed), "size": len(self.data)}
        fields = usual | self.descriptor_fields
        width = "<LQQ" if self.descriptor.endswith("64") else "<LLL"
        numbers = struct.pack(width, fields["crc"], fields["packed"], fields["size"])
        return (DESCRIPTOR if self.descriptor.startswith("signed") else b"") + numbers


def _local_header(fields: Fields) -> bytes:
    name, extra = bytes(fields["name"]), bytes(fields["extra"])
    numbers = [fields[key] for key in ("needed", "flags", "method", "time", "date", "crc", "packed", "size")]
    signature = bytes(fields.get("signature", LOCAL))
    lengths = fields.get("name_length", len(name)), fields.get("extra_length", len(extra))
    return signature + struct.pack("<HHHHHLLLHH", *numbers, *lengths) + name + extra


def _directory_entry(fields: Fields) -> bytes:
    name, extra, comment = (bytes(fields[key]) for key in ("name", "extra", "comment"))
    keys = ("maker", "needed", "flags", "method", "time", "date", "crc", "packed", "size")
    head = [fields[key] for key in keys]
    tail = [fields[key] for key in ("disk", "internal", "attributes", "offset")]
    signature = bytes(fields.get("signature", CENTRAL))
    lengths = len(name), len(extra), len(comment)
    return signature + struct.pack("<HHHHHHLLLHHHHHLL", *head, *lengths, *tail) + name + extra + comment


@dataclass(kw_only=True)
class Archive:
    """A whole archive; ``end`` replaces fields of its end record, by name.

    ``before`` shifts every offset if ``shifted``, ``between`` lies between the members and the directory.
    """

    entries: list[Entry]
    before: bytes = b""
    shifted: bool = True
    between: bytes = b""
    ahead_of_end: bytes = b""
    comment: bytes = b""
    behind: bytes = b""
    end: Fields = field(default_factory=dict)
    zip64_end: bool = False
    zip64_fields: Fields = field(default_factory=dict)
    directory_order: Callable[[list[bytes]], list[bytes]] = list

    def write(self) -> bytes:
        """Return the archive's bytes."""
        body, listings = bytearray(), []
        start = len(self.before) if self.shifted else 0
        for entry in self.entries:
            data, listing = entry.write(start + len(body))
            body += data
            listings += [listing] if listing else []
        body += self.between
        directory = b"".join(self.directory_order(listings))
        fields: Fields = {
            "disk": 0,
            "directory_disk": 0,
            "disk_count": len(listings),
            "count": len(listings),
            "size": len(directory),
            "offset": start + len(body),
        }
        tail = self._zip64(fields, start + len(body) + len(directory)) if self.zip64_end else b""
        if self.zip64_end:
            fields |= {"disk_count": 0xFFFF, "count": 0xFFFF, "size": WIDE, "offset": WIDE}
        end = self._end(fields | self.end)
        return b"".join((self.before, body, directory, tail, self.ahead_of_end, end, self.behind))

    def _end(self, fields: Fields) -> bytes:
        keys = ("disk", "directory_disk", "disk_count", "count", "size", "offset")
        length = fields.get("comment_length", len(self.comment))
        return END + struct.pack("<4H2LH", *(fields[key] for key in keys), length) + self.comment

    def _zip64(self, fields: Fields, place: int) -> bytes:
        wide = fields | self.zip64_fields
        numbers = [wide[key] for key in ("disk_count", "count", "size", "offset")]
        record = ZIP64_END + struct.pack("<QHHLLQQQQ", 44, 45, 45, 0, 0, *numbers)
        return record + ZIP64_LOCATOR + struct.pack("<LQL", 0, int(wide.get("place", place)), 1)
