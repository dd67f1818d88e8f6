"""The configuration's files: which one counts, and every way in which a file cannot be read."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from support.rows import rows
from wheelkit.config import Config, Problems, load, load_file
from wheelkit.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    Loader = Callable[[Path], Config]


PROJECT = '[project]\nname = "a"\n'
SECTION = "[tool.wheelkit.publish]\nallow-cross = true\n"
OWN = "[publish]\nallow-cross = true\n"


def mistakes(loader: Loader, path: Path) -> Sequence[str]:
    with pytest.raises(ConfigError) as caught:
        loader(path)
    assert caught.value.exit_code == 2
    return caught.value.problems


def test_a_folder_without_configuration_gives_the_defaults(tmp_path: Path) -> None:
    assert load(tmp_path) == Config(root=tmp_path)
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    assert load(tmp_path) == Config(root=tmp_path)
    assert load(tmp_path).label == str(tmp_path)
    assert load(tmp_path / "absent").source is None
    assert load(tmp_path / "pyproject.toml").source is None


@pytest.mark.parametrize(("name", "text"), [("pyproject.toml", PROJECT + SECTION), ("wheelkit.toml", OWN)])
def test_either_file_is_found_and_can_be_named(tmp_path: Path, name: str, text: str) -> None:
    source = tmp_path / name
    source.write_text(text)
    config = load(tmp_path)
    assert (config.source, config.root, config.publish.allow_cross) == (source, tmp_path, True)
    assert load_file(source) == config
    assert config.label == str(source)
    assert load_file(source, root=tmp_path.parent).root == tmp_path.parent


def test_wheelkit_toml_stands_beside_a_pyproject_without_the_section(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "wheelkit.toml").write_text(OWN)
    assert load(tmp_path).source == tmp_path / "wheelkit.toml"


def test_both_files_are_one_mistake(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.wheelkit]\n")
    (tmp_path / "wheelkit.toml").write_text("")
    problem = "wheelkit.toml and [tool.wheelkit] in pyproject.toml both configure this project"
    assert mistakes(load, tmp_path) == (problem,)
    assert load_file(tmp_path / "wheelkit.toml").source == tmp_path / "wheelkit.toml"


def test_a_key_is_named_as_it_stands_in_its_file(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.wheelkit.publish]\nallow-cross = 1\n")
    assert mistakes(load, tmp_path) == ("tool.wheelkit.publish.allow-cross: expected true or false, got 1",)
    (tmp_path / "pyproject.toml").unlink()
    (tmp_path / "wheelkit.toml").write_text("publish.allow-cross = 1")
    assert mistakes(load, tmp_path) == ("publish.allow-cross: expected true or false, got 1",)


def test_the_section_itself_has_to_be_a_table(tmp_path: Path) -> None:
    source = tmp_path / "pyproject.toml"
    source.write_text("[[tool.wheelkit]]\n")
    assert mistakes(load, tmp_path) == ("tool.wheelkit: expected a table, got a list",)
    source.write_text("tool = 3\n")
    assert mistakes(load, tmp_path) == ("tool: expected a table",)


def test_pyprojects_prefix_in_wheelkit_toml_is_explained(tmp_path: Path) -> None:
    source = tmp_path / "wheelkit.toml"
    source.write_text("[tool.wheelkit.publish]\nallow-cross = 1\n[zzz]\n")
    found = mistakes(load, tmp_path)
    assert found[0] == "tool: keys are at the top level of this file: write [matrix], without tool.wheelkit"
    assert found[1] == "tool.wheelkit.publish.allow-cross: expected true or false, got 1"
    assert found[2].startswith("zzz: unknown key")
    source.write_text("[tool.ruff]\n")
    assert mistakes(load, tmp_path)[0].startswith("tool: unknown key")


@rows(
    ("data", "problem"),
    [
        (b"[matrix\n", "line 1, column 8: Expected ']' at the end of a table declaration"),
        (b"\r\na = 1\r\nb 2\r\n", "line 3, column 3: Expected '=' after a key in a key/value pair"),
        (b"a = 1\nb = '", 'line 2, column 6: Expected "\'"'),
        (b"a = 1\na = 2\n", "line 2, column 6: Cannot overwrite a value"),
        (b"a = 1\n# caf\xe9\n", "line 2: not UTF-8, byte 0xe9 (invalid continuation byte)"),
        ("a = 1".encode("utf-16"), "line 1: not UTF-8, byte 0xff (invalid start byte)"),
        (b"\xef\xbb\xbfa = 1", "line 1: starts with a byte order mark"),
        (b"a = " + b"[" * 20000, "not valid TOML: nested too deeply"),
        (b"a = " + b"9" * 5000, "not valid TOML: Exceeds the limit"),
    ],
)
@rows("name", ["pyproject.toml", "wheelkit.toml"])
def test_what_is_no_toml_is_one_mistake_with_its_position(
    tmp_path: Path, name: str, data: bytes, problem: str
) -> None:
    (tmp_path / name).write_bytes(data)
    (found,) = mistakes(load, tmp_path)
    assert found.startswith(problem)
    assert mistakes(load_file, tmp_path / name) == (found,)


def test_a_deeply_dotted_key_is_a_mistake_like_any_other(tmp_path: Path) -> None:
    (tmp_path / "wheelkit.toml").write_text(".".join("a" * 4000) + " = 1\npublish = 1")
    assert [found.split(":")[0] for found in mistakes(load, tmp_path)] == ["a", "publish"]


def test_what_is_no_file_is_one_mistake(tmp_path: Path) -> None:
    path = tmp_path / "wheelkit.toml"
    path.mkdir()
    assert mistakes(load, tmp_path) == ("a folder, not a file",)
    path.rmdir()
    path.symlink_to("absent.toml")
    assert mistakes(load, tmp_path) == ("a link to a file that does not exist",)
    path.unlink()
    path.symlink_to("wheelkit.toml")
    assert mistakes(load, tmp_path) == ("cannot be read: Too many levels of symbolic links",)
    path.unlink()
    assert load(tmp_path) == Config(root=tmp_path)


@contextmanager
def _ordinary_user(user: int = 65534) -> Iterator[None]:
    """Give up the superuser's right to read everything, where the tests run with it."""
    superuser = os.geteuid() == 0
    if superuser:
        os.seteuid(user)
    try:
        yield
    finally:
        if superuser:
            os.seteuid(0)


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_an_unreadable_file_is_one_mistake(tmp_path: Path) -> None:
    path = tmp_path / "wheelkit.toml"
    path.write_text(OWN)
    assert load(tmp_path).publish.allow_cross
    path.chmod(0)
    with _ordinary_user():
        assert mistakes(load_file, path) == ("cannot be read: Permission denied",)


