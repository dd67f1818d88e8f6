"""How programs are found and started on Windows; what cmd.exe makes of it is for the integration tests."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from wheelkit.command_lines import CommandLineError
from wheelkit.machine.windows import arguments, find_program

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    for name in ("Scripts/tool.exe", "Scripts/shim.cmd", "other/tool.bat", "other/only.com", "here/own.exe"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    path = os.pathsep.join([str(tmp_path / "Scripts"), "", f'"{tmp_path / "other"}"'])
    return {"PATH": path, "PATHEXT": ".com;.exe;.bat;.cmd", "COMSPEC": "C:\\cmd.exe"}


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("tool", "Scripts/tool.exe"),
        ("tool.exe", "Scripts/tool.exe"),
        ("tool.bat", "other/tool.bat"),
        ("only", "other/only.com"),
        ("shim", "Scripts/shim.cmd"),
        ("own", None),
        ("./own", "here/own.exe"),
        ("./tool", None),
        ("../other/only.com", "here/../other/only.com"),
        ("absent", None),
    ],
)
def test_the_first_folder_of_path_wins_and_the_current_one_is_not_in_it(
    tmp_path: Path,
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    file: str | None,
) -> None:
    monkeypatch.chdir(tmp_path / "here")
    found = find_program(name, environment, tmp_path / "here")
    assert found == (None if file is None else str(tmp_path / file))


def test_a_program_gets_its_arguments_and_a_batch_file_the_line_of_cmd(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    program, batch = tmp_path / "Scripts/tool.exe", tmp_path / "Scripts/shim.cmd"
    assert arguments(("tool", 'a "b"'), environment, None) == (str(program), 'a "b"')
    assert arguments(("shim", "a&b"), environment, None) == (
        f'"C:\\cmd.exe" /d /e:on /v:off /s /c ""{batch}" "a&b""'
    )


def test_what_cannot_be_started_raises(environment: dict[str, str]) -> None:
    with pytest.raises(FileNotFoundError):
        arguments(("absent",), environment, None)
    with pytest.raises(CommandLineError):
        arguments(("shim", "a\nb"), environment, None)
