"""``wheelkit verify-matrix``: its options, where the promises come from, and releases on an index."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

import malformed
from malformed import LINUX
from support.publishing import MemoryClient, answer, listing
from support.rows import rows
from support.wheels import metadata, write_wheel
from wheelkit.command_line import main
from wheelkit.machine import facts
from wheelkit.matrix import System
from wheelkit.publish.client import Response

Capture = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch
MATRIX = '[matrix]\ntargets = ["manylinux_2_31_x86_64", "win_amd64"]\ninterpreters = ["cp311", "cp312"]\n'
INDEX = '[index.here]\nupload = "http://h.invalid/legacy/"\nsimple = "http://h.invalid/simple/"\n'
PROJECT = '[build-system]\nbuild-backend = "mesonpy"\n[project]\nname = "demo"\nversion = "1.0"\n'
MACHINE = facts.Machine(system=System.LINUX, arch="x86_64", libc="manylinux", libc_version=(2, 36))


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: Patch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("wheelkit.machine.facts.detect", lambda **_: MACHINE)
    (tmp_path / "dist").mkdir()
    malformed.valid_wheel(LINUX).write(tmp_path / "dist")
    return tmp_path


def verified(capsys: Capture, *words: str) -> tuple[int, dict[str, Any]]:
    code = main(["verify-matrix", *words, "--json"])
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return code, document


def codes(document: dict[str, Any]) -> list[str]:
    return [finding["code"] for finding in document["findings"]]


def targets(document: dict[str, Any]) -> list[str]:
    return [row["target"] for row in document["matrix"]]


def test_outside_a_project_nothing_is_promised(capsys: Capture) -> None:
    code, document = verified(capsys, "dist")
    assert (code, document["ok"], targets(document)) == (0, True, ["manylinux_2_31_x86_64"])
    assert "WK801" not in codes(document)


def test_promises_without_a_project_are_for_the_wheels(folder: Path, capsys: Capture) -> None:
    """A dist may have been built from the sdist of another project."""
    (folder / "wheelkit.toml").write_text(MATRIX)
    write_wheel(folder / "dist", "tool-2.0-py3-none-any.whl")
    (folder / "dist" / "broken-1.0-py3-none-any.whl").write_bytes(b"no archive")
    code, document = verified(capsys, "dist")
    assert code == 1
    found = [(item["code"], item["distribution"]) for item in document["findings"] if item["code"] == "WK801"]
    assert found == [("WK801", "demo")]
    rows_of = {row["distribution"] for row in document["matrix"]}
    assert {"demo", "tool"} <= rows_of


def test_only_targets_of_this_machine_are_asked_for(folder: Path, capsys: Capture) -> None:
    (folder / "pyproject.toml").write_text(PROJECT)
    (folder / "wheelkit.toml").write_text(MATRIX)
    _, document = verified(capsys, "dist")
    assert {"manylinux_2_31_x86_64", "win_amd64"} <= set(targets(document))
    assert "WK801" in codes(document)
    _, document = verified(capsys, "dist", "--native")
    assert "WK801" not in codes(document)


def test_a_broken_project_is_no_project_of_wheels(folder: Path, capsys: Capture) -> None:
    (folder / "pyproject.toml").write_text("[tool.wheelkit.matrix]\ntargets = ['win_amd64']\n")
    assert main(["verify-matrix", "dist"]) == 2
    assert "pyproject.toml" in capsys.readouterr().err


@rows(("words", "code"), [
    ([], 0), (["--fail-on", "warning"], 1), (["--strict"], 1), (["--fail-on", "note"], 1),
    (["--fail-on", "error"], 0),
    (["--strict", "--fail-on", "warning"], 1),
])  # fmt: skip
def test_what_fails(words: list[str], code: int, tmp_path: Path, monkeypatch: Patch, capsys: Capture) -> None:
    monkeypatch.chdir(tmp_path)
    malformed.valid_wheel(LINUX).write(tmp_path)
    (tmp_path / LINUX).rename(tmp_path / LINUX.replace("1.0", "1.00"))
    assert main(["verify-matrix", ".", *words]) == code, capsys.readouterr()


@rows(("words", "message"), [
    ([], "nothing to verify"),
    (["dist", "--strict", "--fail-on", "note"], "--strict and --fail-on note contradict each other"),
    (["dist", "--strict", "--fail-on", "error"], "--strict and --fail-on error contradict each other"),
])  # fmt: skip
def test_options_that_mean_nothing(words: list[str], message: str, capsys: Capture) -> None:
    assert main(["verify-matrix", *words]) == 2
    assert message in capsys.readouterr().err


def test_each_format(folder: Path, capsys: Capture) -> None:
    (folder / "wheelkit.toml").write_text(MATRIX)
    shown = {}
    for form in ("text", "markdown", "github", "json"):
        for fixes in ("--fix-hint", "--no-fix-hint"):
            assert main(["verify-matrix", "dist", "--format", form, fixes]) == 1
            shown[form, fixes] = capsys.readouterr().out
    assert shown["markdown", "--fix-hint"].startswith("### demo 1.0")
    assert shown["github", "--fix-hint"].startswith("::error ")
    assert json.loads(shown["json", "--fix-hint"])["ok"] is False
    assert shown["text", "--fix-hint"].startswith("demo 1.0")
    for form in ("text", "markdown", "github"):
        assert "build it on" in shown[form, "--fix-hint"]
        assert "build it on" not in shown[form, "--no-fix-hint"]


class Served:
    """An index in memory with the wheels of a folder, and with METADATA beside them if it says so."""

    def __init__(self, folder: Path, **fields: Any) -> None:
        self.files = {path.name: path.read_bytes() for path in sorted(folder.glob("*.whl"))}
        digests = {name: hashlib.sha256(data).hexdigest() for name, data in self.files.items()}
        self.page = listing("demo", digests, **fields)

    def reply(self, url: str) -> Response:
        if url == "http://h.invalid/simple/demo/":
            return answer(self.page)
        name = url.rpartition("/")[2]
        if name.endswith(".metadata"):
            with zipfile.ZipFile(io.BytesIO(self.files[name.removesuffix(".metadata")])) as archive:
                return answer(
                    archive.read(f"demo-{name.split('-')[1]}.dist-info/METADATA"), kind="text/plain"
                )
        data = self.files.get(name)
        return answer(b"", 404) if data is None else answer(data, kind="application/octet-stream")


@pytest.fixture
def served(folder: Path, monkeypatch: Patch) -> MemoryClient:
    write_wheel(folder / "dist", "demo-0.9-cp311-cp311-win_amd64.whl")
    client = MemoryClient(Served(folder / "dist").reply)
    monkeypatch.setattr("wheelkit.publish.client.Client", lambda: client)
    (folder / "wheelkit.toml").write_text(INDEX)
    (folder / "dist" / "demo-0.9-cp311-cp311-win_amd64.whl").unlink()
    return client


def test_a_release_on_an_index_by_its_names(served: MemoryClient, capsys: Capture) -> None:
    code, document = verified(capsys, "--from-index", "demo==1.0", "--index", "here")
    assert (code, targets(document)) == (0, ["manylinux_2_31_x86_64"])
    assert set(served.asked) == {"http://h.invalid/simple/demo/"}
    _, latest = verified(capsys, "--from-index", "demo", "--index", "here")
    assert targets(latest) == targets(document)
    assert main(["verify-matrix", "--from-index", "demo==2.0", "--index", "here"]) == 2
    assert "2.0" in capsys.readouterr().err


def test_a_release_on_an_index_file_by_file(served: MemoryClient, capsys: Capture) -> None:
    code, document = verified(capsys, "--from-index", "demo==1.0", "--index", "here", "--deep")
    assert (code, document["wheels"]) == (0, 1)
    assert any(url.endswith(LINUX) for url in served.asked)


def test_a_release_against_the_one_before(served: MemoryClient, capsys: Capture) -> None:
    for words in (["--from-index", "demo==1.0"], ["dist"]):
        _, document = verified(capsys, *words, "--index", "here", "--against", "demo==0.9")
        (compared,) = document["comparisons"]
        assert (compared["earlier"], compared["version"]) == ("0.9", "1.0")
    assert served.asked


def test_the_metadata_beside_the_wheels_is_compared(
    folder: Path, monkeypatch: Patch, capsys: Capture
) -> None:
    """Only that of one wheel of each release is fetched, and only where the index has it."""
    older, newer = ("demo-0.9-py3-none-any.whl", "demo-1.0-py3-none-any.whl")
    (folder / "dist" / LINUX).unlink()
    for name, requires in ((older, "click"), (newer, "rich")):
        text = metadata("demo", name.split("-")[1], f"Requires-Dist: {requires}")
        write_wheel(folder / "dist", name, members={"{info}/METADATA": text})
    (folder / "wheelkit.toml").write_text(INDEX)
    for fields, requirements in (({"core-metadata": True}, {"click", "rich"}), ({}, set())):
        client = MemoryClient(Served(folder / "dist", **fields).reply)
        monkeypatch.setattr("wheelkit.publish.client.Client", lambda client=client: client)
        words = ["--from-index", "demo==1.0", "--index", "here", "--against", "demo==0.9"]
        _, document = verified(capsys, *words)
        (compared,) = document["comparisons"]
        text = json.dumps(compared)
        assert {name for name in ("click", "rich") if name in text} == requirements
        assert any(url.endswith(f"{newer}.metadata") for url in client.asked) == bool(requirements)
