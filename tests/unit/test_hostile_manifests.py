"""A manifest may say anything: every reader ends in one message that is safe to print."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.hostile import BODIES, TEXTS, require_harmless
from support.rows import rows
from support.wheels import PURE, write_wheel
from wheelkit import config, manifest
from wheelkit.cli.output import show_error
from wheelkit.command_line import main
from wheelkit.errors import WheelkitError
from wheelkit.project import family
from wheelkit.publish.release import collect_release

Capture = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch
NAME = f"demo-1.0-any{manifest.SUFFIX}"
PROJECT = '[project]\nname = "demo"\nversion = "1.0"\n'


def honest(wheel: Path) -> dict[str, Any]:
    """Return the manifest of a wheel, as a build writes it."""
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    file = {"file": wheel.name, "sha256": digest, "size": wheel.stat().st_size, "kind": "wheel"}
    facts = {"target": "any", "builder": "pure", "source": "", "commit": "", "created": "2026-01-01T00:00:00"}
    return {
        "schema": 1,
        "distribution": "demo",
        "version": "1.0",
        "dirty": False,
        "tools": {},
        **facts,
        "files": [file],
    }


def _changes() -> dict[str, dict[str, Any]]:
    fields = ("distribution", "version", "target", "builder", "commit", "created")
    texts = {f"{field}: {name}": {field: text} for field in fields for name, text in TEXTS.items()}
    types: dict[str, dict[str, Any]] = {
        f"{field} of another type: {value!r:.20}": {field: value}
        for field in (*fields, "files", "tools", "dirty", "schema")
        for value in (None, 5, [], [[[[]]]], {"a": {}})
    }
    files: dict[str, dict[str, Any]] = {
        f"file: {name}": {"files": [{"file": text, "sha256": text, "size": 1, "kind": text}]}
        for name, text in TEXTS.items()
    }
    sizes = {
        f"size: {size!r:.20}": {"files": [{"file": PURE, "sha256": "0" * 64, "size": size, "kind": "wheel"}]}
        for size in (-1, 10**30, 1.5, "²", None, True)
    }
    unknown = {"an unknown field": {"x": 1}, "no files": {"files": []}, "files twice": {"files": 2}}
    return {**texts, **types, **files, **sizes, **unknown}


CHANGES = _changes()


def dist_of(tmp_path: Path, monkeypatch: Patch) -> Path:
    """Return the dist folder, with a wheel in it, of a project that is the current folder."""
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "dist").mkdir()
    write_wheel(tmp_path / "dist", PURE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CIBW_CONTAINER_ENGINE", "none")
    return tmp_path / "dist"


def ended(call: Callable[[], object], capsys: Capture) -> object:
    """Return the result of a call, or check that the error that it ended in is safe to print."""
    try:
        return call()
    except WheelkitError as error:
        show_error(error.message, detail=error.detail, hint=error.hint)
        require_harmless(capsys.readouterr().err)
        return error


def survived(dist: Path, capsys: Capture) -> None:
    """Let every reader of manifests read the folder; ``clean`` is the last."""
    members = family.discover(config.load(dist.parent))
    ended(lambda: collect_release(dist, members), capsys)
    for command, codes in ((["verify-matrix", "dist"], {0, 1}), (["clean"], {0, 1})):
        assert main(command) in codes
        captured = capsys.readouterr()
        require_harmless(captured.out)
        require_harmless(captured.err)
    assert (dist.parent / "pyproject.toml").read_text() == PROJECT


def test_there_are_enough_manifests() -> None:
    assert len(BODIES) + len(CHANGES) >= 60


@rows("name", BODIES)
def test_a_manifest_that_is_not_one(name: str, tmp_path: Path, monkeypatch: Patch, capsys: Capture) -> None:
    dist = dist_of(tmp_path, monkeypatch)
    (dist / NAME).write_bytes(BODIES[name])
    survived(dist, capsys)
    assert main(["smoke", "dist"]) == 1
    require_harmless(capsys.readouterr().err)
    assert (dist / NAME).exists()


@rows("name", CHANGES, parts=4)
def test_a_manifest_that_says_anything(
    name: str, tmp_path: Path, monkeypatch: Patch, capsys: Capture
) -> None:
    dist = dist_of(tmp_path, monkeypatch)
    document = {**honest(dist / PURE), **CHANGES[name]}
    (dist / NAME).write_text(json.dumps(document))
    survived(dist, capsys)


def test_the_twin_an_honest_manifest_is_a_release(
    tmp_path: Path, monkeypatch: Patch, capsys: Capture
) -> None:
    dist = dist_of(tmp_path, monkeypatch)
    (dist / NAME).write_text(json.dumps(honest(dist / PURE)))
    members = family.discover(config.load(dist.parent))
    assert [file.name for file in collect_release(dist, members).files] == [PURE]
    assert main(["clean"]) == 0
    assert sorted(Path(line).name for line in capsys.readouterr().out.splitlines()) == sorted([NAME, PURE])
