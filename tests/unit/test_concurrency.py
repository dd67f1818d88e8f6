from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from wheelkit.errors import ToolFailedError
from wheelkit.machine import concurrency

Stop = Callable[[], bool] | None


@pytest.fixture(params=[1, 2, 4])
def cores(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    number: int = request.param
    monkeypatch.setattr(concurrency.os, "cpu_count", lambda: number)
    return number


def test_each_comes_after_all_that_it_needs(cores: int) -> None:
    needs = {"core": (), "cli": ("core",), "csv": ("core", "elsewhere"), "all": ("cli", "csv", "all")}
    done: list[str] = []
    running, most = set[str](), 0
    lock = threading.Lock()

    def do(key: str, stop: Stop) -> None:
        nonlocal most
        assert (stop is None) == (cores == 1)
        with lock:
            assert all(name in done for name in needs[key] if name in needs and name != key)
            running.add(key)
            most = max(most, len(running))
        time.sleep(0.02)
        with lock:
            running.remove(key)
            done.append(key)

    concurrency.run_in_order(needs, do)
    assert sorted(done) == sorted(needs)
    assert (done[0], done[-1]) == ("core", "all")
    assert most == min(cores, 2)


@pytest.mark.usefixtures("cores")
def test_the_first_failure_ends_the_others_and_is_the_one_told() -> None:
    ended: list[str] = []

    def do(key: str, stop: Stop) -> None:
        if key == "bad":
            raise ToolFailedError("it broke")
        while stop is not None and not stop():
            time.sleep(0.01)
        ended.append(key)

    with pytest.raises(ToolFailedError, match="it broke"):
        concurrency.run_in_order({"slow": (), "bad": (), "after": ("bad",)}, do)
    assert ended == ["slow"]


def test_one_thing_alone_runs_where_it_was_asked_for() -> None:
    seen: list[tuple[str, object, int]] = []
    concurrency.run_in_order({"only": ()}, lambda key, stop: seen.append((key, stop, threading.get_ident())))
    assert seen == [("only", None, threading.get_ident())]
