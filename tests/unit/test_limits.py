"""Each bound of wheelkit/limits.py: what exceeds it is refused in one message, and the closest is read."""

from __future__ import annotations

import io
import re
import tarfile
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

from support.releases import make_family
from support.wheels import PURE, metadata, write_wheel
from wheelkit import limits
from wheelkit import wheel as wheels
from wheelkit.__main__ import main
from wheelkit.errors import ProjectError, WheelError
from wheelkit.inputs import read_bytes, toml_table
from wheelkit.project import meson
from wheelkit.project.files import SdistFiles
from wheelkit.smoke.wheels import read_package
from wheelkit.tar_archives import ExcessError
from wheelkit.verification.findings import finding
from wheelkit.wheel.sdist import read_sdist

DOCS = Path(__file__).parents[2] / "docs" / "limits.md"
Make = Callable[[Path, int], Path]


def wheel_of(folder: Path, count: int, form: str = "demo/m{}.txt") -> Path:
    members = {form.format(number): "" for number in range(count)}
    return write_wheel(folder, PURE, members=members, package=False)


def with_lines(folder: Path, count: int, form: str = "Classifier: A :: {}") -> Path:
    lines = (form.format(number) for number in range(count))
    return write_wheel(folder, PURE, members={"{info}/METADATA": metadata("demo", "1.0", *lines)})


def with_record(folder: Path, count: int) -> Path:
    return write_wheel(folder, PURE, record_text="demo/x.py,,\n" * count)


def with_pth(folder: Path, count: int) -> Path:
    return write_wheel(folder, PURE, members={f"m{number}.pth": "x" * 100 for number in range(count)})


def by_zipfile(folder: Path, count: int) -> Path:
    """A directory with extra fields, which zipfile reads."""
    path = wheel_of(folder, 0)
    with zipfile.ZipFile(path, "a") as archive:
        for number in range(count - len(archive.infolist())):
            info = zipfile.ZipInfo(f"demo/{number}")
            info.extra = b"\x01\x99\x00\x00"
            archive.writestr(info, b"")
    return path


def sdist(folder: Path, members: Mapping[str, bytes], form: int = tarfile.PAX_FORMAT) -> Path:
    path = folder / "demo-1.0.tar.gz"
    with tarfile.open(path, "w:gz", format=form) as archive:
        for name, data in {"PKG-INFO": metadata("demo", "1.0").encode(), **members}.items():
            info = tarfile.TarInfo(f"demo-1.0/{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def long_name(folder: Path, length: int) -> Path:
    return sdist(folder, {"x" * (length - len("demo-1.0/")): b""})


class Case(NamedTuple):
    """A limit with its value in the test, what makes a file, counts of which one is read, and the message."""

    limit: str
    value: int
    make: Make
    fine: int
    excess: int
    words: str


def many_files(folder: Path, count: int) -> Path:
    return sdist(folder, {f"m{number}": b"" for number in range(count)})


CASES: dict[str, Case] = {
    "files of a wheel": Case(
        "MEMBERS", 20, wheel_of, 17, 18, "has 21 files and folders; wheelkit reads up to 20"
    ),
    "files that zipfile reads": Case(
        "MEMBERS", 20, by_zipfile, 20, 21, "it lists 21 files, and wheelkit reads up"
    ),
    "the directory": Case("DIRECTORY", 1000, by_zipfile, 10, 30, "its directory has"),
    "folders of a wheel": Case(
        "FOLDERS",
        2000,
        lambda folder, count: wheel_of(folder, 1, "d/" * count + "x"),
        40,
        45,
        "characters in the paths of its folders; wheelkit reads up to 2000",
    ),
    "lines of METADATA": Case("HEADER_LINES", 20, with_lines, 17, 18, "METADATA has 21 lines of fields"),
    "bytes of METADATA": Case(
        "HEADER",
        2000,
        lambda folder, count: with_lines(folder, 1, "Summary: " + "x" * count),
        1800,
        2000,
        "bytes of fields; real ones have up to 100 kB",
    ),
    "fields of METADATA": Case(
        "FIELDS",
        20,
        lambda folder, count: with_lines(folder, count, "X-{}: a"),
        16,
        17,
        "METADATA has 21 different fields",
    ),
    ".pth files": Case("PTH", 1000, with_pth, 10, 11, "has 11 .pth files of 1100 bytes"),
    "files of an sdist": Case("SDIST_MEMBERS", 20, many_files, 19, 20, "it has more than 20 files"),
    "folders of an sdist": Case(
        "FOLDERS",
        2000,
        lambda folder, count: sdist(folder, {"d/" * count + "x": b""}),
        38,
        42,
        "or those of their folders more than 2000",
    ),
    "names of an sdist": Case("NAMES", 300, long_name, 280, 301, "its paths have more than 300 characters"),
    "a path in an sdist": Case("PATH", 300, long_name, 300, 301, "a path has more than 300 characters"),
    "zeros in an sdist": Case(
        "SMALL_SDIST",
        1 << 20,
        lambda folder, count: sdist(folder, {"zeros": bytes(count << 16)}),
        15,
        17,
        "it unpacks to more than 1048576 bytes",
    ),
    "a text of an sdist": Case(
        "SDIST_TEXT",
        1000,
        lambda folder, count: sdist(folder, {"meson.build": b"#" * count}),
        1000,
        1001,
        "demo-1.0/meson.build has 1001 bytes",
    ),
    "texts of an sdist": Case(
        "SDIST_TEXTS",
        10_000,
        lambda folder, count: sdist(
            folder, {f"m{number}/meson.build": b"#" * 970 for number in range(count)}
        ),
        10,
        11,
        "are larger than",
    ),
    "an extended header": Case("TAR_HEADER", 20_000, long_name, 4000, 30_000, "its headers are larger"),
    "headers of an sdist": Case("TAR_HEADERS", 20_000, many_files, 20, 80, "its headers are larger"),
    "lines of PKG-INFO": Case(
        "HEADER_LINES",
        20,
        lambda folder, count: sdist(
            folder, {"PKG-INFO": metadata("demo", "1.0", *["Classifier: A"] * count).encode()}
        ),
        17,
        18,
        "its PKG-INFO has 21 lines of fields",
    ),
}


def read(path: Path) -> object:
    return read_sdist(path) if path.name.endswith(".tar.gz") else wheels.read(path)


@pytest.mark.parametrize("name", CASES)
def test_what_exceeds_a_limit_is_refused_in_one_message(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = CASES[name]
    if case.limit == "SMALL_SDIST":
        monkeypatch.setattr(limits, "RATIO", 1)
    monkeypatch.setattr(limits, case.limit, case.value)
    for folder in ("fine", "excess"):
        (tmp_path / folder).mkdir()
    read(case.make(tmp_path / "fine", case.fine))
    with pytest.raises((WheelError, ProjectError), match=re.escape(case.words)) as caught:
        read(case.make(tmp_path / "excess", case.excess))
    assert caught.value.hint


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if "sdist" in name])
def test_a_project_in_such_an_sdist_is_refused_too(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = CASES[name]
    if case.limit in {"SDIST_TEXT", "SDIST_TEXTS"}:
        pytest.skip("only texts at the top are read, and larger ones are passed over")
    if case.limit == "SMALL_SDIST":
        monkeypatch.setattr(limits, "RATIO", 1)
    monkeypatch.setattr(limits, case.limit, case.value)
    path = case.make(tmp_path, case.excess)
    with pytest.raises(ProjectError, match=re.escape(case.words)):
        SdistFiles(path)
    with pytest.raises((ProjectError, ExcessError), match=re.escape(case.words)):
        meson._reader(path)


def test_a_record_has_about_as_many_lines_as_the_archive_has_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "RECORD_LINES", 10)
    for count, problem in ((18, ""), (19, "it has 19 lines for an archive of 4 files")):
        wheel = wheels.read(with_record(tmp_path, count))
        assert (len(wheel.members), wheel.record_problem) == (4, problem)


