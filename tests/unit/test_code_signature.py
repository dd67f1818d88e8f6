"""Whether a binary still has the bytes that its code signature is of."""

import hashlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from binaries import macho
from support import wheels
from wheelkit import _core
from wheelkit.wheel import read
from wheelkit.wheel.code_signature import signature_holds

PAGE = 4096
CODE = bytes(range(256)) * 35  # two pages and a part of a third
SIGNED = macho.tiny(macho.Shape()).data
CHANGED = SIGNED.replace(b"texttext", b"textTEXT")


def pages(algorithm: str, length: int, code: bytes = CODE) -> bytes:
    chunks = [code[at : at + PAGE] for at in range(0, len(code), PAGE)]
    return b"".join(hashlib.new(algorithm, chunk).digest()[:length] for chunk in chunks)


def holds(*directories: tuple[str, int, bytes], code: bytes = CODE) -> bool:
    """Return whether a signature of some code holds: its algorithms, and the lengths and bytes of digests."""
    contents, digests = code, []
    for algorithm, length, stored in directories:
        digests.append(_core.Digest((algorithm, 0, len(code), PAGE, len(contents), length)))
        contents += stored
    slice_: Any = SimpleNamespace(offset=3, size=len(contents), digests=tuple(digests))
    return signature_holds(b"fat" + contents + b"tail", slice_)


@pytest.mark.parametrize(
    ("algorithm", "length"), [("sha1", 20), ("sha256", 32), ("sha256", 20), ("sha384", 48)]
)
def test_every_page_has_its_digest(algorithm: str, length: int) -> None:
    stored = pages(algorithm, length)
    assert holds((algorithm, length, stored))
    for at in (0, PAGE, len(CODE) - 1):
        changed = CODE[:at] + b"?" + CODE[at + 1 :]
        assert not holds((algorithm, length, stored), code=changed)


def test_the_kernel_uses_the_strongest_code_directory() -> None:
    wrong = bytes(60), bytes(96)
    assert holds(("sha1", 20, wrong[0]), ("sha256", 32, pages("sha256", 32)))
    assert not holds(("sha1", 20, pages("sha1", 20)), ("sha256", 32, wrong[1]))
    assert holds(("sha1", 20, wrong[0]), ("sha256", 20, pages("sha256", 20)))
    assert not holds(("sha1", 20, pages("sha1", 20)), ("sha256", 20, wrong[0]))


def test_slices_that_were_changed_after_signing(tmp_path: Path) -> None:
    both = [(macho.ARM64, SIGNED), (macho.X86_64, macho.tiny(macho.Shape(cpu=macho.X86_64)).data)]
    members = {
        "demo/signed.so": SIGNED,
        "demo/changed.so": CHANGED,
        "demo/unsigned.so": macho.tiny(macho.Shape(signed=False)).data,
        "demo/fat.so": macho.fat(both).data,
        "demo/half.so": macho.fat([both[1], (macho.ARM64, CHANGED)]).data,
    }
    wheel = read(wheels.write_wheel(tmp_path, wheels.MACOS, members=members))
    forged = {binary.name: binary.forged for binary in wheel.binaries}
    half = next(binary for binary in wheel.binaries if binary.name == "half.so").slices[1].offset
    assert forged == {
        "signed.so": (), "changed.so": (0,), "unsigned.so": (), "fat.so": (), "half.so": (half,),
    }  # fmt: skip
