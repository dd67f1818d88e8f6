"""Odd archives: methods, descriptors, headers that disagree, end records, bytes around the members."""

import struct
import zlib
from collections.abc import Callable

from installers.drafts import Draft, choose, oddity
from installers.zips import (
    BZIP2,
    CENTRAL,
    DEFLATE64,
    DEFLATED,
    END,
    LOCAL,
    LZMA,
    STORED,
    WIDE,
    XZ,
    ZIP64_END,
    ZSTD,
    Archive,
    Entry,
)

_TARGETS = {
    "module": b"demo/__init__.py",
    "METADATA": b"/METADATA",
    "RECORD": b"/RECORD",
    "all": b"",
}


def _edit(draft: Draft, change: Callable[[Entry], object]) -> None:
    """Apply a change to one member or to all."""
    target = choose(draft, _TARGETS)

    def edit(entries: list[Entry]) -> None:
        for entry in entries:
            if entry.name.endswith(target):
                change(entry)

    draft.entry_edits.append(edit)


def _update(where: str, **fields: int | bytes) -> Callable[[Entry], object]:
    def change(entry: Entry) -> None:
        for header in ("local", "central") if where == "both" else (where,):
            getattr(entry, header).update(fields)

    return change


@oddity
def another_method(draft: Draft) -> None:
    methods = {
        "stored": STORED, "deflate": DEFLATED, "deflate64": DEFLATE64, "bzip2": BZIP2, "lzma": LZMA,
        "zstd": ZSTD, "xz": XZ
    }  # fmt: skip
    method = choose(draft, methods)
    _edit(draft, lambda entry: setattr(entry, "method", method))


@oddity
def an_unknown_method(draft: Draft) -> None:
    _edit(
        draft,
        _update(
            "both", method=choose(draft, {"1": 1, "6": 6, "10": 10, "18": 18, "97": 97, "98": 98, "99": 99})
        ),
    )


@oddity
def a_data_descriptor(draft: Draft) -> None:
    kind = choose(draft, {kind: kind for kind in ("signed32", "bare32", "signed64", "bare64")})
    method = choose(draft, {"deflate": DEFLATED, "stored": STORED})

    def change(entry: Entry) -> None:
        entry.descriptor, entry.method = kind, method

    _edit(draft, change)


@oddity
def a_descriptor_that_contradicts(draft: Draft) -> None:
    field, value = choose(
        draft,
        {
            "crc": ("crc", 1), "size": ("size", 1), "packed": ("packed", 1), "no size": ("size", 0),
            "no crc": ("crc", 0),
            "size of 32 ones": ("size", WIDE),
        },
    )  # fmt: skip

    def change(entry: Entry) -> None:
        entry.descriptor, entry.descriptor_fields = "signed32", {field: value}

    _edit(draft, change)


@oddity
def a_descriptor_and_sizes_in_the_header(draft: Draft) -> None:
    """The flag of a data descriptor, with the sizes in the local header."""
    written = choose(draft, {"written": True, "missing": False})

    def change(entry: Entry) -> None:
        size, crc = len(entry.data), zlib.crc32(entry.data)
        entry.method = STORED
        if written:
            entry.descriptor = "signed32"
            entry.local |= {"size": size, "packed": size, "crc": crc}
        else:
            entry.flags |= 8

    _edit(draft, change)


@oddity
def a_local_header_that_contradicts(draft: Draft) -> None:
    field, value = choose(
        draft,
        {
            "crc": ("crc", 1), "no crc": ("crc", 0), "size": ("size", 1), "no size": ("size", 0),
            "packed": ("packed", 1),
            "no packed": ("packed", 0), "method stored": ("method", 0), "method 99": ("method", 99),
            "encrypted": ("flags", 1),
            "UTF-8": ("flags", 0x800), "patch": ("flags", 0x20), "version 10": ("needed", 10),
            "version 63": ("needed", 63),
            "version 99": ("needed", 99), "date": ("date", 0), "time": ("time", 0xFFFF),
            "descriptor": ("flags", 8),
            "extra": ("extra", b"\x99\x99\x02\x00xy"), "size of 32 ones": ("size", WIDE),
            "packed of 32 ones": ("packed", WIDE),
        },
    )  # fmt: skip
    _edit(draft, _update("local", **{field: value}))


