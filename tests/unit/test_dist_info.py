"""METADATA and its kin are read as pip, packaging and importlib.metadata read them."""

import email
import json
from importlib.metadata import EntryPoints
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from packaging.metadata import parse_email

from support import wheels
from support.rows import rows
from wheelkit.__main__ import main
from wheelkit.fast_packaging import plain_headers
from wheelkit.matrix import Matrix
from wheelkit.project.kinds import Kind
from wheelkit.verification.contract import Contract, Promise
from wheelkit.verification.run import verify
from wheelkit.wheel.dist_info import parse_headers
from wheelkit.wheel.entry_points import parse_entry_points

FOLDED = """\
Metadata-Version: 2.1
Name: demo
Version: 1.0
License: Copyright somebody
        \x20
        All rights reserved.
\t
Requires-Python: >=3.11
Requires-Dist: numpy>=1.2
Provides-Extra: test

Body: of the message
"""
NAMES = (
    "Name",
    "Version",
    "Requires-Python",
    "Requires-Dist",
    "Provides-Extra",
    "License",
    "X-Own",
    "name",
    "requires-dist",
)
PIECES = st.one_of(
    st.sampled_from(["demo", ">=3.9", "a; extra == 'b'", "1.0", " ", "\t", ":", ";", "=?utf-8?q?a?=", "é",
                     "\x0c", "\x85", "\u2028", "From "]),
    st.text(max_size=4),
)  # fmt: skip
LINES = st.one_of(
    st.builds(lambda name, pieces: f"{name}: {''.join(pieces)}",
              st.sampled_from(NAMES), st.lists(PIECES, max_size=3)),
    st.builds("".join, st.lists(PIECES, max_size=3)),
    st.sampled_from(["", " ", "        ", "\t", "  more", "no field", "From me",
                     ": x", "Name : x", "Name:x"]),
)  # fmt: skip
ENDS = st.sampled_from(["\n", "\n", "\n", "\n", "\r\n", "\r", "\r\r\n"])
TEXTS = st.lists(st.tuples(LINES, ENDS), max_size=8).map(lambda lines: "".join(map("".join, lines)))
PACKAGING_FIELDS = (("requires_python", "Requires-Python"), ("name", "Name"), ("version", "Version"),
                    ("requires_dist", "Requires-Dist"), ("provides_extra", "Provides-Extra"))  # fmt: skip


def pip_reads(text: str) -> dict[str, tuple[str, ...]]:
    message = email.message_from_string(text)
    return {
        name.lower(): tuple(str(value).strip() for value in message.get_all(name) or ())
        for name in message.keys()  # noqa: SIM118 - a message is not a mapping
    }


def packaging_reads(text: str) -> dict[str, tuple[str, ...]]:
    """Return what packaging reads of the fields that installers use.

    A field that may occur once and is repeated is left out.
    """
    raw, _ = parse_email(text.encode())
    found = {}
    for key, name in PACKAGING_FIELDS:
        value = raw.get(key)
        if value is not None:
            values = [value] if isinstance(value, str) else list(value)  # type: ignore[call-overload]
            found[name.lower()] = tuple(part.strip() for part in values)
    return found


def is_utf8(text: str) -> bool:
    return not any("\ud800" <= sign <= "\udfff" for sign in text)


@given(TEXTS.filter(is_utf8))
@example(FOLDED)
@example(FOLDED.replace("\n", "\r\n"))
def test_headers_are_what_pip_and_packaging_read(text: str) -> None:
    ours = parse_headers(text.encode())
    assert ours.fields == pip_reads(text)
    for name, values in packaging_reads(text).items():
        assert ours.all(name) == values


def test_a_wheel_whose_license_has_lines_of_white_space(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = FOLDED.replace("Provides-Extra: test", "Description-Content-Type: text/markdown")
    path = wheels.write_wheel(tmp_path, wheels.PURE, members={"{info}/METADATA": text})
    assert main(["inspect", "--json", str(path)]) == 0
    (shown,) = json.loads(capsys.readouterr().out)["wheels"]
    assert (shown["requires_python"], shown["requirements"]) == (">=3.11", ["numpy>=1.2"])
    matrix = Matrix(targets=(), interpreters=(), declared=False)
    promise = Promise(distribution="demo", kind=Kind.PURE, matrix=matrix, dependencies=())
    codes = {found.code for found in verify([path], Contract(promises={"demo": promise})).findings}
    assert "WK715" in codes
    assert "WK718" not in codes


def test_lines_of_white_space_do_not_end_the_headers() -> None:
    headers = parse_headers(FOLDED.encode())
    assert headers.get("Requires-Python") == ">=3.11"
    assert headers.all("Requires-Dist") == ("numpy>=1.2",)
    assert headers.get("Body", "none") == "none"


@rows(
    "text",
    ["", "\n", FOLDED, "Name: a\rVersion: 1", "Name: a ", "Name: a\tb",
     "Name: \u2028", "\ufeffName: a", "Name : a", "no field", "From me: a"],
)  # fmt: skip
def test_text_that_is_not_plain_is_left_to_the_email_parser(text: str) -> None:
    assert plain_headers(text) is None


@given(TEXTS.filter(is_utf8))
def test_plain_text_is_read_as_by_the_email_parser(text: str) -> None:
    plain = plain_headers(text)
    if plain is not None:
        assert {name: tuple(values) for name, values in plain.items()} == pip_reads(text)


INI_LINES = st.one_of(
    st.sampled_from(["[console_scripts]", "[ gui_scripts ]", "[a.b]", "[]", "a = b:c",
                     " A=b : c [x]", "a", "= b", "# a = b", "", "a = b = c"]),
    st.text(alphabet="ab=[]: #\t", max_size=8),
)  # fmt: skip


@given(st.lists(INI_LINES, max_size=8))
@example(["[ gui_scripts ]", "a = b:c"])
@example(["[[a]]", "a = b:c"])
def test_entry_points_are_those_of_importlib_metadata(lines: list[str]) -> None:
    text = "\n".join(lines)
    ours = [entry for entry in parse_entry_points(text.encode()) if not entry.problem]
    if all(not entry.problem for entry in parse_entry_points(text.encode())):
        theirs = EntryPoints._from_text_for(text, None)  # type: ignore[attr-defined]
        assert [(entry.group, entry.name, entry.reference) for entry in ours] == [
            (entry.group, entry.name, entry.value) for entry in theirs
        ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"[a]\nb", '"b" is not name = module:function'),
        (b"b = c", "b is not in a [group]"),
        (b"[a]\n= c", '"= c" has no name'),
        (b"\xff", "byte 0: not UTF-8"),
    ],
)
def test_lines_that_are_no_entry_points(text: bytes, problem: str) -> None:
    assert [entry.problem for entry in parse_entry_points(text)] == [problem]
