"""Which bytes decide: the sources, the environment, and what they name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from support.command import git_commit
from wheelkit.builders.cache.listing import list_sources
from wheelkit.machine.git import Repository, TreeState
from wheelkit.project import read

MESON = (
    '[build-system]\nbuild-backend = "mesonpy"\nrequires = ["meson-python"]\n'
    '[project]\nname = "demo"\nversion = "1.0"\n'
)
HATCH = MESON.replace("mesonpy", "hatchling.build")


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def listed(folder: Path, *, out: str = "dist") -> dict[str, str]:
    return list_sources(
        read.read(folder), Repository(folder=folder).start_status().wait(), (folder / out,)
    ).files


@pytest.fixture(params=[MESON, HATCH], ids=["meson", "hatchling"])
def demo(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return a project under git with one source."""
    folder = write(
        tmp_path / "demo", {"pyproject.toml": request.param, "src/a.c": "int a;", ".gitignore": "ignored/\n"}
    )
    git_commit(folder)
    return folder


def test_bytes_names_and_the_executable_bit_decide(demo: Path) -> None:
    first = listed(demo)
    assert {"pyproject.toml", "src/a.c"} <= first.keys()
    source = demo / "src" / "a.c"
    status = source.stat()
    source.write_text("int b;")
    os.utime(source, ns=(status.st_atime_ns, status.st_mtime_ns))  # as long, and by its times the same
    second = listed(demo)
    assert {name for name in first if first[name] != second[name]} == {"src/a.c"}
    source.write_text("int a;")
    assert listed(demo) == first
    source.chmod(0o755)
    assert listed(demo) != first
    source.chmod(0o644)
    source.rename(demo / "src" / "b.c")
    assert "src/a.c" not in listed(demo)


def test_a_commit_alone_changes_nothing(demo: Path) -> None:
    (demo / "src" / "new.c").write_text("int n;")
    before = listed(demo)
    assert "src/new.c" in before
    git_commit(demo)
    assert listed(demo) == before


def test_what_builds_and_tools_leave_is_no_source(demo: Path) -> None:
    before = listed(demo)
    leftovers = [
        "dist/x.whl",
        "build/x.o",
        "__pycache__/x.pyc",
        "demo.egg-info/PKG-INFO",
        ".venv/bin/python",
        "src/__pycache__/x.pyc",
    ]
    write(demo, dict.fromkeys(leftovers, "x"))
    write(demo, {"wheels/x.whl": "x"})
    assert listed(demo, out="wheels") == before
    assert listed(demo).keys() - before.keys() == {"wheels/x.whl"}


def test_a_backend_that_may_pack_what_git_ignores_counts_it(tmp_path: Path) -> None:
    for backend, counts in ((MESON, False), (HATCH, True)):
        folder = write(tmp_path / backend[40:50], {"pyproject.toml": backend, ".gitignore": "ignored/\n"})
        git_commit(folder)
        write(
            folder,
            {
                "ignored/generated.c": "x",
                "env/pyvenv.cfg": "",
                "env/lib.py": "",
                "target/CACHEDIR.TAG": "",
                "target/x": "",
            },
        )
        assert ("ignored/generated.c" in listed(folder)) is counts
        assert not counts or "env/lib.py" not in listed(folder)
        assert not counts or "target/x" not in listed(folder)


def test_without_version_control_all_files_count(tmp_path: Path) -> None:
    folder = write(tmp_path / "demo", {"pyproject.toml": MESON, "src/a.c": "int a;", "dist/a.whl": "x"})
    assert set(listed(folder)) == {"pyproject.toml", "src/a.c"}


def test_a_link_counts_with_what_it_leads_to(demo: Path, tmp_path: Path) -> None:
    write(tmp_path / "outside", {"x.h": "1", "deep/y.h": "1"})
    (demo / "x.h").symlink_to(tmp_path / "outside" / "x.h")
    (demo / "folder").symlink_to(tmp_path / "outside")
    first = listed(demo)
    (tmp_path / "outside" / "deep" / "y.h").write_text("2")
    second = listed(demo)
    assert {name for name in first if first[name] != second[name]} == {"folder"}
    (tmp_path / "outside" / "x.h").write_text("2")
    assert listed(demo)["x.h"] != second["x.h"]


def test_files_outside_the_project_count_where_it_names_them(demo: Path) -> None:
    write(demo.parent, {"README.md": "one", "shared/lib.h": "one", "other.md": "one"})
    text = (demo / "pyproject.toml").read_text()
    (demo / "pyproject.toml").write_text(
        f'{text}readme = "../README.md"\n[tool.x]\ninclude = ["../shared"]\n'
    )
    first = listed(demo)
    assert {"../README.md", "../shared"} <= first.keys()
    write(demo.parent, {"README.md": "two", "shared/lib.h": "two"})
    second = listed(demo)
    assert {name for name in first if first[name] != second[name]} == {"../README.md", "../shared"}


def test_versions_out_of_version_control_depend_on_it(tmp_path: Path) -> None:
    plain = write(tmp_path / "plain", {"pyproject.toml": MESON})
    scm = MESON.replace('version = "1.0"', 'dynamic = ["version"]').replace(
        "mesonpy", "setuptools.build_meta"
    )
    dynamic = write(tmp_path / "dynamic", {"pyproject.toml": scm})
    script = write(
        tmp_path / "script", {"pyproject.toml": MESON, "meson.build": "meson.add_dist_script('stamp.sh')"}
    )
    asks = [
        list_sources(read.read(one), TreeState(folder=one)).depends_on_git for one in (plain, dynamic, script)
    ]
    assert asks == [False, True, True]
