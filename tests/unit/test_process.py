from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from support.rows import rows
from wheelkit.errors import (
    InterruptedByUserError,
    MissingToolError,
    OutputError,
    ToolFailedError,
    WheelkitError,
)
from wheelkit.machine import process
from wheelkit.machine.process import (
    Command,
    LoggedRun,
    end_process_group,
    find_tool,
    query,
    run_checked,
    run_configured,
    start_process,
)
from wheelkit.machine.redaction import Redactor


def python(code: str, **options: object) -> Command:
    return Command(argv=(sys.executable, "-c", code), **options)  # type: ignore[arg-type] - only in tests


def test_output_goes_to_the_log_and_its_end_comes_back(tmp_path: Path) -> None:
    run = LoggedRun(log=tmp_path / "logs" / "x.log")
    done = run(python("import sys; print('out', flush=True); print('err', file=sys.stderr)"))
    assert done.returncode == 0
    assert done.output.splitlines() == ["out", "err"]
    text = (tmp_path / "logs" / "x.log").read_text()
    assert text.startswith(f"$ {sys.executable}")
    assert "out\nerr\n[exit status 0]" in text


def test_secrets_are_replaced_everywhere(tmp_path: Path) -> None:
    echoed: list[str] = []
    run = LoggedRun(
        log=tmp_path / "log", echo=echoed.append, redact=Redactor(["s3cret", "", "s3cret-longer"])
    )
    done = run(python("import os; print(os.environ['TOKEN'], 's3cret-longer')", env={"TOKEN": "s3cret"}))
    assert done.output == "*** ***\n"
    assert "s3cret" not in (tmp_path / "log").read_text() + "".join(echoed)


def test_a_failure_names_the_last_lines_and_the_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with pytest.raises(ToolFailedError, match="baking failed with exit status 3") as caught:
        run_checked(LoggedRun(log=log), python("print('too hot'); raise SystemExit(3)"), "baking")
    assert caught.value.detail == "too hot"
    assert caught.value.log == log


def test_the_signal_that_ended_a_program_is_named(tmp_path: Path) -> None:
    with pytest.raises(ToolFailedError, match="was ended by SIGKILL"):
        run_checked(LoggedRun(log=tmp_path / "log"), python("import os; os.kill(os.getpid(), 9)"), "it")


def test_a_full_disk_is_named_in_the_hint(tmp_path: Path) -> None:
    with pytest.raises(ToolFailedError) as caught:
        run_checked(
            LoggedRun(log=tmp_path / "log"),
            python("print('cc: No space left on device'); raise SystemExit(1)"),
            "it",
        )
    assert "free some space" in caught.value.hint


def test_a_missing_program_is_a_missing_tool(tmp_path: Path) -> None:
    with pytest.raises(MissingToolError, match="no-such-program"):
        LoggedRun(log=tmp_path / "log")(Command(argv=("no-such-program",)))
    assert query(Command(argv=("no-such-program",))).returncode == 127


def test_a_log_that_cannot_be_written_is_an_output_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="file"):
        LoggedRun(log=tmp_path / "file" / "log")(python("pass"))


def test_query_gives_up_in_time() -> None:
    assert query(python("import time; time.sleep(60)"), timeout=0.2).returncode == 124


def test_the_environment_is_built_from_additions_and_removals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEEN", "1")
    monkeypatch.setenv("HIDDEN", "1")
    env = Command(argv=("x",), env={"ADDED": "2"}, unset=("HIDDEN",), prefix_path=("/first",)).environment()
    assert (env["SEEN"], env["ADDED"], "HIDDEN" in env) == ("1", "2", False)
    assert env["PATH"].startswith(f"/first{os.pathsep}")


def test_a_daemon_that_keeps_the_pipe_open_delays_nothing(tmp_path: Path) -> None:
    sleeper = "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])"
    code = f"import subprocess, sys; print({sleeper}.pid)"
    done = LoggedRun(log=tmp_path / "log")(python(code))
    assert done.returncode == 0
    os.kill(int(done.output), signal.SIGKILL)


@pytest.mark.skipif(sys.platform == "win32", reason="process groups are POSIX")
def test_ending_a_group_ends_grandchildren_too() -> None:
    sleeper = "subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])"
    code = f"import subprocess, sys; child = {sleeper}; print(child.pid, flush=True); child.wait()"
    process = start_process(python(code))
    assert process.stdout is not None
    grandchild = int(process.stdout.readline())
    end_process_group(process)
    assert process.poll() is not None
    assert _gone(grandchild)


