"""Archives with odd members: folders, names, duplicates, and methods of compression."""

import bz2
import lzma
import struct
import zlib

from zoo.archive_ends import directory_length
from zoo.raw_zip import CENTRAL, UTF8, Entry, RawZip, extra
from zoo.variants import EMPTY, INFO, TABLE, archive, change, enter, texts

for name, entry_ in {
    "plain": Entry(name=b"demo/sub/", data=b"", method=0), "deflated": Entry(name=b"demo/sub/", data=b""),
    "crc": Entry(name=b"demo/sub/", data=b"", method=0, both={"crc": 5}),
    "crc_local": Entry(name=b"demo/sub/", data=b"", method=0, local={"crc": 5}),
    "crc_central": Entry(name=b"demo/sub/", data=b"", method=0, central={"crc": 5}),
    "size": Entry(name=b"demo/sub/", data=b"", method=0, both={"size": 5}),
    "size_local": Entry(name=b"demo/sub/", data=b"", method=0, local={"size": 5}),
    "size_central": Entry(name=b"demo/sub/", data=b"", method=0, central={"size": 5}),
    "contents": Entry(name=b"demo/sub/", data=b"contents", method=0),
    "contents_deflated": Entry(name=b"demo/sub/", data=b"contents"),
    "contents_declared_empty": Entry(name=b"demo/sub/", data=b"contents", method=0,
                                     both={"size": 0, "crc": 0}),
    "name_local": Entry(name=b"demo/sub/", data=b"", method=0, local={"name": b"demo/bus/"}),
    "name_local_a_file": Entry(name=b"demo/sub/", data=b"", method=0, local={"name": b"demo/sub.py"}),
    "name_central_a_file": Entry(name=b"demo/sub/", data=b"", method=0, central={"name": b"demo/sub"}),
    "method_99": Entry(name=b"demo/sub/", data=b"", method=0, both={"method": 99}),
    "method_99_local": Entry(name=b"demo/sub/", data=b"", method=0, local={"method": 99}),
    "encrypted": Entry(name=b"demo/sub/", data=b"", method=0, both={"flags": 1}),
    "encrypted_local": Entry(name=b"demo/sub/", data=b"", method=0, local={"flags": 1}),
    "version_64": Entry(name=b"demo/sub/", data=b"", method=0, both={"version": 64}),
    "version_64_local": Entry(name=b"demo/sub/", data=b"", method=0, local={"version": 64}),
    "extra_too_long_local": Entry(name=b"demo/sub/", data=b"", method=0, local={"extra": extra(1, b"", 9)}),
    "offset_wrong": Entry(name=b"demo/sub/", data=b"", method=0, central={"offset": 3}),
    "unlisted": Entry(name=b"demo/sub/", data=b"", method=0, listed=False),
    "of_the_package": Entry(name=b"demo/", data=b"", method=0, both={"attributes": 0o040755 << 16}),
    "named_like_a_file": Entry(name=b"demo/table.txt/", data=b"", method=0),
    "named_data": Entry(name=b"demo-1.0.data/", data=b"", method=0),
    "named_dist_info": Entry(name=b"other-1.0.dist-info/", data=b"", method=0),
    "named_egg_info": Entry(name=b"demo.egg-info/", data=b"", method=0),
    "climbing": Entry(name=b"../sub/", data=b"", method=0),
    "absolute": Entry(name=b"/tmp-demo-zoo/", data=b"", method=0),
    "name_of_slash": Entry(name=b"/", data=b"", method=0), "name_dot": Entry(name=b"./", data=b"", method=0),
    "control": Entry(name=b"demo/\x01sub/", data=b"", method=0),
    "double_slash": Entry(name=b"demo//", data=b"", method=0),
    "mode_link": Entry(name=b"demo/sub/", data=b"", method=0, both={"attributes": 0o120777 << 16}),
    "mode_0": Entry(name=b"demo/sub/", data=b"", method=0, both={"attributes": 0o040000 << 16}),
}.items():  # fmt: skip

    def folders(entry_: Entry = entry_) -> RawZip:
        raw = archive()
        raw.entries.insert(0, entry_)
        return raw

    enter(f"folder_{name}", folders)


@change
def folder_twice(raw: RawZip) -> None:
    raw.entries[:0] = [
        Entry(name=b"demo/sub/", data=b"", method=0),
        Entry(name=b"demo/sub/", data=b"", method=0),
    ]


@change
def folder_after_its_files(raw: RawZip) -> None:
    raw.entries.append(Entry(name=b"demo/", data=b"", method=0))


