"""Archives with odd fields in headers: ZIP64, extra fields, flags, sizes, modes, names, comments."""

import struct
import zlib

from zoo.raw_zip import UTF8, WIDE, RawZip, extra, zip64
from zoo.variants import PACKED, SIZE, TABLE, archive, change, enter

BOTH = {"size": WIDE, "packed": WIDE}
for name, (local, central) in {
    "zip64_fields": (BOTH | {"extra": zip64(SIZE, PACKED)}, BOTH | {"extra": zip64(SIZE, PACKED)}),
    "zip64_fields_local_only": (BOTH | {"extra": zip64(SIZE, PACKED)}, {}),
    "zip64_fields_central_only": ({}, BOTH | {"extra": zip64(SIZE, PACKED)}),
    "zip64_superfluous_local": ({"extra": zip64(SIZE, PACKED)}, {}),
    "zip64_superfluous_central": ({}, {"extra": zip64(SIZE, PACKED)}),
    "zip64_superfluous_both": ({"extra": zip64(SIZE, PACKED)}, {"extra": zip64(SIZE, PACKED)}),
    "zip64_superfluous_and_wrong": ({"extra": zip64(SIZE + 1, PACKED + 1)},
                                    {"extra": zip64(SIZE + 1, PACKED + 1)}),
    "zip64_superfluous_wrong_local": ({"extra": zip64(SIZE + 1, PACKED + 1)}, {}),
    "zip64_superfluous_wrong_central": ({}, {"extra": zip64(SIZE + 1, PACKED + 1)}),
    "zip64_empty_local": ({"extra": zip64()}, {}),
    "zip64_empty_central": ({}, {"extra": zip64()}),
    "zip64_size_only_local": ({"size": WIDE, "extra": zip64(SIZE)}, {}),
    "zip64_size_only_central": ({}, {"size": WIDE, "extra": zip64(SIZE)}),
    "zip64_too_short_local": (BOTH | {"extra": zip64(SIZE)}, {}),
    "zip64_too_short_central": ({}, BOTH | {"extra": zip64(SIZE)}),
    "zip64_missing_local": (BOTH, {}),
    "zip64_missing_central": ({}, BOTH),
    "zip64_declared_too_long_local": ({"extra": extra(1, b"1234", 40)}, {}),
    "zip64_declared_too_long_central": ({}, {"extra": extra(1, b"1234", 40)}),
    "zip64_four_bytes_local": ({"extra": extra(1, b"1234")}, {}),
    "zip64_four_bytes_central": ({}, {"extra": extra(1, b"1234")}),
    "zip64_wrong_size_local": (BOTH | {"extra": zip64(SIZE + 1, PACKED)}, {}),
    "zip64_wrong_packed_local": (BOTH | {"extra": zip64(SIZE, PACKED + 1)}, {}),
    "zip64_longer_local": (BOTH | {"extra": zip64(SIZE, PACKED, 0, 7)}, {}),
    "zip64_longer_central": ({}, BOTH | {"extra": zip64(SIZE, PACKED, 0, 7)}),
    "zip64_twice_local": ({"extra": zip64(SIZE, PACKED) * 2}, {}),
    "zip64_twice_central": ({}, {"extra": zip64(SIZE, PACKED) * 2}),
    "extra_unknown": ({"extra": extra(0xCAFE, b"x")}, {"extra": extra(0xCAFE, b"x")}),
    "extra_times": ({"extra": extra(0x5455, b"\1abcd")}, {"extra": extra(0x5455, b"\1abcd")}),
    "extra_too_long_local": ({"extra": extra(0xCAFE, b"x", 9)}, {}),
    "extra_too_long_central": ({}, {"extra": extra(0xCAFE, b"x", 9)}),
    "extra_rest_local": ({"extra": b"abc"}, {}),
    "extra_rest_central": ({}, {"extra": b"abc"}),
    "extra_twice_local": ({"extra": extra(0xCAFE, b"x") * 2}, {}),
    "extra_twice_central": ({}, {"extra": extra(0xCAFE, b"x") * 2}),
    "extra_times_twice_central": ({}, {"extra": extra(0x5455, b"\1abcd") * 2}),
    "comment_of_a_member": ({}, {"comment": b"hello"}),
    "version_64_local": ({"version": 64}, {}), "version_64_central": ({}, {"version": 64}),
    "version_64_both": ({"version": 64}, {"version": 64}),
    "version_10_both": ({"version": 10}, {"version": 10}),
    "version_45_local": ({"version": 45}, {}),
    "version_reserved_byte": ({"version": 0x0314}, {"version": 0x0314}),
    "flags_local_only": ({"flags": 2}, {}), "flags_central_only": ({}, {"flags": 2}),
    "flag_patched": ({"flags": 0x20}, {"flags": 0x20}), "flag_strong": ({"flags": 0x40}, {"flags": 0x40}),
    "flag_encrypted": ({"flags": 1}, {"flags": 1}), "flag_encrypted_local": ({"flags": 1}, {}),
    "flag_encrypted_central": ({}, {"flags": 1}), "flag_masked": ({"flags": 0x2000}, {"flags": 0x2000}),
    "flag_utf8_local": ({"flags": UTF8}, {}), "flag_utf8_central": ({}, {"flags": UTF8}),
    "flag_streamed_local": ({"flags": 8}, {}), "flag_streamed_central": ({}, {"flags": 8}),
    "flag_streamed_both_without": ({"flags": 8}, {"flags": 8}),
    "crc_local": ({"crc": 5}, {}), "crc_central": ({}, {"crc": 5}), "crc_both": ({"crc": 5}, {"crc": 5}),
    "crc_zero_local": ({"crc": 0}, {}),
    "size_local": ({"size": SIZE + 1}, {}), "size_central": ({}, {"size": SIZE + 1}),
    "size_both": ({"size": SIZE + 1}, {"size": SIZE + 1}),
    "size_both_less": ({"size": SIZE - 1}, {"size": SIZE - 1}),
    "size_zero_both": ({"size": 0}, {"size": 0}),
    "packed_local": ({"packed": PACKED + 1}, {}), "packed_central": ({}, {"packed": PACKED + 1}),
    "packed_less_both": ({"packed": PACKED - 1}, {"packed": PACKED - 1}),
    "packed_zero_local": ({"packed": 0}, {}), "packed_zero_both": ({"packed": 0}, {"packed": 0}),
    "method_local": ({"method": 0}, {}), "method_central": ({}, {"method": 0}),
    "method_99": ({"method": 99}, {"method": 99}),
    "time_local": ({"time": 99}, {}), "date_zero": ({"date": 0}, {"date": 0}),
    "date_99": ({"date": 0xFFFF}, {"date": 0xFFFF}),
    "time_99": ({"time": 0xFFFF}, {"time": 0xFFFF}),
    "name_local": ({"name": b"demo/other.txt"}, {}),
    "name_local_same_length": ({"name": b"demo/tabel.txt"}, {}),
    "name_local_dotted": ({"name": b"demo/./table.txt"}, {}),
    "name_local_empty": ({"name": b""}, {}),
    "disk_1_central": ({}, {"disk": 1}), "internal_1": ({}, {"internal": 1}),
    "offset_wrong": ({}, {"offset": 7}), "offset_beyond": ({}, {"offset": 1 << 30}),
    "offset_of_another": ({}, {"offset": 0}),
    "maker_windows": ({}, {"maker": 0x0014, "attributes": 0x20}), "maker_macos": ({}, {"maker": 0x1314}),
    "mode_none": ({}, {"attributes": 0}), "mode_zero": ({}, {"attributes": 0o100000 << 16}),
    "mode_executable": ({}, {"attributes": 0o100755 << 16}),
    "mode_only_others_x": ({}, {"attributes": 0o100001 << 16}),
    "mode_setuid": ({}, {"attributes": 0o104755 << 16}),
    "mode_write_only": ({}, {"attributes": 0o100222 << 16}),
    "mode_link": ({}, {"attributes": 0o120777 << 16}), "mode_pipe": ({}, {"attributes": 0o010644 << 16}),
    "mode_folder": ({}, {"attributes": 0o040755 << 16}), "mode_device": ({}, {"attributes": 0o020644 << 16}),
    "mode_socket": ({}, {"attributes": 0o140644 << 16}),
    "attribute_folder": ({}, {"attributes": 0o100644 << 16 | 0x10}),
    "mode_executable_windows_maker": ({}, {"maker": 0x0014, "attributes": 0o100755 << 16}),
}.items():  # fmt: skip

    def fields(local: dict[str, object] = local, central: dict[str, object] = central) -> RawZip:
        raw = archive()
        raw.entry(TABLE).local, raw.entry(TABLE).central = dict(local), dict(central)
        return raw

    enter(name, fields)


