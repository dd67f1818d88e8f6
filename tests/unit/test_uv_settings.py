"""pip's variables as uv's: which, and that uv itself reads what is made of them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from support.rows import rows
from support.wheels import write_wheel
from wheelkit.machine import uv_settings
from wheelkit.machine.process import Command, find_tool

INDEX = "https://user:secret@packages.example.org/simple/"


@rows(
    ("environ", "wanted"),
    [
        ({}, {}),
        ({"PIP_INDEX_URL": INDEX}, {"UV_DEFAULT_INDEX": INDEX}),
        ({"PIP_INDEX_URL": INDEX, "UV_DEFAULT_INDEX": "https://b"}, {}),
        ({"PIP_INDEX_URL": INDEX, "UV_INDEX_URL": "https://b"}, {}),
        ({"PIP_INDEX_URL": "  "}, {}),
        ({"PIP_EXTRA_INDEX_URL": "https://a https://b"}, {"UV_EXTRA_INDEX_URL": "https://a https://b"}),
        ({"PIP_EXTRA_INDEX_URL": "https://a", "UV_INDEX": "b=https://b"}, {}),
        ({"PIP_FIND_LINKS": "https://a/links /"}, {"UV_FIND_LINKS": "https://a/links,/"}),
        ({"PIP_FIND_LINKS": "/no/such/folder"}, {}),
        ({"PIP_CERT": "/ca.pem"}, {"SSL_CERT_FILE": "/ca.pem"}),
        ({"PIP_CERT": "/ca.pem", "SSL_CERT_FILE": "/other.pem"}, {}),
        ({"PIP_TRUSTED_HOST": "a b:8080"}, {"UV_INSECURE_HOST": "a b:8080"}),
        ({"PIP_PRE": "1"}, {"UV_PRERELEASE": "allow"}),
        ({"PIP_PRE": "0"}, {}),
        ({"PIP_CONSTRAINT": "/c"}, {"UV_CONSTRAINT": "/c", "UV_BUILD_CONSTRAINT": "/c"}),
        ({"PIP_BUILD_CONSTRAINT": "/b"}, {"UV_BUILD_CONSTRAINT": "/b"}),
        (
            {"PIP_CONSTRAINT": "/c", "PIP_BUILD_CONSTRAINT": "/b"},
            {"UV_CONSTRAINT": "/c", "UV_BUILD_CONSTRAINT": "/b"},
        ),
        ({"PIP_CONSTRAINT": "/c", "UV_CONSTRAINT": "/u"}, {"UV_BUILD_CONSTRAINT": "/c"}),
    ],
)
def test_what_pip_is_told_uv_is_told(environ: dict[str, str], wanted: dict[str, str]) -> None:
    assert uv_settings.variables(environ) == wanted


def test_constraints_are_found_from_any_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert uv_settings.variables({"PIP_CONSTRAINT": "c.txt"})["UV_CONSTRAINT"] == str(tmp_path / "c.txt")


@rows(("value", "wanted"), [("1", ("--no-index",)), ("true", ("--no-index",)), ("0", ()), ("", ())])
def test_without_an_index_uv_gets_an_option(value: str, wanted: tuple[str, ...]) -> None:
    assert uv_settings.options({"PIP_NO_INDEX": value}) == wanted
    assert uv_settings.options({"PIP_NO_INDEX": value, "UV_DEFAULT_INDEX": INDEX}) == ()


def test_a_password_is_in_no_line_that_is_shown() -> None:
    command = Command(argv=("uv", "build"), env=uv_settings.variables({"PIP_INDEX_URL": INDEX}))
    assert "secret" not in f"{command}{command.script()}"
    assert "https://***@packages.example.org/simple/" in str(command)
    assert command.environment()["UV_DEFAULT_INDEX"] == INDEX


@pytest.mark.parametrize("allowed", [True, False])
def test_uv_obeys_the_constraint_and_the_folder_that_pip_was_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, allowed: bool
) -> None:
    """Nothing is downloaded: the only index is a folder."""
    wheel = write_wheel(tmp_path, "demo-1.0-py3-none-any.whl", members={"demo.py": b""})
    (tmp_path / "c.txt").write_text("demo==1.0\n" if allowed else "demo==2.0\n")
    environ = {"PIP_FIND_LINKS": str(wheel.parent), "PIP_CONSTRAINT": "c.txt", "PIP_NO_INDEX": "1"}
    monkeypatch.chdir(tmp_path)
    command = [find_tool("uv"), "pip", "install", "--dry-run", "--target", str(tmp_path / "t"), "demo"]
    env = {**os.environ, **uv_settings.variables(environ)}
    done = subprocess.run(
        [*command, *uv_settings.options(environ)], env=env, capture_output=True, text=True, check=False
    )
    assert (done.returncode == 0) is allowed, done.stderr
    assert "demo" in done.stderr