for name, path in {
    "absolute": b"/demo-zoo/x.py", "climbing": b"../up.py", "climbing_inside": b"demo/../other.py",
    "climbing_far": b"../../../../../../demo-zoo-up.py", "drive": b"C:/demo/x.py",
    "drive_relative": b"C:x.py",
    "backslash": b"demo\\sub\\x.py", "backslash_climbing": b"..\\up.py", "backslash_at_the_end": b"demo\\",
    "dot": b"./demo/x.py", "dot_inside": b"demo/./x.py", "double_slash": b"demo//x.py",
    "dots_at_the_end": b"demo/..",
    "dot_at_the_end": b"demo/.", "dotdot": b"..", "just_dot": b".",
    "nul": b"demo/a\0b.py", "newline": b"demo/a\nb.py", "tab": b"demo/a\tb.py", "control": b"demo/a\x01b.py",
    "delete": b"demo/a\x7fb.py", "escape": b"demo/\x1b[2Jb.py", "carriage_return": b"demo/a\rb.py",
    "space": b"demo/a b.py", "leading_space": b" demo/x.py", "trailing_space": b"demo/x.py ",
    "colon": b"demo/a:b.py", "question": b"demo/a?b.py", "quote": b'demo/a"b.py', "comma": b"demo/a,b.py",
    "device": b"demo/aux.py", "tilde": b"~/x.py", "percent": b"demo/%2e%2e/x.py",
    "unicode": "demo/é.py".encode(), "unicode_decomposed": "demo/e\u0301.py".encode(),
    "unicode_private": "demo/\ue000.py".encode(), "unicode_c1": "demo/\x85.py".encode(),
    "unicode_rtl": "demo/\u202e.py".encode(), "unicode_zero_width": "demo/\u200b.py".encode(),
    "unicode_bom": "demo/\ufeff.py".encode(), "unicode_soft_hyphen": "demo/a\u00adb.py".encode(),
    "unicode_unassigned": "demo/\u0378.py".encode(), "unicode_line_separator": "demo/\u2028.py".encode(),
    "unicode_nbsp": "demo/\u00a0.py".encode(), "unicode_emoji": "demo/\U0001f308.py".encode(),
    "unicode_tag": "demo/\U000e0041.py".encode(), "unicode_new": "demo/\U0001fae8.py".encode(),
    "unicode_tag_joiner": "demo/\u200d.py".encode(), "unicode_noncharacter": "demo/\ufffe.py".encode(),
    "long": b"demo/" + b"n" * 256, "longest": b"demo/" + b"n" * 255, "deep": b"d/" * 2100 + b"x.py",
    "empty": b"",
    "deep_fits": b"d/" * 950 + b"x.py",
}.items():  # fmt: skip

    def paths(path: bytes = path) -> RawZip:
        return archive({**texts(), path.decode(): b"x = 1\n"})

    enter(f"name_{name}", paths)

for name, (path, flags) in {
    "latin_without_flag": ("demo/é.py".encode("latin-1"), 0),
    "utf8_without_flag": ("demo/é.py".encode(), 0),
    "not_utf8_with_flag": (b"demo/\xe9.py", UTF8),
    "surrogate_with_flag": (b"demo/\xed\xa0\x80.py", UTF8),
    "overlong_with_flag": (b"demo/\xc0\xae.py", UTF8),
}.items():

    def coded(path: bytes = path, flags: int = flags) -> RawZip:
        raw = archive({**texts()})
        raw.entries.insert(0, Entry(name=path, data=b"x = 1\n", both={"flags": flags}))
        return raw

    enter(f"name_{name}", coded)


@change
def duplicate_same(raw: RawZip) -> None:
    raw.entries.insert(0, Entry(name=TABLE.encode(), data=texts()[TABLE]))


@change
def duplicate_other(raw: RawZip) -> None:
    raw.entries.insert(0, Entry(name=TABLE.encode(), data=b"other"))


@change
def duplicate_other_mode(raw: RawZip) -> None:
    same = Entry(name=TABLE.encode(), data=texts()[TABLE], both={"attributes": 0o100755 << 16})
    raw.entries.insert(0, same)


@change
def duplicate_in_the_directory_only(raw: RawZip) -> None:
    data = raw.write()
    entry = raw.entry(TABLE)
    raw.behind_directory = data[data.index(CENTRAL, data.index(CENTRAL) + 1) :][: 46 + len(entry.name)]
    raw.end = {"count": len(raw.entries) + 1, "here": len(raw.entries) + 1,
               "length": directory_length(raw) + 46 + len(entry.name)}  # fmt: skip


@change
def duplicate_by_dot(raw: RawZip) -> None:
    raw.entries.insert(0, Entry(name=b"demo/./table.txt", data=b"other"))


@change
def duplicate_by_case(raw: RawZip) -> None:
    raw.entries.insert(0, Entry(name=b"demo/TABLE.txt", data=b"other"))


