"""Write zip archives record by record, so that each field can be wrong on its own."""

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

LOCAL, CENTRAL, DESCRIPTOR = b"PK\x03\x04", b"PK\x01\x02", b"PK\x07\x08"
END, END64, LOCATOR = b"PK\x05\x06", b"PK\x06\x06", b"PK\x06\x07"
STREAMED, UTF8 = 0x8, 0x800
WIDE = 0xFFFFFFFF


def extra(kind: int, data: bytes, length: int | None = None) -> bytes:
    """Return an extra field; ``length`` is what it declares."""
    return struct.pack("<HH", kind, len(data) if length is None else length) + data


def zip64(*values: int) -> bytes:
    """Return a ZIP64 field with these values."""
    return extra(1, struct.pack(f"<{len(values)}Q", *values))


@dataclass(kw_only=True)
class Entry:
    """A member; ``both``, ``local`` and ``central`` replace header fields, ``descriptor`` is behind it."""

    name: bytes
    data: bytes
    method: int = 8
    both: dict[str, object] = field(default_factory=dict)
    local: dict[str, object] = field(default_factory=dict)
    central: dict[str, object] = field(default_factory=dict)
    packed: bytes | None = None
    descriptor: bytes = b""
    before: bytes = b""
    listed: bool = True

    @property
    def contents(self) -> bytes:
        """The packed bytes."""
        if self.packed is not None:
            return self.packed
        if self.method != 8:
            return self.data
        packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        return packer.compress(self.data) + packer.flush()

    def fields(self, changes: Mapping[str, object]) -> dict[str, object]:
        """Return the header fields, as the data asks for unless they are changed."""
        right = {
            "maker": 0x0314,
            "version": 20,
            "flags": 0 if self.name.isascii() else UTF8,
            "method": self.method,
            "time": 0,
            "date": 0x5C21,
            "crc": zlib.crc32(self.data),
            "packed": len(self.contents),
            "size": len(self.data),
            "name": self.name,
            "extra": b"",
            "comment": b"",
            "disk": 0,
            "internal": 0,
            "attributes": 0o100644 << 16,
        }
        return right | self.both | dict(changes)

    def streamed(self, form: str = "<4sLLL", **wrong: int) -> None:
        """Put checksum and sizes into a data descriptor, as writers do that cannot seek."""
        values = {"crc": zlib.crc32(self.data), "packed": len(self.contents), "size": len(self.data)} | wrong
        signature = (DESCRIPTOR,) if "s" in form else ()
        self.descriptor = struct.pack(form, *signature, values["crc"], values["packed"], values["size"])
        self.both["flags"] = STREAMED
        self.local |= {"crc": 0, "packed": 0, "size": 0}


@dataclass(kw_only=True)
class RawZip:
    """An archive: its entries, what the end record says, and bytes around all of it."""

    entries: list[Entry]
    end: dict[str, object] = field(default_factory=dict)
    end64: dict[str, object] | None = None
    locator: dict[str, object] = field(default_factory=dict)
    before: bytes = b""
    gap: bytes = b""
    behind_directory: bytes = b""
    after: bytes = b""

    def entry(self, name: str) -> Entry:
        """Return the first entry of this name."""
        return next(entry for entry in self.entries if entry.name == name.encode())

    def write(self) -> bytes:
        """Return the archive's bytes."""
        out = bytearray(self.before)
        central = bytearray()
        for entry in self.entries:
            out += entry.before
            offset = len(out)
            head = entry.fields(entry.local)
            out += struct.pack(
                "<4sHHHHHLLLHH",
                LOCAL,
                head["version"],
                head["flags"],
                head["method"],
                head["time"],
                head["date"],
                head["crc"],
                head["packed"],
                head["size"],
                len(head["name"]),
                len(head["extra"]),  # type: ignore[arg-type]
            )
            out += head["name"] + head["extra"] + entry.contents + entry.descriptor  # type: ignore[operator]
            head = entry.fields({"offset": offset} | entry.central)
            if entry.listed:
                central += struct.pack(
                    "<4sHHHHHHLLLHHHHHLL",
                    CENTRAL,
                    head["maker"],
                    head["version"],
                    head["flags"],
                    head["method"],
                    head["time"],
                    head["date"],
                    head["crc"],
                    head["packed"],
                    head["size"],
                    len(head["name"]),  # type: ignore[arg-type]
                    len(head["extra"]),
                    len(head["comment"]),
                    head["disk"],
                    head["internal"],
                    head["attributes"],  # type: ignore[arg-type]
                    head["offset"],
                )
                central += head["name"] + head["extra"] + head["comment"]  # type: ignore[operator]
        out += self.gap
        start, count = len(out), sum(entry.listed for entry in self.entries)
        out += central + self.behind_directory
        out += self._end64(start, count, len(central), len(out))
        right = {
            "disk": 0,
            "first": 0,
            "here": count,
            "count": count,
            "length": len(central),
            "start": start,
            "comment": b"",
        }
        end = right | self.end
        out += struct.pack(
            "<4sHHHHLLH",
            END,
            end["disk"],
            end["first"],
            end["here"],
            end["count"],
            end["length"],
            end["start"],
            end.get("declared", len(end["comment"])),
        )  # type: ignore[call-overload]
        return bytes(out + end["comment"] + self.after)

    def _end64(self, start: int, count: int, length: int, place: int) -> bytes:
        if self.end64 is None:
            return b""
        right = {
            "size": 44,
            "maker": 45,
            "version": 45,
            "disk": 0,
            "first": 0,
            "here": count,
            "count": count,
            "length": length,
            "start": start,
            "data": b"",
        }
        end = right | self.end64
        record = (
            struct.pack(
                "<4sQHHLLQQQQ",
                END64,
                end["size"],
                end["maker"],
                end["version"],
                end["disk"],
                end["first"],
                end["here"],
                end["count"],
                end["length"],
                end["start"],
            )
            + end["data"]
        )
        where = {"disk": 0, "offset": place, "disks": 1} | self.locator
        return record + struct.pack("<4sLQL", LOCATOR, where["disk"], where["offset"], where["disks"])
