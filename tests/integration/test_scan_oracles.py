"""The scanner's facts about real binaries equal those of pyelftools, macholib and pefile."""

import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from binaries import make
from oracles import elf, macho, pe
from support import corpus
from wheelkit import _core

SUFFIXES = (".so", ".dylib", ".dll", ".pyd", ".exe")
MAGIC = (b"\x7fELF", b"MZ\x90", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe")
ASSEMBLED = make.assembled()
NATIVE = [name for name in corpus.names() if not name.endswith("-none-any.whl")]
WITH_SECTIONS = [
    name for name in ASSEMBLED if "stripped" not in name
]  # pyelftools finds symbols by their sections
ARCHES = {"x86_64", "i686", "aarch64", "arm64", "armv7l", "ppc64le", "s390x", "riscv64"}
COMMON = (
    "name",
    "needed",
    "versions",
    "imports",
    "exports",
    "min_os",
    "sdk",
    "debug_bytes",
    "symbol_bytes",
    "code_bytes",
    "flags",
)
UNORDERED = {
    "macho": ("exports",),
    "pe": ("exports",),
    "elf": (),
}  # these two oracles sort by name, or by number


def binaries(filename: str) -> Iterator[tuple[str, bytes]]:
    """Yield the members of a pinned wheel that are binaries by name or by their first bytes."""
    with zipfile.ZipFile(corpus.wheel(filename)) as archive:
        for member in archive.namelist():
            data = archive.read(member)
            if member.endswith(SUFFIXES) or ".so." in member or data.startswith(MAGIC):
                yield member, data


def oracle(format_: str, data: bytes, scratch: Path) -> list[dict[str, Any]]:
    if format_ == "macho":
        return macho.facts(data, scratch)
    return elf.facts(data) if format_ == "elf" else pe.facts(data)


def scanned_facts(slice_: _core.Slice, unordered: tuple[str, ...]) -> dict[str, Any]:
    """Return a slice as the oracles do: lists of plain tuples."""
    plain = {}
    for name in _core.Slice.__match_args__:
        value = getattr(slice_, name)
        if isinstance(value, tuple):
            value = [tuple(item) if isinstance(item, tuple) else item for item in value]
        plain[name] = sorted(value) if name in unordered else value
    return plain


def compare(name: str, data: bytes, scratch: Path) -> int:
    """Compare every fact of every slice with the oracle; returns the number of slices."""
    scan = _core.scan(data)
    assert scan is not None, name
    expected = oracle(scan.format, data, scratch)
    assert len(scan.slices) == len(expected), name
    for slice_, facts in zip(scan.slices, expected, strict=True):
        for field, value in scanned_facts(slice_, UNORDERED[scan.format]).items():
            assert value == facts[field], f"{field} of {name}"
    return len(expected)


@pytest.mark.network
@pytest.mark.parametrize("filename", NATIVE)
def test_wheels(filename: str, tmp_path: Path) -> None:
    slices = [compare(member, data, tmp_path / "binary") for member, data in binaries(filename)]
    assert slices, "a wheel without a binary shows nothing"


@pytest.mark.parametrize("name", WITH_SECTIONS)
def test_assembled_binaries(name: str, tmp_path: Path) -> None:
    """They have what is rare in wheels: weak and delayed libraries, ordinals, big-endian Mach-O."""
    assert compare(name, ASSEMBLED[name].data, tmp_path / "binary")


@pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the compiler of this system makes no ELF files"
)
def test_compiled_binaries(tmp_path: Path) -> None:
    binaries = make.compiled(tmp_path)
    del binaries[
        "compiled.o"
    ]  # the scanner reports no dynamic facts of objects, while pyelftools reads their sections
    for name, data in binaries.items():
        assert compare(name, data, tmp_path / "binary")


@pytest.mark.network
def test_the_wheels_show_all_that_is_common() -> None:
    """The corpus has binaries of every format."""
    slices = [
        s for name in NATIVE for _, data in binaries(name) if (scan := _core.scan(data)) for s in scan.slices
    ]
    assert {s.arch for s in slices} >= ARCHES
    assert any(s.rpaths for s in slices)
    assert {s.relro for s in slices} == {"partial", "full", None}
    assert {s.kind for s in slices} >= {"shared", "bundle"}
    assert {s.signed for s in slices} == {True, False, None}
    assert all(any(getattr(s, field) for s in slices) for field in COMMON)
