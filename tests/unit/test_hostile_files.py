"""Wheels and sdists whose texts and names say anything: findings or one message, safe to print."""

from __future__ import annotations

import io
import json
import tarfile
import time
from pathlib import Path

import pytest

from support.depth import part_of
from support.hostile import TEXTS, require_harmless
from support.rows import rows
from support.wheels import LINUX, PURE, metadata, wheel_file, write_wheel
from wheelkit.command_line import main

Capture = pytest.CaptureFixture[str]
# METADATA's fields are numbers, versions, names, requirements, markers and addresses to somebody.
FIELDS = (
    "Metadata-Version", "Name", "Version", "Requires-Python", "Requires-Dist", "Provides-Extra",
    "Requires-Dist: demo2; python_version ", "Requires-Dist: demo2; os_name ~=", "Requires-Dist: demo2 @ ",
    "License-File", "License-Expression", "Classifier", "Project-URL", "Home-page", "Author-email", "Summary",
    "Description-Content-Type", "Dynamic", "Keywords",
)  # fmt: skip
WHEEL_FIELDS = ("Wheel-Version", "Root-Is-Purelib", "Tag", "Build", "Generator")
ARABIC = "\u0663"
NUMBERS = ("2.²", "²", ARABIC, f"2.{'9' * 5000}", "1.-1", "1..2", "1e999", "nan", "0x1", "1_0", "+1")
REQUIREMENTS = (
    f"demo2; {'(' * 900}os_name == 'x'{')' * 900}",
    f"demo2; python_version >= '{'9' * 5000}'",
    "demo2; os_name ~= 'nt'",
    "demo2; os_name === 'nt' and extra == '\\x1b[2J'",
    f"demo2[{','.join('abcdef' * 500)}]",
    f"demo2 >= {'9' * 5000}",
    f"demo2 @ http://[bad/ ; {'(' * 50}",
)
VALUES = {
    **TEXTS,
    **{f"number {text!r:.20}": text for text in NUMBERS},
    **{f"requirement {text!r:.30}": text for text in REQUIREMENTS},
}
# The longest time for one file; what takes quadratic or exponential time takes minutes.
SECONDS = 15.0


def report(folder: Path, form: str, capsys: Capture) -> str:
    """Verify a folder, check that what is printed is safe and took no long time, and return the report."""
    started = time.monotonic()
    assert main(["verify-matrix", str(folder), "--format", form]) in {0, 1, 2}
    assert time.monotonic() - started < SECONDS
    captured = capsys.readouterr()
    require_harmless(captured.err)
    if form == "github":
        for line in captured.out.splitlines():
            assert line.startswith(("::error ", "::warning ", "::notice ")), line
            assert line.isprintable(), line
    else:
        require_harmless(captured.out)
    return captured.out


def judged(folder: Path, capsys: Capture) -> str:
    """Let the commands that read files read those of a folder; return the text report."""
    for path in sorted(folder.glob("*.whl")):
        assert main(["inspect", str(path)]) in {0, 1}
        require_harmless(capsys.readouterr().out)
    report(folder, "github", capsys)
    report(folder, "markdown", capsys)
    for finding in json.loads(report(folder, "json", capsys))["findings"]:
        finding["what"].encode()  # no lone surrogate
    return report(folder, "text", capsys)


def pkg_info(folder: Path, text: bytes) -> None:
    with tarfile.open(folder / "demo-1.0.tar.gz", "w:gz") as archive:
        for path, data in (("demo-1.0/PKG-INFO", text), ("demo-1.0/pyproject.toml", b"")):
            info = tarfile.TarInfo(path)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


@pytest.fixture(autouse=True)
def no_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@rows("field", FIELDS, parts=2)
def test_fields_of_metadata(field: str, tmp_path: Path, capsys: Capture) -> None:
    for text in part_of(list(VALUES.values()), 4):
        line = f"{field}{'' if ':' in field else ':'} {text}"
        lines = metadata("demo", "1.0", line).encode("utf-8", "surrogatepass")
        write_wheel(tmp_path, PURE, members={"{info}/METADATA": lines})
        pkg_info(tmp_path, lines)
        report(tmp_path, "text", capsys)


@pytest.mark.parametrize("field", WHEEL_FIELDS)
def test_fields_of_wheel(field: str, tmp_path: Path, capsys: Capture) -> None:
    for text in part_of(list(VALUES.values()), 4):
        head = "" if field == "Wheel-Version" else wheel_file(LINUX)
        lines = f"{head}{field}: {text}\n".encode("utf-8", "surrogatepass")
        write_wheel(tmp_path, LINUX, members={"{info}/WHEEL": lines})
        report(tmp_path, "text", capsys)


@rows("name", VALUES)
def test_entry_points(name: str, tmp_path: Path, capsys: Capture) -> None:
    text = VALUES[name].encode("utf-8", "surrogatepass")
    lines = (
        b"[console_scripts]",
        text + b" = demo:main",
        b"demo = " + text,
        b"[" + text + b"]",
        b"x = " + text,
    )
    write_wheel(tmp_path, PURE, members={"{info}/entry_points.txt": b"\n".join(lines)})
    judged(tmp_path, capsys)


@rows("name", VALUES)
def test_records(name: str, tmp_path: Path, capsys: Capture) -> None:
    text = VALUES[name].encode("utf-8", "replace").decode()
    rows = f"{text},sha256={text},{text}\ndemo/__init__.py,,\n"
    write_wheel(tmp_path, PURE, record_text=rows)
    judged(tmp_path, capsys)


@rows("name", TEXTS)
def test_names_and_heads_of_members(name: str, tmp_path: Path, capsys: Capture) -> None:
    text = TEXTS[name].encode("utf-8", "replace").decode()[:200]
    member = text.replace("\0", "0") or "x"
    members = {f"demo/{member}.py": "", f"{member}.pth": f"import {text}", "demo.data/scripts/x": f"#!{text}"}
    write_wheel(tmp_path, PURE, members=members)
    judged(tmp_path, capsys)


@rows("name", TEXTS)
def test_names_of_files(name: str, tmp_path: Path, capsys: Capture) -> None:
    text = TEXTS[name].translate({0: None, ord("/"): "-", 0xD800: None})[:100]
    write_wheel(tmp_path, PURE)
    data = (tmp_path / PURE).read_bytes()
    for file in (f"{text}.whl", f"demo-1.0-py3-none-{text}.whl", f"demo-1.0-{text}-py3-none-any.whl"):
        (tmp_path / file).write_bytes(data)
    (tmp_path / f"{text}.tar.gz").write_bytes(data)
    shown = judged(tmp_path, capsys)
    assert "WK201" in shown
    assert "WK112" in shown


def test_the_twin_honest_files_have_no_finding(tmp_path: Path, capsys: Capture) -> None:
    write_wheel(tmp_path, PURE)
    assert report(tmp_path, "text", capsys).splitlines()[-1].startswith("no findings in 1 wheel")
