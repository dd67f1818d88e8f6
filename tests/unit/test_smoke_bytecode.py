"""Bytecode goes from one environment to the next only where the source is the very same file."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from wheelkit.smoke.bytecode import Bytecode
from wheelkit.smoke.run import own_folder

HERE = Path(sys.executable)


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
    code = f"import sys; sys.path.insert(0, {str(site)!r}); import wk_a; print(wk_a.value, wk_a.__spec__.cached)"
    return subprocess.run([sys.executable, "-I", "-c", code], check=True, capture_output=True, text=True).stdout


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "cached.py"
    path.write_text("value = 1\n")
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


CASES = {"the same file": ("linked", HERE), "a copy": ("copied", HERE), "another interpreter": ("linked", Path("/another/python"))}


@pytest.mark.parametrize("case", CASES)
def test_the_same_file_for_the_same_interpreter_alone(bytecode: Bytecode, source: Path, tmp_path: Path, case: str) -> None:
    how, python = CASES[case]
    site = environment(tmp_path / "second", source, linked=how == "linked")
    bytecode.teach(python, site)
    assert bool(compiled(site)) is (case == "the same file")
    assert imported(site).split() == ["1", str(next(iter(compiled(site))))]


def test_a_module_of_the_same_name_and_other_contents_is_compiled_anew(bytecode: Bytecode, tmp_path: Path) -> None:
    other = tmp_path / "other.py"
    other.write_text("value = 2\n")
    site = environment(tmp_path / "second", other, linked=True)
    bytecode.teach(HERE, site)
    assert compiled(site) == []
    assert imported(site).startswith("2 ")


def test_a_run_has_a_folder_of_its_own_at_the_same_place_when_it_is_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    first, second = own_folder(), own_folder()
    assert first != second
    first.rmdir()
    assert own_folder() == first
