"""Bytecode is reused only for the very same source file, and never for the family's own modules."""

from __future__ import annotations

import os
import platform
import py_compile
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from wheelkit.__main__ import main
from wheelkit.machine.interpreters import Python
from wheelkit.machine.progress import Progress
from wheelkit.machine.workspace import open_workspace
from wheelkit.matrix import Interpreter
from wheelkit.smoke.bytecode_cache import BytecodeCache, open_cache

HERE = Python(
    interpreter=Interpreter.parse(f"cp3{sys.version_info[1]}"),
    path=Path(sys.executable),
    version=platform.python_version(),
    headers=False,
)
OTHER_VERSION = replace(HERE, version="3.0.0")
RECORD = (
    "wk_a.py,sha256=abc,10\nwk_third-1.0.dist-info/RECORD,,\n../../../bin/wk.py,sha256={},9\n/etc/x.py,,\n"
)
METADATA = "Metadata-Version: 2.1\nName: Wk_Third\nVersion: 1.0\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "cached.py"
    path.write_text("value = 1\n")
    os.utime(path, (1_700_000_000, 1_700_000_000))  # an installer's cache is older than the run
    return path


def environment(folder: Path, source: Path, *, record: str = RECORD, linked: bool = True) -> Path:
    """Create an environment with a third-party module, linked to its source or copied; its script names the environment."""
    site = folder / "lib/python3.11/site-packages"
    info = site / "wk_third-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "RECORD").write_text(record.format(folder.name))
    (info / "METADATA").write_text(METADATA)
    if linked:
        os.link(source, site / "wk_a.py")
    else:
        (site / "wk_a.py").write_text(source.read_text())
    return folder


def compiled(venv: Path) -> list[Path]:
    return list(venv.glob("lib/*/site-packages/__pycache__/wk_a.*.pyc"))


def imported(venv: Path) -> str:
    code = (
        f"import sys; sys.path.insert(0, {str(next(venv.glob('lib/*/site-packages')))!r}); "
        "import wk_a; print(wk_a.value, wk_a.__spec__.cached)"
    )
    return subprocess.run(
        [sys.executable, "-I", "-c", code], check=True, capture_output=True, text=True
    ).stdout


def run_once(
    tmp_path: Path, venv: Path, *, python: Python = HERE, family: frozenset[str] = frozenset()
) -> bool:
    """Install, import and collect as a smoke test does; returns whether there was bytecode to install."""
    cache = BytecodeCache(folder=tmp_path / "packs", family=family)
    cache.install(venv, python)
    installed = bool(compiled(venv))
    imported(venv)
    cache.collect(venv, python)
    return installed


def test_bytecode_is_there_for_the_next_environment(tmp_path: Path, source: Path) -> None:
    assert not run_once(tmp_path, environment(tmp_path / "first", source))
    (pack,) = (tmp_path / "packs").iterdir()
    before = pack.stat().st_ino
    venv = environment(tmp_path / "second", source)
    assert run_once(tmp_path, venv)
    assert imported(venv).split() == ["1", str(compiled(venv)[0])]
    assert pack.stat().st_ino == before


OTHERWISE: dict[str, dict[str, Any]] = {
    "another interpreter": {"python": OTHER_VERSION},
    "the family's own": {"family": frozenset({"wk-third"})},
    "other contents by RECORD": {"record": RECORD.replace("abc", "abd")},
    "a copy": {"linked": False},
}


@pytest.mark.parametrize("case", OTHERWISE)
def test_nothing_else_is_installed(tmp_path: Path, source: Path, case: str) -> None:
    run_once(tmp_path, environment(tmp_path / "first", source))
    settings = dict(OTHERWISE[case])
    how = {name: settings.pop(name) for name in ("python", "family") if name in settings}
    assert not run_once(tmp_path, environment(tmp_path / "second", source, **settings), **how)