STUBBORN = """
import os, signal, sys, time
def note(number, frame):
    os.write(1, f"{signal.Signals(number).name}\\n".encode())
    if signal.Signals(number).name == sys.argv[1]:
        os._exit(7)
for number in (signal.SIGINT, signal.SIGTERM):
    signal.signal(number, note)
print("ready", flush=True)
while True:
    time.sleep(60)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="process groups are POSIX")
@pytest.mark.parametrize(
    ("ends_at", "grace", "received", "status"),
    [
        ("SIGINT", (60.0, 60.0), ["SIGINT"], 7),
        ("SIGTERM", (0.2, 60.0), ["SIGINT", "SIGTERM"], 7),
        ("nothing", (0.2, 0.2), ["SIGINT", "SIGTERM"], -signal.SIGKILL),
    ],
)
def test_a_program_is_asked_twice_before_it_is_killed(
    monkeypatch: pytest.MonkeyPatch,
    ends_at: str,
    grace: tuple[float, float],
    received: list[str],
    status: int,
) -> None:
    monkeypatch.setattr(process, "_GRACE_SECONDS", grace)
    running = start_process(Command(argv=(sys.executable, "-c", STUBBORN, ends_at)))
    assert running.stdout is not None
    assert running.stdout.readline() == b"ready\n"
    said = os.dup(running.stdout.fileno())
    end_process_group(running)
    with os.fdopen(said, "rb") as stream:
        assert (stream.read().decode().split(), running.returncode) == (received, status)


@pytest.mark.skipif(sys.platform == "win32", reason="process groups are POSIX")
def test_after_a_second_signal_nothing_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def sleep(_seconds: float) -> None:
        raise AssertionError("it waits")

    running = start_process(Command(argv=(sys.executable, "-c", STUBBORN, "nothing")))
    assert running.stdout is not None
    assert running.stdout.readline() == b"ready\n"
    monkeypatch.setattr(process, "hurried", lambda: True)
    monkeypatch.setattr(process.time, "sleep", sleep)
    end_process_group(running)
    assert running.returncode == -signal.SIGKILL


def _gone(pid: int) -> bool:
    for _ in range(200):
        state = subprocess.run(
            ["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False
        ).stdout.strip()
        if not state or state.startswith("Z"):
            return True
        time.sleep(0.05)
    return False


def test_a_program_whose_time_is_over_ends_with_all_that_it_started(tmp_path: Path) -> None:
    # A shell, because it prints the number of its child long before the timeout.
    done = LoggedRun(log=tmp_path / "log")(
        Command(argv=("sh", "-c", "sleep 60 & echo $!; wait"), timeout=0.4)
    )
    assert (done.returncode, done.timed_out) == (124, True)
    pid = int(next(line for line in done.output.splitlines() if line.isdigit()))
    assert ends(pid)


def test_a_program_in_time_keeps_its_status_and_leaves_nothing_running(tmp_path: Path) -> None:
    child = "import time; time.sleep(60)"
    sleeper = f"subprocess.Popen([sys.executable, '-c', {child!r}])"
    code = f"import subprocess, sys; print({sleeper}.pid, flush=True); sys.exit(124)"
    done = LoggedRun(log=tmp_path / "log")(python(code))
    kept = int(done.output)
    assert (done.returncode, done.timed_out) == (124, False)
    assert running(kept)
    os.kill(kept, signal.SIGKILL)
    done = LoggedRun(log=tmp_path / "log")(python(code, timeout=60.0))
    assert (done.returncode, done.timed_out) == (124, False)
    assert ends(int(done.output))


def running(pid: int) -> bool:
    status = query(Command(argv=("ps", "-o", "stat=", "-p", str(pid))))
    return status.returncode == 0 and not status.output.strip().startswith("Z")


def ends(pid: int) -> bool:
    """Return the system the moment that it needs to end a process that was killed."""
    for _ in range(100):
        if not running(pid):
            return True
        time.sleep(0.01)
    return False


def test_a_command_in_a_thread_ends_when_it_is_stopped(tmp_path: Path) -> None:
    stop = threading.Event()
    run = LoggedRun(log=tmp_path / "log", stop=stop.is_set)
    raised: list[BaseException] = []

    def work() -> None:
        try:
            run(Command(argv=(sys.executable, "-c", "import time; print('on', flush=True); time.sleep(600)")))
        except InterruptedByUserError as error:
            raised.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    while "on" not in ((tmp_path / "log").read_text() if (tmp_path / "log").exists() else ""):
        time.sleep(0.01)
    stop.set()
    thread.join(30)
    assert not thread.is_alive()
    assert len(raised) == 1


def test_tools_are_found_beside_python_or_reported_with_how_to_install_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PATH", "")
    assert Path(find_tool("uv")).name.startswith("uv")
    with pytest.raises(MissingToolError, match="no-such-tool was not found beside") as caught:
        find_tool("no-such-tool")
    assert caught.value.hint == "pip install no-such-tool"


UV = """
import os, sys
print("ran")
if "UV_SYSTEM_CERTS" not in os.environ:
    print("  cause: invalid peer certificate: UnknownIssuer")
    raise SystemExit(2)
