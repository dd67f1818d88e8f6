"""Several things at a time, bounded by the machine's cores: each after all that it needs; when one fails, the others are ended."""

from __future__ import annotations

import os
import threading
from collections import deque
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    Job = Callable[[], None]


# How often whoever waits looks up: only then can it hear Ctrl-C on every system.
_LISTEN_SECONDS = 0.1


def worker_count() -> int:
    """Give how many builds the machine bears at a time."""
    return max(1, os.cpu_count() or 1)


def run_in_order(
    needs: Mapping[str, Sequence[str]], do: Callable[[str, Callable[[], bool] | None], object]
) -> None:
    """Do each key's work once what it needs is done; names that are no keys count as done.

    ``do`` gets the key and a question that answers true once it is to end; None where nothing runs beside it. The first failure is raised
    when all have ended.
    """
    if worker_count() == 1 or len(needs) == 1:
        for key in needs:
            do(key, None)
        return
    stopped = threading.Event()
    waiting = {key: {name for name in names if name in needs and name != key} for key, names in needs.items()}
    running: dict[Future[object], str] = {}
    pool = ThreadPoolExecutor(max_workers=worker_count(), thread_name_prefix="build")
    try:
        while waiting or running:
            for key in [key for key, names in waiting.items() if not names]:
                del waiting[key]
                running[pool.submit(do, key, stopped.is_set)] = key
            done, _ = wait(running, timeout=_LISTEN_SECONDS, return_when=FIRST_COMPLETED)
            for future in done:
                key = running.pop(future)
                future.result()
                for names in waiting.values():
                    names.discard(key)
    finally:
        stopped.set()
        pool.shutdown(wait=True, cancel_futures=True)


# How often whoever waits looks up: only then can it hear Ctrl-C on every system.
_POLL_SECONDS = 0.1


def run_all(jobs: Iterable[Job], at_a_time: int, stop: threading.Event) -> None:
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
            while not ended.wait(_POLL_SECONDS):
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
