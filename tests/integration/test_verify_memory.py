"""A verification uses memory for its largest members only, and few open files."""

import os
import resource
import subprocess
import sys
import zlib
from collections.abc import Sequence
from pathlib import Path

import pytest

import malformed

pytestmark = pytest.mark.skipif(
    not hasattr(os, "wait4"), reason="this system does not report a process's memory"
)

MEGABYTE = 1 << 20
SLACK = 128
LARGE = 200


def large_binary() -> bytes:
    """A binary of 200 MB without a zip bomb's ratio: noise after a valid extension module."""
    noise = b"".join(
        zlib.crc32(number.to_bytes(4, "big")).to_bytes(4, "big") * 16 for number in range(MEGABYTE // 64)
    )
    return malformed.so() + noise * LARGE


def test_memory_is_bounded_by_the_largest_member(tmp_path: Path) -> None:
    draft = malformed.valid_wheel()
    draft.members[malformed.SO] = large_binary()
    draft.members["demo/second.bin"] = draft.members[malformed.SO][: 150 * MEGABYTE]
    draft.members["demo/third.bin"] = b"x" + draft.members["demo/second.bin"]
    measured = malformed.run_verify(draft.write(tmp_path))
    assert measured.exit_code == 0
    assert "glibc 2.29" in measured.out
    assert measured.megabytes < LARGE + SLACK


@pytest.fixture(scope="module")
def thousand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return malformed.write_valid_wheels(tmp_path_factory.mktemp("herds") / "thousand", 1000)


def test_a_thousand_wheels_need_few_open_files(thousand: Path) -> None:
    command = [sys.executable, "-m", "wheelkit", "verify-matrix", "--json", str(thousand)]
    few = (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    done = subprocess.run(
        command,
        capture_output=True,
        check=False,
        cwd=thousand,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, few),
    )
    assert done.returncode == 0
    assert b'"wheels": 1000' in done.stdout


@pytest.mark.parametrize(("options", "most"), [((), 1.2), (("--json",), 1.25)])
def test_a_thousand_wheels_need_little_more_memory_than_ten(
    options: Sequence[str], most: float, thousand: Path, tmp_path: Path
) -> None:
    herds = {10: malformed.write_valid_wheels(tmp_path / "ten", 10), 1000: thousand}
    measured = {
        count: malformed.run_cli("verify-matrix", *options, str(folder), cwd=tmp_path)
        for count, folder in herds.items()
    }
    assert all(
        f'"wheels": {count}' in run.out or f"in {count} wheels" in run.out for count, run in measured.items()
    )
    assert measured[1000].megabytes < most * measured[10].megabytes
