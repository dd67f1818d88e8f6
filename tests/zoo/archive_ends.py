"""Archives with an odd end record, with bytes between and behind, and with a ZIP64 end record."""

import struct

from zoo.raw_zip import WIDE, RawZip
from zoo.variants import TABLE, archive, change, enter, texts


@change
def valid(raw: RawZip) -> None:
    """The twin of all others."""


for field in ("here", "count", "both"):
    for shift in (-1, 1):

        def counts(field: str = field, shift: int = shift) -> RawZip:
            raw = archive()
            raw.end = dict.fromkeys(
                ("here", "count") if field == "both" else (field,), len(raw.entries) + shift
            )
            return raw

        enter(f"end_count_{field}_{shift:+}", counts)

for name, end in {
    "end_disk_1": {"disk": 1}, "end_first_disk_1": {"first": 1}, "end_both_disks_1": {"disk": 1, "first": 1},
    "end_comment": {"comment": b"a comment"}, "end_comment_of_zeros": {"comment": bytes(6)},
    "end_comment_with_control": {"comment": b"a\x01b"},
    "end_comment_declared_longer": {"comment": b"ab", "declared": 9},
    "end_comment_declared_shorter": {"comment": b"abcd", "declared": 2},
    "end_length_0": {"length": 0}, "end_start_0": {"start": 0}, "end_start_large": {"start": 0x7FFFFFF0},
    "end_length_large": {"length": 0x7FFFFFF0},
    "end_wide_without_zip64": {"start": WIDE, "length": WIDE, "count": 0xFFFF, "here": 0xFFFF},
}.items():  # fmt: skip

    def ends(end: dict[str, object] = end) -> RawZip:
        raw = archive()
        raw.end = dict(end)
        return raw

    enter(name, ends)


@change
def two_end_records(raw: RawZip) -> None:
    raw.after = raw.write()[-22:]


@change
def end_record_in_the_comment(raw: RawZip) -> None:
    raw.end = {"comment": RawZip(entries=[]).write()}


@change
def an_archive_in_the_comment(raw: RawZip) -> None:
    other = archive({**texts(), "demo/other.py": b"x = 1\n"})
    start = len(raw.write())
    for entry in other.entries:
        entry.before = b""
    data = other.write()
    raw.end = {"comment": data}
    assert start


@change
def zeros_behind_the_end(raw: RawZip) -> None:
    raw.after = bytes(100)


@change
def bytes_behind_the_end(raw: RawZip) -> None:
    raw.after = b"more"


@change
def another_archive_behind(raw: RawZip) -> None:
    raw.after = archive({**texts(), "demo/other.py": b"x = 1\n"}).write()


@change
def bytes_before_all(raw: RawZip) -> None:
    raw.before = b"#!/bin/sh\n"


@change
def bytes_before_all_uncounted(raw: RawZip) -> None:
    before = b"#!/bin/sh\n"
    data = raw.write()
    raw.entries, raw.end, raw.before = [], {}, before + data
    raw.before = b""
    raw.write = lambda: before + data  # type: ignore[method-assign]


@change
def bytes_between_members(raw: RawZip) -> None:
    raw.entry(TABLE).before = b"between"


@change
def zeros_between_members(raw: RawZip) -> None:
    raw.entry(TABLE).before = bytes(12)


@change
def bytes_before_the_directory(raw: RawZip) -> None:
    raw.gap = b"between"


@change
def bytes_behind_the_directory(raw: RawZip) -> None:
    raw.behind_directory = b"between"


@change
def a_signature_of_the_directory(raw: RawZip) -> None:
    raw.behind_directory = struct.pack("<4sH4s", b"PK\5\5", 4, b"sign")
    raw.end = {"length": len(raw.behind_directory) + directory_length(raw)}


@change
def a_signature_of_the_directory_uncounted(raw: RawZip) -> None:
    raw.behind_directory = struct.pack("<4sH4s", b"PK\5\5", 4, b"sign")


@change
def an_archive_extra_data_record(raw: RawZip) -> None:
    raw.gap = struct.pack("<4sL4s", b"PK\x06\x08", 4, b"data")


def directory_length(raw: RawZip) -> int:
    """Return the bytes of the central directory, if no header of it was changed."""
    return sum(46 + len(entry.name) for entry in raw.entries)


@change
def zip64_end_superfluous(raw: RawZip) -> None:
    raw.end64 = {}


@change
def zip64_end_needed(raw: RawZip) -> None:
    raw.end64 = {}
    raw.end = {"here": 0xFFFF, "count": 0xFFFF, "length": WIDE, "start": WIDE}


for name, (end64, locator) in {
    "zip64_end_other_count": ({"count": 3, "here": 3}, {}),
    "zip64_end_other_count_here": ({"here": 3}, {}),
    "zip64_end_other_start": ({"start": 3}, {}),
    "zip64_end_other_length": ({"length": 46}, {}),
    "zip64_end_disk_1": ({"disk": 1}, {}),
    "zip64_end_longer": ({"size": 52, "data": b"12345678"}, {}),
    "zip64_end_declared_longer": ({"size": 60}, {}),
    "zip64_end_declared_shorter": ({"size": 20}, {}),
    "zip64_end_newer_version": ({"version": 99}, {}),
    "zip64_locator_elsewhere": ({}, {"offset": 0}),
    "zip64_locator_beyond": ({}, {"offset": 1 << 40}),
    "zip64_locator_disks_2": ({}, {"disks": 2}),
    "zip64_locator_disks_0": ({}, {"disks": 0}),
    "zip64_locator_disk_1": ({}, {"disk": 1}),
}.items():
    for wide in (False, True):

        def ends64(
            end64: dict[str, object] = end64, locator: dict[str, object] = locator, *, wide: bool = wide
        ) -> RawZip:
            raw = archive()
            raw.end64, raw.locator = dict(end64), dict(locator)
            if wide:
                raw.end = {"here": 0xFFFF, "count": 0xFFFF, "length": WIDE, "start": WIDE}
            return raw

        enter(name + "_wide" * wide, ends64)
