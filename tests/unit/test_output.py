from __future__ import annotations

import json
import re
import sys
import time

import pytest

from support.rows import rows
from wheelkit.cli import output
from wheelkit.cli.output import (
    age,
    color_enabled,
    columns,
    dimmed,
    note,
    result,
    result_json,
    set_color,
    show_error,
    write,
)
from wheelkit.cli.progress import TerminalProgress
from wheelkit.errors import InterruptedByUserError, ToolFailedError
from wheelkit.machine.progress import step

Capture = pytest.CaptureFixture[str]


def test_columns_are_as_wide_as_their_longest_word() -> None:
    assert columns([("a", "bb", "c"), ("aaaa", "b", "")]) == "  a     bb  c\n  aaaa  b"
    assert columns([("only",), ("a", "b")], indent=0, gap=1) == "only\na    b"


def test_json_goes_to_standard_output_alone(capsys: Capture) -> None:
    result_json({"x": ["é"]})
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ('{\n  "x": [\n    "\\u00e9"\n  ]\n}\n', "")


def test_json_that_is_written_in_pieces_is_whole(capsys: Capture) -> None:
    document = {"files": [{"name": f"part{number}", "size": number, "cells": []} for number in range(3000)]}
    result_json(document)
    assert capsys.readouterr().out == json.dumps(document, indent=2) + "\n"


def terminal(monkeypatch: pytest.MonkeyPatch, *, is_terminal: bool = True) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: is_terminal, raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)