@pytest.mark.parametrize("file", limits.DIST_INFO)
def test_files_in_dist_info_are_bounded(file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_wheel(tmp_path, PURE, members={"{info}/entry_points.txt": "[a]\nb = demo:c\n"})
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo(f"demo-1.0.dist-info/{file}").file_size
    for most, fine in ((size, True), (size - 1, False)):
        monkeypatch.setitem(limits.DIST_INFO, file, most)
        if fine:
            wheels.read(path)
        else:
            with pytest.raises(WheelError, match=f"{file} declares {size} bytes, far more than"):
                wheels.read(path)


@pytest.mark.parametrize("file", ["METADATA", "RECORD", "entry_points.txt"])
def test_smoke_tests_read_no_more(file: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_wheel(tmp_path, PURE, members={"{info}/entry_points.txt": "[a]\nb = demo:c\n"})
    assert read_package(path).entry_points
    monkeypatch.setitem(limits.DIST_INFO, file, 10)
    with pytest.raises(WheelError, match=rf"its {file} has \d+ bytes"):
        read_package(path)


def test_smoke_tests_read_no_more_fields(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "HEADER_LINES", 2)
    with pytest.raises(WheelError, match="its METADATA has 3 lines of fields"):
        read_package(write_wheel(tmp_path, PURE))


def test_text_files_and_toml_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "TOML", 10)
    (tmp_path / "text").write_bytes(b"x" * 11)
    assert read_bytes(tmp_path / "text", most=11) == read_bytes(tmp_path / "text", most=None) == b"x" * 11
    with pytest.raises(OSError, match="it is larger than 10 bytes"):
        read_bytes(tmp_path / "text", most=10)
    assert toml_table("abcdef = 1") == {"abcdef": 1}
    with pytest.raises(ValueError, match="larger than 10 bytes"):
        toml_table("abcdefg = 1")


@pytest.mark.parametrize("name", ["pyproject.toml", "wheelkit.toml", "dist/demo-1.0-any.wheelkit.json"])
def test_huge_files_of_a_project_are_refused_by_name(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    project = make_family(tmp_path / "gyro", git=False)
    monkeypatch.chdir(project.root)
    with (project.root / name).open("wb") as file:
        file.truncate(1 << 30)
    words = ("publish", "dist", "--to", "http://127.0.0.1:9/legacy/", "--dry-run")
    assert main(words) in {1, 2}
    printed = capsys.readouterr().err
    assert name in printed
    assert f"it is larger than {limits.TEXT} bytes" in printed


def test_a_finding_says_no_more_than_anyone_reads() -> None:
    assert len(finding("WK701", "x" * 2000).what) == 2000
    assert len(finding("WK701", "x" * 100_000).what) == 2001


def test_all_limits_are_documented() -> None:
    documented = set(re.findall(r"^\| `([A-Z_]+)` \|", DOCS.read_text(), re.MULTILINE))
    assert documented == {name for name in vars(limits) if name.isupper()} - {"KB", "MB", "GB"}
