"""Texts and bytes that are meant to break programs, shared by the tests of all inputs."""

from __future__ import annotations

import json
from typing import Any

JSON_TYPE = "application/vnd.pypi.simple.v1+json"
# What terminals and CI services act on, and what breaks lines, directions and encodings.
TEXTS: dict[str, str] = {
    "escape": "\x1b[31mred\x1b[2J",
    "operating system command": "\x1b]0;title\x07",
    "c1 control": "\x9b31m",
    "bell": "ding\a",
    "carriage return": "good\rbad",
    "line feed": "one\nwheelkit: all fine",
    "workflow command": "one\n::error::no",
    "stopped commands": "::stop-commands::end",
    "indented command": "  ::add-mask::x",
    "old command": "x ##[add-path]/tmp",
    "azure command": "##vso[task.setvariable variable=x]y",
    "right-to-left override": "abc\u202efdp.exe",
    "isolate": "\u2066x\u2069",
    "zero width": "pay\u200bpal\ufeff",
    "line separator": "a\u2028b\u2029c\x85d",
    "nul": "a\0b",
    "tab": "a\tb",
    "backspace": "secret\b\b\b",
    "delete": "a\x7fb",
    "surrogate": "a\udc80b\ud800",
    "superscript": "²",
    "other digits": "٣",
    "digits": "9" * 5000,
    "markup": '| `x` <img src=x onerror="y"> [a](b) @team #1 $x$',
    "expression": "${{ secrets.TOKEN }}",
    "braces": "{0} %s {x}",
    "quotes": "\"'`$(id)\\",
    "parentheses": "(" * 2000,
    "long": "x" * 100_000,
    "empty": "",
    "blank": " \u3000 ",
    "dots": "../../../etc/passwd",
    "private use": "\ue000\uf8ff",
}
# Whole bodies that a parser of JSON has to survive.
BODIES: dict[str, bytes] = {
    "nothing": b"",
    "nested lists": b"[" * 100_000,
    "nested objects": b'{"a":' * 100_000,
    "a number beyond floats": b"1e999",
    "many digits": b"9" * 5000,
    "not a number": b"NaN",
    "a lone surrogate": b'"\\ud800"',
    "not utf-8": b"\xff\xfe\x00",
    "utf-16": '{"meta": 1}'.encode("utf-16"),
    "nul": b"\0",
    "half": b'{"meta": {"api-version": "1.1"}, "na',
    "null": b"null",
    "a list": b"[]",
    "a number": b"5",
    "a text": b'"x"',
    "two documents": b"{}{}",
}


def require_harmless(text: str) -> None:
    """Check that a terminal and a CI service only show a text."""
    for line in text.removesuffix("\n").split("\n"):
        assert line.isprintable(), line
        assert not line.lstrip().startswith("::"), line
        assert "##[" not in line, line
        assert "##vso[" not in line, line


def http(body: bytes, *headers: str, status: str = "200 OK", kind: str = JSON_TYPE) -> bytes:
    """Return a well-formed answer with this body."""
    head = [
        f"HTTP/1.1 {status}",
        f"Content-Type: {kind}",
        f"Content-Length: {len(body)}",
        "Connection: close",
    ]
    return "\r\n".join([*head, *headers, "", ""]).encode("latin-1", "replace") + body


def listing(**changes: Any) -> dict[str, Any]:
    """Return the listing of a project with one wheel, whose entry has these changes."""
    name = "demo-1.0-py3-none-any.whl"
    entry = {"filename": name, "url": f"/f/{name}", "hashes": {"sha256": "a" * 64}, **changes}
    return {"meta": {"api-version": "1.1"}, "name": "demo", "files": [entry]}


def json_page(**changes: Any) -> bytes:
    """Return an answer with such a listing."""
    return http(json.dumps(listing(**changes)).encode())


def html_page(text: str) -> bytes:
    """Return an answer with a web page."""
    return http(text.encode("utf-8", "surrogatepass"), kind="text/html")


