from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from wheelkit.machine import program_output
from wheelkit.machine.process import Command, LoggedRun, query
from wheelkit.machine.program_output import LONGEST_LINE, Tail
from wheelkit.machine.redaction import Redactor

SECRET = "pypi-" + "s3cret" * 20


def python(code: str) -> Command:
    return Command(argv=(sys.executable, "-c", f"import sys; out = sys.stdout.write; {code}"))


@pytest.mark.parametrize(("length", "cut"), [(LONGEST_LINE - 10, False), (LONGEST_LINE * 3, True)])
def test_a_long_line_is_cut(length: int, cut: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a case
    done = LoggedRun(log=tmp_path / "log")(python(f"out('x' * {length} + chr(10) + 'last')"))
    first, last = done.output.splitlines()
    assert last == "last"
    assert first.endswith("[the rest of this line was left out]") == cut
    assert len(first) <= LONGEST_LINE
    assert (tmp_path / "log").stat().st_size < LONGEST_LINE + 1000


@pytest.mark.parametrize("before", [0, 1, 5, 60, 124, 125, 126])
def test_no_part_of_a_secret_is_left_where_a_line_is_cut(before: int, tmp_path: Path) -> None:
    run = LoggedRun(log=tmp_path / "log", redact=Redactor([SECRET]))
    done = run(python(f"out('x' * ({LONGEST_LINE} - {before}) + {SECRET!r} + 'y' * 2000)"))
    assert "left out" in done.output
    assert "s3c" not in done.output + (tmp_path / "log").read_text().partition("\n")[2]


@pytest.mark.parametrize("windows", [False, True])
def test_what_is_printed_just_before_the_end_is_read(
    windows: bool,  # noqa: FBT001 - a case
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(program_output, "_WINDOWS", windows)
    reading, writing = os.pipe()

    def has_ended() -> bool:
        os.write(writing, b"last\n")  # and a daemon keeps the pipe open
        return True

    with os.fdopen(reading, "rb") as pipe:
        assert b"last\n" in next(filter(None, program_output.output_lines(pipe, has_ended)))
        os.close(writing)


def test_the_end_of_a_long_output_is_kept() -> None:
    tail = Tail()
    for number in range(40_000):
        tail.add(b"%d\n" % number)
    assert tail.text().splitlines()[:: 20_000 - 1] == ["20000", "39999"]
    for _ in range(40):
        tail.add(b"x" * LONGEST_LINE)
    assert len(tail.text()) == 16 * LONGEST_LINE


def test_an_answer_that_does_not_end_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(program_output, "_LARGEST_ANSWER", 1 << 20)
    done = query(python("[out('x' * 65536) for _ in iter(int, 1)]"))
    assert done.returncode != 0
    assert done.output.endswith("it printed far more than any answer has")
    assert query(python("out('x' * 65536)")).output == "x" * 65536
