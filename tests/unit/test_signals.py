"""SIGINT, SIGTERM and SIGHUP: the first one interrupts, later ones break no cleanup, ignored ones stay so."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from wheelkit.errors import InterruptedByUserError
from wheelkit.machine import signals
from wheelkit.machine.concurrency import worker_pool
from wheelkit.machine.process import Command, LoggedRun, PendingCommand, start_process
from wheelkit.machine.scratch import created_folder, temporary_folder
from wheelkit.machine.signals import at_end, deferred

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="sends signals as POSIX does")
NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
WORDS = {
    signal.SIGINT: "interrupted",
    signal.SIGTERM: "stopped by SIGTERM",
    signal.SIGHUP: "stopped by SIGHUP",
}
LEFT = "no unfinished files were left behind"


def send(number: signal.Signals = signal.SIGTERM) -> None:
    """Send a signal to this process, which has handled it when the call returns."""
    os.kill(os.getpid(), number)


# --- in this process -----------------------------------------------------------------------------------


@pytest.mark.usefixtures("caught")
@pytest.mark.parametrize("number", NUMBERS)
def test_the_first_signal_interrupts_and_later_ones_do_not(number: signal.Signals) -> None:
    with pytest.raises(InterruptedByUserError, match=WORDS[number]):
        send(number)
    assert signals.interrupted()
    assert not signals.hurried()
    for later in NUMBERS:
        send(later)
    assert signals.hurried()


@pytest.mark.usefixtures("caught")
def test_an_interruption_is_no_error_that_a_library_may_swallow() -> None:
    def handle_everything() -> None:
        with suppress(Exception):
            send()

    with pytest.raises(InterruptedByUserError):
        handle_everything()


@pytest.mark.usefixtures("caught")
def test_a_deferred_block_is_whole() -> None:
    done = []

    def work() -> None:
        with deferred():
            with deferred():
                send()
                done.append("inner")
            send(signal.SIGINT)
            done.append("outer")
        done.append("after")

    with pytest.raises(InterruptedByUserError, match="stopped by SIGTERM"):
        work()
    assert done == ["inner", "outer"]


@pytest.mark.usefixtures("caught")
def test_blocks_of_other_threads_defer_nothing() -> None:
    inside, go_on = threading.Event(), threading.Event()

    def work() -> None:
        with deferred():
            inside.set()
            go_on.wait(60)

    thread = threading.Thread(target=work)
    thread.start()
    inside.wait(60)
    with pytest.raises(InterruptedByUserError):
        send()
    go_on.set()
    thread.join()


@pytest.mark.usefixtures("caught")
def test_a_cleanup_runs_once_and_at_the_end_if_it_was_never_called() -> None:
    ran: list[str] = []
    with deferred():
        first = at_end(lambda: ran.append("first"))
        at_end(lambda: ran.append("second"))
        at_end(lambda: ran.append("third"))
        at_end(lambda: 1 / 0)  # one that fails does not keep the others from running
        cancelled = at_end(lambda: ran.append("cancelled"))
    first()
    first()
    cancelled.cancel()
    cancelled()
    assert ran == ["first"]
    signals.finish()
    assert ran == ["first", "third", "second"]
    send()  # does nothing: the command has ended
    with pytest.raises(InterruptedByUserError, match="has ended"):
        start_process(Command(argv=("true",)))


def test_finish_does_nothing_where_signals_are_not_handled() -> None:
    signals.finish()
    process = start_process(Command(argv=("true",)))
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait() == 0


class Destructor:
    def __del__(self) -> None:
        send()


@pytest.mark.usefixtures("caught")
def test_an_interruption_that_python_loses_in_a_destructor_comes_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    deadline = time.monotonic() + 60

    def work() -> None:
        Destructor()
        while time.monotonic() < deadline:
            time.sleep(0.01)

    with pytest.raises(InterruptedByUserError):
        work()
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("caught")
def test_folders_go_whatever_is_written_meanwhile(tmp_path: Path) -> None:
    def work() -> None:
        with temporary_folder("x-", tmp_path) as folder:
            (folder / "file").touch()
            send()

    with pytest.raises(InterruptedByUserError):
        work()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("caught")
def test_a_new_folder_goes_and_an_old_one_stays(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    for name in ("old", "new/deep"):
        with pytest.raises(ZeroDivisionError), created_folder(tmp_path / name):
            raise ZeroDivisionError
    assert [path.name for path in tmp_path.iterdir()] == ["old"]
    with created_folder(tmp_path / "new/deep"):
        pass
    assert (tmp_path / "new/deep").is_dir()


@pytest.mark.usefixtures("caught")
def test_an_interruption_waits_for_no_answer_of_a_pool() -> None:
    asked, go_on = threading.Event(), threading.Event()

    def ask(_number: int) -> None:
        asked.set()
        go_on.wait(60)

    def work() -> None:
        with worker_pool(1) as pool:
            pool.submit(ask, 1)
            pool.submit(ask, 2)
            asked.wait(60)
            send()

    with pytest.raises(InterruptedByUserError):
        work()
    assert not go_on.is_set()
    go_on.set()
    with worker_pool(2) as pool:
        assert list(pool.map(lambda number: number + 1, (1, 2))) == [2, 3]


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def ends(pid: int) -> bool:
    """Return whether a process ends within the moment that the system needs for it."""
    for _ in range(500):
        if not running(pid):
            return True
        time.sleep(0.01)
    return False


STUBBORN = "import os, signal, sys, time\nfor number in (1, 2, 15): signal.signal(number, signal.SIG_IGN)\n"
linux = pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")


@linux
@pytest.mark.usefixtures("caught")
@pytest.mark.parametrize("times", [1, 3])
def test_a_program_that_ignores_all_signals_is_killed(tmp_path: Path, times: int) -> None:
    sent: list[int] = []

    def tee(line: bytes) -> None:
        sent.append(int(line))
        threading.Timer(0.3, lambda: [send() for _ in range(times - 1)]).start()
        send()

    code = f"{STUBBORN}print(os.getpid(), flush=True)\ntime.sleep(600)"
    with pytest.raises(InterruptedByUserError):
        LoggedRun(log=tmp_path / "log", tee=tee)(Command(argv=(sys.executable, "-c", code)))
    assert ends(sent[0])


LEAVING = (
    f"{STUBBORN}if child := os.fork(): print(os.getpid(), child, flush=True); os._exit(0)\ntime.sleep(600)"
)


@linux
@pytest.mark.usefixtures("caught")
@pytest.mark.parametrize("interrupted", [True, False])
def test_what_a_program_left_running_ends_with_the_command_alone(
    tmp_path: Path, *, interrupted: bool
) -> None:
    """Without a signal it goes on: compiler caches start servers so."""
    left: list[int] = []

    def tee(line: bytes) -> None:
        leader, child = map(int, line.split())
        left.append(child)
        assert ends(leader)
        if interrupted:
            send()

    run = LoggedRun(log=tmp_path / "log", tee=tee)
    command = Command(argv=(sys.executable, "-c", LEAVING))
    if interrupted:
        with pytest.raises(InterruptedByUserError):
            run(command)
        assert ends(left[0])
    else:
        assert run(command).returncode == 0
        assert running(left[0])
        os.kill(left[0], signal.SIGKILL)


@linux
@pytest.mark.usefixtures("caught")
def test_a_question_that_nobody_waits_for_ends_with_the_command() -> None:
    pending = PendingCommand(Command(argv=("sleep", "600")))
    assert pending._process is not None
    pid = pending._process.pid
    assert running(pid)
    signals.finish()
    assert not running(pid)


# --- as a process --------------------------------------------------------------------------------------

COMMAND = """
import sys, time
from functools import partial
from wheelkit.command_line import wheelkit
from wheelkit.machine.signals import at_end
from wheelkit.machine.scratch import temporary_folder
def clean_up():
    print('cleaning', flush=True)
    sys.stdin.readline()
    print('clean', flush=True)