def test_colour_is_for_terminals_and_for_those_who_want_it(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal(monkeypatch, is_terminal=False)
    assert not color_enabled(sys.stderr)
    terminal(monkeypatch)
    assert color_enabled(sys.stderr)
    monkeypatch.setenv("NO_COLOR", "1")
    assert not color_enabled(sys.stderr)
    monkeypatch.setenv("NO_COLOR", "")
    assert color_enabled(sys.stderr)


def test_a_complaint_is_the_same_words_with_and_without_colour(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    terminal(monkeypatch, is_terminal=False)
    show_error("it failed", detail="a\nb", hint="do c\nor d")
    plain = capsys.readouterr().err
    assert plain == "wheelkit: it failed\n  a\n  b\n  do c\n  or d\n"
    terminal(monkeypatch)
    show_error("it failed", detail="a\nb", hint="do c\nor d")
    shown = capsys.readouterr().err
    assert re.sub(r"\x1b\[[\d;]*m", "", shown) == plain or shown == plain


LONG = (
    "the configuration of this project promises wheels that no runner builds; change the matrix, then: "
    "wheelkit plan --builder host"
)


def test_messages_are_wrapped_at_words_on_a_terminal_and_commands_stay_whole(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    terminal(monkeypatch)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "60")
    wrapped = [
        "the configuration of this project promises wheels that no",
        "runner builds; change the matrix, then:",
        "wheelkit plan --builder host",
    ]
    show_error("short", detail=f"  {LONG}", hint=LONG)
    assert capsys.readouterr().err.splitlines() == [
        "wheelkit: short",
        f"    {LONG}",
        *(f"  {line}" for line in wrapped),
    ]
    note(LONG)
    assert capsys.readouterr().err.splitlines() == [f"  {line}" for line in wrapped]
    result(LONG)
    result(f"{LONG}\na table")
    assert capsys.readouterr().out.splitlines() == [*wrapped, LONG, "a table"]
    monkeypatch.setenv("COLUMNS", "500")
    result(LONG)
    assert [len(line) <= 120 for line in capsys.readouterr().out.splitlines()] == [True, True]


def test_messages_are_one_line_without_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    note(LONG)
    assert capsys.readouterr().err == f"  {LONG}\n"


def test_without_a_terminal_each_step_has_a_line_when_it_begins_and_when_it_has_ended(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    terminal(monkeypatch, is_terminal=False)
    steps = TerminalProgress()
    with step(steps, "sdist x"):
        assert capsys.readouterr().err == "  sdist x ...\n"
    with pytest.raises(KeyError), step(steps, "build x"):
        raise KeyError
    first, begun, second = capsys.readouterr().err.splitlines()
    assert first.split()[:2] == ["sdist", "x"]
    assert first.endswith(" s")
    assert begun == "  build x ..."
    assert second.split() == ["build", "x", "failed"]
    assert "\x1b" not in first + second


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (KeyboardInterrupt(), "interrupted"),
        (InterruptedByUserError("asked to stop"), "interrupted"),
        (ToolFailedError("no"), "failed"),
        (SystemExit(), "failed"),
    ],
)
def test_a_step_that_was_interrupted_has_not_failed(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, error: BaseException, expected: str
) -> None:
    terminal(monkeypatch, is_terminal=False)
    with pytest.raises(type(error)), step(TerminalProgress(), "build x"):
        raise error
    assert capsys.readouterr().err.splitlines()[-1].split() == ["build", "x", expected]


def test_commands_and_their_output_are_shown_where_that_was_asked_for(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    terminal(monkeypatch, is_terminal=False)
    for verbose, expected in ((False, ""), (True, "  $ git add\n    a line\n")):
        steps = TerminalProgress(verbose=verbose, environ={})
        steps.command("git add")
        steps.output(b"a line\r\n")
        assert capsys.readouterr().err == expected


def test_without_a_terminal_a_step_that_takes_long_says_so_with_the_last_line_of_its_programs(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    terminal(monkeypatch, is_terminal=False)
    monkeypatch.setattr("wheelkit.cli.progress._HEARTBEAT_SECONDS", 0.05)
    steps = TerminalProgress(times=Remembered({"build x": 7.0}), environ={})
    with step(steps, "build x"):
        steps.output(b"cc -c a.c\n")
        steps.output(b"\x1b[1mcc -c b.c\n")
        deadline, shown = time.monotonic() + 10, ""
        while "b.c" not in shown and time.monotonic() < deadline:
            shown += capsys.readouterr().err
            time.sleep(0.01)
    assert re.search(r"^  build x \.\.\. 0 s   \(last time 7 s\): \S*cc -c b\.c$", shown, re.MULTILINE)
    assert "\x1b" not in shown
    assert steps._thread is not None
    assert not steps._thread.is_alive()


def test_on_github_the_section_of_a_step_is_open_while_it_runs_with_verbose(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    terminal(monkeypatch, is_terminal=False)
    steps = TerminalProgress(verbose=True, environ={"GITHUB_ACTIONS": "true"})
    with step(steps, "compile"):
        steps.output(b"cc -c a.c\n")
        steps.output(b"::error::oh\n")
        lines = capsys.readouterr().err.splitlines()
        assert lines == ["::group::compile", "    cc -c a.c", "    \\x3a:error::oh"]
    first, second = capsys.readouterr().err.splitlines()
    assert first == "::endgroup::"
    assert second.split()[0] == "compile"


def test_with_quiet_only_failures_are_told(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    for is_terminal in (False, True):
        terminal(monkeypatch, is_terminal=is_terminal)
        steps = TerminalProgress(quiet=True, environ={})
        with step(steps, "fine"):
            steps.note("a note")
            steps.output(b"a line\n")
            steps.reused("a file", 0.0, 1.0)
        with pytest.raises(KeyError), step(steps, "broken"):
            raise KeyError
        assert re.sub(r"\x1b\[\d+m", "", capsys.readouterr().err).split() == ["broken", "failed"]


@rows(
    ("option", "environ", "is_terminal", "expected"),
    [
        ("auto", {}, True, True),
        ("auto", {}, False, False),
        ("auto", {"NO_COLOR": "1"}, True, False),
        ("auto", {"FORCE_COLOR": "1"}, False, True),
        ("auto", {"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
        ("always", {"NO_COLOR": "1"}, False, True),
        ("never", {"FORCE_COLOR": "1"}, True, False),
    ],
)
def test_who_decides_about_colour(  # noqa: PLR0913, PLR0917 - columns of a table
    option: str,
    environ: dict[str, str],
    is_terminal: bool,  # noqa: FBT001 - a column
    expected: bool,  # noqa: FBT001 - a column
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
) -> None:
    terminal(monkeypatch, is_terminal=is_terminal)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    set_color(option)
    try:
        write(dimmed("x"), err=True)
    finally:
        set_color("auto")
    assert ("\x1b" in capsys.readouterr().err) is expected


def test_the_live_line_ends_with_its_step(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    terminal(monkeypatch)
    steps = TerminalProgress()
    with step(steps, "sdist x"):
        assert steps._thread is not None
        assert steps._thread.is_alive()
    assert not steps._thread.is_alive()
    assert "sdist x" in capsys.readouterr().err


class Remembered(dict[str, float]):
    """How long steps took."""

    def last(self, label: str) -> float | None:
        return self.get(label)

    def save(self, label: str, seconds: float) -> None:
        self[label] = seconds


def test_a_step_says_how_long_it_took_the_last_time(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    terminal(monkeypatch, is_terminal=False)
    times = Remembered({"old": 11.25})
    steps = TerminalProgress(times=times)
    for label, seconds, ok in (
        ("old", 12.0, True),
        ("new", 3.0, True),
        ("short", 0.1, True),
        ("broken", 9.0, False),
    ):
        steps.begin(label)
        steps.end(label, seconds, ok=ok)
    ended = [line for line in capsys.readouterr().err.splitlines() if not line.endswith(" ...")]
    first, second, *_ = ended
    assert first.endswith("12.0 s   (last time 11.2 s)")
    assert second.endswith("3.0 s")
    assert times == {"old": 12.0, "new": 3.0}


def test_steps_that_run_together_have_a_live_line_each(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    terminal(monkeypatch)
    steps = TerminalProgress(times=Remembered({"b": 7.0}))
    steps.begin("a")
    steps.begin("b")
    with steps._lock:
        steps._draw()
        shown = capsys.readouterr().err
    assert [re.sub(r"\x1b\[\d+m", "", line).split()[0] for line in shown.split("\n")] == ["a", "b"]
    assert "(about 7 s left)" in shown
    steps._running["b"] -= 8
    assert steps._time_left("b", 8.0) == "   (last time 7 s)"
    steps.note("between")
    assert capsys.readouterr().err.startswith("\r\x1b[1A\x1b[J")
    steps.end("a", 1.0, ok=True)
    steps.end("b", 1.0, ok=True)
    assert not steps._running


def test_in_githubs_logs_each_step_is_a_section_with_what_its_programs_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    terminal(monkeypatch, is_terminal=False)
    for environ, expected in (
        (
            {"GITHUB_ACTIONS": "true"},
            ["::group::compile", "cc -c a.c", "Building wheel", r"\x3a:error::oh", "::endgroup::", "quiet"],
        ),
        ({}, ["compile", "quiet"]),
    ):
        steps = TerminalProgress(environ=environ)
        steps.output(b"belongs to no step\n")
        with step(steps, "compile"):
            for line in (
                b"cc -c a.c\n",
                b"::group::Building wheel\n",
                b"::endgroup::Building wheel\n",
                b"::error::oh\n",
            ):
                steps.output(line)
        with step(steps, "quiet"):
            pass
        lines = [line for line in capsys.readouterr().err.splitlines() if not line.endswith(" ...")]
        assert [re.split(r"  +", line.strip())[0] for line in lines] == expected


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "just now"),
        (59, "just now"),
        (60, "1 min ago"),
        (7200, "2 h ago"),
        (90_000, "25 h ago"),
        (200_000, "2 days ago"),
    ],
)
def test_ages_are_written_for_people(seconds: float, text: str) -> None:
    assert age(seconds) == text


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("", 'name it:  [tool.wheelkit.ci] staging = "NAME", in [tool.wheelkit]'),
        ("wheelkit.toml", 'name it:  wheelkit.toml: [ci] staging = "NAME", in wheelkit.toml'),
    ],
)
def test_settings_are_named_as_the_project_writes_them(
    capsys: pytest.CaptureFixture[str], file: str, expected: str
) -> None:
    output.prepare_streams()
    output.configured_in(file)
    text = 'name it:  [tool.wheelkit.ci] staging = "NAME", in [tool.wheelkit]'
    output.note(text)
    output.show_error("no", hint=text)
    assert output.as_configured(text) == expected
    printed = [line.strip() for line in capsys.readouterr().err.splitlines()]
    assert printed == [expected, "wheelkit: no", expected]
    output.prepare_streams()
