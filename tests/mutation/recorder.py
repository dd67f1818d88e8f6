"""Plugin of pytest: record which test runs which lines, its time, and what hides lines from the record.

Loaded with ``-p mutation.recorder``; ``WHEELKIT_MUTATION_RECORDS`` is the folder for what it records.
"""

from __future__ import annotations

import functools
import json
import os
import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from coverage import Coverage

FOLDER = Path(os.environ["WHEELKIT_MUTATION_RECORDS"])
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
SOURCES = Path(__file__).parents[2] / "python" / "wheelkit"

coverage = Coverage(data_file=FOLDER / f"lines.{WORKER}", include=[f"{SOURCES}/*"], config_file=False)
tests: dict[str, dict[str, float | bool]] = {}
current: dict[str, float | bool] = {}
coverage.start()


def remember_programs(event: str, arguments: tuple[object, ...]) -> None:
    """Note that the current test starts a program that may run wheelkit, and whose lines are not recorded."""
    if event in {"os.fork", "os.posix_spawn"} or (
        event == "subprocess.Popen" and re.search("python|wheelkit", str(arguments[:2]))
    ):
        current["programs"] = True


def shares_fixture(item: pytest.Item) -> bool:
    """Return whether a test uses a fixture that is made once for several tests, during the first of them."""
    info = getattr(item, "_fixtureinfo", None)
    definitions = (
        [definition for found in info.name2fixturedefs.values() for definition in found] if info else []
    )
    return any(
        definition.scope != "function" and definition.baseid.startswith("tests") for definition in definitions
    )


sys.addaudithook(remember_programs)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Record one test, from empty caches on: what an earlier test has computed runs no line again."""
    for name, module in list(sys.modules.items()):
        if name.startswith("wheelkit"):
            for value in list(vars(module).values()):
                if isinstance(value, functools._lru_cache_wrapper):
                    value.cache_clear()
    current.clear()
    coverage.switch_context(item.nodeid)
    started = time.perf_counter()
    try:
        return (yield)
    finally:
        coverage.switch_context("")
        current["seconds"] = time.perf_counter() - started
        tests[item.nodeid] = {"programs": False, "shares": shares_fixture(item), **current}


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Note a failure: a test that fails without a change cannot judge one."""
    if report.failed:
        current["failed"] = True


def pytest_sessionfinish() -> None:
    """Write what was recorded."""
    coverage.stop()
    if tests:
        coverage.save()
        (FOLDER / f"tests.{WORKER}.json").write_text(json.dumps(tests))
