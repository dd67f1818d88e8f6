"""What an sdist says of its project, however damaged it is."""

from __future__ import annotations

import contextlib
import gzip
import tarfile
from pathlib import Path

import pytest

from support.sdists import MESON, PKG_INFO, sdist
from wheelkit.errors import ProjectError
from wheelkit.project.read import read


def test_an_sdist_is_read_without_unpacking_it(tmp_path: Path) -> None:
    members = {
        "m-1.2/PKG-INFO": PKG_INFO.encode(),
        "m-1.2/pyproject.toml": MESON.encode(),
        "m-1.2/deep/setup.py": b"Extension(",
    }
    item = read(sdist(tmp_path / "m-1.2.tar.gz", members))
    assert (item.name, item.version, item.backend, item.from_sdist) == ("Mo.mentum", "1.2", "mesonpy", True)
    dotted = {f"./{name}": data for name, data in members.items()}
    assert read(sdist(tmp_path / "n-1.2.tar.gz", dotted)).version == "1.2"


def test_a_huge_member_is_passed_over_unless_it_is_needed(tmp_path: Path) -> None:
    good = {"m/PKG-INFO": PKG_INFO.encode(), "m/pyproject.toml": MESON.encode()}
    assert read(sdist(tmp_path / "a.tar.gz", {"m/meson.build": bytes(5 << 20), **good})).version == "1.2"
    with pytest.raises(ProjectError, match="has no PKG-INFO"):
        read(sdist(tmp_path / "b.tar.gz", {**good, "m/PKG-INFO": bytes(5 << 20)}))


def test_links_in_an_sdist_are_not_followed(tmp_path: Path) -> None:
    path = tmp_path / "x-1.tar.gz"
    (tmp_path / "secret").write_text(PKG_INFO)
    with tarfile.open(path, "w:gz") as archive:
        info = tarfile.TarInfo("x-1/PKG-INFO")
        info.type, info.linkname = tarfile.SYMTYPE, str(tmp_path / "secret")
        archive.addfile(info)
    with pytest.raises(ProjectError, match="has no PKG-INFO"):
        read(path)


def damaged(tmp_path: Path) -> dict[str, bytes]:
    noise = bytes(range(256)) * 40
    good = sdist(
        tmp_path / "good-1.tar.gz",
        {"g/PKG-INFO": PKG_INFO.encode(), "g/pyproject.toml": MESON.encode(), "g/noise": noise},
    ).read_bytes()
    middle = len(good) // 2
    return {
        "empty": b"",
        "no gzip": b"hello there",
        "a zip": b"PK\x03\x04" + bytes(100),
        "gzip of text": gzip.compress(b"hello"),
        "cut short": good[:middle],
        "only the header": good[:12],
        "a bent middle": good[:40] + bytes(60) + good[100:],
    }


@pytest.mark.parametrize(
    "what", ["empty", "no gzip", "a zip", "gzip of text", "cut short", "only the header", "a bent middle"]
)
def test_a_damaged_sdist_is_refused_by_name(tmp_path: Path, what: str) -> None:
    path = tmp_path / "bad-1.tar.gz"
    path.write_bytes(damaged(tmp_path)[what])
    with pytest.raises(ProjectError, match=r"bad-1\.tar\.gz"):
        read(path)
    assert read(tmp_path / "good-1.tar.gz").version == "1.2"


def test_any_bent_byte_of_an_sdist_is_survived(tmp_path: Path) -> None:
    good = bytearray(
        sdist(
            tmp_path / "good-1.tar.gz", {"g/PKG-INFO": PKG_INFO.encode(), "g/pyproject.toml": MESON.encode()}
        ).read_bytes()
    )
    path = tmp_path / "bent-1.tar.gz"
    for index in range(len(good)):
        bent = good.copy()
        bent[index] ^= 0x55
        path.write_bytes(bent)
        with contextlib.suppress(ProjectError):
            read(path)