_PAGE = '<!DOCTYPE html><html><head><meta name="pypi:repository-version" content="1.0"></head><body>'
_SHA = "#sha256=" + "a" * 64


def _in_json() -> dict[str, bytes]:
    changes: dict[str, dict[str, Any]] = {
        "hashes is a list": {"hashes": []},
        "hashes is null": {"hashes": None},
        "a digest of another form": {"hashes": {"sha256": ["x"]}},
        "a file name that is no text": {"filename": {"a": 1}},
        "a file name with a slash": {"filename": "../../demo-1.0-py3-none-any.whl"},
        "a file name with an escape": {"filename": "demo-1.0-py3-none-any\x1b[2J.whl"},
        "a file name with a line": {"filename": "demo-1.0\n::error::x-py3-none-any.whl"},
        "a version of many digits": {"filename": f"demo-{'9' * 5000}-py3-none-any.whl"},
        "a version that is long": {"filename": f"demo-{'9' * 240}-py3-none-any.whl"},
        "a build of many digits": {"filename": f"demo-1.0-{'9' * 5000}-py3-none-any.whl"},
        "a tag of odd signs": {"filename": "demo-1.0-py3-none-a b|c.whl"},
        "a tag of many digits": {"filename": f"demo-1.0-cp3{'1' * 180}-none-any.whl"},
        "a superscript version": {"filename": "demo-².0-py3-none-any.whl"},
        "a url that is not valid": {"url": "http://[bad/"},
        "a url with a port out of range": {"url": "http://h:99999/x"},
        "a url with a port of letters": {"url": "http://h:port/x"},
        "a url with control characters": {"url": "/f/a\r\nX-Evil: 1"},
        "a url of another scheme": {"url": "file:///etc/passwd"},
        "a url with letters that are not ascii": {"url": "/f/é/☃"},
        "a size of text": {"size": "²"},
        "a negative size": {"size": -1},
        "a huge size": {"size": 10**30},
        "a size that is a list": {"size": [1]},
        "a time of another form": {"upload-time": "yesterday"},
        "a naive time": {"upload-time": "2026-01-01T00:00:00"},
        "the first moment": {"upload-time": "0001-01-01T00:00:00+23:59"},
        "the last moment": {"upload-time": "9999-12-31T23:59:59-23:59"},
        "a year of many digits": {"upload-time": "9" * 5000},
        "a time that is a list": {"upload-time": []},
        "yanked with an escape": {"yanked": "\x1b[2J::error::x"},
        "yanked is an object": {"yanked": {"a": 1}},
        "a provenance that is not valid": {"provenance": "http://[bad/"},
        "a provenance that is a number": {"provenance": 5},
        "an odd requires-python": {"requires-python": ">=²," + "9" * 5000},
        "requires-python is an object": {"requires-python": {}},
    }
    return {name: json_page(**change) for name, change in changes.items()}


def _documents() -> dict[str, bytes]:
    whole = listing()
    documents: dict[str, Any] = {
        "meta is a list": {**whole, "meta": []},
        "an api version of another form": {**whole, "meta": {"api-version": [2]}},
        "another api version": {**whole, "meta": {"api-version": "2\x1b[2J"}},
        "another project": {**whole, "name": "evil\n::error::x\x1b[2J"},
        "a name that is a list": {**whole, "name": ["demo"]},
        "files is an object": {**whole, "files": {"a": 1}},
        "files is a text": {**whole, "files": "abc"},
        "files of null": {**whole, "files": [None]},
        "the same file twice": {**whole, "files": whole["files"] * 2},
        "many files": {
            **whole,
            "files": [{**whole["files"][0], "filename": f"demo-1.{n}.tar.gz"} for n in range(5000)],
        },
    }
    return {name: http(json.dumps(document).encode()) for name, document in documents.items()}


