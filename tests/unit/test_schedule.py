import threading
import time

import pytest

from wheelkit.wheel import schedule
from wheelkit.wheel.schedule import Pool, ReadJob

MEGABYTE = 1 << 20


class Watched:
    """Jobs that note how much memory is promised at one time."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.now = self.most = self.done = 0

    def job(self, memory: int) -> ReadJob:
        def do() -> None:
            with self.lock:
                self.now += memory
                self.most = max(self.most, self.now)
            time.sleep(0)  # another thread may go on here
            with self.lock:
                self.now -= memory
                self.done += 1

        return ReadJob(weight=memory, memory=memory, run=do)


def run_groups(groups: list[list[ReadJob]], threads: int) -> list[int]:
    with Pool(threads) as pool:
        for number, jobs in enumerate(groups):
            pool.add(number, jobs)
        return list(pool.finished())


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_all_jobs_are_done_within_the_memory_of_the_largest_and_a_little(threads: int) -> None:
    watched = Watched()
    groups = [
        [watched.job(size * MEGABYTE) for size in sizes] for sizes in ((40, 30, 1, 1), (50, 50), (1, 1, 2, 3))
    ]
    assert sorted(run_groups(groups, threads)) == [0, 1, 2]
    assert watched.done == 10
    assert watched.most <= 50 * MEGABYTE + schedule._SLACK


@pytest.mark.parametrize("threads", [1, 2])
def test_no_groups_and_groups_without_jobs(threads: int) -> None:
    assert run_groups([], threads) == []
    assert run_groups([[], [Watched().job(1)], []], threads) == [0, 2, 1]


def test_with_one_thread_a_group_is_handed_over_before_the_next_begins() -> None:
    watched = Watched()
    with Pool(1) as pool:
        pool.add(0, [watched.job(2)])
        pool.add(1, [watched.job(1)])
        assert [(group, watched.done) for group in pool.finished()] == [(0, 1), (1, 2)]


def test_what_the_caller_does_meanwhile_does_not_hold_the_threads_up() -> None:
    """The second group's job can only end while the caller still has the first group in its hands."""
    first, second = threading.Event(), threading.Event()
    with Pool(2) as pool:
        pool.add(0, [ReadJob(weight=2, memory=0, run=lambda: first.wait(10) and None)])
        pool.add(1, [ReadJob(weight=1, memory=0, run=second.set)])
        first.set()
        for _ in pool.finished():
            assert second.wait(10)


def test_leaving_early_lets_nothing_more_begin() -> None:
    watched = Watched()
    with Pool(1) as pool:
        pool.add(0, [watched.job(1)])
        pool.add(1, [watched.job(1)])
        next(pool.finished())
    assert watched.done == 1


@pytest.mark.parametrize("threads", [1, 3])
def test_the_first_exception_ends_the_others(threads: int) -> None:
    done = []

    def fail() -> None:
        raise LookupError("no such thing")

    jobs = [
        ReadJob(weight=100, memory=0, run=fail),
        *(ReadJob(weight=1, memory=0, run=lambda: done.append(1)) for _ in range(1000)),
    ]
    with pytest.raises(LookupError, match="no such thing"):
        run_groups([jobs], threads)
    assert len(done) < 1000
