"""Tar files as tarfile writes them are fine, and what strict readers refuse is found."""

import gzip
import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wheelkit.wheel.model import TarFormat
from wheelkit.wheel.tar_format import read_format

FORMATS = (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT)
NAMES = st.text(alphabet="abé/-. ", min_size=1, max_size=150).map(lambda name: f"demo-1.0/{name}x")
MEMBERS = st.lists(st.tuples(NAMES, st.binary(max_size=1500)), max_size=5)


def write(path: Path, members: list[tuple[str, bytes]], form: int = tarfile.PAX_FORMAT) -> bytes:
    """Write a tar file, and return its bytes without gzip."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), 1_700_000_000
            archive.addfile(info, io.BytesIO(data))
    path.write_bytes(gzip.compress(out.getvalue()))
    return out.getvalue()


@given(members=MEMBERS)
@pytest.mark.parametrize("form", FORMATS)
def test_what_tarfile_writes_is_fine(
    tmp_path_factory: pytest.TempPathFactory, form: int, members: list[tuple[str, bytes]]
) -> None:
    path = tmp_path_factory.mktemp("tar") / "demo-1.0.tar.gz"
    try:
        write(path, members, form)
    except ValueError:  # ustar has no room for some names
        return
    assert read_format(path) == TarFormat()


def test_every_cut_is_found(tmp_path: Path) -> None:
    path = tmp_path / "demo-1.0.tar.gz"
    tar = write(path, [("demo-1.0/a", b"x" * 700), ("demo-1.0/" + "n" * 120, b"y")])
    # tarfile fills up the last record of twenty blocks with zeros.
    end = len(tar.rstrip(b"\0")) // tarfile.BLOCKSIZE * tarfile.BLOCKSIZE + 3 * tarfile.BLOCKSIZE
    for length in range(0, end, 64):
        path.write_bytes(gzip.compress(tar[:length]))
        assert read_format(path).problem, length
    path.write_bytes(gzip.compress(tar[:end]))
    assert read_format(path) == TarFormat()


@pytest.mark.parametrize(
    ("behind", "expected"),
    [
        (b"", ""),
        (bytes(5), ""),
        (b"more", "has data behind its gzip data"),
        (gzip.compress(b"more", mtime=0), "has data behind its gzip data"),
    ],
)
def test_data_behind_gzip(tmp_path: Path, behind: bytes, expected: str) -> None:
    path = tmp_path / "demo-1.0.tar.gz"
    write(path, [("demo-1.0/a", b"x")])
    path.write_bytes(path.read_bytes() + behind)
    assert read_format(path).trailer == expected


@pytest.mark.parametrize("place", [-8, -1])
def test_a_wrong_trailer(tmp_path: Path, place: int) -> None:
    path = tmp_path / "demo-1.0.tar.gz"
    write(path, [("demo-1.0/a", b"x")])
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    assert read_format(path).trailer == "has a wrong gzip checksum or length"


def test_data_behind_the_last_file(tmp_path: Path) -> None:
    path = tmp_path / "demo-1.0.tar.gz"
    tar = write(path, [("demo-1.0/a", b"x")])
    path.write_bytes(gzip.compress(tar + b"more"))
    assert read_format(path).trailer == "has data behind its last file"