def _pages() -> dict[str, bytes]:
    return {
        "a marked section": html_page(_PAGE + "<![foo"),
        "a marked section that ends": html_page(_PAGE + "<![foo[x]]></body></html>"),
        "a declaration": html_page("<!" + "A" * 1000 + _PAGE),
        "an unclosed comment": html_page(_PAGE + "<!--" + "-" * 10_000),
        "a reference of many digits": html_page(f"{_PAGE}<a href='&#{'9' * 5000};x.whl'>x</a></body></html>"),
        "a link that is not valid": html_page(
            f"{_PAGE}<a href='http://[bad/demo-1.0.tar.gz'>x</a></body></html>"
        ),
        "a link with an escape": html_page(
            f"{_PAGE}<a href='demo-1.0%1b%5b2J-py3-none-any.whl{_SHA}'>x</a></body></html>"
        ),
        "a link with a folder": html_page(f"{_PAGE}<a href='..%2f..%2fdemo-1.0.tar.gz'>x</a></body></html>"),
        "nested tags": html_page(_PAGE + "<a>" * 20_000),
        "bytes that are not utf-8": http(b"\xff" * 1000, kind="text/html"),
        "a content type of odd signs": http(b"{}", kind="\x1b[31m; charset=\xff"),
    }


def _http() -> dict[str, bytes]:
    whole = json.dumps(listing()).encode()
    chunked = (
        b"HTTP/1.1 200 OK\r\nContent-Type: " + JSON_TYPE.encode() + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    return {
        "no bytes": b"",
        "no http": b"\x16\x03\x01\x02\x00",
        "a status of letters": b"HTTP/1.1 abc OK\r\n\r\n",
        "a superscript status": b"HTTP/1.1 \xb2\xb2\xb2 OK\r\n\r\n",
        "a status of many digits": b"HTTP/1.1 " + b"9" * 5000 + b" OK\r\n\r\n",
        "a long header": b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000 + b"\r\n\r\n",
        "many headers": b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 500 + b"\r\n",
        "a chunk of letters": chunked + b"zz\r\n",
        "a negative chunk": chunked + b"-5\r\nhello",
        "a huge chunk": chunked + b"f" * 5000 + b"\r\n",
        "a superscript chunk": chunked + b"\xb2\r\n",
        "no chunk": chunked,
        "a length of letters": http(whole, "Content-Length: abc"),
        "a length of many digits": http(whole, "Content-Length: " + "9" * 5000),
        "a superscript retry": http(b"", "Retry-After: ²", status="503 Busy"),
        "a retry of many digits": http(b"", "Retry-After: " + "9" * 5000, status="429 Slow"),
        "a retry beyond all dates": http(b"", "Retry-After: Mon, 99 Xyz 99999 9:9 +99999", status="503 Busy"),
        "a date beyond all dates": http(whole, "Date: Fri, 31 Dec 9999 23:59:59 -9999"),
        "a date of many digits": http(whole, f"Date: Mon, 01 Jan {'9' * 5000} 00:00:00 GMT"),
        "a redirect that is not valid": http(b"", "Location: http://[bad/", status="302 Found"),
        "a redirect to a port out of range": http(b"", "Location: http://h:99999/", status="302 Found"),
        "a redirect to an escape": http(b"", "Location: http://\x1b[31m/", status="302 Found"),
        "a redirect to a file": http(b"", "Location: file:///etc/passwd", status="302 Found"),
        "a redirect to nowhere": http(b"", status="302 Found"),
        "a reason with an escape": http(b"", status="500 \x1b[31m::error::x"),
        "a reason of 404": http(b"", status="404 \x1b[31m"),
    }  # fmt: skip


ANSWERS: dict[str, bytes] = {
    **{f"JSON: {name}": http(body) for name, body in BODIES.items()},
    **{f"listing: {name}": body for name, body in _documents().items()},
    **{f"entry: {name}": body for name, body in _in_json().items()},
    **{f"page: {name}": body for name, body in _pages().items()},
    **{f"HTTP: {name}": body for name, body in _http().items()},
}
"""What a hostile index may answer, by what is wrong with it."""
