import io
import zipfile
from pathlib import Path

import pytest

import wheels
import zoo
from wheelkit.errors import WheelError
from wheelkit.wheel import read
from wheelkit.wheel.glance import glance

FIELDS = ("filename", "flag_bits", "compress_type", "CRC", "compress_size", "file_size", "header_offset")


def archive(members: dict[str, bytes], comment: bytes = b"") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        target.comment = comment
        for name, data in members.items():
            target.writestr(name, data)
    return out.getvalue()


MEMBERS = {"demo/a.py": b"a" * 500, "demo-1.dist-info/METADATA": b"Name: demo", "demo-1.dist-info/é": b"", "x/y.dist-info/z": b"1"}


def test_a_glance_sees_what_zipfile_sees() -> None:
    data = archive(MEMBERS)
    seen = glance(io.BytesIO(data))
    with zipfile.ZipFile(io.BytesIO(data)) as listed:
        wanted = [entry for entry in listed.infolist() if ".dist-info/" in entry.filename]
    assert seen is not None
    assert [[getattr(one, name) for name in FIELDS] for one in seen] == [[getattr(one, name) for name in FIELDS] for one in wanted]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"PK",
        archive(MEMBERS, comment=b"with a comment"),
        b"#!/bin/sh\n" + archive(MEMBERS),
        archive(MEMBERS) + b"more",
        archive(MEMBERS).replace(b"PK\x01\x02", b"PK\x01\x03", 1),
    ],
)
def test_what_is_not_plain_is_left_to_zipfile(data: bytes) -> None:
    assert glance(io.BytesIO(data)) is None


def test_every_end_that_is_cut_off_is_left_to_zipfile() -> None:
    data = archive(MEMBERS)
    assert [size for size in range(len(data)) if glance(io.BytesIO(data[:size])) is not None] == []


def outcome(path: Path, *, contents: bool) -> tuple[object, ...]:
    try:
        wheel = read(path, contents=contents)
    except WheelError as error:
        return ("unreadable", error.message)
    return wheel.dist_info, wheel.metadata_text, wheel.fields, wheel.tags


@pytest.mark.parametrize("name", [name for name in zoo.ZOO if zoo.ZOO[name].code not in {"WK101", "WK114"}])
def test_shallow_and_whole_reading_agree_on_odd_wheels(name: str, tmp_path: Path) -> None:
    path = zoo.ZOO[name].write(tmp_path)
    assert outcome(path, contents=False) == outcome(path, contents=True)


def test_many_members_do_not_matter(tmp_path: Path) -> None:
    path = wheels.write_wheel(tmp_path, members={f"demo/{number}.py": b"" for number in range(500)})
    assert outcome(path, contents=False) == outcome(path, contents=True)
