"""``wheelkit clean`` removes what was built, and nothing else."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from support.wheels import LINUX, write_wheel
from wheelkit import manifest
from wheelkit.__main__ import main
from wheelkit.builders.dist_folder import Delivery, deliver
from wheelkit.manifest import BuiltFile, Manifest

Capture = pytest.CaptureFixture[str]
PROJECT = """[build-system]
build-backend = "mesonpy"
[project]
name = "momentum"
version = "1.2.0"
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def record(*names: str) -> Manifest:
    files = tuple(BuiltFile(file=name, sha256="0" * 64, size=1, kind="wheel") for name in names)
    facts = {"version": "1.0", "target": "any", "builder": "pure", "source": "", "commit": "", "created": ""}
    return Manifest(distribution="demo", dirty=False, tools={}, files=files, **facts)


def test_clean_removes_what_the_manifests_name_and_nothing_else(project: Path, capsys: Capture) -> None:
    dist = project / "dist"
    deliver([Delivery(files=(write_wheel(project, LINUX),), record=record(LINUX))], dist)
    (dist / "foreign.whl").write_text("")
    assert main(["clean"]) == 0
    assert [path.name for path in dist.iterdir()] == ["foreign.whl"]
    assert sorted(Path(line).name for line in capsys.readouterr().out.splitlines()) == sorted(
        [LINUX, record().filename]
    )
    assert main(["clean"]) == 0
    assert "dist/ contains no files that wheelkit built" in capsys.readouterr().err


@pytest.mark.parametrize(
    "name", ["../pyproject.toml", "{root}/pyproject.toml", "..", ".", "", "sub/x.whl", "..\\pyproject.toml"]
)
def test_clean_stays_in_its_folder_whatever_a_manifest_says(project: Path, name: str) -> None:
    dist = project / "dist"
    (dist / "sub").mkdir(parents=True)
    (dist / "sub/x.whl").write_text("")
    evil = record(name.replace("{root}", str(project)))
    (dist / evil.filename).write_text(evil.to_json())
    assert main(["clean"]) == 0
    assert (project / "pyproject.toml").is_file()
    assert (dist / "sub/x.whl").is_file()
    assert not (dist / evil.filename).exists()


@pytest.mark.parametrize("field", ["distribution", "version", "target"])
def test_clean_stays_in_its_folder_whatever_a_manifest_is_called_by(project: Path, field: str) -> None:
    dist = project / "dist"
    dist.mkdir()
    outside = project / f"x-1-y{manifest.SUFFIX}"
    outside.write_text("")
    plain = replace(record(), distribution="x", version="1", target="y")
    evil = replace(plain, **{field: "../x" if field == "distribution" else f"/../../{getattr(plain, field)}"})
    (dist / f"evil{manifest.SUFFIX}").write_text(evil.to_json())
    assert main(["clean"]) == 0
    assert outside.is_file()


def test_clean_removes_a_link_and_not_what_it_points_to(project: Path) -> None:
    dist = project / "dist"
    dist.mkdir()
    (dist / "a.whl").symlink_to(project / "pyproject.toml")
    (dist / record("a.whl").filename).write_text(record("a.whl").to_json())
    assert main(["clean"]) == 0
    assert (project / "pyproject.toml").is_file()
    assert list(dist.iterdir()) == []


def test_clean_counts_a_file_that_two_manifests_name_once(project: Path, capsys: Capture) -> None:
    dist = project / "dist"
    deliver([Delivery(files=(write_wheel(project, LINUX),), record=record(LINUX))], dist)
    again = replace(record(LINUX), target="other")
    (dist / again.filename).write_text(again.to_json())
    assert main(["clean"]) == 0
    assert capsys.readouterr().out.count(LINUX) == 1
    assert list(dist.iterdir()) == []


def test_clean_touches_nothing_when_a_manifest_is_broken(project: Path, capsys: Capture) -> None:
    dist = project / "dist"
    deliver([Delivery(files=(write_wheel(project, LINUX),), record=record(LINUX))], dist)
    (dist / f"broken{manifest.SUFFIX}").write_text("{")
    before = sorted(path.name for path in dist.iterdir())
    assert main(["clean"]) == 1
    assert f"broken{manifest.SUFFIX} cannot be read as a manifest" in capsys.readouterr().err
    assert sorted(path.name for path in dist.iterdir()) == before