def test_a_named_file_has_to_exist(tmp_path: Path) -> None:
    assert mistakes(load_file, tmp_path / "absent.toml") == ("the file does not exist",)


def test_a_named_pyproject_needs_no_section(tmp_path: Path) -> None:
    source = tmp_path / "pyproject.toml"
    source.write_text(PROJECT)
    assert load_file(source) == Config(root=tmp_path, source=source)


def test_validators_reach_both_ways_of_loading(tmp_path: Path) -> None:
    def validator(config: Config, problems: Problems) -> None:
        problems.add("publish", f"not here: {config.publish.allow_cross}")

    source = tmp_path / "wheelkit.toml"
    source.write_text(OWN)
    for loader, path in ((load, tmp_path), (load_file, source)):
        with pytest.raises(ConfigError) as caught:
            loader(path, validators=[validator])
        assert caught.value.problems == ("publish: not here: True",)


def test_starting_up_imports_no_library_but_the_one_of_values(tmp_path: Path) -> None:
    (tmp_path / "wheelkit.toml").write_text(OWN)
    program = (
        "import sys, pathlib, wheelkit; before = set(sys.modules);"
        "from wheelkit.config import load; load(pathlib.Path(sys.argv[1]));"
        "new = set(sys.modules) - before; "
        "own = {'wheelkit', 'msgspec', 'typing_extensions', *sys.stdlib_module_names};"
        "print(sorted(name for name in new if name.partition('.')[0] not in own "
        "or name in ('difflib', 'importlib.resources')))"
    )
    command = [
        sys.executable,
        "-I",
        "-c",
        f"import sys; sys.path[:] = {sys.path!r}; {program}",
        str(tmp_path),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