@oddity
def a_central_header_that_contradicts(draft: Draft) -> None:
    field, value = choose(
        draft,
        {
            "crc": ("crc", 1), "no crc": ("crc", 0), "size": ("size", 1), "no size": ("size", 0),
            "packed": ("packed", 1),
            "no packed": ("packed", 0), "method stored": ("method", 0), "method 99": ("method", 99),
            "encrypted": ("flags", 1),
            "UTF-8": ("flags", 0x800), "patch": ("flags", 0x20), "version 10": ("needed", 10),
            "version 63": ("needed", 63),
            "version 64": ("needed", 64), "version 99": ("needed", 99), "offset": ("offset", 1),
            "offset far": ("offset", 0x7FFFFFFF),
            "disk": ("disk", 1), "internal": ("internal", 1), "signature": ("signature", b"PK\x01\x03"),
            "date": ("date", 0),
            "strong": ("flags", 0x40), "masked": ("flags", 0x2000), "descriptor": ("flags", 8),
        },
    )  # fmt: skip
    _edit(draft, _update("central", **{field: value}))


@oddity
def both_headers_wrong(draft: Draft) -> None:
    field, value = choose(
        draft,
        {
            "crc": ("crc", 1), "no crc": ("crc", 0), "size": ("size", 1), "size larger": ("size", 5000),
            "no size": ("size", 0),
            "packed": ("packed", 1), "no packed": ("packed", 0), "encrypted": ("flags", 1),
            "patch": ("flags", 0x20),
            "version 10": ("needed", 10), "version 63": ("needed", 63), "version 99": ("needed", 99),
            "compression bits": ("flags", 6),
            "date of month zero": ("date", 0), "date of month 15": ("date", 46 << 9 | 15 << 5 | 1),
            "time": ("time", 0xFFFF),
            "strong": ("flags", 0x41), "masked": ("flags", 0x2000),
        },
    )  # fmt: skip
    _edit(draft, _update("both", **{field: value}))


@oddity
def another_name_in_the_local_header(draft: Draft) -> None:
    name = choose(
        draft,
        {
            "other": b"demo/other.py", "case": b"Demo/__init__.py", "climbing": b"../up.py", "empty": b"",
            "longer": b"demo/__init__.pyx",
            "NUL": b"demo/__init__.py\0", "backslash": b"demo\\__init__.py", "dot": b"./demo/__init__.py",
        },
    )  # fmt: skip

    def edit(entries: list[Entry]) -> None:
        for entry in entries:
            if entry.name == b"demo/__init__.py":
                entry.local["name"] = name

    draft.entry_edits.append(edit)


def _unicode_path(name: bytes, own: bytes) -> bytes:
    field = b"\1" + struct.pack("<L", zlib.crc32(own)) + name
    return struct.pack("<HH", 0x7075, len(field)) + field


@oddity
def an_extra_field(draft: Draft) -> None:
    module = b"demo/__init__.py"
    extra = choose(
        draft,
        {
            "times": struct.pack("<HHBL", 0x5455, 5, 1, 1_700_000_000),
            "owner": struct.pack("<HHBBLBL", 0x7875, 11, 1, 4, 0, 4, 0),
            "unknown": b"\x99\x99\x02\x00xy",
            "empty": b"\x99\x99\x00\x00",
            "NTFS": struct.pack("<HHLHHQQQ", 0x000A, 32, 0, 1, 24, 1, 1, 1),
            "jar": b"\xfe\xca\x00\x00",
            "cut off": b"\x99\x99\x09\x00xy",
            "three bytes": b"\0\0\0",
            "one byte": b"\0",
            "zeros": bytes(8),
            "Unicode path, same": _unicode_path(module, module),
            "Unicode path, other": _unicode_path(b"demo/other.py", module),
            "Unicode path, other checksum": _unicode_path(b"demo/other.py", b"x"),
            "Unicode path, empty": _unicode_path(b"", module),
            "ZIP64, empty": struct.pack("<HH", 1, 0),
            "ZIP64, not needed": struct.pack("<HHQQ", 1, 16, 9, 9),
            "ZIP64, one size": struct.pack("<HHQ", 1, 8, 9),
            "ZIP64 twice": struct.pack("<HHQQHHQQ", 1, 16, 9, 9, 1, 16, 9, 9),
            "AES": struct.pack("<HHHHBH", 0x9901, 7, 2, 0x4541, 3, 8),
            "aligned": struct.pack("<HHH", 0xD935, 6, 4) + bytes(4),
            "many": b"\x99\x99\x02\x00xy" * 500,
        },
    )
    where = choose(draft, {"both": "both", "local": "local", "central": "central"})
    target = draft.chance.choice((module, module, b"/METADATA", b""))

    def edit(entries: list[Entry]) -> None:
        for entry in entries:
            if entry.name.endswith(target):
                _update(where, extra=extra)(entry)

    draft.entry_edits.append(edit)


