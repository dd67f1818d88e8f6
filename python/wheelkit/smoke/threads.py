"""Jobs on several threads, which end together."""

from __future__ import annotations

import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Job = Callable[[], None]


# How often whoever waits looks up: only then can it hear Ctrl-C on every system.
_LISTEN_SECONDS = 0.1


def each(jobs: Iterable[Job], at_a_time: int, stop: threading.Event) -> None:
    """Do all jobs, the first ones first, so many at a time; raise what the first one raised that did, when none runs any more.

    Then, and where an interrupt comes, no further one begins, and ``stop`` is set, which those that run have to look at.
    """
    waiting = deque(jobs)
    troubles: list[BaseException] = []

    def work(ended: threading.Event) -> None:
        try:
            for job in _taken(waiting, stop):
                job()
        except BaseException as error:  # noqa: BLE001 - handed over to the thread that waits
            troubles.append(error)
            stop.set()
        finally:
            ended.set()

    # concurrent.futures does this as well; to load it takes longer than to read the wheels. And Thread.join takes a thread for ended that
    # still runs, where an interrupt comes meanwhile (bpo-45274).
    running: list[threading.Event] = []
    try:
        for number in range(min(at_a_time, len(waiting))):
            ended = threading.Event()
            threading.Thread(target=work, args=(ended,), name=f"smoke-{number}").start()
            running.append(ended)
        for ended in running:
            while not ended.wait(_LISTEN_SECONDS):
                pass
    except BaseException:
        stop.set()
        for ended in running:
            ended.wait()
        raise
    if troubles:
        raise troubles[0]


def _taken(waiting: deque[Job], stop: threading.Event) -> Iterator[Job]:
    with suppress(IndexError):  # another thread took the last one
        while not stop.is_set():
            yield waiting.popleft()
