from __future__ import annotations

import sys
from pathlib import Path

import pytest

from wheelkit.build.progress import step
from wheelkit.cli.screen import Steps, coloured, columns, complain, result_json, size

Capture = pytest.CaptureFixture[str]


@pytest.mark.parametrize(
    ("count", "text"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (84_400, "84 kB"),
        (1_900_000, "1.9 MB"),
        (2_345_000_000, "2.3 GB"),
        (5 * 10**12, "5000.0 GB"),
    ],
)
def test_sizes_are_written_for_people(count: int, text: str) -> None:
    assert size(count) == text


def test_columns_are_as_wide_as_their_longest_word() -> None:
    assert columns([("a", "bb", "c"), ("aaaa", "b", "")]) == "  a     bb  c\n  aaaa  b"
    assert columns([("only",), ("a", "b")], indent=0, gap=1) == "only\na    b"


def test_json_goes_to_standard_output_alone(capsys: Capture) -> None:
    result_json({"x": ["é"]})
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ('{\n  "x": [\n    "\\u00e9"\n  ]\n}\n', "")


def terminal(monkeypatch: pytest.MonkeyPatch, *, is_terminal: bool = True) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: is_terminal, raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)


def test_colour_is_for_terminals_and_for_those_who_want_it(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal(monkeypatch, is_terminal=False)
    assert not coloured()
    terminal(monkeypatch)
    assert coloured()
    monkeypatch.setenv("NO_COLOR", "1")
    assert not coloured()
    monkeypatch.setenv("NO_COLOR", "")
    assert coloured()


def test_a_complaint_is_the_same_words_with_and_without_colour(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    import re

    terminal(monkeypatch, is_terminal=False)
    complain("it failed", detail="a\nb", hint="do c\nor d")
    plain = capsys.readouterr().err
    assert plain == "wheelkit: it failed\n  a\n  b\n  do c\n  or d\n"
    terminal(monkeypatch)
    complain("it failed", detail="a\nb", hint="do c\nor d")
    shown = capsys.readouterr().err
    assert re.sub(r"\x1b\[[\d;]*m", "", shown) == plain or shown == plain


def test_without_a_terminal_each_step_is_one_line_when_it_has_ended(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    terminal(monkeypatch, is_terminal=False)
    steps = Steps()
    with step(steps, "sdist x"):
        assert capsys.readouterr().err == ""
    with pytest.raises(KeyError), step(steps, "build x"):
        raise KeyError
    first, second = capsys.readouterr().err.splitlines()
    assert first.split()[:2] == ["sdist", "x"]
    assert first.endswith(" s")
    assert second.split() == ["build", "x", "failed"]
    assert "\x1b" not in first + second


def test_commands_are_shown_where_that_was_asked_for_and_the_builders_always(capsys: Capture) -> None:
    for verbose, expected in ((False, "  $ make\n"), (True, "  $ git add\n  $ make\n")):
        steps = Steps(verbose=verbose)
        steps.command("git add")
        if verbose:
            steps.command("make")
        steps.builder("make")
        assert capsys.readouterr().err == expected


def test_the_live_line_ends_with_its_step(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    terminal(monkeypatch)
    steps = Steps()
    with step(steps, "sdist x"):
        assert steps._thread is not None
        assert steps._thread.is_alive()
    assert not steps._thread.is_alive()
    assert "sdist x" in capsys.readouterr().err


def test_logs_go_to_the_users_state_folder_and_old_ones_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from platformdirs import user_log_path

    from wheelkit.build.workshop import _log_file

    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    folder = user_log_path("wheelkit", appauthor=False)
    if not folder.is_relative_to(tmp_path):
        pytest.skip("this system has another place for logs")
    folder.mkdir(parents=True)
    for number in range(40):
        (folder / f"20260101T0000{number:02}-1-build.log").touch()
    log = _log_file("build")
    assert log.parent == folder
    assert len(list(folder.glob("*.log"))) == 20
    assert (folder / "20260101T000039-1-build.log").exists()
