import threading

import pytest

from wheelkit.wheel import schedule
from wheelkit.wheel.gather import Room
from wheelkit.wheel.schedule import Job, run

MEGABYTE = 1 << 20


class Watched:
    """Jobs that note how much memory is promised at one time."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.now = self.most = self.done = 0

    def job(self, memory: int) -> Job:
        def do(room: Room) -> None:
            with self.lock:
                self.now += memory
                self.most = max(self.most, self.now)
            room.take(memory)[:1] = b"x"
            with self.lock:
                self.now -= memory
                self.done += 1

        return Job(weight=memory, memory=memory, do=do)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_all_jobs_are_done_within_the_memory_of_the_largest_and_a_little(threads: int) -> None:
    watched = Watched()
    run([watched.job(size * MEGABYTE) for size in (50, 50, 40, 30, 1, 1, 1, 1, 2, 3)], threads)
    assert watched.done == 10
    assert watched.most <= 50 * MEGABYTE + schedule._SLACK


def test_no_jobs() -> None:
    run([], 2)


@pytest.mark.parametrize("threads", [1, 3])
def test_the_first_exception_ends_the_others(threads: int) -> None:
    done = []

    def fail(_: Room) -> None:
        raise LookupError("no such thing")

    jobs = [Job(weight=100, memory=0, do=fail), *(Job(weight=1, memory=0, do=lambda _: done.append(1)) for _ in range(1000))]
    with pytest.raises(LookupError, match="no such thing"):
        run(jobs, threads)
    assert len(done) < 1000
