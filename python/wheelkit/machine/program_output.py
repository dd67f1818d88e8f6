"""What programs print, within bounds: long lines are cut, and only the end of long outputs is kept."""

from __future__ import annotations

import os
import selectors
import sys
import threading
from collections import deque
from contextlib import suppress
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


LONGEST_LINE = 1 << 20
"""The bytes of a line that are kept; real ones, of linkers with all their arguments, have up to 100 kB."""
# Behind a cut, half a secret would no longer be recognized: the bytes before it are dropped after redaction.
_LONGEST_SECRET = 1 << 14
_CUT = b" [the rest of this line was left out]\n"
# Enough to still contain the first error of a long compilation, which later errors follow from.
_TAIL_LINES, _TAIL_BYTES = 20_000, 16 << 20
_LARGEST_ANSWER = 128 << 20
_CHUNK = 65536
_POLL_SECONDS = 0.1
# How long the reading thread may need for what is in the pipe when the program has ended.
_LAST_SECONDS = 1.0
_WINDOWS = sys.platform == "win32"


class Tail:
    """The last lines of an output."""

    def __init__(self) -> None:
        self._lines: deque[bytes] = deque()
        self._size = 0

    def add(self, line: bytes) -> None:
        """Add a line, and drop the first ones that are too many."""
        self._lines.append(line)
        self._size += len(line)
        while len(self._lines) > _TAIL_LINES or self._size > _TAIL_BYTES:
            self._size -= len(self._lines.popleft())

    def text(self) -> str:
        """Return the lines as text."""
        return b"".join(self._lines).decode(errors="replace")


class Answer:
    """Collects from a thread what a program prints to a pipe; ``on_excess`` is called if it is too much."""

    def __init__(self, pipe: IO[bytes], on_excess: Callable[[], None]) -> None:
        self._pipe = pipe
        self._on_excess = on_excess
        self._data = bytearray()
        self.too_long = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with self._pipe:
            while chunk := os.read(self._pipe.fileno(), _CHUNK):
                self._data += chunk
                if len(self._data) > _LARGEST_ANSWER:
                    self.too_long = True
                    self._on_excess()
                    return

    def wait(self, timeout: float) -> bytes:
        """Return everything, once the pipe is closed or the seconds are over."""
        self._thread.join(max(timeout, 0.0))
        return bytes(self._data)


def redact_line(line: bytes, redact: Callable[[bytes], bytes]) -> bytes:
    """Return a line without secrets, and without its end if that was cut off."""
    if len(line) <= LONGEST_LINE:
        return redact(line)
    return redact(line)[:-_LONGEST_SECRET] + _CUT


def output_lines(pipe: IO[bytes], has_ended: Callable[[], bool]) -> Iterator[bytes]:
    """Yield each line of output, and ``b""`` at least ten times a second, so that callers can check events.

    A line is cut to ``LONGEST_LINE`` and a line feed. Ends with the program, even when a daemon that it
    started keeps the pipe open.
    """
    rest = bytearray()
    for chunk in _chunks_by_thread(pipe, has_ended) if _WINDOWS else _chunks(pipe, has_ended):
        yield b""
        first, *lines = chunk.split(b"\n")
        rest += first[: LONGEST_LINE - len(rest)]
        for line in lines:
            yield bytes(rest) + b"\n"
            rest = bytearray(line)
    if rest:
        yield bytes(rest) + b"\n"


def _chunks(pipe: IO[bytes], has_ended: Callable[[], bool]) -> Iterator[bytes]:
    """Yield the output as it arrives, and ``b""`` while there is none."""
    descriptor = pipe.fileno()
    with selectors.DefaultSelector() as selector:
        selector.register(descriptor, selectors.EVENT_READ)
        while True:
            ended = has_ended()
            if selector.select(timeout=0.0 if ended else _POLL_SECONDS):
                chunk = os.read(descriptor, _CHUNK)
                if not chunk:
                    return
                yield chunk
            elif ended:
                return
            else:
                yield b""


def _chunks_by_thread(pipe: IO[bytes], has_ended: Callable[[], bool]) -> Iterator[bytes]:
    """Do the same on Windows, where only sockets can be selected."""
    from queue import Empty, SimpleQueue

    descriptor = pipe.fileno()
    queue: SimpleQueue[bytes] = SimpleQueue()

    def read_pipe() -> None:
        with suppress(OSError):  # the pipe is closed while a daemon still holds its other end
            while chunk := os.read(descriptor, _CHUNK):
                queue.put(chunk)
        queue.put(b"")

    threading.Thread(target=read_pipe, daemon=True).start()
    while True:
        ended = has_ended()  # asked first, or what is printed just before the end would be lost
        try:
            chunk = queue.get(timeout=_LAST_SECONDS if ended else _POLL_SECONDS)
        except Empty:
            if ended:
                return
            yield b""
            continue
        if not chunk:
            return
        yield chunk
