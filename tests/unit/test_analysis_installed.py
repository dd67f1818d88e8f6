"""Where installers put the files of a wheel, and what can be imported from there."""

from pathlib import Path

import pytest

from support import wheels
from support.rows import rows
from wheelkit.analysis.installed import (
    Environment,
    InstalledFile,
    Installer,
    Origin,
    final_files,
    importable_modules,
    installed_files,
    installed_path,
    posix_environment,
    script_names,
    top_level_names,
    windows_environment,
)
from wheelkit.analysis.refusals import refusals
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


DATA = "demo-1.0.data"
SITE = "lib/python3.12/site-packages"
ORDER = [
    f"{DATA}/scripts/run", f"{DATA}/data/share/x", f"{DATA}/purelib/demo/p.py", "demo/a.py",
    f"{DATA}/headers/demo.h", f"{DATA}/data/lib64/python3.12/site-packages/q.py", f"{DATA}/scripts/tool.exe",
]  # fmt: skip
WRITTEN = {
    f"{SITE}/demo/a.py": "demo/a.py",
    "share/x": f"{DATA}/data/share/x",
    f"{SITE}/demo/p.py": f"{DATA}/purelib/demo/p.py",
    "include/site/python3.12/demo/demo.h": f"{DATA}/headers/demo.h",
    f"{SITE}/q.py": f"{DATA}/data/lib64/python3.12/site-packages/q.py",
    "bin/run": f"{DATA}/scripts/run",
    "bin/tool": "",
}


def with_tool(folder: Path, *names: str) -> Wheel:
    members = {**dict.fromkeys(names, "x"), "{info}/entry_points.txt": "[console_scripts]\ntool = demo:a\n"}
    return read(wheels.write_wheel(folder, wheels.PURE, members=members, package=False))


def written(wheel: Wheel, environment: Environment, installer: Installer) -> list[InstalledFile]:
    files = installed_files(wheel, environment, installer)
    return [file for file in files if ".dist-info/" not in file.path]


def test_where_and_in_which_order_installers_write(tmp_path: Path) -> None:
    wheel = with_tool(tmp_path, *ORDER)
    pip = written(wheel, posix_environment("3.12"), Installer.PIP)
    assert {file.path: file.member for file in pip} == WRITTEN
    assert [file.path for file in pip] == list(WRITTEN)
    assert [file.step for file in pip] == sorted({file.step for file in pip})
    uv = written(wheel, posix_environment("3.12"), Installer.UV)
    assert {file.path: file.member for file in uv} == WRITTEN
    steps = {file.path: file.step for file in uv}
    assert steps[f"{SITE}/demo/a.py"] < steps["bin/tool"] < steps["bin/run"] == steps["share/x"]


def test_an_environment_of_windows(tmp_path: Path) -> None:
    wheel = with_tool(tmp_path, "demo/a.py", f"{DATA}/scripts/run", f"{DATA}/headers/demo.h")
    assert [file.path for file in written(wheel, windows_environment("3.12"), Installer.PIP)] == [
        "Lib/site-packages/demo/a.py",
        "Include/site/python3.12/demo/demo.h",
        "Scripts/run",
        "Scripts/tool.exe",
    ]


def test_what_is_there_at_the_end(tmp_path: Path) -> None:
    wheel = with_tool(tmp_path, f"{DATA}/scripts/run", f"{DATA}/data/bin/run", f"{DATA}/data/bin/tool")
    environment = posix_environment()
    kept = {one: final_files(installed_files(wheel, environment, one)) for one in Installer}
    assert [file.member for file in kept[Installer.PIP]["bin/run"]] == [f"{DATA}/scripts/run"]
    assert [file.origin for file in kept[Installer.PIP]["bin/tool"]] == [Origin.ENTRY_POINT]
    assert {file.member for file in kept[Installer.UV]["bin/run"]} == {
        f"{DATA}/scripts/run",
        f"{DATA}/data/bin/run",
    }
    assert [file.member for file in kept[Installer.UV]["bin/tool"]] == [f"{DATA}/data/bin/tool"]


@rows(
    ("name", "pip", "uv"),
    [
        ("demo/a.py", False, False),
        (f"{DATA}/purelib/a.py", False, False),
        (f"{DATA}/etc/a", True, True),
        ("other-1.0.data/etc/a", True, False),
        (f"{DATA}/README", True, True),
        ("demo.data", True, False),
        (f"{DATA}/scripts/sub/run", False, True),
        (f"{DATA}/scripts/tool/run", True, False),
        ("other-1.0.dist-info", True, False),
        ("other-1.0.dist-info/METADATA", True, True),
        (f"{DATA}/scripts/python3.13t", False, True),
        (f"{DATA}/data/bin/PYTHON.exe", False, True),
        (f"{DATA}/data/share/python", False, False),
        (f"{DATA}/scripts/python3.x", False, False),
    ],
)
def test_what_installers_refuse(tmp_path: Path, name: str, *, pip: bool, uv: bool) -> None:
    wheel = with_tool(tmp_path, "demo/b.py", name)
    found = {installer: [*refusals(wheel, posix_environment(), installer)] for installer in Installer}
    assert (bool(found[Installer.PIP]), bool(found[Installer.UV])) == (pip, uv)


def test_scripts_of_pip_have_the_version_of_the_interpreter(tmp_path: Path) -> None:
    text = "[console_scripts]\npip = pip:main\npip3 = pip:main\npip3.9 = pip:main\n"
    wheel = read(wheels.write_wheel(tmp_path, wheels.PURE, members={"{info}/entry_points.txt": text}))
    for installer in Installer:
        names = [name for name, _ in script_names(wheel, posix_environment("3.12"), installer)]
        assert sorted(names) == ["pip", "pip3", "pip3.12"]
