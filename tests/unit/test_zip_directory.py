import io
import zipfile
from pathlib import Path

import pytest

import malformed
from support import wheels
from support.rows import rows
from wheelkit.errors import WheelError
from wheelkit.wheel import read, zip_directory
from wheelkit.wheel.zip_directory import read_plain_directory


def archive(members: dict[str, bytes], comment: bytes = b"") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        target.comment = comment
        for name, data in members.items():
            target.writestr(name, data)
    return out.getvalue()


MEMBERS = {
    "demo/a.py": b"a" * 500,
    "demo-1.dist-info/METADATA": b"Name: demo",
    "demo-1.dist-info/é": b"",
    "x/y.dist-info/z": b"1",
}


@pytest.mark.parametrize("shallow", [False, True])
def test_the_quick_reader_sees_what_zipfile_sees(*, shallow: bool) -> None:
    data = archive(MEMBERS)
    seen = read_plain_directory(io.BytesIO(data), shallow=shallow)
    listed = zip_directory._by_zipfile(io.BytesIO(data))
    assert seen is not None
    assert seen.entries == tuple(
        entry for entry in listed.entries if not shallow or ".dist-info/" in entry.name
    )
    assert (seen.start, len(listed.entries)) == (listed.start, len(MEMBERS))


def test_they_agree_on_every_changed_directory() -> None:
    """Wherever the quick reader gives an answer for a damaged directory, zipfile gives the same."""
    data = archive(MEMBERS)
    start = data.index(b"PK\x01\x02")
    answers = 0
    for place in range(start, len(data)):
        for byte in (0, 1, 8, 0x20, 0x7F, 0x80, 0xFF):
            changed = data[:place] + bytes([byte]) + data[place + 1 :]
            seen = read_plain_directory(io.BytesIO(changed))
            if seen is not None:
                answers += 1
                listed = zip_directory._by_zipfile(io.BytesIO(changed))
                assert (seen.entries, seen.start) == (listed.entries, listed.start), (place - start, byte)
    assert answers > 500


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK",
        archive(MEMBERS, comment=b"with a comment"),
        b"#!/bin/sh\n" + archive(MEMBERS),
        archive(MEMBERS) + b"more",
        archive(MEMBERS).replace(b"PK\x01\x02", b"PK\x01\x03", 1),
        archive({"demo/a_.py": b""}).replace(b"demo/a_.py", b"demo/a\0.py"),
    ],
)
def test_what_is_not_plain_is_left_to_zipfile(data: bytes) -> None:
    assert read_plain_directory(io.BytesIO(data)) is None


def test_every_end_that_is_cut_off_is_left_to_zipfile() -> None:
    data = archive(MEMBERS)
    assert [
        size for size in range(len(data)) if read_plain_directory(io.BytesIO(data[:size])) is not None
    ] == []


def outcome(path: Path, *, contents: bool) -> tuple[object, ...]:
    try:
        wheel = read(path, contents=contents)
    except WheelError as error:
        return ("unreadable", error.message)
    return wheel.dist_info, wheel.metadata_text, wheel.fields, wheel.tags


@rows(
    "name", [name for name in malformed.MALFORMED if malformed.MALFORMED[name].code not in {"WK101", "WK114"}]
)
def test_shallow_and_whole_reading_agree_on_odd_wheels(name: str, tmp_path: Path) -> None:
    path = malformed.MALFORMED[name].write(tmp_path)
    assert outcome(path, contents=False) == outcome(path, contents=True)


def test_many_members_do_not_matter(tmp_path: Path) -> None:
    path = wheels.write_wheel(tmp_path, members={f"demo/{number}.py": b"" for number in range(500)})
    assert outcome(path, contents=False) == outcome(path, contents=True)
