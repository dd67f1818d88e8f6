from __future__ import annotations

import os
import signal
import sys
import threading
import time

import pytest

from wheelkit.errors import InterruptedByUserError, ToolFailedError
from wheelkit.machine.concurrency import Stop, run_jobs, worker_count


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_each_job_runs_after_all_that_it_needs(workers: int) -> None:
    needs = {"core": (), "cli": ("core",), "csv": ("core", "elsewhere"), "all": ("cli", "csv", "all")}
    done: list[str] = []
    running, most = set[str](), 0
    lock = threading.Lock()

    def run(job: str, stop: Stop | None) -> None:
        nonlocal most
        assert (stop is None) == (workers == 1)
        with lock:
            assert all(name in done for name in needs[job] if name in needs and name != job)
            running.add(job)
            most = max(most, len(running))
        time.sleep(0.02)
        with lock:
            running.remove(job)
            done.append(job)

    run_jobs(tuple(needs), run, needs=needs, workers=workers)
    assert sorted(done) == sorted(needs)
    assert (done[0], done[-1]) == ("core", "all")
    assert most == min(workers, 2)


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_the_first_failure_ends_the_other_jobs_and_is_raised(workers: int) -> None:
    ended: list[str] = []

    def run(job: str, stop: Stop | None) -> None:
        if job == "bad":
            raise ToolFailedError("it broke")
        while stop is not None and not stop():
            time.sleep(0.01)
        ended.append(job)

    with pytest.raises(ToolFailedError, match="it broke"):
        run_jobs(("slow", "bad", "after"), run, needs={"after": ("bad",)}, workers=workers)
    assert ended == ["slow"]


def test_a_single_job_runs_in_the_calling_thread() -> None:
    seen: list[tuple[str, object, int]] = []
    run_jobs(["only"], lambda job, stop: seen.append((job, stop, threading.get_ident())))
    assert seen == [("only", None, threading.get_ident())]


@pytest.mark.parametrize("workers", [1, 2, 9])
def test_all_jobs_are_done_and_start_in_their_order(workers: int) -> None:
    started: list[int] = []
    run_jobs(range(50), lambda number, _stop: started.append(number), workers=workers)
    assert sorted(started) == list(range(50))
    if workers == 1:
        assert started == sorted(started)
    run_jobs(range(0), lambda number, _stop: started.append(number), workers=workers)


def test_as_many_jobs_run_at_a_time_as_there_are_workers() -> None:
    barrier = threading.Barrier(3)
    run_jobs(
        range(6), lambda _number, _stop: barrier.wait(30), workers=3
    )  # fewer would never pass the barrier
    barrier = threading.Barrier(3)
    with pytest.raises(threading.BrokenBarrierError):
        run_jobs(range(6), lambda _number, _stop: barrier.wait(0.05), workers=2)


def test_a_failure_sets_the_callers_event_and_no_further_job_starts() -> None:
    stop = threading.Event()
    ended: list[bool] = []
    later: list[int] = []

    def run(number: int, _stop: Stop | None) -> None:
        if number == 0:
            ended.append(stop.wait(30))
        elif number == 1:
            raise IndexError("of its own")
        else:
            later.append(number)

    with pytest.raises(IndexError, match="of its own"):
        run_jobs(range(11), run, workers=2, stop=stop)
    assert (ended, later) == ([True], [])


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
@pytest.mark.usefixtures("caught")
def test_an_interrupt_waits_for_the_running_jobs() -> None:
    both = threading.Barrier(2)
    ended: list[bool] = []

    def run(_number: int, stop: Stop | None) -> None:
        if both.wait(30) == 0:
            os.kill(os.getpid(), signal.SIGINT)
        deadline = time.monotonic() + 30
        while stop is not None and not stop() and time.monotonic() < deadline:
            time.sleep(0.01)
        ended.append(stop is not None and stop())

    with pytest.raises(InterruptedByUserError):
        run_jobs(range(3), run, workers=2)
    assert ended == [True, True]


def test_workers_are_counted_by_the_processors_of_this_process() -> None:
    assert 1 <= worker_count() <= (os.cpu_count() or 1)
