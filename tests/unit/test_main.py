"""How errors become messages and exit codes, and that no ending shows a traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from support.wheels import PURE, write_wheel
from wheelkit import errors
from wheelkit.command_line import main, wheelkit

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], int]:
    """Run the command line with a command that ends in the given way."""

    def run(error: BaseException) -> int:
        def invoke(_context: click.Context) -> None:
            raise error

        monkeypatch.setattr(wheelkit, "invoke", invoke)
        return main(["plan"])

    return run


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.CheckFailedError("x"), 1),
        (errors.WheelError("x"), 1),
        (errors.UsageError("x"), 2),
        (errors.ConfigError("x", ["y"]), 2),
        (errors.ProjectError("x"), 2),
        (errors.MissingToolError("x"), 3),
        (errors.ToolFailedError("x"), 4),
        (errors.OutputError("x"), 4),
        (errors.InterruptedByUserError("x"), 130),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (click.UsageError("x"), 2),
    ],
)
def test_every_class_of_error_has_its_exit_code(
    error: BaseException, code: int, ends: Callable[[BaseException], int], capsys: Capture
) -> None:
    assert ends(error) == code
    assert capsys.readouterr().err.lstrip().startswith("wheelkit: ")


def test_no_error_class_has_an_undocumented_exit_code() -> None:
    classes = {
        item
        for item in vars(errors).values()
        if isinstance(item, type) and issubclass(item, errors.ReportedError)
    }
    assert {item.exit_code for item in classes} == {1, 2, 3, 4, 130}


def test_a_message_has_what_happened_the_lines_that_show_it_and_the_way_out(
    ends: Callable[[BaseException], int], capsys: Capture, tmp_path: Path
) -> None:
    error = errors.ToolFailedError(
        "compiling x failed", detail="x.c:1: error: no\n    1 | x", hint="fix it", log=tmp_path / "log"
    )
    assert ends(error) == 4
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.splitlines() == [
        *(
            "wheelkit: compiling x failed",
            "  x.c:1: error: no",
            "      1 | x",
            "  fix it",
            f"  full log: {tmp_path / 'log'}",
        )
    ]


def test_a_mistake_of_our_own_is_not_hidden(ends: Callable[[BaseException], int]) -> None:
    with pytest.raises(ZeroDivisionError):
        ends(ZeroDivisionError())


def run(*words: str, **options: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "wheelkit", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)  # type: ignore[call-overload, no-any-return]  # options as the case wants them


def test_handlers_of_the_exit_run() -> None:
    code = "import atexit; atexit.register(print, 'cleaned up')\nfrom wheelkit.__main__ import run\nrun()"
    done = subprocess.run(
        [sys.executable, "-c", code, "--version"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout.splitlines()[1:]) == (0, ["cleaned up"])


@pytest.mark.skipif(sys.platform == "win32", reason="Windows does not let the current folder go")
def test_a_deleted_current_folder_is_reported(tmp_path: Path) -> None:
    code = f"import os; os.chdir({str(tmp_path)!r}); os.rmdir({str(tmp_path)!r})\n"
    code += "from wheelkit.__main__ import run\nrun()"
    done = subprocess.run([sys.executable, "-c", code, "plan"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.splitlines()[0]) == (
        2,
        "wheelkit: the current folder no longer exists",
    )


def test_a_stream_that_cannot_show_a_character_shows_something_else(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\nversion = "1"\n')
    env = {**os.environ, "PYTHONIOENCODING": "ascii", "CIBW_CONTAINER_ENGINE": "none"}
    assert run("plan", cwd=tmp_path, env=env).returncode == 0
    done = run("plan", "café", cwd=tmp_path, env=env)
    assert (done.returncode, "does not exist" in done.stderr) == (2, True)
    write_wheel(tmp_path, PURE)
    done = run("verify-matrix", PURE, cwd=tmp_path, env=env)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(sys.platform == "win32", reason="pipes end otherwise there")
def test_a_reader_that_has_gone_ends_the_command_in_silence() -> None:
    command = [sys.executable, "-m", "wheelkit", "explain", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert (process.stderr.read(), process.wait()) == (b"", 4)
