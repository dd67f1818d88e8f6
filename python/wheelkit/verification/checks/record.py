"""RECORD: it lists every member once, with its contents."""

from __future__ import annotations

from collections import Counter
from posixpath import normpath
from typing import TYPE_CHECKING

from wheelkit.text import shorten_list
from wheelkit.verification.findings import finding
from wheelkit.wheel.dist_info import RECORD_HASHES

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Member, RecordRow, Wheel


# Files that RECORD need not list, or lists without a hash: itself and its signatures.
_UNRECORDED = ("RECORD", "RECORD.jws", "RECORD.p7s")


def record(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report members that RECORD does not list or lists with other contents, and entries without a member."""
    if wheel.shallow:
        return
    if wheel.record is None:
        yield finding("WK107", f"{wheel.dist_info}/RECORD cannot be used: {wheel.record_problem}")
        return
    rows = {row.path: row for row in wheel.record}
    unhashed = {f"{wheel.dist_info}/{name}" for name in _UNRECORDED}
    files = {member.name: member for member in wheel.members if not member.directory}
    unlisted = {name for name in files if name not in rows}
    absent = [name for name in rows if name not in files and name not in unhashed]
    respelled = _respelled(absent, unlisted)
    yield from _spelling(wheel, respelled)
    really_unlisted = unlisted.difference(respelled.values(), unhashed)
    unlisted_names = [name for name in files if name in really_unlisted]
    if unlisted_names:
        what = f"RECORD does not list {shorten_list(unlisted_names)}"
        yield finding("WK108", what, member=unlisted_names[0])
    absent = [name for name in absent if name not in respelled]
    if absent:
        yield finding("WK109", f"RECORD lists {shorten_list(absent)}, not in the archive", member=absent[0])
    rows |= {member: rows[path] for path, member in respelled.items()}
    repeated = [name for name, count in Counter(row.path for row in wheel.record).items() if count > 1]
    if repeated:
        yield finding("WK108", f"RECORD lists {shorten_list(repeated)} more than once", member=repeated[0])
    own_row = rows.get(f"{wheel.dist_info}/RECORD")
    if own_row is not None and own_row.digest:
        yield finding("WK102", "RECORD contains a hash of itself, which cannot be right", member=own_row.path)
    for name, member in files.items():
        row = rows.get(name)
        agrees = row is not None and (row.digest, row.size) == (member.digest, member.size)
        if row is not None and not agrees and name not in unhashed and not member.problem:
            yield from _compare(member, row)


def _respelled(absent: Collection[str], unlisted: Collection[str]) -> Mapping[str, str]:
    """Map paths in RECORD that are spelled otherwise in the archive: with dots, backslashes, or absolute."""
    members = {path: normpath(path.lstrip("\ufeff").replace("\\", "/").lstrip("/")) for path in absent}
    return {path: member for path, member in members.items() if member in unlisted}


def _spelling(wheel: Wheel, respelled: Mapping[str, str]) -> Iterator[Finding]:
    if not respelled:
        return
    # uv corrects RECORD, dots excepted, and then looks for the files of .data by their paths in the archive.
    data = f"{wheel.dist_info.removesuffix('.dist-info')}.data/"
    kept = {path for path in respelled if "\\" not in path and not path.startswith("/")}
    refused = [path for path, member in respelled.items() if member.startswith(data) and path in kept]
    if refused:
        what = f"uv refuses the spelling of {shorten_list(refused)} in RECORD"
        yield finding("WK145", what, member=respelled[refused[0]])
    others = [path for path in respelled if path not in refused]
    if others:
        what = f"RECORD spells paths otherwise than the archive: {shorten_list(others)}"
        yield finding("WK146", what, member=respelled[others[0]])


def _compare(member: Member, row: RecordRow) -> Iterator[Finding]:
    name, algorithm = member.name, row.digest.partition("=")[0]
    if not row.digest:
        yield finding("WK108", f"RECORD has no hash for {name}", member=name)
    elif algorithm not in RECORD_HASHES:
        what = f"RECORD hashes {name} with {algorithm}; only sha256 and stronger are allowed"
        yield finding("WK110", what, member=name)
    elif row.digest != member.digest:
        what = f"{name} has {_short(member.digest)}, but RECORD says {_short(row.digest)}"
        yield finding("WK102", what, member=name)
    if row.size is not None and row.size != member.size:
        yield finding("WK102", f"{name} has {member.size} bytes, but RECORD says {row.size}", member=name)


def _short(digest: str) -> str:
    algorithm, _, value = digest.partition("=")
    return f"{algorithm} {value[:8]}..."
