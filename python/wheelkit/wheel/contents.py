"""The bytes of a wheel's binaries, read again where what they contain has to be known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelkit.errors import WheelError
from wheelkit.wheel.archive import Archive
from wheelkit.wheel.inflate import InflateError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.wheel.model import Wheel


def read_binaries(wheel: Wheel) -> Iterator[tuple[str, bytes]]:
    """Yield path and contents of each binary.

    It opens the wheel again and inflates the binaries one by one, so it is for wheels with a reason. What
    cannot be read is left out: other checks report it.
    """
    binaries = {binary.member for binary in wheel.binaries}
    if not binaries:
        return
    try:
        archive = Archive(wheel.path)
        with archive.opened() as opened:
            for entry in archive.entries:
                if entry.name in binaries:
                    try:
                        contents = opened.read(entry)
                    except InflateError:
                        continue
                    yield entry.name, contents
    except WheelError:
        return
