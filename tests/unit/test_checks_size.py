import os
import random
from pathlib import Path

import pytest
from msgspec.structs import replace

from support import wheels
from wheelkit.matrix import Matrix
from wheelkit.project.kinds import Kind
from wheelkit.verification.checks import size
from wheelkit.verification.contract import Contract, Promise

MATRIX = Matrix(targets=(), interpreters=(), declared=False)


def limited(limit: int | None) -> Contract:
    return Contract(
        promises={"demo": Promise(distribution="demo", kind=Kind.NATIVE, matrix=MATRIX, max_size=limit)}
    )


def test_the_projects_limit(tmp_path: Path) -> None:
    wheel = wheels.facts(tmp_path, wheels.LINUX, members={"demo/big.bin": os.urandom(9000)})
    (finding,) = size.budget(wheel, limited(9000))
    assert finding.code == "WK601"
    assert "demo/big.bin (9 kB)" in finding.what
    assert list(size.budget(wheel, limited(wheel.size))) == []
    assert list(size.budget(wheel, limited(None))) == []


# warehouse's MAX_FILESIZE is 100 * ONE_MIB.
@pytest.mark.parametrize(("count", "expected"), [(104_857_600, []), (104_857_601, ["WK602"])])
def test_the_indexs_limit(tmp_path: Path, count: int, expected: list[str]) -> None:
    wheel = replace(wheels.facts(tmp_path, wheels.LINUX), size=count)
    assert [finding.code for finding in size.budget(wheel, Contract())] == expected
    assert list(size.budget(wheel, limited(2 * size.INDEX_LIMIT))) == []


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        ([("a", 300_000), ("a", 300_000)], ["WK605"]),
        ([("a", 300_000), ("b", 300_000)], []),
        ([("a", 90_000), ("a", 90_000), ("a", 90_000)], []),
        ([("a", 120_000), ("a", 120_000), ("b", 3_000_000)], []),  # four in a hundred
        ([("a", 300_000), ("a", 300_000), ("a", 300_000), ("b", 200_000), ("b", 200_000)], ["WK605"]),
    ],
)
def test_large_files_that_are_there_more_than_once(
    tmp_path: Path, sizes: list[tuple[str, int]], expected: list[str]
) -> None:
    noise = {mark: random.Random(mark).randbytes(3_000_000) for mark in "ab"}  # noqa: S311 - what does not pack
    members = {f"demo/lib.so.{number}": noise[mark][:count] for number, (mark, count) in enumerate(sizes)}
    findings = list(size.copies(wheels.facts(tmp_path, wheels.LINUX, members=members), Contract()))
    assert [finding.code for finding in findings] == expected
    if len(sizes) == 5:
        assert findings[0].what == (
            "800 kB of the wheel are copies: demo/lib.so.0 is also demo/lib.so.1 (and 1 other); "
            "1 more file has copies"
        )


@pytest.mark.parametrize(("debug", "expected"), [(400_000, ["WK603"]), (100_000, [])])
def test_what_could_be_stripped(tmp_path: Path, debug: int, expected: list[str]) -> None:
    member = "demo/_core.cpython-311-x86_64-linux-gnu.so"
    wheel = wheels.facts(
        tmp_path, wheels.LINUX, wheels.elf(member, debug_bytes=debug), members={member: bytes(1_000_000)}
    )
    assert [finding.code for finding in size.strippable(wheel, Contract())] == expected
