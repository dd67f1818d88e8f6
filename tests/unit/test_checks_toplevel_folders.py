from pathlib import Path

import pytest

from support import wheels
from wheelkit.verification.checks import toplevel
from wheelkit.verification.contract import Contract
from wheelkit.wheel import read


def codes(folder: Path, *names: str) -> list[str]:
    wheel = read(wheels.write_wheel(folder, members=dict.fromkeys(names, "x")))
    return [
        finding.code for check in (toplevel.dist_info, toplevel.data) for finding in check(wheel, Contract())
    ]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("demo-0.9.dist-info/METADATA", ["WK209"]),
        ("demo/demo-0.9.dist-info/METADATA", []),
        ("demo-1.0.data/scripts/demo", []),
        ("demo-1.0.data/purelib/demo.py", []),
        ("demo-1.0.data/etc/demo", ["WK210"]),
        ("demo-1.1.data/scripts/demo", ["WK210"]),
        ("demo.data/scripts/demo", ["WK210"]),
        ("demo/x.data/scripts/demo", []),
    ],
)
def test_folders(tmp_path: Path, name: str, expected: list[str]) -> None:
    assert codes(tmp_path, name) == expected
