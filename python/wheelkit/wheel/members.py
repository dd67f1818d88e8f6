"""Read one member: its digest, what is wrong with it, and the scan of a binary."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit import _core
from wheelkit.wheel.code_signature import signature_holds
from wheelkit.wheel.dist_info import RECORD_HASHES
from wheelkit.wheel.inflate import BinaryCollector, InflateError
from wheelkit.wheel.model import Binary
from wheelkit.wheel.zip_headers import header_problem

if TYPE_CHECKING:
    from wheelkit.wheel.archive import OpenArchive
    from wheelkit.wheel.zip_directory import DirectoryEntry
    from wheelkit.wheel.zip_headers import LocalHeader


GIT_LFS = b"version https://git-lfs.github.com/spec/"
"""How a pointer of Git LFS begins, which takes the place of a file that was not fetched."""
# Pointers have about 130 bytes; link texts are paths, so they contain neither blanks nor line ends.
_SMALL, _LINK = 1024, 255
LARGEST_PTH = 1 << 16
"""How much of a .pth file is kept."""
_SEPARATORS = frozenset(b"\0\t\n\r ")


class MemberContents(Struct, frozen=True, kw_only=True):
    """What reading a member found: see ``Member``; ``start`` is the offset of its packed bytes, if known."""

    start: int | None = None
    digest: str = ""
    problem: str = ""
    header_problem: str = ""
    binary: Binary | None = None
    head: bytes = b""


def read_member(opened: OpenArchive, entry: DirectoryEntry, algorithm: str) -> MemberContents:
    """Read a member once; hash it by ``algorithm``, or by sha256 where RECORD must not use that one."""
    header = opened.header(entry)
    differs = "" if header is None else header_problem(entry, header)
    start = None if header is None else header.start
    try:
        digest, binary, head = _digest_and_scan(opened, entry, header, algorithm)
    except InflateError as error:
        return MemberContents(start=start, problem=str(error), header_problem=differs)
    except MemoryError:
        return MemberContents(start=start, problem="needs more memory than this machine has")
    except OSError as error:
        problem = f"could not be unpacked into memory or a temporary file: {error.strerror}"
        return MemberContents(start=start, problem=problem)
    return MemberContents(start=start, digest=digest, header_problem=differs, binary=binary, head=head)


def _digest_and_scan(
    opened: OpenArchive, entry: DirectoryEntry, header: LocalHeader | None, algorithm: str
) -> tuple[str, Binary | None, bytes]:
    hasher = hashlib.new(algorithm if algorithm in RECORD_HASHES else "sha256")
    head: bytes | None = None
    with BinaryCollector(entry.size) as collector:
        for piece in opened.pieces(entry, header):
            hasher.update(piece)
            if head is None:
                head = kept_head(entry.name, entry.size, piece)
            collector.add(piece)
        binary = _scan(entry.name, collector.whole()) if collector.binary else None
    digest = urlsafe_b64encode(hasher.digest()).rstrip(b"=").decode("ascii")
    return f"{hasher.name}={digest}", binary, head or b""


def kept_head(name: str, size: int, first: bytes) -> bytes:
    """Return the beginning of a member that checks read as text: see ``Member``; empty for all others."""
    if size <= _SMALL and (first.startswith(GIT_LFS) or (size <= _LINK and _SEPARATORS.isdisjoint(first))):
        return first
    if first.startswith(b"#!") and (".data/scripts/" in name or ".data/data/bin/" in name):
        return first[:_SMALL]
    # Only those at the top of site-packages are read by Python; others are models of PyTorch.
    if name.endswith(".pth") and (name.count("/") == 0 or ".data/p" in name):
        return first[:LARGEST_PTH]
    return b""


def _scan(name: str, contents: bytes | memoryview) -> Binary | None:
    try:
        scan = _core.scan(contents)
    except _core.ScanError as error:
        return Binary(member=name, scan=None, damage=error)
    # Files for browsers, which packages ship as well, are named .wasm.
    if scan is None and name.endswith(".so"):
        from wheelkit.wheel.wasm import scan_wasm

        scan = scan_wasm(contents)
    if scan is None:
        return None
    signed = [slice_ for slice_ in scan.slices if slice_.digests]
    forged = tuple(slice_.offset for slice_ in signed if not signature_holds(contents, slice_))
    return Binary(member=name, scan=scan, forged=forged)
