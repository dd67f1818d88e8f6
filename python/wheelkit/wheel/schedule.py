"""Shares jobs out to threads so that the memory that they need at one time stays bounded."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from wheelkit.wheel.gather import Room

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# What jobs may need at one time beside the largest one.
_SLACK = 16 * 1024 * 1024

# How many times too large a thread's room may be before it is given back.
_MUCH = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class Job:
    """Something to do that takes about ``weight`` bytes of work and up to ``memory`` bytes of the room that it is given."""

    weight: int
    memory: int
    do: Callable[[Room], None]


def run(jobs: Iterable[Job], threads: int) -> None:
    """Do all jobs, the heaviest first; each thread takes the heaviest one that fits beside what the others hold.

    All threads together hold as much as the largest job needs, and a little more: mostly one does the large jobs, one after the other,
    in the same room, while the others do the rest.

    The first exception of a job ends the others and is raised again.
    """
    queue = _Queue(jobs)
    helpers = [threading.Thread(target=queue.work, name=f"wheelkit-{number}", daemon=True) for number in range(1, min(threads, len(queue)))]
    for thread in helpers:
        thread.start()
    try:
        queue.work()
    except BaseException:
        queue.stop()
        raise
    finally:
        for thread in helpers:
            thread.join()
    queue.raise_trouble()


class _Queue:
    """The jobs that are left, and how much memory is free."""

    def __init__(self, jobs: Iterable[Job]) -> None:
        self._jobs = sorted(jobs, key=lambda job: job.weight, reverse=True)
        self._free = max((job.memory for job in self._jobs), default=0) + _SLACK
        self._changed = threading.Condition()
        self._trouble: BaseException | None = None

    def __len__(self) -> int:
        return len(self._jobs)

    def work(self) -> None:
        """Do jobs until none is left; what every thread runs."""
        room, held = Room(), 0
        try:
            while (job := self._take(held)) is not None:
                if job.memory * _MUCH < held:
                    # The jobs grow smaller and what they found grows: the room of the largest one is not kept for that long.
                    room.close()
                    self._give_back(held - job.memory)
                    held = job.memory
                held = max(held, job.memory)
                job.do(room)
        except Exception as error:  # noqa: BLE001 - handed over to the thread that waits
            self._trouble = self._trouble or error
            self.stop()
        finally:
            room.close()
            self._give_back(held)

    def stop(self) -> None:
        """Let nothing more begin."""
        with self._changed:
            self._jobs.clear()
            self._changed.notify_all()

    def raise_trouble(self) -> None:
        if self._trouble is not None:
            raise self._trouble

    def _take(self, held: int) -> Job | None:
        with self._changed:
            while self._jobs:
                for place, job in enumerate(self._jobs):
                    if job.memory <= held + self._free:
                        self._free -= max(job.memory - held, 0)
                        return self._jobs.pop(place)
                self._changed.wait()
            return None

    def _give_back(self, held: int) -> None:
        with self._changed:
            self._free += held
            self._changed.notify_all()
