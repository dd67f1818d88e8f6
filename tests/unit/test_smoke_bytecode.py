"""Bytecode goes from one environment to the next only where the source is the very same file."""

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
from wheelkit.matrix import Interpreter
from wheelkit.smoke.bytecode import Bytecode
from wheelkit.smoke.environments import own_folder, remove
from wheelkit.smoke.shelf import BytecodeStore, CompiledFile, user_store

HERE = Python(
    interpreter=Interpreter.parse(f"cp3{sys.version_info[1]}"),
    path=Path(sys.executable),
    version=platform.python_version(),
    headers=False,
)
ANOTHER = replace(HERE, version="3.0.0")


def environment(folder: Path, source: Path, *, linked: bool) -> Path:
    """Make a site-packages with one module: a link to the source, or a copy."""
    folder.mkdir()
    if linked:
        os.link(source, folder / "wk_a.py")
    else:
        (folder / "wk_a.py").write_text(source.read_text())
    return folder


def compiled(site: Path) -> list[Path]:
    return list((site / "__pycache__").glob("wk_a.*.pyc"))


def imported(site: Path) -> str:
    code = (
        f"import sys; sys.path.insert(0, {str(site)!r}); import wk_a; print(wk_a.value, wk_a.__spec__.cached)"
    )
    return subprocess.run(
        [sys.executable, "-I", "-c", code], check=True, capture_output=True, text=True
    ).stdout


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "cached.py"
    path.write_text("value = 1\n")
    os.utime(path, (1_700_000_000, 1_700_000_000))  # an installer's cache is older than the run
    return path


@pytest.fixture
def bytecode(tmp_path: Path, source: Path) -> Bytecode:
    """Learn what a first environment compiled, which is gone then."""
    kept = Bytecode(folder=tmp_path / "kept")
    kept.folder.mkdir()
    first = environment(tmp_path / "first", source, linked=True)
    assert imported(first).startswith("1 ")
    kept.learn(HERE, first)
    for path in compiled(first):
        path.unlink()
    (first / "wk_a.py").unlink()
    return kept


CASES = {
    "the same file": ("linked", HERE),
    "a copy": ("copied", HERE),
    "another interpreter": ("linked", ANOTHER),
}


@pytest.mark.parametrize("case", CASES)
def test_the_same_file_for_the_same_interpreter_alone(
    bytecode: Bytecode, source: Path, tmp_path: Path, case: str
) -> None:
    how, python = CASES[case]
    site = environment(tmp_path / "second", source, linked=how == "linked")
    bytecode.teach(python, site)
    assert bool(compiled(site)) is (case == "the same file")
    assert imported(site).split() == ["1", str(next(iter(compiled(site))))]


def test_a_module_of_the_same_name_and_other_contents_is_compiled_anew(
    bytecode: Bytecode, tmp_path: Path
) -> None:
    other = tmp_path / "other.py"
    other.write_text("value = 2\n")
    site = environment(tmp_path / "second", other, linked=True)
    bytecode.teach(HERE, site)
    assert compiled(site) == []
    assert imported(site).startswith("2 ")


def test_a_run_has_a_folder_of_its_own_at_the_same_place_when_it_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    first, second = own_folder(), own_folder()
    assert first != second
    first.rmdir()
    assert own_folder() == first


def test_a_folder_of_the_run_is_removed_and_what_it_links_to_stays(tmp_path: Path) -> None:
    outside = tmp_path / "outside/file"
    outside.parent.mkdir()
    outside.write_text("")
    room = tmp_path / "room"
    (room / "env/lib").mkdir(parents=True)
    (room / "env/lib64").symlink_to(outside.parent, target_is_directory=True)
    os.link(outside, room / "env/lib/file")
    remove(room)
    remove(room)  # which is gone already
    assert not room.exists()
    assert outside.is_file()


# What stays from run to run.


ROWS = "wk_a.py,sha256=abc,10\nwk_third-1.0.dist-info/RECORD,,\n../../../bin/wk,sha256={},9\n"


def installed(folder: Path, source: Path, *, rows: str = ROWS, linked: bool = True) -> Path:
    """Make a site-packages with a third party of one module; its script names the environment, as installers' do."""
    site = environment(folder, source, linked=linked)
    (site / "wk_third-1.0.dist-info").mkdir()
    (site / "wk_third-1.0.dist-info/RECORD").write_text(rows.format(folder.name))
    return site


def a_run(tmp_path: Path, site: Path, name: str, *, family: frozenset[str] = frozenset()) -> bool:
    """Teach, import and learn as one run of its own does; tells whether there was anything to teach."""
    bytecode = Bytecode(folder=tmp_path / name, family=family, shelf=BytecodeStore(folder=tmp_path / "shelf"))
    bytecode.folder.mkdir()
    bytecode.teach(HERE, site)
    taught = bool(compiled(site))
    imported(site)
    bytecode.learn(HERE, site)
    bytecode.remember()
    return taught


