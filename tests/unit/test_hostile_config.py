"""A configuration may say anything: it is read, or every mistake is reported in one safe message."""

from __future__ import annotations

from functools import reduce
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support.hostile import TEXTS, require_harmless
from support.rows import rows
from wheelkit import config, matrix
from wheelkit.cli.output import show_error
from wheelkit.command_line import main
from wheelkit.config import Config
from wheelkit.config.keys import ROOT
from wheelkit.config.readers import Named, Table
from wheelkit.errors import ConfigError

Capture = pytest.CaptureFixture[str]
# The fixtures only capture the output and name a file, which each example replaces.
relaxed = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
# TOML holds no lone surrogates.
TEXTS_OF_TOML = [text.translate({0xD800: None, 0xDC80: None}) for text in TEXTS.values()]
TEXT = st.sampled_from(TEXTS_OF_TOML) | st.text(st.characters(codec="utf-8"), max_size=20)
SCALAR = TEXT | st.booleans() | st.integers() | st.floats() | st.datetimes() | st.dates() | st.times()
VALUE = st.recursive(
    SCALAR,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)


def keys_of(reader: object, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """Return the paths of all keys of the configuration, with a name where the user chooses it."""
    if isinstance(reader, Table):
        return [path, *(one for key, child in reader.keys.items() for one in keys_of(child, (*path, key)))]
    if isinstance(reader, Named):
        return [path, *keys_of(reader.entry, (*path, "demo"))]
    return [path]


KEYS = [key for key in keys_of(ROOT) if key]


def at(key: tuple[str, ...], value: object) -> dict[str, Any]:
    """Return a document with a value at a key."""
    return {key[0]: reduce(lambda inner, part: {part: inner}, reversed(key[1:]), value)}


def read(path: Path, capsys: Capture) -> Config | None:
    """Read a configuration; check what is printed of its mistakes, and return None for those."""
    try:
        return config.load_file(path, validators=(matrix.validate,))
    except ConfigError as error:
        show_error(error.message, detail=error.detail, hint=error.hint)
        printed = capsys.readouterr().err
        require_harmless(printed)
        assert len(printed) < 200_000
        return None


@relaxed
@given(data=st.binary(max_size=200) | st.text(max_size=100).map(lambda text: text.encode("utf-8", "replace")))
def test_bytes(data: bytes, tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "wheelkit.toml"
    path.write_bytes(data)
    read(path, capsys)


@relaxed
@given(key=st.sampled_from(KEYS), value=VALUE)
def test_any_value_at_any_key(key: tuple[str, ...], value: object, tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "wheelkit.toml"
    try:
        path.write_text(tomlkit.dumps(at(key, value)), encoding="utf-8", newline="")
    except (ValueError, TypeError):
        return  # tomlkit writes no list of both tables and values
    read(path, capsys)


@relaxed
@given(document=st.dictionaries(TEXT | st.sampled_from(list(ROOT.keys)), VALUE, max_size=4))
def test_documents(document: dict[str, Any], tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "pyproject.toml"
    try:
        path.write_text(tomlkit.dumps({"tool": {"wheelkit": document}}), encoding="utf-8", newline="")
    except (ValueError, TypeError):
        return
    read(path, capsys)


@rows(
    "text",
    [
        "a = " + "[" * 100_000,
        "a = " + "{a=" * 100_000,
        "a." * 50_000 + "a = 1",
        "[" + "a." * 50_000 + "a]",
        f"a = {'9' * 5000}",
        f"a = 0x{'f' * 5000}",
        "a = 1e999",
        "a = nan",
        "a = 9999-12-31T23:59:59-23:59",
        "a = 0001-01-01T00:00:00+23:59",
        "[distribution.demo]\nmax-size = 1e400",
        "[distribution.demo]\nmax-size = inf",
        "[distribution.demo]\nmax-size = nan",
        "[distribution.demo]\nmax-size = '²² MB'",
        "[index.x]\nupload = 'http://[bad/'\nsimple = 'http://h:99999/'",
        "[index.x]\nupload = 'https://h/'\nsimple = 'https://h/'\nlag = '² s'",
        "[matrix]\ntargets = ['manylinux_²_28_x86_64', 'macosx_99999999999999999999_0_arm64']",
        f"[matrix]\ninterpreters = ['cp3{'1' * 5000}', 'cp³11', 'cp']",
        "distributions = ['**', '[', '***', 'a/../b']",
        "'a\u202eb' = 1",
        '"\\u001b[2J" = "\\u001b]0;x\\u0007"',
    ],
)
def test_odd_documents(text: str, tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CIBW_CONTAINER_ENGINE", "none")
    (tmp_path / "wheelkit.toml").write_text(text, encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "demo"\nversion = "1.0"\n')
    assert read(tmp_path / "wheelkit.toml", capsys) is None
    for command in (["plan"], ["verify-matrix", "x.whl"], ["version", "show"]):
        assert main(command) == 2
        require_harmless(capsys.readouterr().err)


def test_the_twin_a_plain_configuration_is_read(tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "wheelkit.toml"
    path.write_text('[matrix]\ntargets = ["manylinux_2_28_x86_64"]\n[distribution.demo]\nmax-size = 1e8\n')
    found = read(path, capsys)
    assert found is not None
    assert found.distribution["demo"].max_size == 100_000_000
