"""Read one member: its digest, what is wrong with it, and the scan of a binary."""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64encode
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from wheelkit import _core
from wheelkit.wheel.code_signature import signature_holds
from wheelkit.wheel.dist_info import RECORD_HASHES
from wheelkit.wheel.inflate import DEFLATED, STORED, BinaryCollector, InflateError
from wheelkit.wheel.model import Binary
from wheelkit.wheel.zip_end import SUSPICIOUS
from wheelkit.wheel.zip_extra import extra_problem, index_problem
from wheelkit.wheel.zip_headers import HAS_DESCRIPTOR, REFUSED_FLAGS, header_problem

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


class MemberContents(Struct, frozen=True, kw_only=True, gc=False):
    """What reading a member found: see ``Member``; ``end`` is the offset behind its data, if known."""

    end: int | None = None
    digest: str = ""
    problem: str = ""
    header: str = ""
    extra: str = ""
    descriptor: str = ""
    index: str = ""
    binary: Binary | None = None
    head: bytes = b""


def read_member(opened: OpenArchive, entry: DirectoryEntry, algorithm: str) -> MemberContents:
    """Read a member once; hash it by ``algorithm``, or by sha256 where RECORD must not use that one."""
    header = opened.header(entry)
    found = _read_header(opened, entry, header)
    try:
        digest, binary, head = _digest_and_scan(opened, entry, header, algorithm)
    except InflateError as error:
        return replace(found, problem=str(error), descriptor="")
    except MemoryError:
        return MemberContents(end=found.end, problem="needs more memory than this machine has")
    except OSError as error:
        problem = f"could not be unpacked into memory or a temporary file: {error.strerror}"
        return MemberContents(end=found.end, problem=problem)
    return replace(found, digest=digest, binary=binary, head=head)


def read_folder(opened: OpenArchive, entry: DirectoryEntry) -> MemberContents:
    """Read what the archive says about a folder: uv reads these headers too, and pip only the names."""
    header = opened.header(entry)
    found = _read_header(opened, entry, header)
    problem = next((why for flag, why in REFUSED_FLAGS.items() if entry.flags & flag), "")
    if entry.method not in (STORED, DEFLATED):
        problem = f"is packed by zip method {entry.method}"
    differs = found.header
    if header is None:
        differs = "has no local header where the central directory points to"
    elif header.name != entry.raw:
        differs = f'is named "{header.name.decode("utf-8", "replace")}" in its local header'
    elif header.flags & HAS_DESCRIPTOR and entry.packed:
        differs = f"is a folder with {entry.packed} packed bytes and a data descriptor"
    return replace(found, problem=problem, header=differs)


def _read_header(opened: OpenArchive, entry: DirectoryEntry, header: LocalHeader | None) -> MemberContents:
    if header is None:
        return MemberContents(extra=entry.extra_problem)
    extra, index = entry.extra_problem, "has a comment" if entry.comment else ""
    if entry.comment and not SUSPICIOUS.isdisjoint(entry.comment):
        extra = "has a comment with control characters"
    if header.extra:
        extra = extra or extra_problem(header.extra, header.name, (header.size, header.packed))
        index = index or index_problem(header.extra, header.method)
    differs = header_problem(entry, header)
    end, problem = header.start + entry.packed, ""
    if header.flags & HAS_DESCRIPTOR:
        descriptor = opened.descriptor(entry, header)
        end += descriptor.length
        # uv does not read stored members from a stream, but from the whole file, where this is ignored.
        problem = "" if differs or header.method == STORED else descriptor.problem
    return MemberContents(end=end, header=differs, extra=extra, index=index, descriptor=problem)


def _digest_and_scan(
    opened: OpenArchive, entry: DirectoryEntry, header: LocalHeader | None, algorithm: str
) -> tuple[str, Binary | None, bytes]:
    hasher = getattr(hashlib, algorithm if algorithm in RECORD_HASHES else "sha256")()
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
    return first[:LARGEST_PTH] if is_read_at_start(name) else b""


def is_read_at_start(name: str) -> bool:
    """Return whether Python may read a file at each start; .pth files in packages are models of PyTorch."""
    return name.endswith(".pth") and (name.count("/") == 0 or ".data/p" in name)


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