"""


def test_uv_gets_the_systems_certificates_where_its_own_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "_learned", {})
    monkeypatch.delenv("UV_SYSTEM_CERTS", raising=False)
    run = LoggedRun(log=tmp_path / "log")
    done = run(python(UV))
    assert (done.returncode, done.output) == (0, "ran\n")
    assert "[again with UV_SYSTEM_CERTS=1]" in (tmp_path / "log").read_text()
    assert query(python(UV)).output == "ran"  # without a first failure
    monkeypatch.setattr(process, "_learned", {})
    assert query(python(UV)).output == "ran"
    assert "UV_SYSTEM_CERTS" not in os.environ


def test_a_choice_of_certificates_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "_learned", {})
    code = UV.replace('"UV_SYSTEM_CERTS" not in os.environ', "os.environ['UV_SYSTEM_CERTS'] == '0'")
    monkeypatch.setenv("UV_SYSTEM_CERTS", "0")
    done = LoggedRun(log=tmp_path / "log")(python(code))
    assert (done.returncode, done.output.count("ran")) == (2, 1)


@pytest.mark.parametrize(
    ("content", "reason"), [(None, "No such file or directory"), ("neither", "Exec format error")]
)
def test_what_cannot_be_started_is_missing_and_a_configured_command_fails_as_in_a_shell(
    tmp_path: Path, content: str | None, reason: str
) -> None:
    program = tmp_path / "program"
    if content is not None:
        program.write_text(content)
        program.chmod(0o755)
    run = LoggedRun(log=tmp_path / "log")
    with pytest.raises(MissingToolError, match=f"could not be started: {reason}"):
        run(Command(argv=(str(program),)))
    done = run_configured(run, Command(argv=(str(program),)))
    assert (done.returncode, done.output) == (127, f"{program} could not be started: {reason}")
    program.write_text("#!/bin/sh\nexit 7\n")
    program.chmod(0o755)
    assert run_configured(run, Command(argv=(str(program),))).returncode == 7


NOTHING = "it printed nothing; run it by hand to find out why"
FULL = "free some space on the disk, then run it again"
BUSY = "find out what it waits for, or run it again when the machine or the network is less busy"
AGAIN = "run it again; if it happens again, install the program again"
MEMORY = "mostly the system does that when memory runs out: free some memory, then run it again"
# How a program ends, what is said of it, what to do, and whether its output is an answer.
ENDINGS: list[tuple[dict[str, object], str, str, bool]] = [
    ({"returncode": 3}, "failed with exit status 3", NOTHING, True),
    ({"returncode": 3, "output": " \n"}, "failed with exit status 3", NOTHING, True),
    ({"returncode": 3, "output": "no\n"}, "failed with exit status 3", "", True),
    ({"returncode": -9}, "was ended by SIGKILL", MEMORY, False),
    ({"returncode": -11}, "was ended by SIGSEGV", AGAIN, False),
    ({"returncode": -40}, "was ended by signal 40", AGAIN, False),
    ({"returncode": 124, "timed_out": True}, "timed out", BUSY, False),
    ({"returncode": 124, "timed_out": True, "limit": 90.4}, "did not end within 90 s", BUSY, False),
    ({"returncode": 1, "output": "No space left on device"}, "failed with exit status 1", FULL, True),
]  # fmt: skip


@rows(("fields", "ending", "advice", "answers"), ENDINGS)
def test_how_a_program_ended(fields: dict[str, object], ending: str, advice: str, answers: bool) -> None:  # noqa: FBT001
    done = process.Completed(**{"output": "", **fields})  # type: ignore[arg-type]  # a row
    assert (done.ending, done.advice, done.cut_off) == (ending, advice, not answers)


@rows(("error", "kind", "message"), [
    (FileNotFoundError(2, "No such file or directory"), MissingToolError, "No such file or directory"),
    (PermissionError(13, "Permission denied"), MissingToolError, "Permission denied"),
    (OSError(errno.ENOEXEC, "Exec format error"), MissingToolError, "Exec format error"),
    (OSError(errno.E2BIG, "Argument list too long"), ToolFailedError, "Argument list too long"),
    (OSError("odd"), ToolFailedError, "odd"),
])  # fmt: skip
def test_why_a_program_does_not_start(error: OSError, kind: type[WheelkitError], message: str) -> None:
    found = process._start_error("cc", error)
    assert (type(found), found.message) == (kind, f"cc could not be started: {message}")
    assert found.hint == ("install cc, or put it on PATH" if kind is MissingToolError else "")


def test_a_folder_that_is_gone_and_an_argument_that_no_program_takes(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="gone"):
        start_process(python("pass", cwd=tmp_path / "gone"))
    with pytest.raises(ToolFailedError, match="could not be started: embedded null byte"):
        start_process(Command(argv=(sys.executable, "a\0b")))
