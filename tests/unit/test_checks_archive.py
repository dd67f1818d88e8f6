import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from support import wheels
from support.rows import rows
from wheelkit.verification.checks import archive, record
from wheelkit.verification.contract import Contract
from wheelkit.wheel import read

CHECKS = (
    archive.members,
    archive.headers,
    archive.hidden,
    archive.overlap,
    archive.paths,
    archive.windows_names,
    archive.links,
    record.record,
    archive.dates,
    archive.stray,
    archive.end,
)


def codes(path: Path) -> list[str]:
    wheel = read(path)
    return [finding.code for check in CHECKS for finding in check(wheel, Contract())]


def test_a_good_wheel_has_nothing(tmp_path: Path) -> None:
    assert (
        codes(wheels.write_wheel(tmp_path, members={"demo/a/b.py": "x", "demo-1.0.data/scripts/demo": "y"}))
        == []
    )


@rows(
    ("code", "members"),
    [
        ("WK103", {"/etc/passwd": "x"}),
        ("WK103", {"demo/../../up.py": "x"}),
        ("WK103", {"C:/demo.py": "x"}),
        ("WK103", {"demo\\back.py": "x"}),
        ("WK103", {"demo/\x1b.py": "x"}),
        ("WK103", {"demo//two.py": "x"}),
        ("WK103", {"demo/./one.py": "x"}),
        ("WK103", {"demo/" + "n" * 256: "x"}),
        ("WK103", {"d/" * 2048 + "x": "x"}),
        ("WK103", {"d/" * 901 + "x": "x"}),
        ("WK103", {"demo/" + "\u732b" * 86: "x"}),
        ("WK103", {"demo/a\u200b": "x"}),
        ("WK103", {"demo/\ue000": "x"}),
        ("WK103", {"C:demo.py": "x"}),
    ],
)
def test_paths(tmp_path: Path, code: str, members: Mapping[str, str]) -> None:
    assert codes(wheels.write_wheel(tmp_path, members=members)) == [code]


def test_long_names_and_accents_are_fine(tmp_path: Path) -> None:
    members = {"demo/" + "n" * 255: "x", "d/" * 900 + "x": "x", "demo/\u00e9": "x", "demo/\u00e8": "y"}
    assert codes(wheels.write_wheel(tmp_path, members=members)) == []


def test_names_with_dots_are_fine(tmp_path: Path) -> None:
    assert (
        codes(wheels.write_wheel(tmp_path, members={"demo/..hidden": "x", "demo/a..b": "y", "demo/...": "z"}))
        == []
    )


def test_a_member_twice(tmp_path: Path) -> None:
    path = wheels.write_wheel(tmp_path)
    with zipfile.ZipFile(path, "a") as file, pytest.warns(UserWarning, match="Duplicate"):
        file.writestr("demo/__init__.py", "")
    assert codes(path) == ["WK104"]


def _appended(path: Path, info: zipfile.ZipInfo, data: str) -> Path:
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(info, data)
    return path


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        (stat.S_IFLNK | 0o777, ["WK106"]),
        (stat.S_IFIFO | 0o644, ["WK106"]),
        (stat.S_IFREG | 0o644, []),
        (0o644, []),
    ],
)
def test_links(tmp_path: Path, mode: int, expected: list[str]) -> None:
    info = zipfile.ZipInfo("demo/link")
    info.external_attr = mode << 16
    path = wheels.write_wheel(tmp_path, members={"demo/link": "target"}, leave_out=["demo/link"])
    assert codes(_appended(path, info, "target")) == expected


ROW = wheels.row("demo/__init__.py", b"")


@rows(
    ("code", "change"),
    [
        ("WK102", lambda text: text.replace("demo/__init__.py,sha256=4", "demo/__init__.py,sha256=5")),
        ("WK102", lambda text: text.replace(ROW, f"{ROW}9")),
        ("WK108", lambda text: text.replace(f"{ROW}\n", "")),
        ("WK108", lambda text: f"{text}{ROW}\n"),
        ("WK108", lambda text: text.replace(ROW, "demo/__init__.py,,0")),
        ("WK109", lambda text: f"{text}demo/gone.py,sha256=abc,1\n"),
        ("WK110", lambda text: text.replace(ROW, wheels.row("demo/__init__.py", b"", "md5"))),
        ("WK107", lambda text: f"{text}what is this\n"),
        ("WK107", lambda text: f"{text}\n"),
        ("WK146", lambda text: text.replace("demo/__init__", "demo\\__init__")),
        ("WK146", lambda text: text.replace("demo/__init__", "./demo/__init__")),
        ("WK146", lambda text: text.replace("dist-info/RECORD", "dist-info\\RECORD")),
        ("WK107", None),
        ("", lambda text: text.replace(ROW, wheels.row("demo/__init__.py", b"", "sha512"))),
        ("", lambda text: text.replace(ROW, wheels.row("demo/__init__.py", b"").replace(",0", ","))),
        ("", lambda text: text.replace("\n", "\r\n")),
    ],
)
def test_record(tmp_path: Path, code: str, change: object) -> None:
    with zipfile.ZipFile(wheels.write_wheel(tmp_path)) as file:
        text = file.read("demo-1.0.dist-info/RECORD").decode()
    if callable(change):
        assert change(text) != text
        path = wheels.write_wheel(tmp_path, record_text=change(text))
    else:
        path = wheels.write_wheel(tmp_path, leave_out=["{info}/RECORD"])
    assert codes(path) == ([code] if code else [])