def test_what_third_parties_were_compiled_to_is_there_for_the_next_run(tmp_path: Path, source: Path) -> None:
    assert not a_run(tmp_path, installed(tmp_path / "first", source), "one")
    (pack,) = (tmp_path / "shelf").iterdir()
    before = pack.stat().st_ino
    assert sorted(path.name for path in pack.iterdir()) == ["0", "index"]
    site = installed(tmp_path / "second", source)
    assert a_run(tmp_path, site, "two")
    assert imported(site).startswith("1 ")
    assert pack.stat().st_ino == before


OTHERWISE: dict[str, dict[str, Any]] = {
    "the family's own": {"family": frozenset({"wk-third"})},
    "other contents by RECORD": {"rows": ROWS.replace("abc", "abd")},
    "a copy": {"linked": False},
}


@pytest.mark.parametrize("case", OTHERWISE)
def test_nothing_else_is_taken_from_the_shelf(tmp_path: Path, source: Path, case: str) -> None:
    a_run(tmp_path, installed(tmp_path / "first", source), "one")
    settings = dict(OTHERWISE[case])
    family = settings.pop("family", frozenset())
    assert not a_run(tmp_path, installed(tmp_path / "second", source, **settings), "two", family=family)


def test_a_file_that_is_younger_than_the_run_is_not_kept(tmp_path: Path, source: Path) -> None:
    bytecode = Bytecode(folder=tmp_path / "one", shelf=BytecodeStore(folder=tmp_path / "shelf"))
    bytecode.folder.mkdir()
    site = installed(tmp_path / "first", source, linked=False)
    bytecode.teach(HERE, site)
    imported(site)
    bytecode.learn(HERE, site)
    bytecode.remember()
    assert not (tmp_path / "shelf").exists()


def test_a_source_that_changed_in_place_is_compiled_anew(tmp_path: Path, source: Path) -> None:
    a_run(tmp_path, installed(tmp_path / "first", source), "one")
    source.write_text("value = 2\n")
    os.utime(source, (9, 9))
    site = installed(tmp_path / "second", source)
    assert not a_run(tmp_path, site, "two")
    assert imported(site).startswith("2 ")


def test_what_is_tested_is_never_kept(tmp_path: Path, source: Path) -> None:
    a_run(tmp_path, installed(tmp_path / "first", source), "one", family=frozenset({"wk-third"}))
    assert not (tmp_path / "shelf").exists()


def test_bytecode_that_python_would_not_check_is_not_kept(tmp_path: Path, source: Path) -> None:
    site = installed(tmp_path / "first", source)
    py_compile.compile(str(site / "wk_a.py"), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    assert a_run(tmp_path, site, "one")
    assert not a_run(tmp_path, installed(tmp_path / "second", source), "two")


@pytest.mark.parametrize("file", ["index", "0"])
@pytest.mark.parametrize("damage", [b"", b"short", None])
def test_what_is_damaged_is_as_good_as_none(
    tmp_path: Path, source: Path, damage: bytes | None, file: str
) -> None:
    a_run(tmp_path, installed(tmp_path / "first", source), "one")
    (damaged,) = (tmp_path / "shelf").glob(f"*/{file}")
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"!" if damage is None else damage)
    assert not a_run(tmp_path, installed(tmp_path / "second", source), "two")
    assert a_run(tmp_path, installed(tmp_path / "third", source), "three")


def test_the_shelf_keeps_below_its_limit(tmp_path: Path) -> None:
    shelf = BytecodeStore(folder=tmp_path / "shelf", limit=250)
    (tmp_path / "a.pyc").write_bytes(bytes(50))
    for number in range(4):
        shelf.save("cp311", str(number), {"a": CompiledFile(file=str(tmp_path / "a.pyc"), written=1, size=1)})
        os.utime(tmp_path / f"shelf/cp311-{number}", (number, number))
    shelf.load("cp311", "0")
    shelf.shrink()
    assert sorted(path.name for path in (tmp_path / "shelf").iterdir()) == ["cp311-0", "cp311-3"]


def test_the_environment_may_want_no_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHEELKIT_CACHE_DIR", str(tmp_path))
    monkeypatch.delenv("WHEELKIT_NO_CACHE", raising=False)
    found = user_store()
    assert found is not None
    assert found.folder.is_relative_to(tmp_path)
    monkeypatch.setenv("WHEELKIT_NO_CACHE", "1")
    assert user_store() is None


def test_emptying_the_cache_empties_the_shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHEELKIT_CACHE_DIR", str(tmp_path))
    monkeypatch.delenv("WHEELKIT_NO_CACHE", raising=False)
    found = user_store()
    assert found is not None
    (tmp_path / "a.pyc").write_bytes(b"a")
    found.save("cp311", "x", {"a": CompiledFile(file=str(tmp_path / "a.pyc"), written=1, size=2)})
    (tmp_path / "a.pyc").unlink()
    (kept,) = found.load("cp311", "x").values()
    assert (kept.written, kept.size, Path(kept.file).read_bytes()) == (1, 2, b"a")
    assert main(["clean", "--cache"]) == 0
    assert list(tmp_path.iterdir()) == []