@change
def file_and_folder(raw: RawZip) -> None:
    raw.entries.insert(0, Entry(name=b"demo/table.txt/x.py", data=b"x = 1\n"))


@change
def file_and_folder_after(raw: RawZip) -> None:
    raw.entries.append(Entry(name=b"demo/table.txt/x.py", data=b"x = 1\n"))


@change
def unlisted_file(raw: RawZip) -> None:
    raw.entries.insert(1, Entry(name=b"demo/hidden.py", data=b"x = 1\n", listed=False))


@change
def unlisted_copy(raw: RawZip) -> None:
    raw.entries.insert(1, Entry(name=TABLE.encode(), data=texts()[TABLE], listed=False))


@change
def two_entries_of_one_header(raw: RawZip) -> None:
    offset = raw.write().index(TABLE.encode()) - 30
    entry = raw.entry(TABLE)
    raw.entries.append(Entry(name=b"demo/alias.txt", data=b"", packed=b"", central={
        "offset": offset, "crc": zlib.crc32(entry.data), "size": len(entry.data),
        "packed": len(entry.contents)}))  # fmt: skip


@change
def directory_in_another_order(raw: RawZip) -> None:
    data = raw.write()
    first = data.index(CENTRAL)
    second = data.index(CENTRAL, first + 1)
    third = data.index(CENTRAL, second + 1)
    swapped = data[:first] + data[second:third] + data[first:second] + data[third:]
    raw.write = lambda: swapped  # type: ignore[method-assign]


@change
def empty_archive(raw: RawZip) -> None:
    raw.entries = []


def _lzma(data: bytes) -> bytes:
    raw = lzma.compress(data, lzma.FORMAT_RAW, filters=[{"id": lzma.FILTER_LZMA1, "preset": 6}])
    return struct.pack("<BBH", 9, 4, 5) + struct.pack("<BL", 93, 1 << 23) + raw


ZSTD_FRAME = bytes.fromhex("28b52ffd") + b"\x20\x05\x29\x00\x00hello"
for name, (method, packed, data) in {
    "stored": (0, None, b"hello"), "bzip2": (12, bz2.compress(b"hello"), b"hello"),
    "lzma": (14, _lzma(b"hello"), b"hello"),
    "zstd": (93, ZSTD_FRAME, b"hello"), "zstd_old": (20, ZSTD_FRAME, b"hello"),
    "deflate64": (9, None, b"hello"),
    "xz": (95, lzma.compress(b"hello"), b"hello"), "implode": (6, b"hello", b"hello"),
}.items():  # fmt: skip

    def methods(method: int = method, packed: bytes | None = packed, data: bytes = data) -> RawZip:
        raw = archive({**texts(), "demo/packed.txt": data})
        entry = raw.entry("demo/packed.txt")
        entry.method, entry.packed = method, packed
        return raw

    enter(f"method_{name}", methods)


@change
def deflate_with_bytes_behind(raw: RawZip) -> None:
    entry = raw.entry(TABLE)
    entry.packed = entry.contents + b"more"


@change
def deflate_cut_off(raw: RawZip) -> None:
    entry = raw.entry(TABLE)
    entry.packed = entry.contents[:-2]


@change
def deflate_damaged(raw: RawZip) -> None:
    raw.entry(TABLE).packed = b"\xff" * 20


@change
def deflate_in_two_blocks(raw: RawZip) -> None:
    entry = raw.entry(TABLE)
    packer = zlib.compressobj(6, zlib.DEFLATED, -15)
    entry.packed = (
        packer.compress(entry.data[:9]) + packer.flush(zlib.Z_FULL_FLUSH) + packer.compress(entry.data[9:])
    )
    entry.packed += packer.flush()


@change
def deflate_of_an_empty_file_in_no_bytes(raw: RawZip) -> None:
    raw.entry(EMPTY).packed = b""


@change
def deflate_zlib_wrapped(raw: RawZip) -> None:
    raw.entry(TABLE).packed = zlib.compress(texts()[TABLE])


@change
def stored_with_other_packed_size(raw: RawZip) -> None:
    entry = raw.entry(TABLE)
    entry.method, entry.both = 0, {"size": 5, "crc": zlib.crc32(texts()[TABLE][:5])}


@change
def a_jar_marker(raw: RawZip) -> None:
    raw.entries[0].both = {"extra": extra(0xCAFE, b"")}


@change
def spanning_marker(raw: RawZip) -> None:
    raw.before = b"PK\x07\x08"


@change
def temporary_spanning_marker(raw: RawZip) -> None:
    raw.before = b"PK00"


@change
def metadata_encrypted(raw: RawZip) -> None:
    raw.entry(f"{INFO}/METADATA").both = {"flags": 1}
