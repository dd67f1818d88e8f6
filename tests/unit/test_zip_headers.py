"""What installers that unpack while they download read: the local headers."""

from __future__ import annotations

import io
import zipfile

import pytest
from msgspec.structs import replace

from wheelkit.wheel.zip_directory import DirectoryEntry, read_plain_directory
from wheelkit.wheel.zip_headers import HAS_DESCRIPTOR, UTF8, LocalHeader, header_problem, read_local_header

STREAMED = {"flags": HAS_DESCRIPTOR, "crc": 0, "packed": 0, "size": 0}


def first_member(name: str) -> tuple[DirectoryEntry, LocalHeader]:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr(name, b"a" * 500)
    seen = read_plain_directory(file)
    header = read_local_header(file, 0)
    assert seen is not None
    assert header is not None
    return seen.entries[0], header


@pytest.mark.parametrize(
    ("local", "flags", "field"),
    [
        ({}, 0, ""),
        ({"crc": 0}, 0, "checksum"),
        ({"size": 0}, 0, "size"),
        ({"packed": 0}, 0, "packed size"),
        ({"method": 0}, 0, "method"),
        # With a data descriptor the header may leave them out, but not contradict.
        (STREAMED, HAS_DESCRIPTOR, ""),
        ({"flags": HAS_DESCRIPTOR}, HAS_DESCRIPTOR, ""),
        (STREAMED | {"crc": 1}, HAS_DESCRIPTOR, "checksum"),
        (STREAMED | {"packed": 1}, HAS_DESCRIPTOR, "size"),
        # Both say whether there is a descriptor.
        (STREAMED, 0, "flags"),
        ({}, HAS_DESCRIPTOR, "flags"),
        # The encoding of a name that is ASCII is all the same.
        ({"flags": UTF8}, 0, ""),
    ],
)
def test_a_local_header_agrees_with_the_central_directory(
    local: dict[str, int], flags: int, field: str
) -> None:
    entry, header = first_member("demo/a.py")
    problem = header_problem(replace(entry, flags=flags), replace(header, **local))
    assert problem.startswith(f"has the {field} " if field else "")
    assert bool(problem) == bool(field)


def test_the_encoding_of_other_names_is_compared() -> None:
    entry, header = first_member("demo/é.py")
    assert header_problem(entry, header) == ""
    assert header_problem(entry, replace(header, flags=0)).startswith("has the flags 0 in its local header")
