"""Wheels and sdists that public indexes refuse as files, each with its passing twin."""

import io
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest
from msgspec.structs import replace

from support import wheels
from support.rows import rows
from wheelkit.verification.checks import index_files
from wheelkit.verification.contract import Contract
from wheelkit.verification.model import Finding
from wheelkit.verification.release import Release
from wheelkit.wheel import Member, Sdist, Wheel, read
from wheelkit.wheel.sdist import read_sdist

META = "{info}/METADATA"
POINTS = "{info}/entry_points.txt"


def codes(found: Iterable[Finding]) -> list[str]:
    return [finding.code for finding in found]


@pytest.mark.parametrize(
    ("filename", "dist_info", "expected"),
    [
        (wheels.PURE, "demo-1.0.dist-info", []),
        (wheels.PURE, "Demo-1.0.dist-info", ["WK742"]),
        (wheels.PURE, "demo-1.0.0.dist-info", ["WK742"]),
        (wheels.PURE, "other-1.0.dist-info", []),  # WK204
        ("my_demo-1.0-py3-none-any.whl", "my-demo-1.0.dist-info", ["WK742"]),
        ("my_demo-1.0-py3-none-any.whl", "my_demo-1.0.dist-info", []),
    ],
)
def test_the_spelling_of_dist_info(
    tmp_path: Path, filename: str, dist_info: str, expected: list[str]
) -> None:
    wheel = read(wheels.write_wheel(tmp_path, filename, dist_info=dist_info))
    assert codes(index_files.dist_info(wheel, Contract())) == expected


@pytest.mark.parametrize(
    ("member", "expected"),
    [
        ("demo/METADATA", ["WK752"]),
        ("METADATA", ["WK752"]),
        ("demo/data/METADATA", []),
        ("zoo/METADATA", []),  # after demo-1.0.dist-info
        ("demo/MY_METADATA", []),
        ("other-1.0.dist-info/METADATA", []),  # WK209
    ],
)
def test_what_twine_reads(tmp_path: Path, member: str, expected: list[str]) -> None:
    wheel = read(wheels.write_wheel(tmp_path, wheels.PURE, members={member: "Metadata-Version: 2.1\n"}))
    assert codes(index_files.read_by_twine(wheel, Contract())) == expected


@pytest.mark.parametrize(
    ("platforms", "expected"),
    [
        ("manylinux_2_17_x86_64", []),
        ("macosx_13_6_x86_64.macosx_13_0_x86_64", ["WK744"]),
        ("macosx_13_6_x86_64", []),  # WK230, an error
        ("macosx_13_0_x86_64", []),
        ("macosx_11_0_arm64.freebsd_14_0_amd64", ["WK744"]),
        ("linux_x86_64", []),  # WK307
        ("Win_AMD64", []),
    ],
)
def test_platform_tags(tmp_path: Path, platforms: str, expected: list[str]) -> None:
    filename = wheels.LINUX.replace("manylinux_2_17_x86_64", platforms)
    wheel = read(wheels.write_wheel(tmp_path, filename))
    assert codes(index_files.platforms(wheel, Contract())) == expected


@rows(
    ("place", "version", "expected"),
    [
        ("{info}/licenses/doc/LICENSE", "2.4", []),
        ("{info}/licenses/LICENSE", "2.4", ["WK708"]),
        ("{info}/LICENSE", "2.4", ["WK740"]),
        ("{info}/license_files/doc/LICENSE", "2.4", ["WK740"]),
        ("doc/LICENSE", "2.4", ["WK708"]),
        ("{info}/LICENSE", "2.3", []),
        ("{info}/license_files/doc/LICENSE", "2.1", []),
        ("doc/LICENSE", "2.1", ["WK741"]),
    ],
)
def test_license_files(tmp_path: Path, place: str, version: str, expected: list[str]) -> None:
    text = wheels.metadata("demo", "1.0", "License-File: doc/LICENSE").replace("2.4", version)
    wheel = read(wheels.write_wheel(tmp_path, members={META: text, place: "MIT"}))
    assert codes(index_files.license_files(wheel, Contract())) == expected


def sdist(
    folder: Path, files: Mapping[str, str], *lines: str, version: str = "2.4", name: str = "demo-1.0.tar.gz"
) -> Sdist:
    text = wheels.metadata("demo", "1.0", *lines).replace("2.4", version)
    with tarfile.open(folder / name, "w:gz") as archive:
        for path, contents in files.items():
            data = (contents or text).encode()
            info = tarfile.TarInfo(path)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return read_sdist(folder / name)