def test_signature_files_need_no_hash(tmp_path: Path) -> None:
    path = wheels.write_wheel(tmp_path)
    assert codes(_appended(path, zipfile.ZipInfo("demo-1.0.dist-info/RECORD.jws"), "{}")) == []


def test_an_unlisted_member(tmp_path: Path) -> None:
    path = wheels.write_wheel(tmp_path)
    assert codes(_appended(path, zipfile.ZipInfo("demo/extra.py"), "x")) == ["WK108"]


def test_an_unreadable_member(tmp_path: Path) -> None:
    path = wheels.write_wheel(tmp_path, members={"demo/a.bin": b"abc" * 999}, compression=zipfile.ZIP_STORED)
    assert codes(path) == []
    path.write_bytes(path.read_bytes().replace(b"abcabc", b"abcabd", 1))
    wheel = read(path)
    (finding,) = archive.members(wheel, Contract())
    assert (finding.code, finding.member) == ("WK101", "demo/a.bin")
    assert "fails its CRC" in finding.what


def test_shallow_does_not_judge_record(tmp_path: Path) -> None:
    wheel = read(wheels.write_wheel(tmp_path, record_text=""), contents=False)
    assert list(record.record(wheel, Contract())) == []


@pytest.mark.parametrize(("date", "expected"), [((1980, 0, 0), ["WK111"]), ((1980, 1, 1), [])])
def test_dates(tmp_path: Path, date: tuple[int, int, int], expected: list[str]) -> None:
    path = wheels.write_wheel(tmp_path, members={"demo/old": "x"}, leave_out=["demo/old"])
    assert codes(_appended(path, zipfile.ZipInfo("demo/old", (*date, 0, 0, 0)), "x")) == expected


@pytest.mark.parametrize(
    ("before", "behind", "comment", "count", "expected"),
    [
        (b"", b"", b"", 0, []),
        (b"#!x\n", b"", b"", 4, ["WK113"]),
        (b"", b"junk", b"", 4, ["WK113"]),
        (b"", bytes(4), b"", 0, ["WK142"]),
        (b"", b"", b"hi", 0, ["WK144"]),
        (b"", b"", b"h\x01", 0, ["WK140"]),
    ],
)
def test_bytes_around_the_archive(  # noqa: PLR0913, PLR0917 - one for each place
    tmp_path: Path, before: bytes, behind: bytes, comment: bytes, count: int, expected: list[str]
) -> None:
    path = wheels.write_wheel(tmp_path)
    with zipfile.ZipFile(path, "a") as file:
        file.comment = comment
    path.write_bytes(before + path.read_bytes() + behind)
    wheel = read(path)
    assert wheel.stray == count
    assert codes(path) == expected


def test_data_descriptors_are_no_stray_bytes(tmp_path: Path) -> None:
    class Pipe:
        """A file that cannot seek makes zipfile write sizes behind the data."""

        def __init__(self) -> None:
            self.data = b""

        def write(self, data: bytes) -> int:
            self.data += bytes(data)
            return len(data)

        def flush(self) -> None:
            pass

    pipe = Pipe()
    source = zipfile.ZipFile(wheels.write_wheel(tmp_path))
    with zipfile.ZipFile(pipe, "w") as file:  # type: ignore[call-overload]  # a stream without seek
        for info in source.infolist():
            file.writestr(info.filename, source.read(info))
    path = tmp_path / wheels.LINUX
    path.write_bytes(pipe.data)
    assert read(path).members[0].flags & 0x8
    assert read(path).stray == 0


@rows(
    ("name", "filename", "expected"),
    [
        ("demo/aux.py", wheels.PURE, ["WK117"]),
        ("demo/aux.py", wheels.LINUX, []),
        ("demo/con", wheels.PURE, ["WK117"]),
        ("demo/what?.txt", wheels.PURE, ["WK117"]),
        ("demo/dot./x", wheels.PURE, ["WK117"]),
        ("demo/auxiliary.py", wheels.PURE, []),
        ("demo/console.py", wheels.PURE, []),
        ("demo/.hidden", wheels.PURE, []),
    ],
)
def test_names_that_windows_lacks(tmp_path: Path, name: str, filename: str, expected: list[str]) -> None:
    assert codes(wheels.write_wheel(tmp_path, filename, members={name: "x"})) == expected