def test_a_module_of_the_same_name_and_other_contents_is_compiled_anew(tmp_path: Path, source: Path) -> None:
    run_once(tmp_path, environment(tmp_path / "first", source))
    other = tmp_path / "other.py"
    other.write_text("value = 2\n")
    venv = environment(tmp_path / "second", other)
    assert not run_once(tmp_path, venv)
    assert imported(venv).startswith("2 ")


def test_a_source_that_changed_in_place_is_compiled_anew_and_kept(tmp_path: Path, source: Path) -> None:
    run_once(tmp_path, environment(tmp_path / "first", source))
    source.write_text("value = 2\n")
    os.utime(source, (9, 9))
    venv = environment(tmp_path / "second", source)
    assert not run_once(tmp_path, venv)
    assert imported(venv).startswith("2 ")
    assert run_once(tmp_path, environment(tmp_path / "third", source))


def test_a_source_that_is_younger_than_the_run_is_not_kept(tmp_path: Path, source: Path) -> None:
    run_once(tmp_path, environment(tmp_path / "first", source, linked=False))
    assert not (tmp_path / "packs").exists()


def test_the_family_is_never_kept(tmp_path: Path, source: Path) -> None:
    run_once(tmp_path, environment(tmp_path / "first", source), family=frozenset({"wk-third"}))
    assert not (tmp_path / "packs").exists()


def test_bytecode_that_python_would_not_check_is_not_kept(tmp_path: Path, source: Path) -> None:
    venv = environment(tmp_path / "first", source)
    module = next(venv.glob("lib/*/site-packages/wk_a.py"))
    py_compile.compile(str(module), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    assert run_once(tmp_path, venv)
    assert not run_once(tmp_path, environment(tmp_path / "second", source))


@pytest.mark.parametrize("damage", [b"", b"short", None])
def test_a_damaged_pack_is_ignored_and_written_anew(
    tmp_path: Path, source: Path, damage: bytes | None
) -> None:
    run_once(tmp_path, environment(tmp_path / "first", source))
    (pack,) = (tmp_path / "packs").iterdir()
    pack.write_bytes(pack.read_bytes()[:-1] + b"!" if damage is None else damage)
    assert not run_once(tmp_path, environment(tmp_path / "second", source))
    assert run_once(tmp_path, environment(tmp_path / "third", source))


def test_packs_that_were_not_used_for_longest_are_evicted(tmp_path: Path, source: Path) -> None:
    venvs = [
        environment(tmp_path / name, source, record=RECORD.replace("abc", name)) for name in ("a", "b", "c")
    ]
    packs = []
    for age, venv in enumerate(venvs[:2]):
        run_once(tmp_path, venv)
        (pack,) = set((tmp_path / "packs").iterdir()) - set(packs)
        os.utime(pack, (age, age))
        packs.append(pack)
    cache = BytecodeCache(
        folder=tmp_path / "packs", family=frozenset(), limit=packs[0].stat().st_size * 5 // 2
    )
    cache.install(venvs[0], HERE)  # which uses the older one
    imported(venvs[2])
    cache.collect(venvs[2], HERE)
    assert [pack.exists() for pack in packs] == [True, False]


def test_without_a_cache_there_is_one_for_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHEELKIT_CACHE_DIR", str(tmp_path))
    with open_workspace(Progress(), "smoke") as workspace:
        monkeypatch.delenv("WHEELKIT_NO_CACHE", raising=False)
        assert open_cache(frozenset(), workspace).folder.parent == tmp_path
        monkeypatch.setenv("WHEELKIT_NO_CACHE", "1")
        assert open_cache(frozenset(), workspace).folder.parent == workspace.folder


def test_emptying_the_cache_removes_the_packs(
    tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHEELKIT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("WHEELKIT_NO_CACHE", raising=False)
    venv = environment(tmp_path / "first", source)
    imported(venv)
    with open_workspace(Progress(), "smoke") as workspace:
        open_cache(frozenset(), workspace).collect(venv, HERE)
    assert list((tmp_path / "cache").iterdir())
    assert main(["clean", "--cache"]) == 0
    assert list((tmp_path / "cache").iterdir()) == []