def versioned(dist: Path, version: str) -> str:
    """Deliver a wheel of a version, as a build from it does."""
    name = LINUX.replace("demo-1.0", f"momentum-{version}")
    facts = replace(record(name), distribution="momentum", version=version)
    deliver([Delivery(files=(write_wheel(dist.parent, name),), record=facts)], dist)
    return name


def test_clean_old_removes_other_versions_whoever_built_them(project: Path, capsys: Capture) -> None:
    dist = project / "dist"
    kept, old = versioned(dist, "1.2.0"), versioned(dist, "1.1.0")
    for name in ("momentum-0.8.tar.gz", "other-0.8.tar.gz"):
        (dist / name).write_text("")
    assert main(["clean", "--old"]) == 0
    assert old in capsys.readouterr().out
    assert sorted(path.name for path in dist.iterdir()) == sorted(
        [kept, f"momentum-1.2.0-any{manifest.SUFFIX}", "other-0.8.tar.gz"]
    )
    assert main(["clean", "--old"]) == 0
    assert "dist/ contains no files of other versions" in capsys.readouterr().err


def test_clean_all_removes_what_others_built_too(project: Path) -> None:
    dist = project / "dist"
    versioned(dist, "1.2.0")
    for name in ("foreign.whl", "momentum-0.8.tar.gz", "notes.txt"):
        (dist / name).write_text("")
    assert main(["clean", "--all"]) == 0
    assert [path.name for path in dist.iterdir()] == ["notes.txt"]
    assert main(["clean", "--all", "--old"]) == 2


def test_a_dry_run_of_clean_shows_what_would_go(project: Path, capsys: Capture) -> None:
    dist = project / "dist"
    name = versioned(dist, "1.2.0")
    before = sorted(path.name for path in dist.iterdir())
    assert main(["clean", "--dry-run"]) == 0
    assert name in capsys.readouterr().out
    assert main(["clean", "--dry-run", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [Path(file).name for file in document["files"]] == [name, f"momentum-1.2.0-any{manifest.SUFFIX}"]
    assert document["removed"] is False
    assert sorted(path.name for path in dist.iterdir()) == before
    assert main(["clean", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {**document, "removed": True}
    assert list(dist.iterdir()) == []


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WHEELKIT_CACHE_DIR", str(tmp_path / "cache"))
    entry = tmp_path / "cache/v2/entries/x"
    entry.parent.mkdir(parents=True)
    entry.write_text("x" * 5)
    (tmp_path / "cache/mine").write_text("kept")
    return entry


class Terminal(io.StringIO):
    """A terminal on which someone types."""

    def isatty(self) -> bool:
        return True


@pytest.mark.usefixtures("project")
def test_clean_asks_before_it_removes_the_cache(
    cache: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    for answer in ("n\n", "\n"):
        monkeypatch.setattr("sys.stdin", Terminal(answer))
        assert main(["clean", "--cache"]) == 0
        assert "nothing was removed" in capsys.readouterr().err
        assert cache.exists()
    monkeypatch.setattr("sys.stdin", Terminal("y\n"))
    assert main(["clean", "--cache"]) == 0
    assert "1 file, 5 B" in capsys.readouterr().out
    assert not cache.exists()


@pytest.mark.usefixtures("project")
def test_without_a_terminal_the_cache_goes_only_with_yes(cache: Path, capsys: Capture) -> None:
    assert main(["clean", "--cache"]) == 2
    assert "no terminal to ask on; use --yes" in capsys.readouterr().err
    assert main(["clean", "--cache", "--dry-run"]) == 0
    assert "1 file, 5 B" in capsys.readouterr().out
    assert cache.exists()
    assert main(["clean", "--cache", "--yes", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["count"], document["bytes"], document["removed"]) == (1, 5, True)
    assert not cache.exists()
    assert (cache.parents[2] / "mine").read_text() == "kept"
    assert main(["clean", "--cache", "--yes"]) == 0
    assert "the build cache is empty" in capsys.readouterr().err