@oddity
def sizes_in_a_zip64_field(draft: Draft) -> None:
    headers = choose(draft, {"local": ("local",), "central": ("central",), "both": ("local", "central")})
    _edit(draft, lambda entry: setattr(entry, "zip64", frozenset(headers)))


@oddity
def a_damaged_zip64_field(draft: Draft) -> None:
    extra = choose(
        draft,
        {
            "missing": b"", "cut": struct.pack("<HHQ", 1, 16, 5), "short": struct.pack("<HHL", 1, 4, 5),
            "one size": struct.pack("<HHQ", 1, 8, 5), "wrong sizes": struct.pack("<HHQQ", 1, 16, 5, 5),
            "huge": struct.pack("<HHQQ", 1, 16, 1 << 62, 1 << 62),
        },
    )  # fmt: skip
    where = choose(draft, {"local": "local", "central": "central", "both": "both"})
    _edit(draft, _update(where, size=WIDE, packed=WIDE, extra=extra))


@oddity
def a_zip64_end_record(draft: Draft) -> None:
    fields = choose(
        draft,
        {
            "right": {}, "place": {"place": 5}, "count": {"count": 1}, "count more": {"count": 999},
            "size": {"size": 5},
            "offset": {"offset": 5}, "disk count": {"disk_count": 1}, "count huge": {"count": 1 << 40},
        },
    )  # fmt: skip

    def edit(archive: Archive) -> None:
        archive.zip64_end, archive.zip64_fields = True, dict(fields)

    draft.archive_edits.append(edit)


@oddity
def a_zip64_end_record_not_needed(draft: Draft) -> None:
    """The ordinary end record holds the numbers, too."""

    def edit(archive: Archive) -> None:
        archive.zip64_end = True
        entries = [entry for entry in archive.entries if entry.listed]
        archive.end = {"count": len(entries), "disk_count": len(entries)}

    draft.archive_edits.append(edit)


@oddity
def an_end_record_that_contradicts(draft: Draft) -> None:
    fields = choose(
        draft,
        {
            "count less": {"count": 1, "disk_count": 1}, "count none": {"count": 0, "disk_count": 0},
            "count more": {"count": 99, "disk_count": 99}, "disk count": {"disk_count": 1},
            "disk count more": {"disk_count": 99},
            "total only": {"count": 1}, "disk": {"disk": 1}, "directory disk": {"directory_disk": 1},
            "size less": {"size": 10},
            "size none": {"size": 0}, "size more": {"size": 5000}, "offset none": {"offset": 0},
            "offset off by one": {"offset": 1},
            "offset far": {"offset": 0x7FFFFFFF}, "comment missing": {"comment_length": 5},
            "comment huge": {"comment_length": 65535},
            "disks of ones": {"disk": 0xFFFF, "directory_disk": 0xFFFF}, "count of ones": {"count": 0xFFFF,
            "disk_count": 0xFFFF},
        },
    )  # fmt: skip
    draft.archive_edits.append(lambda archive: archive.end.update(fields))


@oddity
def bytes_before(draft: Draft) -> None:
    text = choose(
        draft,
        {
            "script": b"#!/bin/sh\n",
            "zeros": bytes(64),
            "one": b"x",
            "local signature": LOCAL,
            "end record": END + bytes(18),
        },
    )
    shifted = choose(draft, {"offsets shifted": True, "offsets as before": False})

    def edit(archive: Archive) -> None:
        archive.before, archive.shifted = text, shifted

    draft.archive_edits.append(edit)


@oddity
def bytes_behind(draft: Draft) -> None:
    text = choose(
        draft,
        {
            "newline": b"\n", "text": b"and more", "zeros": bytes(100), "end record": END + bytes(18),
            "much": b"x" * 70_000,
            "end signature": END,
        },
    )  # fmt: skip
    draft.archive_edits.append(lambda archive: setattr(archive, "behind", text))


@oddity
def bytes_between(draft: Draft) -> None:
    text = choose(
        draft,
        {
            "text": b"in between",
            "zeros": bytes(4096),
            "local header": LOCAL + bytes(26),
            "directory signature": CENTRAL,
        },
    )
    place = choose(draft, {"members": "members", "directory": "directory", "end": "end"})

    def edit(archive: Archive) -> None:
        if place == "members":
            archive.entries[-1].before = text
        elif place == "directory":
            archive.between = text
        else:
            archive.ahead_of_end = text

    draft.archive_edits.append(edit)


