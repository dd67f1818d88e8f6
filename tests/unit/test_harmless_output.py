"""No message, table or report lets a terminal or a CI service act on what it shows, whatever that is."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.hostile import TEXTS, require_harmless
from wheelkit.cli.output import columns, note, result, result_json, show_error
from wheelkit.cli.progress import TerminalProgress
from wheelkit.errors import CheckFailedError, OutputError
from wheelkit.inputs import encoded
from wheelkit.machine.redaction import Redactor, Secrets
from wheelkit.text import lines_of, printable, printable_lines
from wheelkit.verification.findings import finding
from wheelkit.verification.model import Report, Severity
from wheelkit.verification.report.github import to_github
from wheelkit.verification.report.markdown import to_markdown
from wheelkit.verification.report.text import Screen, render

CONTROLS = "\x1b\x07\r\n\t\b\0\x7f\x85\x9b\u200b\u202e\u2066\u2028\ufeff\ue000\udc80"
SIGNS = CONTROLS + ":#[]{}|`<>@$*_!&%~\\\"'/²é ab"
PIECES = (
    "::error::", "::stop-commands::x", "##[group]", "##vso[x]", "\x1b[31m", "\x1b]0;x\x07", "\n::", " ::",
    "wheelkit: ", "https://x.invalid", "www.x.invalid", "<img src=x>", "| a |", "`b`", "\r::",
)  # fmt: skip
PIECE = st.sampled_from(PIECES) | st.text(st.sampled_from(SIGNS), max_size=6) | st.text(max_size=4)
HOSTILE = st.lists(PIECE).map("".join) | st.sampled_from(list(TEXTS.values()))


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self) -> bool:
        return True


@contextmanager
def captured(*, terminal: bool) -> Iterator[Callable[[], tuple[str, str]]]:
    """Capture both streams; what is yielded returns their text, without our own styles on a terminal."""
    out, err = (Terminal() if terminal else io.StringIO() for _ in range(2))
    with redirect_stdout(out), redirect_stderr(err):
        yield lambda: (_without_styles(out.getvalue()), _without_styles(err.getvalue()))


def _without_styles(text: str) -> str:
    return re.sub(r"\x1b\[(0|1|2|22|3[0-7])m", "", text)


@given(text=HOSTILE)
def test_escaped_text_is_harmless_and_stays_as_it_is(text: str) -> None:
    once = printable(text)
    require_harmless(once)
    assert "\n" not in once
    assert printable(once) == once
    lines = printable_lines(text)
    require_harmless(lines)
    assert printable_lines(lines) == lines
    assert len(lines_of([text, text]).split("\n")) == 2


@given(text=st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S"))))
def test_the_twin_plain_text_is_not_changed(text: str) -> None:
    if not text.startswith("::") and "##" not in text:
        assert printable(text) == text
        assert json.loads(_printed_json({"x": text})) == {"x": text}


def _printed_json(document: object) -> str:
    with captured(terminal=False) as printed:
        result_json(document)
    return printed()[0]


@pytest.mark.parametrize("terminal", [False, True])
@given(text=HOSTILE)
def test_messages(*, terminal: bool, text: str) -> None:
    with captured(terminal=terminal) as printed:
        show_error(text, detail=text, hint=text)
        note(text)
        result(text)
        result(f"{text}\n{text}")
        result(columns([(text, text), ("a", text)]))
    out, err = printed()
    require_harmless(out)
    require_harmless(err)
    if not terminal:
        assert err.startswith("wheelkit: ")
        assert sum(line.startswith("wheelkit:") for line in err.splitlines()) == 1


@pytest.mark.parametrize("terminal", [False, True])
@pytest.mark.parametrize("actions", ["true", ""])
@given(text=HOSTILE)
def test_steps_and_the_output_of_programs(*, terminal: bool, actions: str, text: str) -> None:
    data = text.encode("utf-8", "surrogatepass") + b"\xff\n"
    with captured(terminal=terminal) as printed:
        steps = TerminalProgress(verbose=True, environ={"GITHUB_ACTIONS": actions})
        steps.begin(text)
        steps.output(data)
        steps.command(text)
        steps.reused(text, 0.0, 1.0)
        steps.note(text)
        steps.end(text, 1.0, ok=False)
    shown = re.sub(r"\r(\x1b\[\d+A)?\x1b\[J", "\n", printed()[1])
    own = ("::group::", "::endgroup::")
    lines = [line for line in shown.split("\n") if not line.startswith(own)]
    require_harmless("\n".join(lines))
    sections = [line for line in shown.split("\n") if line.startswith(own)]
    assert len(sections) == (2 if actions else 0)
    assert all(line.isprintable() for line in sections)


@given(text=HOSTILE)
def test_json_is_valid_and_says_what_there_is(text: str) -> None:
    shown = _printed_json({text: [text, {"x": text}]})
    require_harmless(shown)
    assert shown.isascii()
    whole = re.sub("[\ud800-\udfff]", "\ufffd", text)
    assert json.loads(shown) == {whole: [whole, {"x": whole}]}
    shown.encode()
    json.loads(shown)[whole][0].encode()  # strict parsers take it, too


def report(text: str) -> Report:
    codes = {"WK101": Severity.ERROR, "WK801": Severity.WARNING}
    findings = [
        finding(code, text, file=file, fix=text, where=where)
        for code in codes
        for file, where in ((text, ""), ("", text))
    ]
    return Report(rows=(), findings=tuple(findings), wheels=1, sdists=0, seconds=0.0, unjudged=(text,))


@given(text=HOSTILE)
def test_reports(text: str) -> None:
    for width in (None, 60):
        require_harmless(render(report(text), Screen(width=width)))
    coloured = render(report(text), Screen(width=60, colour=True))
    require_harmless(_without_styles(coloured))
    for line in to_github(report(text)):
        assert line.startswith(("::error ", "::warning ", "::notice ", "::error::", "::warning::"))
        assert line.isprintable()
        assert len(line.split("\n")) == 1
    markdown = to_markdown(report(text))
    require_harmless(markdown)
    for line in markdown.splitlines():
        # An escaped sign stays where it is, as text.
        plain = re.sub(r"\\[!-/:-@\[-`{-~]", "_", line).replace("<br>", "")
        assert not re.search(r"[<>`|@$]|://|www\.|\]\(", plain), line


@given(text=HOSTILE)
def test_errors_of_the_system_and_secrets_are_texts_too(text: str) -> None:
    error = OSError(28, text, text)
    for shown in (OutputError.of(error, text), OutputError.unexpected(error)):
        with captured(terminal=False) as printed:
            show_error(shown.message, hint=shown.hint)
        require_harmless(printed()[1])
    secrets = Secrets({"TWINE_PASSWORD": text})
    if len(text) > 3:
        assert encoded(text) not in secrets(b"x " + encoded(text) + b" y")
    assert isinstance(secrets.text(text), str)
    assert isinstance(Redactor([text])(b"x"), bytes)


def test_detail_has_the_lines_of_programs_without_their_colours(capsys: pytest.CaptureFixture[str]) -> None:
    error = CheckFailedError("no", detail="\x1b[1ma.c:1:\x1b[0m \x1b[31merror\x1b[0m\r\n\tint x\rdone")
    show_error(error.message, detail=error.detail)
    assert capsys.readouterr().err == "wheelkit: no\n  a.c:1: error\n          int x\n  done\n"