@pytest.mark.parametrize(
    ("place", "version", "expected"),
    [
        ("demo-1.0/doc/LICENSE", "2.4", []),
        ("demo-1.0/LICENSE", "2.4", ["WK708"]),
        ("demo-1.0/LICENSE", "2.2", ["WK741"]),
        ("demo-1.0/doc/LICENSE", "2.2", []),
    ],
)
def test_license_files_of_sdists(tmp_path: Path, place: str, version: str, expected: list[str]) -> None:
    files = {"demo-1.0/PKG-INFO": "", place: "MIT"}
    source = sdist(tmp_path, files, "License-File: doc/LICENSE", version=version)
    assert codes(index_files.sdist_license_files(source, Contract())) == expected


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"demo-1.0/PKG-INFO": "", "demo-1.0/demo.py": "x"}, []),
        ({"./demo-1.0/PKG-INFO": "", "./demo-1.0/demo.py": "x"}, ["WK748"]),
        ({"demo-1.0/src/PKG-INFO": "", "demo-1.0/demo.py": "x"}, ["WK748"]),
        ({"demo-1.0/PKG-INFO": "", "other.py": "x"}, []),  # WK712
    ],
)
def test_where_pkg_info_is(tmp_path: Path, files: Mapping[str, str], expected: list[str]) -> None:
    assert codes(index_files.sdist_layout(sdist(tmp_path, files), Contract())) == expected


def test_sparse_files(tmp_path: Path) -> None:
    path = tmp_path / "demo-1.0.tar.gz"
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as archive:
        text = wheels.metadata().encode()
        info = tarfile.TarInfo("demo-1.0/PKG-INFO")
        info.size = len(text)
        archive.addfile(info, io.BytesIO(text))
        # PAX 0.1's way to say that 10 bytes of data are at the end of a file of 1010 bytes.
        hole = tarfile.TarInfo("demo-1.0/hole.bin")
        hole.size = 10
        hole.pax_headers = {
            "GNU.sparse.size": "1010", "GNU.sparse.numblocks": "1", "GNU.sparse.map": "1000,10"
        }  # fmt: skip
        archive.addfile(hole, io.BytesIO(b"x" * 10))
    assert codes(index_files.sdist_layout(read_sdist(path), Contract())) == ["WK750"]


def test_a_second_sdist(tmp_path: Path) -> None:
    first = sdist(tmp_path, {"demo-1.0/PKG-INFO": ""})
    second = sdist(tmp_path, {"demo-1.0/PKG-INFO": ""}, name="Demo-1.0.tar.gz")
    for sdists, expected in (((first,), []), ((first, second), ["WK749"])):
        release = Release(distribution="demo", version="1.0", wheels=(), sdists=sdists)
        assert codes(index_files.one_sdist(release, Contract())) == expected


def test_the_size_of_sdists(tmp_path: Path) -> None:
    small = sdist(tmp_path, {"demo-1.0/PKG-INFO": ""})
    for size, expected in ((100 << 20, []), ((100 << 20) + 1, ["WK602"])):
        assert codes(index_files.sdist_size(replace(small, size=size), Contract())) == expected


def member(size: int, flags: int = 0) -> Member:
    return Member(name="demo/a", size=size, packed=size, flags=flags, mode=0o644, dated=True)


@pytest.mark.parametrize(
    ("size", "packed", "expected"),
    [
        (65 << 20, 1 << 20, ["WK745"]),
        (65 << 20, 2 << 20, []),
        (64 << 20, 1 << 20, []),
    ],
)
def test_bombs(tmp_path: Path, size: int, packed: int, expected: list[str]) -> None:
    wheel = replace(read(wheels.write_wheel(tmp_path)), size=packed, members=(member(size),))
    assert codes(index_files.compression(wheel, Contract())) == expected


def streamed(path: Path) -> Wheel:
    """Write an archive again as to a pipe: zipfile knows one by its lack of a position."""

    class Pipe:
        def __init__(self) -> None:
            self.data = b""

        def write(self, data: bytes) -> int:
            self.data += data
            return len(data)

        def flush(self) -> None:
            pass

    pipe = Pipe()
    with zipfile.ZipFile(path) as source, zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            target.writestr(name, source.read(name))
    path.write_bytes(pipe.data)
    return read(path)


def test_archives_written_to_a_stream(tmp_path: Path) -> None:
    path = wheels.write_wheel(tmp_path)
    assert codes(index_files.archive_form(read(path), Contract())) == []
    assert codes(index_files.archive_form(streamed(path), Contract())) == ["WK746"]


@rows(
    ("text", "expected"),
    [
        ("[console_scripts]\ndemo = demo:main\ndemo.2-x_y = demo:main\n\n[a.b]\nany name = x\n", []),
        ("[console_scripts]\r\ndemo=demo:main\r\n", []),
        ("# comment\n[console_scripts]\ndemo = demo:main\n", []),
        ("[console_scripts]\nDemo = demo:main\ndemo = demo:main\n", []),
        ("[gui_scripts]\ndémo = demo:main\n", []),
        ("[console_scripts]\ndemo+ = demo:main\n", ["WK747"]),
        ("[gui_scripts]\nd++ = demo:main\n", ["WK747"]),
        # Installers refuse these, or read them differently, which WK215 reports.
        ("[console_scripts]\nmy demo = demo:main\n", []),
        ("[a]\nx = y\n[b]\n[a]\n", []),
        (b"[a]\nx = \xff\n", []),
    ],
)
def test_entry_points(tmp_path: Path, text: str | bytes, expected: list[str]) -> None:
    wheel = read(wheels.write_wheel(tmp_path, members={POINTS: text}))
    assert codes(index_files.entry_points(wheel, Contract())) == expected