@oddity
def a_comment(draft: Draft) -> None:
    text = choose(
        draft,
        {
            "text": b"built by demo", "empty line": b"\n", "long": b"x" * 65535, "end signature": END,
            "end record": END + bytes(18),
            "not UTF-8": b"\xe9", "zip64": ZIP64_END,
        },
    )  # fmt: skip
    place = choose(draft, {"archive": "archive", "member": "member"})

    def edit(archive: Archive) -> None:
        if place == "archive":
            archive.comment = text
        else:
            archive.entries[0].comment = text

    draft.archive_edits.append(edit)


@oddity
def a_member_that_the_directory_lacks(draft: Draft) -> None:
    name = choose(
        draft,
        {
            "module": "demo/hidden.py",
            "package": "demo/__init__.py",
            "METADATA": "{info}/METADATA",
            "folder": "hidden/",
        },
    )
    position = choose(draft, {"last": None, "first": 0})
    path = name.replace("{info}", draft.info).encode()
    hidden = Entry(name=path, data=b"" if name.endswith("/") else b"hidden = 1\n", listed=False)

    def edit(entries: list[Entry]) -> None:
        entries.insert(len(entries) if position is None else position, hidden)

    draft.entry_edits.append(edit)


@oddity
def a_member_without_data(draft: Draft) -> None:
    """The directory lists a member that is not in the archive, or at the place of another."""
    place = choose(draft, {"its place": None, "the first member": 0, "far": 0x7FFFFFF0})
    ghost = Entry(name=b"demo/ghost.py", data=b"ghost = 1\n", stored=False)
    if place is not None:
        ghost.central["offset"] = place
    draft.entry_edits.append(lambda entries: entries.insert(1, ghost))


@oddity
def members_that_share_bytes(draft: Draft) -> None:
    name = choose(draft, {"same name": b"demo/__init__.py", "other name": b"demo/twin.py"})

    def edit(archive: Archive) -> None:
        data = archive.entries[0].data
        archive.entries.insert(1, Entry(name=name, data=data, stored=False, central={"offset": 0}))

    draft.archive_edits.append(edit)


@oddity
def another_order_of_the_directory(draft: Draft) -> None:
    draft.archive_edits.append(lambda archive: setattr(archive, "directory_order", lambda rows: rows[::-1]))


@oddity
def packed_data_that_is_damaged(draft: Draft) -> None:
    def change(entry: Entry) -> None:
        deflated = zlib.compress(entry.data)[2:-4]
        entry.method = DEFLATED
        entry.packed = variants(deflated)

    variants: Callable[[bytes], bytes] = choose(
        draft,
        {
            "cut": lambda data: data[:-2],
            "longer": lambda data: data + b"xyz",
            "zeros": lambda data: bytes(len(data)),
            "ones": lambda data: b"\xff" * len(data),
            "empty": lambda _: b"",
            "zlib header": lambda data: b"\x78\x9c" + data,
        },
    )
    _edit(draft, change)


@oddity
def the_whole_file(draft: Draft) -> None:
    draft.byte_edits.append(
        choose(
            draft,
            {
                "empty": lambda _: b"",
                "cut in half": lambda data: data[: len(data) // 2],
                "one byte short": lambda data: data[:-1],
                "no end record": lambda data: data[: data.rindex(END)],
                "text": lambda _: b"<html>404 Not Found</html>",
                "gzip": lambda data: b"\x1f\x8b\x08\x00" + data,
                "end record only": lambda data: data[data.rindex(END) :],
                "twice": lambda data: data + data,
            },
        )
    )


@oddity
def one_byte_changed(draft: Draft) -> None:
    place, value = draft.chance.random(), draft.chance.randrange(1, 256)

    def change(data: bytes) -> bytes:
        at = int(place * len(data))
        return data[:at] + bytes([data[at] ^ value]) + data[at + 1 :] if data else data

    draft.byte_edits.append(change)


@oddity
def one_byte_of_a_header_changed(draft: Draft) -> None:
    signature = choose(draft, {"local": LOCAL, "central": CENTRAL, "end": END})
    shift, value = (
        draft.chance.randrange(4, 46),
        draft.chance.choice((1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80, 0xFF)),
    )
    draft.oddities[-1] += f" byte {shift} ^ {value}"

    def change(data: bytes) -> bytes:
        at = data.find(signature) + shift
        return data[:at] + bytes([data[at] ^ value]) + data[at + 1 :] if 0 <= at < len(data) else data

    draft.byte_edits.append(change)
