"""Files that are made to keep a reader busy cost little, and real large ones pass.

The whole campaign is ci/attack-files.py, which is strict about the time: here other tests run beside it.
"""

from __future__ import annotations

import io
import random
import tarfile
import zipfile
from pathlib import Path

import pytest

import malformed
from malformed.runs import run_cli
from support.attacks import ATTACKS, MEGABYTES, attack
from support.wheels import PURE, metadata, write_wheel

SEED, COUNT = 16, 16
# Each of these once took minutes or gigabytes.
WORST = (
    "wheel: a RECORD of quotes",
    "wheel: many field names",
    "wheel: 400,000 members",
    "sdist: 500,000 empty files",
    "sdist: a long name of GNU tar",
    "sdist: many PKG-INFO",
    "sdist at the limit: folders",
    "wheel at the limit: field names",
)
SAMPLE = random.Random(SEED).sample(sorted(set(ATTACKS) - set(WORST)), COUNT)  # noqa: S311 - repeatable


@pytest.mark.parametrize("name", [*WORST, *SAMPLE])
def test_an_attack_is_bounded(name: str) -> None:
    done = attack(name)
    assert done.survived, done.run.err
    assert done.run.megabytes < MEGABYTES
    assert done.run.cpu < 20.0
    assert len(done.run.out + done.run.err) < 20_000


def test_a_wheel_of_20000_files_passes(tmp_path: Path) -> None:
    write_wheel(tmp_path, PURE, members={f"demo/m{number}/data.txt": "x" for number in range(20_000)})
    done = run_cli("verify-matrix", PURE, cwd=tmp_path)
    assert done.exit_code == 0
    assert "no findings" in done.out


def test_an_sdist_of_20000_files_passes(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "demo-1.0.tar.gz", "w:gz", format=tarfile.PAX_FORMAT) as archive:
        texts = {"PKG-INFO": metadata("demo", "1.0").encode(), "pyproject.toml": b"[build-system]\n"}
        for name, data in {**texts, **{f"demo/m{n}/{'x' * 120}.txt": b"x" for n in range(20_000)}}.items():
            info = tarfile.TarInfo(f"demo-1.0/{name}")
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    done = run_cli("verify-matrix", "demo-1.0.tar.gz", cwd=tmp_path)
    assert done.exit_code == 0
    assert "no findings" in done.out


def test_a_wheel_of_two_gigabytes_passes(tmp_path: Path) -> None:
    """As large as torch's: with a binary of 1.2 GB, stored, since noise does not pack."""
    draft = malformed.valid_wheel()
    path = draft.write(tmp_path)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
    large = tmp_path / "large.bin"
    with large.open("wb") as file:
        file.truncate(2 << 30)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_STORED) as archive:
        archive.write(large, "demo/large.bin")
    large.unlink()
    done = run_cli("verify-matrix", path.name, cwd=tmp_path)
    assert done.exit_code == 1
    assert "WK108" in done.out  # RECORD does not list it, and all else was read
    assert "unreadable" not in done.out
    assert done.megabytes < MEGABYTES
