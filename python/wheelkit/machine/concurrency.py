"""Several things at a time, bounded by the machine's cores: each after all that it needs; when one fails, the others are ended."""

from __future__ import annotations

import os
import threading
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


# How often whoever waits looks up: only then can it hear Ctrl-C on every system.
_LISTEN_SECONDS = 0.1


def workers() -> int:
    """Give how many builds the machine bears at a time."""
    return max(1, os.cpu_count() or 1)


def in_order(needs: Mapping[str, Sequence[str]], do: Callable[[str, Callable[[], bool] | None], object]) -> None:
    """Do each key's work once what it needs is done; names that are no keys count as done.

    ``do`` gets the key and a question that answers true once it is to end; None where nothing runs beside it. The first failure is raised
    when all have ended.
    """
    if workers() == 1 or len(needs) == 1:
        for key in needs:
            do(key, None)
        return
    stopped = threading.Event()
    waiting = {key: {name for name in names if name in needs and name != key} for key, names in needs.items()}
    running: dict[Future[object], str] = {}
    pool = ThreadPoolExecutor(max_workers=workers(), thread_name_prefix="build")
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
