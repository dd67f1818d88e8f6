"""Shares jobs out to threads so that the memory that they need at one time stays bounded, and tells when all of a group are done."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterable, Iterator
    from typing import Self


# What jobs may need at one time beside the largest one.
_SLACK = 16 * 1024 * 1024


class InflateJob(Struct, frozen=True, kw_only=True):
    """Something to do that takes about ``weight`` bytes of work and, while it is done, up to ``memory`` bytes."""

    weight: int
    memory: int
    do: Callable[[], None]


class Pool:
    """Threads that do groups of jobs, one group after the other and in each the heaviest first, so that groups are finished all along.

    Each takes the first job that fits beside what the others hold.
    All threads together hold as much as the largest job needs, and a little more: mostly one does the large jobs, one after the other,
    while the others do the rest. The thread that opens the pool is one of them: it works while it waits.
    """

    def __init__(self, threads: int) -> None:
        import threading

        self._limit = threads
        self._threads: list[threading.Thread] = []
        self._jobs: list[tuple[int, InflateJob]] = []  # with their groups, the last one to be done first
        self._left: dict[int, int] = {}
        self._finished: deque[int] = deque()
        self._held = self._largest = 0
        self._open = True
        self._changed = threading.Condition()
        self._trouble: BaseException | None = None

    def __enter__(self) -> Self:
        """Give itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let nothing more begin, and wait for what did."""
        with self._changed:
            self._jobs.clear()
            self._open = False
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def add(self, group: int, jobs: Iterable[InflateJob]) -> None:
        """Let the threads begin with a group's jobs; one without any is finished."""
        from threading import Thread

        new = [(group, job) for job in sorted(jobs, key=lambda job: job.weight)]
        with self._changed:
            self._left[group] = len(new)
            if not new:
                self._finished.append(group)
            self._jobs[:0] = new
            self._largest = max([self._largest, *(job.memory for _, job in new)])
            self._changed.notify_all()
        while len(self._threads) < min(self._limit, len(self._jobs)) - 1:
            number = len(self._threads) + 1
            self._threads.append(Thread(target=self._help, name=f"wheelkit-{number}", daemon=True))
            self._threads[-1].start()

    def finished(self) -> Iterator[int]:
        """Yield the groups as their last jobs end; nothing can be added any more. The first exception of a job is raised again."""
        with self._changed:
            self._open = False
            self._changed.notify_all()
        while (step := self._next()) is not None:
            if isinstance(step, int):
                yield step
            else:
                self._do(*step)
        if self._trouble is not None:
            raise self._trouble

    def _help(self) -> None:
        """Do jobs until none is left; what every further thread runs."""
        try:
            while (step := self._take()) is not None:
                self._do(*step)
        except Exception as error:  # noqa: BLE001 - handed over to the thread that waits
            with self._changed:
                self._trouble = self._trouble or error
                self._jobs.clear()
                self._changed.notify_all()

    def _do(self, group: int, job: InflateJob) -> None:
        job.do()
        with self._changed:
            self._held -= job.memory
            self._left[group] -= 1
            if not self._left[group]:
                self._finished.append(group)
            if job.memory or not self._left[group]:
                self._changed.notify_all()

    def _next(self) -> int | tuple[int, InflateJob] | None:
        """Give a finished group, else something to do, else wait; None when there is neither left."""
        with self._changed:
            while True:
                if self._finished:
                    return self._finished.popleft()
                if (step := self._fitting()) is not None:
                    return step
                if self._trouble is not None or not any(self._left.values()):
                    return None
                self._changed.wait()

    def _take(self) -> tuple[int, InflateJob] | None:
        with self._changed:
            while self._jobs or self._open:
                if (step := self._fitting()) is not None:
                    return step
                self._changed.wait()
            return None

    def _fitting(self) -> tuple[int, InflateJob] | None:
        free = self._largest + _SLACK - self._held
        for place in range(len(self._jobs) - 1, -1, -1):
            if self._jobs[place][1].memory <= free:
                self._held += self._jobs[place][1].memory
                return self._jobs.pop(place)
        return None
