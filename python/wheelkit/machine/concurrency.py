"""Runs jobs in threads: several at a time, each after those that it needs, until one fails."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from graphlib import TopologicalSorter
from typing import TypeVar

from wheelkit.errors import InterruptedByUserError
from wheelkit.machine.signals import deferred

Job = TypeVar("Job", bound=Hashable)
Stop = Callable[[], bool]
"""Returns true once the running jobs are to end."""

# The waiting thread wakes up this often, since only then Ctrl-C reaches it on every system.
_POLL_SECONDS = 0.1


def worker_count() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


@contextmanager
def worker_pool(workers: int | None = None) -> Iterator[ThreadPoolExecutor]:
    """Open a pool of threads for short questions; an interruption does not wait for their answers."""
    pool = ThreadPoolExecutor(max_workers=workers)
    try:
        yield pool
    except InterruptedByUserError:
        pool.shutdown(wait=False, cancel_futures=True)
        raise
    except BaseException:
        pool.shutdown()
        raise
    pool.shutdown()


def run_jobs(
    jobs: Sequence[Job],
    run_job: Callable[[Job, Stop | None], object],
    *,
    needs: Mapping[Job, Iterable[Job]] | None = None,
    workers: int = 0,
    stop: threading.Event | None = None,
) -> None:
    """Run every job, at most ``workers`` at a time (default: one per processor), the first ones first.

    ``needs`` names the jobs that must end before a job starts; names that are no jobs are ignored. When a job
    raises or the user interrupts, no further job starts, ``stop`` is set, and once the running jobs have
    ended the exception is raised. ``run_job`` gets ``stop.is_set`` to poll. A single job, or all jobs of a
    single worker, run in the calling thread and get None.
    """
    workers, stop = workers or worker_count(), stop or threading.Event()
    if workers == 1 or len(jobs) == 1:
        for job in jobs:
            run_job(job, None)
        return
    errors: list[BaseException] = []

    def run_unless_stopped(job: Job) -> None:
        try:
            if not stop.is_set():
                run_job(job, stop.is_set)
        except BaseException as error:  # noqa: BLE001 - raised by the waiting thread
            errors.append(error)
            stop.set()

    order = TopologicalSorter(dict.fromkeys(jobs, ()))
    for job in jobs:
        order.add(job, *(set((needs or {}).get(job, ())).intersection(jobs) - {job}))
    order.prepare()
    pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="job")
    try:
        _submit_in_order(order, lambda job: pool.submit(run_unless_stopped, job), errors)
    finally:
        with deferred():
            stop.set()
            pool.shutdown()
    if errors:
        raise errors[0]


def _submit_in_order(
    order: TopologicalSorter[Job], submit: Callable[[Job], Future[None]], errors: Sequence[BaseException]
) -> None:
    """Submit each job after those that it needs; return when all have ended, or at the first error."""
    running: dict[Future[None], Job] = {}
    while order.is_active() and not errors:
        with deferred():  # interrupted while it starts, a thread would be one that the pool does not know
            running |= {submit(job): job for job in order.get_ready()}
        done, _ = wait(running, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
        order.done(*map(running.pop, done))
