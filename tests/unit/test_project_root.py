"""Every command works from a folder of the project, and finds the same project there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.setuptools_projects import NATIVE, pyproject
from support.wheels import write_wheel
from wheelkit.__main__ import main
from wheelkit.cli import COMMANDS
from wheelkit.project.root import project_root

PROJECT = pyproject(version="1.2.0")
CONFIGURED = PROJECT + '[tool.wheelkit.matrix]\ntargets = ["win32"]\ninterpreters = ["cp312"]\n'
SETTINGS = "[tool.ruff]\nline-length = 100\n"


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.mark.parametrize(
    ("files", "start", "found"),
    [
        ({"pyproject.toml": CONFIGURED}, "", ""),
        ({"pyproject.toml": CONFIGURED, "src/a/b/x.py": ""}, "src/a/b", ""),
        ({"wheelkit.toml": "", "src/x.py": ""}, "src", ""),
        ({"pyproject.toml": PROJECT, "src/x.py": ""}, "src", ""),
        ({"setup.py": "", "src/x.py": ""}, "src", ""),
        ({"src/x.py": ""}, "src", None),
        # A member belongs to the family, and so does all that is in it.
        (
            {"wheelkit.toml": 'distributions = ["python/*"]', "python/a/pyproject.toml": PROJECT},
            "python/a",
            "",
        ),
        (
            {
                "wheelkit.toml": 'distributions = [".", "python/**"]',
                "python/a/b/setup.py": "",
                "python/a/b/c/x": "",
            },
            "python/a/b/c",
            "",
        ),
        # A project that is no member stands alone, whatever is above it.
        (
            {
                "pyproject.toml": CONFIGURED,
                "tests/sample/pyproject.toml": PROJECT,
                "tests/sample/src/x.py": "",
            },
            "tests/sample/src",
            "tests/sample",
        ),
        (
            {"pyproject.toml": CONFIGURED, "tests/sample/pyproject.toml": CONFIGURED},
            "tests/sample",
            "tests/sample",
        ),
        ({"pyproject.toml": CONFIGURED, "docs/pyproject.toml": SETTINGS}, "docs", ""),
        ({"pyproject.toml": SETTINGS + '# "wheelkit"', "docs/x": ""}, "docs", None),
        # The top of a checkout ends the search.
        ({"pyproject.toml": CONFIGURED, "other/.git/HEAD": "", "other/src/x": ""}, "other/src", None),
        ({"pyproject.toml": CONFIGURED, ".git/HEAD": "", "other/src/x": ""}, "other/src", ""),
        # What cannot be read is reported where it is, not passed over.
        ({"pyproject.toml": CONFIGURED, "bad/pyproject.toml": "wheelkit ="}, "bad", "bad"),
        ({"pyproject.toml": CONFIGURED, "bad/pyproject.toml": "[project"}, "bad", "bad"),
        ({"wheelkit.toml": "distributions = [", "src/x": ""}, "src", ""),
        ({"wheelkit.toml": 'distributions = ["/etc"]', "a/setup.py": ""}, "a", ""),
        ({"pyproject.toml": 'tool = "wheelkit"', "src/x": ""}, "src", None),
    ],
)
def test_the_project_is_found_upwards(
    files: dict[str, str], start: str, found: str | None, tmp_path: Path
) -> None:
    write(tmp_path, {"top/.git/HEAD": ""})
    write(tmp_path / "top", files)
    expected = None if found is None else tmp_path / "top" / found
    assert project_root(tmp_path / "top" / start) == expected


# The arguments of every command; the dist folder is the project's, as the user writes it from where they are.
ARGUMENTS: dict[str, list[list[str]]] = {
    "plan": [[], ["momentum"], ["--identifiers"], ["--json"]],
    "build": [["--dry-run"], ["--dry-run", "momentum", "--json"]],
    "repair": [["{dist}/none.whl"]],
    "verify-matrix": [["{dist}"], ["{dist}", "--json"]],
    "smoke": [["{dist}/empty"]],
    "publish": [["{dist}", "--to", "nowhere"]],
    "release": [["{dist}", "--until", "nowhere"]],
    "fetch-dist": [["--from", "nowhere"]],
    "version": [["show"], ["check"], ["bump", "patch", "--dry-run"]],
    "ci": [["--check"], ["--matrix"]],
    "doctor": [["--offline"]],
    "inspect": [["{dist}/none.whl"]],
    "explain": [["WK801"]],
    "clean": [[]],
}
CASES = [(name, arguments) for name, listed in ARGUMENTS.items() for arguments in listed]


def test_no_command_is_left_out() -> None:
    assert ARGUMENTS.keys() | {"init"} == set(COMMANDS)


@pytest.mark.parametrize(("name", "arguments"), CASES, ids=str)
def test_a_command_does_the_same_in_a_folder_of_the_project(
    name: str,
    arguments: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write(tmp_path, {"pyproject.toml": CONFIGURED, "setup.py": NATIVE, "m.c": "", "src/deep/x.py": ""})
    (tmp_path / "dist" / "empty").mkdir(parents=True)
    write_wheel(tmp_path / "dist", "momentum-1.2.0-cp312-cp312-win32.whl")
    outcomes = []
    for folder, dist in (("", "dist"), ("src/deep", "../../dist")):
        monkeypatch.chdir(tmp_path / folder)
        code = main([name, *(argument.format(dist=dist) for argument in arguments)])
        captured = capsys.readouterr()
        text = f"{captured.out}\n{captured.err}".replace("../../dist", "dist")
        text = re.sub(r'\d+\.\d+ s\b|"seconds": [\d.]+', "SECONDS", text)
        text = re.sub(r"[\d.]+ [kMGT]B free|\d{4}-\d\d-\d\d \d\d:\d\d UTC", "NOW", text)  # doctor's facts
        outcomes.append((code, text.replace(f"{tmp_path}/", "")))
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0] == 0 or arguments


def test_what_is_built_goes_to_the_project_and_named_folders_are_those_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import json

    write(tmp_path, {"pyproject.toml": CONFIGURED, "setup.py": NATIVE, "m.c": "", "src/x.py": ""})
    monkeypatch.chdir(tmp_path / "src")
    outs = []
    for option in ([], ["--out", "ready"]):
        assert main(["plan", "--json", *option]) == 0
        outs.append(json.loads(capsys.readouterr().out)["out"])
    assert outs == [str(tmp_path / "dist"), str(tmp_path / "src" / "ready")]


@pytest.mark.parametrize(
    "command",
    [
        ["plan"],
        ["build"],
        ["ci"],
        ["version", "show"],
        ["publish", "dist", "--to", "pypi"],
        ["release", "dist"],
    ],
)
def test_without_a_project_the_hint_is_to_start_one(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(command) == 2
    err = capsys.readouterr().err
    assert f"{tmp_path} has no pyproject.toml" in err
    assert "  start a project there:  wheelkit init\n" in err


def test_init_in_a_folder_of_a_project_asks_which_one_is_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, {"pyproject.toml": PROJECT, "new/x": ""})
    monkeypatch.chdir(tmp_path / "new")
    assert main(["init"]) == 2
    err = capsys.readouterr().err
    assert f"is a folder of the project in {tmp_path}" in err
    assert f"wheelkit init {tmp_path}" in err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "pyproject.toml"]
    assert main(["init", ".", "--name", "other"]) == 0
    assert (tmp_path / "new" / "pyproject.toml").is_file()