def work(context):
    at_end(clean_up)
    print('ready', flush=True)
    time.sleep(60)
wheelkit.invoke = work
from wheelkit.__main__ import run
run()
"""


def start(prefix: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*prefix, sys.executable, "-c", COMMAND, "plan"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def read(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.parametrize("later", NUMBERS)
@pytest.mark.parametrize("first", NUMBERS)
def test_more_signals_do_not_break_the_cleanup(first: signal.Signals, later: signal.Signals) -> None:
    with start() as process:
        assert read(process) == "ready"
        process.send_signal(first)
        assert read(process) == "cleaning"
        for number in (later, first, later):
            process.send_signal(number)
            time.sleep(0.01)
        out, err = process.communicate("go on\n", timeout=60)
    assert out == "clean\n"
    assert (process.returncode, err) == (130, f"wheelkit: {WORDS[first]}; {LEFT}\n")


@pytest.mark.parametrize("ignored", NUMBERS)
def test_a_signal_that_is_ignored_stays_ignored(ignored: signal.Signals) -> None:
    """Nohup starts programs so, and shells start those in the background so."""
    ignoring = f"import os, signal, sys; signal.signal({int(ignored)}, signal.SIG_IGN)"
    ignoring += "; os.execv(sys.argv[1], sys.argv[1:])"
    other = signal.SIGTERM if ignored != signal.SIGTERM else signal.SIGHUP
    with start((sys.executable, "-c", ignoring)) as process:
        assert read(process) == "ready"
        process.send_signal(ignored)
        time.sleep(0.1)
        assert process.poll() is None
        process.send_signal(other)
        assert read(process) == "cleaning"
        _, err = process.communicate("go on\n", timeout=60)
    assert (process.returncode, err) == (130, f"wheelkit: {WORDS[other]}; {LEFT}\n")


@linux
@pytest.mark.parametrize("number", NUMBERS)
def test_from_its_first_line_on_the_program_ends_without_a_traceback(number: signal.Signals) -> None:
    """The modules of the command are still imported then."""
    code = f"""
import builtins, os
real = builtins.__import__
def importing(name, *rest):
    if name == "click":
        os.kill(os.getpid(), {int(number)})
    return real(name, *rest)
builtins.__import__ = importing
from wheelkit.__main__ import run
run()
"""
    done = subprocess.run([sys.executable, "-c", code, "plan"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "wheelkit: interrupted; nothing was begun\n"


def test_nothing_is_imported_before_the_first_line() -> None:
    """Python itself ends in a traceback until then, so the package has to add as little as possible."""
    folder = str(Path(signals.__file__).parents[2])
    code = (
        f"import sys; sys.path.insert(0, {folder!r}); before = {{*sys.modules}}\n"
        "import wheelkit.__main__; print(*sorted({*sys.modules} - before))"
    )
    argv = [sys.executable, "-I", "-c", code]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stdout == "gc wheelkit wheelkit.__main__\n"