@change
def zip64_offset(raw: RawZip) -> None:
    offset = raw.write().index(b"demo/table.txt") - 30
    raw.entry(TABLE).central = {"offset": WIDE, "extra": zip64(offset)}


@change
def zip64_offset_missing(raw: RawZip) -> None:
    raw.entry(TABLE).central = {"offset": WIDE}


def unicode_path(name: bytes, other: bytes, *, crc: int | None = None, version: int = 1) -> bytes:
    return extra(0x7075, struct.pack("<BL", version, zlib.crc32(name) if crc is None else crc) + other)


for name, field_ in {
    "same": unicode_path(TABLE.encode(), TABLE.encode()),
    "other": unicode_path(TABLE.encode(), b"demo/other.txt"),
    "other_wrong_crc": unicode_path(TABLE.encode(), b"demo/other.txt", crc=5),
    "not_utf8": unicode_path(TABLE.encode(), b"demo/\xff.txt"),
    "not_utf8_wrong_crc": unicode_path(TABLE.encode(), b"\xff", crc=5),
    "empty": unicode_path(TABLE.encode(), b""),
    "version_2": unicode_path(TABLE.encode(), b"demo/other.txt", version=2),
    "too_short": extra(0x7075, b"\1ab"), "control": unicode_path(TABLE.encode(), b"demo/\1.txt"),
    "nul": unicode_path(TABLE.encode(), b"demo/a\0b.txt"),
    "climbing": unicode_path(TABLE.encode(), b"../up.txt"),
}.items():  # fmt: skip
    for where in ("local", "central", "both"):

        def named(field_: bytes = field_, where: str = where) -> RawZip:
            raw = archive()
            setattr(raw.entry(TABLE), where, {"extra": field_})
            return raw

        enter(f"unicode_path_{name}_{where}", named)


for name, comment in {
    "end_record": b"PK\5\6", "zip64_end": b"PK\6\6", "locator": b"PK\6\7", "central": b"PK\1\2",
    "local": b"PK\3\4", "control": b"a\1b",
    "whole_end_record": b"PK\5\6" + bytes(18),
}.items():  # fmt: skip

    def commented(comment: bytes = comment) -> RawZip:
        raw = archive()
        raw.entry(TABLE).central = {"comment": comment}
        return raw

    enter(f"comment_of_a_member_{name}", commented)
    for where in ("local", "central"):

        def within(comment: bytes = comment, where: str = where) -> RawZip:
            raw = archive()
            setattr(raw.entry(TABLE), where, {"extra": extra(0xCAFE, comment)})
            return raw

        enter(f"extra_{name}_{where}", within)
