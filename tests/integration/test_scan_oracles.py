"""Every fact that the scanner tells of real binaries, against pyelftools, macholib and pefile."""

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import corpus
import pytest
from oracles import elf, macho, pe
from wheelkit import _core

pytestmark = pytest.mark.network

SUFFIXES = (".so", ".dylib", ".dll", ".pyd", ".exe")
UNORDERED = {"macho": ("exports",), "pe": ("exports",), "elf": ()}  # these two oracles sort by name, or by number


def binaries(filename: str) -> Iterator[tuple[str, bytes]]:
    """Each member of a pinned wheel that is a binary by its name or by its first bytes."""
    with zipfile.ZipFile(corpus.wheel(filename)) as archive:
        for member in archive.namelist():
            data = archive.read(member)
            if member.endswith(SUFFIXES) or ".so." in member or data.startswith((b"\x7fELF", b"MZ", b"\xca\xfe\xba\xbe")):
                yield member, data


def oracle(format_: str, data: bytes, scratch: Path) -> list[dict[str, Any]]:
    if format_ == "macho":
        return macho.facts(data, scratch)
    return elf.facts(data) if format_ == "elf" else pe.facts(data)


def told(slice_: _core.Slice, unordered: tuple[str, ...]) -> dict[str, Any]:
    """The slice in the oracles' terms: plain tuples in lists."""
    plain = {}
    for name in _core.Slice.__match_args__:
        value = getattr(slice_, name)
        if isinstance(value, tuple):
            value = [tuple(item) if isinstance(item, tuple) else item for item in value]
        plain[name] = sorted(value) if name in unordered else value
    return plain


@pytest.mark.parametrize("filename", corpus.names())
def test_every_fact_is_what_the_oracle_says(filename: str, tmp_path: Path) -> None:
    seen = 0
    for member, data in binaries(filename):
        scan = _core.scan(data)
        assert scan is not None, member
        expected = oracle(scan.format, data, tmp_path / "binary")
        assert len(scan.slices) == len(expected), member
        for slice_, facts in zip(scan.slices, expected, strict=True):
            seen += 1
            found = told(slice_, UNORDERED[scan.format])
            for name, value in found.items():
                assert value == facts[name], f"{name} of {member}"
    assert seen, "a wheel of the corpus without a binary shows nothing"
