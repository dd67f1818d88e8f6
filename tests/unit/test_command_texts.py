"""Small texts of commands: how names are joined, where a version comes from, and what clean has removed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from support.publishing import HERE, make_scene
from support.rows import rows
from wheelkit.cli import cache as cache_command
from wheelkit.cli import publish, version
from wheelkit.command_line import main
from wheelkit.errors import OutputError
from wheelkit.inputs import encoded
from wheelkit.machine import folders
from wheelkit.publish.transaction import PublishResult, plan_publication
from wheelkit.versions.model import TaggedVersion
from wheelkit.versions.state import read_versions

Capture = pytest.CaptureFixture[str]
Patch = pytest.MonkeyPatch


@rows(("names", "text"), [("a", "a"), ("ab", "a and b"), ("abc", "a and 2 more"), ("abcde", "a and 4 more")])
def test_names_that_are_waited_for(names: str, text: str) -> None:
    assert publish._joined(list(names)) == text


def test_a_release_that_is_there_already(tmp_path: Path, capsys: Capture) -> None:
    made = make_scene(tmp_path)
    for file in made.release.files:
        made.index.keep(file.name, file.sha256)
    plan = plan_publication(made.release, HERE, made.session.client)
    publish._show(PublishResult(plan=plan, uploaded=()))
    assert capsys.readouterr().out == "nothing to do: all 4 files are on here with the same bytes\n"
    for planned in plan.distributions:
        assert publish._state(planned, plan) == "2 on the index with the same bytes"


def test_distributions_wait_for_those_that_they_need(tmp_path: Path) -> None:
    made = make_scene(tmp_path)
    plan = plan_publication(made.release, HERE, made.session.client)
    core, cli = plan.distributions
    assert publish._state(core, plan) == "2 to upload"
    assert publish._state(cli, plan) == "2 to upload, after core is visible"
    more = replace(cli, distribution=replace(cli.distribution, needs=("core", "cli")))
    assert publish._state(more, plan) == "2 to upload, after core and cli are visible"


@rows(("data", "text"), [
    (b"abc", "abc"), ("é".encode(), "é"), (b"\xff", "\udcff"), (b"\xed\xa0\x80", "\ud800"),
])  # fmt: skip
def test_texts_become_the_bytes_that_they_stand_for(data: bytes, text: str) -> None:
    assert encoded(text) == data


def test_the_folder_of_compiled_objects_has_to_be_one(tmp_path: Path, monkeypatch: Patch) -> None:
    monkeypatch.setenv("WHEELKIT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(cache_command, "find_tool", lambda name: f"/bin/{name}")
    made = cache_command.require_compiler_cache()
    assert made.program == Path("/bin/sccache")
    assert made.folder == folders.cache_folder() / folders.COMPILED_FOLDER
    assert made.folder.is_dir()
    made.folder.rmdir()
    made.folder.write_text("")
    with pytest.raises(OutputError, match=made.folder.name):
        cache_command.require_compiler_cache()


def test_the_emptied_cache_is_told_with_its_size(tmp_path: Path, monkeypatch: Patch, capsys: Capture) -> None:
    monkeypatch.setenv("WHEELKIT_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("WHEELKIT_NO_CACHE", raising=False)
    assert main(["clean", "--cache"]) == 0
    assert "the build cache is empty: " in capsys.readouterr().err
    entries = tmp_path / "cache/v2/entries"
    entries.mkdir(parents=True)
    for name in ("a", "b"):
        (entries / name).write_bytes(b"x" * 1500)
    assert main(["clean", "--cache", "--yes"]) == 0
    assert capsys.readouterr().out.endswith("   2 files, 3 kB\n")


def test_where_a_version_comes_from(tmp_path: Path, monkeypatch: Patch) -> None:
    from wheelkit.cli.options import load_config
    from wheelkit.project.family import discover

    (tmp_path / "pyproject.toml").write_text(
        '[build-system]\nbuild-backend = "setuptools.build_meta"\nrequires = ["setuptools-scm"]\n'
        '[project]\nname = "demo"\ndynamic = ["version"]\n[tool.setuptools_scm]\n'
    )
    monkeypatch.chdir(tmp_path)
    config = load_config(tmp_path, None)
    state = read_versions(config, discover(config))
    (member,) = state.members.values()
    fields: dict[str, Any] = {"tag": "v1.2", "version": "1.2.post3"}
    assert version._origin(state, replace(member, tagged=None)) == "git tags, none yet"
    for commits, text in ((0, ""), (1, " + 1 commit"), (3, " + 3 commits")):
        tagged = TaggedVersion(commits=commits, **fields)
        assert version._origin(state, replace(member, tagged=tagged)) == f"git tag v1.2{text}"
    alone = replace(state, members={"demo": replace(member, tagged=None)}, requirements=())
    assert version._agreement(alone) == (
        "0 versions and 0 ranges between siblings agree; only the build knows the version of demo"
    )
