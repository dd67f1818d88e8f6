"""Read wheels and sdists: names, tags, METADATA, WHEEL, RECORD and scanned binaries."""

from wheelkit.wheel.model import Binary, FileName, Headers, Member, RecordRow, Sdist, Wheel
from wheelkit.wheel.reader import read, read_all, read_batches

__all__ = [
    "Binary", "FileName", "Headers", "Member", "RecordRow", "Sdist", "Wheel",
    "read", "read_all", "read_batches",
]  # fmt: skip
