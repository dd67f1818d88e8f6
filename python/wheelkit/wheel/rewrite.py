"""Write a wheel anew: files added, RECORD made by the wheel library, the same bytes for the same content."""

from __future__ import annotations

import stat
import time
from typing import TYPE_CHECKING
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from wheel.wheelfile import WheelFile

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


# Signatures of RECORD, which is written again.
_SIGNATURES = ("RECORD", "RECORD.jws", "RECORD.p7s")
_PERMISSIONS = 16
_EXECUTABLE = 0o111
# Dates in zip archives begin in 1980 and end in 2107.
EARLIEST, LATEST = 315532800, 4354819199


class _Wheel(WheelFile):  # type: ignore[misc]  # the wheel library has no types
    """A wheel file that gets the same time and mode for RECORD as for all other members."""

    epoch: int | None = None

    def writestr(self, entry: ZipInfo | str, data: bytes | str, compress_type: int | None = None) -> None:
        """Add a member; the library adds RECORD by its name only."""
        if isinstance(entry, str):
            entry = _entry(entry, None, self.epoch)
        super().writestr(entry, data, compress_type or ZIP_DEFLATED)


def rewrite_wheel(
    source: Path, target: Path, dist_info: str, *, added: Mapping[str, bytes], epoch: int | None = None
) -> None:
    """Write the wheel ``source`` with more files to ``target``, sorted, .dist-info and RECORD last.

    ``added`` maps members to contents; they replace members of the same name. With ``epoch`` all members get
    that time, in seconds since 1970, else they keep theirs. All are readable by everyone, and executable if
    they were. Raises OSError.
    """
    with ZipFile(source) as old, _Wheel(str(target), "w", ZIP_DEFLATED) as new:
        new.epoch, new.record_path = epoch, f"{dist_info}/RECORD"
        infos = {info.filename: info for info in old.infolist() if not info.is_dir()}
        dropped = {f"{dist_info}/{name}" for name in _SIGNATURES}
        names = {*infos, *added} - dropped
        for name in sorted(names, key=lambda name: (name.startswith(f"{dist_info}/"), name)):
            contents = added[name] if name in added else old.read(name)
            new.writestr(_entry(name, infos.get(name), epoch), contents)


def _entry(name: str, old: ZipInfo | None, epoch: int | None) -> ZipInfo:
    if epoch is not None:
        date = time.gmtime(min(max(epoch, EARLIEST), LATEST))[:6]
    else:
        date = old.date_time if old else time.gmtime()[:6]
    executable = old is not None and old.external_attr >> _PERMISSIONS & _EXECUTABLE
    entry = ZipInfo(name, date)
    entry.external_attr = (stat.S_IFREG | (0o755 if executable else 0o644)) << _PERMISSIONS
    entry.create_system = 3  # Unix, whose permissions these are
    return entry
