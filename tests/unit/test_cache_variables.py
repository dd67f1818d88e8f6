from __future__ import annotations

from pathlib import Path

import pytest

from support.rows import rows
from wheelkit.builders.cache.variables import installer_settings, relevant_variables


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@rows(
    "name",
    [
        "CC",
        "CFLAGS",
        "LDFLAGS",
        "CIBW_BEFORE_BUILD",
        "SOURCE_DATE_EPOCH",
        "PKG_CONFIG_PATH",
        "UV_CONSTRAINT",
        "SETUPTOOLS_SCM_PRETEND_VERSION",
    ],
)
def test_variables_that_reach_a_build_decide(name: str) -> None:
    assert relevant_variables({name: "one"}) != relevant_variables({name: "two"}) != relevant_variables({})
    assert "one" not in str(relevant_variables({name: "one"}))


@pytest.mark.parametrize(
    "name", ["HOME", "TERM", "UV_PUBLISH_TOKEN", "PIP_CACHE_DIR", "GITHUB_RUN_ID", "PATH"]
)
def test_other_variables_do_not(name: str) -> None:
    assert relevant_variables({name: "one"}) == {}


def test_variables_that_the_users_options_name_decide() -> None:
    environ = {"CIBW_ENVIRONMENT": 'TOKEN="$MINE"', "MINE": "1", "PASSED": "1", "OTHER": "1"}
    assert set(relevant_variables(environ, ["PASSED"])) == {
        "variable CIBW_ENVIRONMENT",
        "variable MINE",
        "variable PASSED",
    }
    assert relevant_variables(environ) != relevant_variables({**environ, "MINE": "2"})


def test_files_and_folders_that_variables_name_decide(tmp_path: Path) -> None:
    write(tmp_path, {"constraints.txt": "a==1", "include/a.h": "1"})
    environ = {"PIP_CONSTRAINT": str(tmp_path / "constraints.txt"), "CFLAGS": f"-O2 -I{tmp_path / 'include'}"}
    first = relevant_variables(environ)
    (tmp_path / "constraints.txt").write_text("a==2")
    second = relevant_variables(environ)
    assert first["variable PIP_CONSTRAINT"] != second["variable PIP_CONSTRAINT"]
    assert first["variable CFLAGS"] == second["variable CFLAGS"]
    write(tmp_path, {"include/b.h": "1"})
    assert relevant_variables(environ)["variable CFLAGS"] != second["variable CFLAGS"]


def test_settings_of_the_installers_decide(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path / "home")}
    folder = write(tmp_path / "project", {"pyproject.toml": "[project]\nname = 'x'\n"})
    before = installer_settings(environ, folder)
    write(tmp_path, {"home/.config/uv/uv.toml": "", "uv.toml": "", "project/pyproject.toml": "[tool.uv]\n"})
    news = installer_settings(environ, folder).keys() - before.keys()
    assert news == {"settings ~/.config/uv/uv.toml", "settings ../uv.toml", "settings pyproject.toml"}
