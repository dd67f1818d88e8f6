"""What a verification takes of the machine, as a whole process: memory bounded by the largest member, and few open files."""

import json
import os
import resource
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

import wheels
import zoo

pytestmark = pytest.mark.skipif(not hasattr(os, "wait4"), reason="this system does not tell what a process took")

MEGABYTE = 1 << 20
SLACK = 128
LARGE = 200
MOST_GROWTH = 1.25
"""Of the memory, where there are a hundred times as many wheels: 1.2 as text, and JSON takes a little more."""


def large_binary() -> bytes:
    """A binary of 200 MB that no bomb's ratio gives away: noise behind a good extension module."""
    noise = b"".join(zlib.crc32(number.to_bytes(4, "big")).to_bytes(4, "big") * 16 for number in range(MEGABYTE // 64))
    return zoo.so() + noise * LARGE


def test_memory_is_bounded_by_the_largest_member(tmp_path: Path) -> None:
    draft = zoo.good()
    draft.members[zoo.SO] = large_binary()
    draft.members["demo/second.bin"] = draft.members[zoo.SO][: 150 * MEGABYTE]
    draft.members["demo/third.bin"] = b"x" + draft.members["demo/second.bin"]
    seen = zoo.visit(draft.write(tmp_path))
    assert seen.exit_code == 0
    assert "glibc 2.29" in seen.out
    assert seen.megabytes < LARGE + SLACK


@pytest.fixture(scope="module")
def thousand(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_dist(tmp_path_factory.mktemp("thousand"), 1000)


def write_dist(folder: Path, count: int) -> Path:
    """Write native wheels, each of another distribution."""
    for number in range(count):
        members = {f"part{number}/__init__.py": b"answer = 42\n", f"part{number}/dx.abi3.so": zoo.so()}
        wheels.write_wheel(folder, f"part{number}-1.0-cp311-abi3-manylinux_2_31_x86_64.whl", members=members)
    return folder


def test_a_thousand_wheels_need_few_open_files(thousand: Path) -> None:
    command = [sys.executable, "-m", "wheelkit", "verify-matrix", "--json", str(thousand)]
    few = (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    done = subprocess.run(
        command, capture_output=True, check=False, cwd=thousand, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, few)
    )
    assert done.returncode == 0
    assert b'"wheels": 1000' in done.stdout


def test_a_thousand_wheels_need_little_more_memory_than_ten(thousand: Path, tmp_path: Path) -> None:
    few, many = zoo.visit(write_dist(tmp_path, 10)), zoo.visit(thousand)
    assert (json.loads(few.out)["wheels"], json.loads(many.out)["wheels"]) == (10, 1000)
    assert many.megabytes < MOST_GROWTH * few.megabytes
