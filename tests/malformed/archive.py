"""Archives that unpackers reject or read differently, and members with harmful paths (WK1)."""

import zipfile
import zlib

from malformed.specs import PURE, SO, WheelSpec, malformed
from support import wheels

CENTRAL, LOCAL, END = b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06"


@malformed("WK101")
def empty_file(draft: WheelSpec) -> None:
    draft.edit_bytes = bytearray.clear


@malformed("WK101")
def cut_off(draft: WheelSpec) -> None:
    draft.edit_bytes = lambda data: data.__delitem__(slice(len(data) // 2, None))


@malformed("WK101")
def no_zip_at_all(draft: WheelSpec) -> None:
    draft.edit_bytes = lambda data: data.__setitem__(slice(None), b"<html>404 Not Found</html>")


def _patch(data: bytearray, signature: bytes, shift: int, value: bytes, number: int = 0) -> None:
    """Overwrite a header field of the entry with this number."""
    place = -1
    for _ in range(number + 1):
        place = data.index(signature, place + 1)
    data[place + shift : place + shift + len(value)] = value


@malformed("WK101")
def encrypted(draft: WheelSpec) -> None:
    draft.edit_bytes = lambda data: (_patch(data, CENTRAL, 8, b"\1\0"), _patch(data, LOCAL, 6, b"\1\0"))


@malformed("WK101")
def packed_by_bzip2(draft: WheelSpec) -> None:
    def edit(entry: zipfile.ZipInfo) -> None:
        entry.compress_type = zipfile.ZIP_BZIP2 if entry.filename == SO else zipfile.ZIP_DEFLATED

    draft.edit_entry = edit


@malformed("WK101")
def packed_by_an_unknown_method(draft: WheelSpec) -> None:
    draft.edit_bytes = lambda data: (_patch(data, CENTRAL, 10, b"\x63\0"), _patch(data, LOCAL, 8, b"\x63\0"))


@malformed("WK101")
def wrong_checksum(draft: WheelSpec) -> None:
    draft.edit_bytes = lambda data: (
        _patch(data, CENTRAL, 16, b"\1\2\3\4"),
        _patch(data, LOCAL, 14, b"\1\2\3\4"),
    )


@malformed("WK101")
def declares_less_than_it_holds(draft: WheelSpec) -> None:
    draft.edit_bytes = lambda data: (
        _patch(data, CENTRAL, 24, b"\5\0\0\0"),
        _patch(data, LOCAL, 22, b"\5\0\0\0"),
    )


@malformed("WK101")
def declares_more_than_it_holds(draft: WheelSpec) -> None:
    draft.edit_bytes = lambda data: (
        _patch(data, CENTRAL, 24, b"\0\1\0\0"),
        _patch(data, LOCAL, 22, b"\0\1\0\0"),
    )


@malformed("WK101")
def damaged_data(draft: WheelSpec) -> None:
    def edit(data: bytearray) -> None:
        place = data.index(SO.encode()) + len(SO) + 5
        data[place : place + 20] = b"\xff" * 20

    draft.edit_bytes = edit


@malformed("WK101")
def no_local_header(draft: WheelSpec) -> None:
    draft.edit_bytes = lambda data: _patch(data, LOCAL, 0, b"____")


@malformed("WK101")
def another_name_in_the_local_header(draft: WheelSpec) -> None:
    draft.edit_bytes = lambda data: _patch(data, LOCAL, 30, b"Demo")


@malformed("WK115")
def another_size_in_the_local_header(draft: WheelSpec) -> None:
    draft.edit_bytes = lambda data: _patch(data, LOCAL, 22, b"\7\0\0\0")


@malformed("WK115")
def another_method_in_the_local_header(draft: WheelSpec) -> None:
    draft.edit_bytes = lambda data: _patch(data, LOCAL, 8, b"\0\0")


@malformed("WK116")
def members_that_overlap(draft: WheelSpec) -> None:
    """The first member also covers the header of the second one, as in small zip bombs."""

    def edit(data: bytearray) -> None:
        longer = (data[data.index(CENTRAL) + 20] + 40).to_bytes(1, "little")
        _patch(data, CENTRAL, 20, longer)
        _patch(data, LOCAL, 18, longer)

    draft.edit_bytes = edit


@malformed("WK114")
def a_bomb(draft: WheelSpec) -> None:
    """400 MB of zeros in 400 kB."""
    packer = zlib.compressobj(9, wbits=-15)
    # After a full flush the block refers to nothing before it, so it can be repeated.
    megabyte = packer.compress(bytes(1 << 20)) + packer.flush(zlib.Z_FULL_FLUSH)
    _raw_member(draft, "demo/zeros.bin", megabyte * 400 + packer.flush(), 400 << 20)


@malformed("WK101")
def a_bomb_of_many(draft: WheelSpec) -> None:
    """An archive that declares 40 GB in 40 kB."""
    for number in range(10):
        _raw_member(draft, f"demo/{number}.bin", bytes(4000), 0xF0000000)


def _raw_member(draft: WheelSpec, name: str, packed: bytes, size: int) -> None:
    """Add a deflated member with a declared size: write it as stored, then patch both of its headers."""
    draft.unrecorded.append((name, packed))
    before = draft.edit_bytes

    def stored(entry: zipfile.ZipInfo) -> None:
        entry.compress_type = (
            zipfile.ZIP_STORED
            if any(entry.filename == member for member, _ in draft.unrecorded)
            else zipfile.ZIP_DEFLATED
        )

    def edit(data: bytearray) -> None:
        before(data)
        for signature, shift, start in ((LOCAL, 8, 30), (CENTRAL, 10, 46)):
            place = data.index(signature)
            while bytes(data[place + start : place + start + len(name)]) != name.encode():
                place = data.index(signature, place + 1)
            data[place + shift : place + shift + 2] = b"\x08\0"
            data[place + shift + 14 : place + shift + 18] = size.to_bytes(4, "little")

    draft.edit_entry, draft.edit_bytes = stored, edit


@malformed("WK103")
def absolute_path(draft: WheelSpec) -> None:
    draft.members["/etc/cron.d/demo"] = b"x"


@malformed("WK103")
def climbing_path(draft: WheelSpec) -> None:
    draft.members["demo/../../up.py"] = b"x"


@malformed("WK103")
def drive_letter(draft: WheelSpec) -> None:
    draft.members["C:/Windows/demo.dll"] = b"x"


@malformed("WK103")
def backslashes(draft: WheelSpec) -> None:
    draft.members["demo\\sub\\mod.py"] = b"x"


@malformed("WK103")
def nul_in_a_name(draft: WheelSpec) -> None:
    draft.members["demo/good.pyXevil"] = b"x"

    def edit(data: bytearray) -> None:
        while (place := data.find(b"good.pyXevil")) >= 0:
            data[place + 7] = 0

    draft.edit_bytes = edit


@malformed("WK103")
def control_characters(draft: WheelSpec) -> None:
    draft.members["demo/\x1b[2J.py"] = b"x"


@malformed("WK103")
def another_spelling_of_a_path(draft: WheelSpec) -> None:
    draft.members["./demo/__init__.py"] = b"import os"


@malformed("WK103")
def a_path_of_thirty_thousand_folders(draft: WheelSpec) -> None:
    draft.members["a/" * 30_000 + "b.py"] = b"x"


@malformed("WK104")
def a_member_twice(draft: WheelSpec) -> None:
    draft.members |= {"demo/twinA.py": b"1", "demo/twinB.py": b"2"}
    draft.edit_record = lambda text: text.replace(wheels.row("demo/twinB.py", b"2") + "\n", "")
    draft.edit_bytes = lambda data: data.__setitem__(
        slice(None), data.replace(b"demo/twinB.py", b"demo/twinA.py")
    )


@malformed("WK105", PURE)
def names_that_differ_in_case(draft: WheelSpec) -> None:
    draft.members |= {"demo/Readme": b"x", "demo/README": b"y"}


@malformed("WK105", PURE)
def names_that_differ_in_accents(draft: WheelSpec) -> None:
    draft.members |= {"demo/caf\u00e9.txt": b"x", "demo/cafe\u0301.txt": b"y"}


@malformed("WK106")
def a_pipe(draft: WheelSpec) -> None:
    draft.members["demo/pipe"] = b""

    def edit(entry: zipfile.ZipInfo) -> None:
        entry.external_attr = (0o010644 if entry.filename.endswith("pipe") else 0o100644) << 16

    draft.edit_entry = edit


@malformed("WK106")
def symbolic_link(draft: WheelSpec) -> None:
    draft.members["demo/link.so"] = b"dx.abi3.so"

    def edit(entry: zipfile.ZipInfo) -> None:
        entry.external_attr = (0o120777 if entry.filename.endswith("link.so") else 0o100644) << 16

    draft.edit_entry = edit


@malformed("WK118")
def a_file_and_a_folder(draft: WheelSpec) -> None:
    draft.members |= {"demo/data": b"x", "demo/data/table.csv": b"y"}


@malformed("WK117", PURE)
def a_name_that_windows_lacks(draft: WheelSpec) -> None:
    draft.members["demo/aux.py"] = b"x"


@malformed("WK113")
def something_behind_it(draft: WheelSpec) -> None:
    draft.edit_bytes = lambda data: data.extend(b"and more")


@malformed("WK113")
def a_script_before_it(draft: WheelSpec) -> None:
    draft.edit_bytes = lambda data: data.__setitem__(slice(0, 0), b"#!/bin/sh\n")


@malformed("WK113")
def a_folder_with_contents(draft: WheelSpec) -> None:
    draft.unrecorded.append(("demo/folderX", b"data in a folder"))
    draft.edit_bytes = lambda data: data.__setitem__(
        slice(None), data.replace(b"demo/folderX", b"demo/folder/")
    )


@malformed("WK115")
def a_member_that_the_directory_leaves_out(draft: WheelSpec) -> None:
    """Installers that unpack while downloading install it."""
    draft.unrecorded.append(("demo/hidden.py", b"import os"))

    def edit(data: bytearray) -> None:
        end = data.rindex(END)
        entry = data.rindex(b"demo/hidden.py") - 46
        del data[entry : entry + 46 + len("demo/hidden.py")]
        end -= 46 + len("demo/hidden.py")
        for shift in (8, 10):
            data[end + shift] -= 1
        size = int.from_bytes(data[end + 12 : end + 16], "little") - 46 - len("demo/hidden.py")
        data[end + 12 : end + 16] = size.to_bytes(4, "little")

    draft.edit_bytes = edit


@malformed("WK115")
def another_name_in_an_extra_field(draft: WheelSpec) -> None:
    """Info-ZIP's Unicode path field, which some unpackers use as the name."""

    def edit(entry: zipfile.ZipInfo) -> None:
        if entry.filename == "demo/__init__.py":
            field = b"\1" + zlib.crc32(entry.filename.encode()).to_bytes(4, "little") + b"demo/other.py"
            entry.extra = b"\x75\x70" + len(field).to_bytes(2, "little") + field

    draft.edit_entry = edit


@malformed("WK101")
def metadata_to_keep_readers_busy(draft: WheelSpec) -> None:
    draft.swap("METADATA", "Requires-Python", "Classifier: x\n" * 400_000 + "Requires-Python")


@malformed("WK111")
def month_zero(draft: WheelSpec) -> None:
    def edit(entry: zipfile.ZipInfo) -> None:
        entry.date_time = (1980, 0, 0, 0, 0, 0)

    draft.edit_entry = edit


@malformed("WK140")
def an_end_record_with_other_counts(draft: WheelSpec) -> None:
    draft.edit_bytes = lambda data: data.__setitem__(data.rindex(END) + 10, data[data.rindex(END) + 10] + 1)


def _streamed(data: bytearray, name: bytes, descriptor: bytes) -> None:
    """Put a descriptor behind the first member, and let its headers announce it."""
    second = data.index(LOCAL, 4)
    start = data.index(CENTRAL)
    data[second:second] = descriptor
    length = len(descriptor)
    place, offset = start + length, 0
    while data[place : place + 4] == CENTRAL:
        offset = int.from_bytes(data[place + 42 : place + 46], "little")
        if offset:
            data[place + 42 : place + 46] = (offset + length).to_bytes(4, "little")
        sizes = (int.from_bytes(data[place + at : place + at + 2], "little") for at in (28, 30, 32))
        place += 46 + sum(sizes)
    data[place + 16 : place + 20] = (start + length).to_bytes(4, "little")
    assert name in data
    _patch(data, LOCAL, 6, b"\x08\0")
    _patch(data, CENTRAL, 8, b"\x08\0")


@malformed("WK141")
def a_data_descriptor_of_another_file(draft: WheelSpec) -> None:
    """Written to a stream: checksum and sizes are behind the data, and wrong."""
    draft.edit_bytes = lambda data: _streamed(data, b"demo/__init__.py", b"PK\7\x08" + bytes(12))


@malformed("WK142")
def zeros_behind_it(draft: WheelSpec) -> None:
    draft.edit_bytes = lambda data: data.extend(bytes(512))


@malformed("WK143")
def an_extra_field_twice(draft: WheelSpec) -> None:
    def edit(entry: zipfile.ZipInfo) -> None:
        entry.extra = b"UT\5\0\1abcd" * 2

    draft.edit_entry = edit


@malformed("WK144")
def a_comment(draft: WheelSpec) -> None:
    def edit(data: bytearray) -> None:
        data[-2:] = b"\7\0"
        data.extend(b"comment")

    draft.edit_bytes = edit


@malformed("WK103")
def an_invisible_character(draft: WheelSpec) -> None:
    draft.members["demo/a\u200bb.py"] = b"x"


@malformed("WK103")
def a_name_of_too_many_bytes(draft: WheelSpec) -> None:
    draft.members["demo/" + "\u732b" * 86] = b"x"


@malformed("WK113")
def a_folder_with_a_checksum(draft: WheelSpec) -> None:
    draft.unrecorded.append(("demo/folder/", b""))

    def edit(data: bytearray) -> None:
        for signature, shift, start in ((LOCAL, 14, 30), (CENTRAL, 16, 46)):
            place = data.index(signature)
            while bytes(data[place + start : place + start + 12]) != b"demo/folder/":
                place = data.index(signature, place + 1)
            data[place + shift : place + shift + 4] = b"\1\2\3\4"

    draft.edit_bytes = edit
