"""Where installers put the files of a wheel, and what can be imported from there."""

from pathlib import Path

import pytest

from support import wheels
from wheelkit.analysis.installed import importable_modules, installed_path, top_level_names
from wheelkit.wheel import Wheel, read


def wheel_with(folder: Path, *names: str) -> Wheel:
    return read(wheels.write_wheel(folder, wheels.PURE, members=dict.fromkeys(names, ""), package=False))


@pytest.mark.parametrize(
    ("member", "expected"),
    [
        ("demo/a.py", "demo/a.py"),
        ("demo-1.0.data/purelib/demo/a.py", "demo/a.py"),
        ("demo-1.0.data/platlib/a.so", "a.so"),
        ("demo-1.0.data/scripts/demo", "demo-1.0.data/scripts/demo"),
        ("demo-1.0.data/purelib/", "demo-1.0.data/purelib/"),
        ("purelib/a.py", "purelib/a.py"),
    ],
)
def test_installed_paths(member: str, expected: str) -> None:
    assert installed_path(member) == expected


def test_top_level_names(tmp_path: Path) -> None:
    wheel = wheel_with(
        tmp_path, "demo/a.py", "one.py", "_c.abi3.so", "README.md", ".tox/x", "x.data/purelib/two.py"
    )
    assert {name: top for name, top in top_level_names(wheel).items() if "dist-info" not in name} == {
        "demo": "demo/",
        "one": "one.py",
        "_c": "_c.abi3.so",
        ".tox": ".tox/",
        "two": "two.py",
    }


def test_importable_modules(tmp_path: Path) -> None:
    wheel = wheel_with(
        tmp_path, "demo/__init__.py", "demo/_c.abi3.so", "one.py", "x.data/platlib/two.pyd", "a.txt"
    )
    assert sorted(importable_modules(wheel)) == ["demo", "demo._c", "one", "two"]
