"""Fixtures: sample projects, the command as users run it, and the container image."""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from support import machine, rows
from support.command import MakeProject, Wheelkit, git_commit
from support.compiler_cache import compiler_cache_server
from support.scripts import script
from wheelkit.machine import signals

__all__ = ["script"]

TESTS = Path(__file__).parent
ROOT = TESTS.parent
# Time limits against hangs. The slowest unit test takes a second, or ten with --hypothesis-profile=long.
UNIT_SECONDS, SLOW_SECONDS = 300, 4 * 3600
# Prefixes of variables through which the machine would influence the program under test.
STEERING = (
    "CIBW_",
    "CONTAINERS_CONF",
    "SOURCE_DATE_EPOCH",
    "PYENV_",
    "CC",
    "CFLAGS",
    "LDFLAGS",
    "LIBRARY_PATH",
    "GITHUB_",
    "WHEELKIT_CACHE",
    "WHEELKIT_NO_CACHE",
    "SCCACHE_",
)
# Compiled tests are kept in pytest's cache where Python may not keep them beside their sources: to rewrite
# the assertions of all tests takes each worker three seconds.
if sys.dont_write_bytecode:
    sys.dont_write_bytecode = False
    sys.pycache_prefix = str(ROOT / ".pytest_cache" / "bytecode")
# Tests do not use the user's cache; the `wheelkit` fixture has its own.
os.environ["WHEELKIT_NO_CACHE"] = "1"
# Background jobs of a shell ignore SIGINT, and what nohup starts SIGHUP, and so would the programs that tests
# start and interrupt.
for _name, _handler in (("SIGINT", signal.default_int_handler), ("SIGHUP", signal.SIG_DFL)):
    if signal.getsignal(_number := getattr(signal, _name, signal.SIGINT)) is signal.SIG_IGN:
        signal.signal(_number, _handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the choice of rows, for tests that try a whole table (``support/rows.py``)."""
    parser.addoption("--row", default="", metavar="TEXT", help="try only rows with this in their name")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Set how many examples Hypothesis draws; it is imported here, where its code can be kept compiled.

    CI draws the same 200 each time, so that a run fails for what was changed. Elsewhere 25 are drawn anew in
    each run, which keeps the unit tests below 20 seconds. ``--hypothesis-profile=long`` tries many.
    """
    from hypothesis import settings

    rows.chosen = config.getoption("row")
    settings.register_profile("ci", max_examples=200, deadline=None, derandomize=True)
    settings.register_profile("short", max_examples=25, deadline=None)
    settings.register_profile("long", max_examples=5000, deadline=None)
    settings.load_profile("ci" if os.environ.get("CI") else "short")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Use up to four workers for folders; none for single files or tests, nor with ``-s`` or ``--pdb``."""
    single = any(not Path(argument).is_dir() for argument in config.args)
    return 0 if single or config.option.capture == "no" else min(4, os.cpu_count() or 1)


def pytest_sessionstart() -> None:
    """Forget what this machine says to programs; pytest has read for its own output what it needs of it."""
    machine.forget()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give unit tests a shorter time limit, and those that are marked slow a longer one, against hangs."""
    for item in items:
        if item.get_closest_marker("timeout") is None:
            if item.path.is_relative_to(TESTS / "unit"):
                item.add_marker(pytest.mark.timeout(UNIT_SECONDS))
            elif item.get_closest_marker("slow"):
                item.add_marker(pytest.mark.timeout(SLOW_SECONDS))


def pytest_collection_finish() -> None:
    """Exclude imported modules from garbage collection, which saves a tenth of the unit tests' time."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def project(tmp_path: Path) -> MakeProject:
    """Return a function that copies a sample project to ``tmp_path/NAME`` and commits it."""

    def copy(name: str, *, git: bool = True, replace: Mapping[str, tuple[str, str]] | None = None) -> Path:
        folder = tmp_path / name
        shutil.copytree(TESTS / "projects" / name, folder)
        for file, (old, new) in (replace or {}).items():
            text = (folder / file).read_text()
            assert old in text
            (folder / file).write_text(text.replace(old, new))
        if git:
            git_commit(folder)
        return folder

    return copy


@pytest.fixture
def wheelkit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wheelkit]:
    """Provide the command, without the settings and servers of the user who runs the tests."""
    scratch, state, cache = (tmp_path_factory.mktemp(name) for name in ("scratch", "state", "cache"))
    env = {name: value for name, value in os.environ.items() if not name.startswith(STEERING)}
    with compiler_cache_server() as server:
        yield Wheelkit(
            scratch=scratch,
            env={
                **env,
                **server,
                "TMPDIR": str(scratch),
                "XDG_STATE_HOME": str(state),
                "WHEELKIT_CACHE_DIR": str(cache),
                "NO_COLOR": "1",
            },
        )


@pytest.fixture
def caught() -> Iterator[None]:
    """Handle the signals of this process as a command does."""
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    before = [(number, signal.getsignal(number)) for name in names if (number := getattr(signal, name, None))]
    signals.catch()
    yield
    for number, handler in before:
        signal.signal(number, handler)
    sys.unraisablehook = sys.__unraisablehook__
    signals._state.begin()
    signals._state.cleanups.clear()


@pytest.fixture(scope="session")
def image() -> Mapping[str, str]:
    """Return the variables with which cibuildwheel uses the test image; builds the image if needed."""
    if "WHEELKIT_IMAGE_INTERPRETERS" in os.environ:
        return {
            name: value
            for name, value in os.environ.items()
            if name.startswith(("CIBW_", "CONTAINERS_CONF", "WHEELKIT_IMAGE"))
        }
    done = subprocess.run(
        [sys.executable, ROOT / "ci" / "image.py", "--json"], capture_output=True, text=True, check=False
    )
    if done.returncode == 3 and not os.environ.get("CI"):
        pytest.skip(f"no test image here: {done.stderr.strip()}")
    if done.returncode != 0:
        pytest.fail(f"ci/image.py failed with exit status {done.returncode}:\n{done.stderr}")
    values: dict[str, str] = json.loads(done.stdout)
    return values
