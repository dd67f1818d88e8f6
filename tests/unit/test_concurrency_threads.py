"""Several cases at a time: all are done, no more than wanted at once, and what one raises ends the others."""

from __future__ import annotations

import os
import signal
import sys
import threading
from functools import partial

import pytest

from wheelkit.machine.concurrency import run_all


@pytest.mark.parametrize("at_a_time", [1, 2, 9])
def test_all_jobs_are_done_and_begin_in_their_order(at_a_time: int) -> None:
    begun: list[int] = []
    run_all([partial(begun.append, number) for number in range(50)], at_a_time, threading.Event())
    assert sorted(begun) == list(range(50))
    if at_a_time == 1:
        assert begun == sorted(begun)
    run_all([], at_a_time, threading.Event())


def test_as_many_run_at_a_time_as_are_wanted() -> None:
    def meet(together: threading.Barrier, seconds: float) -> None:
        together.wait(seconds)

    run_all(
        [partial(meet, threading.Barrier(3), 30)] * 6, 3, threading.Event()
    )  # with fewer at a time nobody would come through
    with pytest.raises(threading.BrokenBarrierError):
        run_all([partial(meet, threading.Barrier(3), 0.05)] * 6, 2, threading.Event())


def test_what_one_raises_ends_the_others_and_comes_out() -> None:
    stop = threading.Event()
    ended: list[bool] = []

    def fail() -> None:
        raise IndexError("of its own")

    each_after: list[int] = []
    with pytest.raises(IndexError, match="of its own"):
        run_all([lambda: ended.append(stop.wait(30)), fail, *[partial(each_after.append, 1)] * 9], 2, stop)
    assert (ended, each_after) == ([True], [])


@pytest.mark.skipif(sys.platform == "win32", reason="signals are sent otherwise there")
def test_an_interrupt_waits_for_those_that_run() -> None:
    stop = threading.Event()
    both = threading.Barrier(2)
    ended: list[bool] = []

    def run() -> None:
        if both.wait(30) == 0:
            os.kill(os.getpid(), signal.SIGINT)
        ended.append(stop.wait(30))

    with pytest.raises(KeyboardInterrupt):
        run_all([run] * 3, 2, stop)
    assert ended == [True, True]
