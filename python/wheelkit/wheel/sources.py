"""The Python files of a wheel, read again where a check has to know what its code loads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelkit.errors import WheelError
from wheelkit.wheel.archive import Archive
from wheelkit.wheel.inflate import InflateError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from wheelkit.wheel.archive import OpenArchive
    from wheelkit.wheel.model import Wheel
    from wheelkit.wheel.zip_directory import DirectoryEntry


# The largest generated modules have a few megabytes.
_LARGEST = 8 << 20
_TESTS = ("tests", "test", "testing", "conftest.py")


def read_sources(
    wheel: Wheel, mentions: Sequence[str], wanted: Callable[[str], bool] | None = None
) -> Iterator[tuple[str, str]]:
    """Yield path and text of each ``.py`` and ``.pth`` file that contains one of the words, tests left out.

    With ``wanted``, only members are read whose name it accepts.

    It opens the wheel again and inflates all its Python files, so it is for wheels with a problem only. What
    cannot be read is left out: other checks report it.
    """
    words = [word.encode() for word in mentions]
    try:
        archive = Archive(wheel.path)
        with archive.opened() as opened:
            for entry in archive.entries:
                data = _source(opened, entry) if wanted is None or wanted(entry.name) else b""
                if any(word in data for word in words):
                    yield entry.name, data.decode("utf-8", "replace")
    except WheelError:
        return


def _source(opened: OpenArchive, entry: DirectoryEntry) -> bytes:
    if not entry.name.endswith((".py", ".pth")) or entry.size > _LARGEST or _is_test(entry.name):
        return b""
    try:
        return opened.read(entry)
    except InflateError:
        return b""


def _is_test(member: str) -> bool:
    *folders, file = member.split("/")
    return file.startswith("test_") or not {*folders, file}.isdisjoint(_TESTS)
