"""Lines of METADATA that readers take for something else than the writer meant."""

from email import message_from_string
from pathlib import Path

import pytest

from support import wheels
from wheelkit.verification.checks import metadata_lines
from wheelkit.verification.contract import Contract
from wheelkit.wheel import read

HEAD = "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n"


def findings(folder: Path, text: str) -> list[str]:
    wheel = read(wheels.write_wheel(folder, members={"{info}/METADATA": text}))
    return [found.what for found in metadata_lines.lines(wheel, Contract())]


@pytest.mark.parametrize(
    "text",
    [
        HEAD,
        HEAD + "\nbody\rwith returns\r",
        (HEAD + "License-File: LICENSE\n\n").replace("\n", "\r\n"),
        (HEAD + "Summary: x\n\nbody\n").replace("\n", "\r"),
        HEAD + "License: text\n        \n        Not: a field\n",
        HEAD + "Summary: x\n\nName : in the body\n",
        HEAD + "From me\nSummary: x\n",
    ],
)
def test_lines_that_are_as_they_look(tmp_path: Path, text: str) -> None:
    assert findings(tmp_path, text) == []


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (HEAD + "Summary: a\rRequires-Dist: six\n", "carriage return in line 4"),
        (HEAD + "Summary: a\r\r\nRequires-Dist: six\n", "carriage return in line 4"),
        (HEAD + "Summary: a\0b\n", "NUL byte in line 4"),
        (HEAD + "nothing\nRequires-Dist: six\n", "not read: Requires-Dist"),
        (HEAD + "Summary : x\nRequires-Dist: six\n", "not read: Summary, Requires-Dist"),
    ],
)
def test_lines_that_are_not(tmp_path: Path, text: str, part: str) -> None:
    (what,) = findings(tmp_path, text)
    assert part in what


def test_lost_fields_are_those_that_the_email_parser_does_not_read(tmp_path: Path) -> None:
    text = HEAD + "nothing\nRequires-Dist: six\n"
    assert "Requires-Dist" not in message_from_string(text)
    assert len(findings(tmp_path, text)) == 1


@pytest.mark.parametrize(
    ("text", "part"),
    [
        (b"\nName: demo\n", "begins with an empty line"),
        (b"\xef\xbb\xbfName: demo\n", "byte order mark"),
        (b"Author: \xff\nName: demo\n", "not UTF-8 in line 1"),
        (b"Metadata-Version: 2.1\nName : demo\nVersion: 1.0\n", "no Name and no Version"),
        (b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nnothing\nSummary: x\n", ""),
    ],
)
def test_metadata_without_a_name_to_installers(text: bytes, part: str) -> None:
    problem = metadata_lines.unreadable(text)
    assert part in problem
    assert bool(problem) == bool(part)
