"""How long external programs may take: a fixed time, and more for each byte that they read, write or send.

A program that takes longer is ended, and its task has failed. Builds, cibuildwheel and the project's own
tests have no limit: only the project knows how long they take.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


class TimeLimit(Struct, frozen=True, kw_only=True):
    """Seconds for one file or question, and the fewest bytes a second that a working program gets done."""

    seconds: float
    bytes_per_second: float = float("inf")

    def of(self, size: int, files: int = 1) -> float:
        """Return the seconds for so many bytes in so many files."""
        return self.seconds * files + size / self.bytes_per_second

    def of_files(self, paths: Iterable[Path]) -> float:
        """Return the seconds to work through files, all in one run; one that is gone counts as empty."""
        return self.of(sum(_size(path) for path in paths))


ANSWER = TimeLimit(seconds=30)
"""``--version`` and other questions that a program answers by itself."""
ENGINE = TimeLimit(seconds=20)
"""A question to a container engine, which may have to start first."""
GIT = TimeLimit(seconds=120)
"""A git command in a large repository on a slow disk."""
REMOTE = TimeLimit(seconds=60)
"""A question to a git remote."""
ENVIRONMENT = TimeLimit(seconds=900)
"""Creating an environment, and installing what an index serves into it."""
CHECK = TimeLimit(seconds=300, bytes_per_second=1_000_000)
"""twine check, which reads the metadata out of every file."""
REWRITE = TimeLimit(seconds=600, bytes_per_second=100_000)
"""Repair tools, ``wheel`` and patchelf, which unpack, change and pack a file."""
UPLOAD = TimeLimit(seconds=120, bytes_per_second=20_000)
"""twine upload, for each file: it waits forever for an index that stops answering."""
SIGN = TimeLimit(seconds=60, bytes_per_second=20_000_000)
"""pypi-attestations sign, for each file: it asks Sigstore's authority and its log."""


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
