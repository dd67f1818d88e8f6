"""Run jobs on threads within a bounded amount of memory, and report which groups of jobs are done.

Without the bound, two threads that inflate large members at once hold both: with it, a release of many wheels
takes no more memory than its largest member and ``_SLACK`` bytes (1000 wheels take 1.1 times the memory of
ten, docs/benchmarks.md).
"""

from __future__ import annotations

import threading
from collections import deque
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Self


# The bytes that jobs may hold at one time beside the largest one.
_SLACK = 16 * 1024 * 1024


class ReadJob(Struct, frozen=True, kw_only=True):
    """A job of about ``weight`` bytes of work that holds up to ``memory`` bytes while it runs."""

    weight: int
    memory: int
    run: Callable[[], None]


class Pool:
    """Threads that run groups of jobs: one group after the other, and in each group the heaviest first.

    Each thread takes the first job that fits beside what the others hold. All together hold as much as the
    largest job needs, and a little more: mostly one thread does the large jobs while the others do the rest.
    The thread that opens the pool works too.
    """

    def __init__(self, threads: int) -> None:
        self._limit = threads
        self._threads: list[threading.Thread] = []
        self._jobs: list[tuple[int, ReadJob]] = []  # with their groups, the next one last
        self._unfinished: dict[int, int] = {}  # group -> number of its jobs that are not done
        self._finished: deque[int] = deque()
        self._held = self._largest = 0
        self._open = True
        self._changed = threading.Condition()
        self._error: BaseException | None = None

    def __enter__(self) -> Self:
        """Return the pool."""
        return self

    def __exit__(self, *_: object) -> None:
        """Start no more jobs, and wait for those that run."""
        with self._changed:
            self._jobs.clear()
            self._open = False
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def add(self, group: int, jobs: Iterable[ReadJob]) -> None:
        """Add a group of jobs, and start on it; a group without jobs is finished at once."""
        new = [(group, job) for job in sorted(jobs, key=lambda job: job.weight)]
        with self._changed:
            self._unfinished[group] = len(new)
            if not new:
                self._finished.append(group)
            self._jobs[:0] = new
            self._largest = max([self._largest, *(job.memory for _, job in new)])
            self._changed.notify_all()
        while len(self._threads) < min(self._limit, len(self._jobs)) - 1:
            name = f"wheelkit-{len(self._threads) + 1}"
            self._threads.append(threading.Thread(target=self._work, name=name, daemon=True))
            self._threads[-1].start()

    def finished(self) -> Iterator[int]:
        """Yield each group when its last job is done; raise the first exception of a job again."""
        with self._changed:
            self._open = False
            self._changed.notify_all()
        while (step := self._next()) is not None:
            if isinstance(step, int):
                yield step
            else:
                self._run(*step)
        if self._error is not None:
            raise self._error

    def _work(self) -> None:
        """Run jobs until none is left, on a thread of the pool."""
        try:
            while (step := self._take()) is not None:
                self._run(*step)
        except Exception as error:  # noqa: BLE001 - handed over to the thread that waits
            with self._changed:
                self._error = self._error or error
                self._jobs.clear()
                self._changed.notify_all()

    def _run(self, group: int, job: ReadJob) -> None:
        job.run()
        with self._changed:
            self._held -= job.memory
            self._unfinished[group] -= 1
            if not self._unfinished[group]:
                self._finished.append(group)
            if job.memory or not self._unfinished[group]:
                self._changed.notify_all()

    def _next(self) -> int | tuple[int, ReadJob] | None:
        """Return a finished group, else a job to run, else wait for either; None when nothing is left."""
        with self._changed:
            while True:
                if self._finished:
                    return self._finished.popleft()
                if (step := self._pop_fitting()) is not None:
                    return step
                if self._error is not None or not any(self._unfinished.values()):
                    return None
                self._changed.wait()

    def _take(self) -> tuple[int, ReadJob] | None:
        with self._changed:
            while self._jobs or self._open:
                if (step := self._pop_fitting()) is not None:
                    return step
                self._changed.wait()
            return None

    def _pop_fitting(self) -> tuple[int, ReadJob] | None:
        free = self._largest + _SLACK - self._held
        for index in range(len(self._jobs) - 1, -1, -1):
            if self._jobs[index][1].memory <= free:
                self._held += self._jobs[index][1].memory
                return self._jobs.pop(index)
        return None
