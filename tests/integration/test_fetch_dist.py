"""wheelkit fetch-dist: a release that was begun with other bytes is completed with the index's files."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from servers.warehouse import Token, Warehouse, serving
from support.command import Wheelkit
from support.releases import CLI, Member, Project, make_family

TOKEN = "pypi-token-of-the-index"  # noqa: S105 - only valid for the fake index
TAG = f"cp{sys.version_info.major}{sys.version_info.minor}"
PAIR = (Member(name="gyro-core"), CLI)


@dataclass
class Scene:
    """A tagged family, an index for staging and one for production, and the command."""

    project: Project
    wheelkit: Wheelkit
    staging: Warehouse
    production: Warehouse

    def __call__(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        env = {"TWINE_PASSWORD": TOKEN, "HOME": str(self.project.root.parent)}
        return self.wheelkit(*words, cwd=self.project.root, env=env)

    def publish(self, to: str = "live") -> subprocess.CompletedProcess[str]:
        return self("publish", "dist", "--to", to)

    def keep(self, index: Warehouse, *patterns: str) -> None:
        """Put files of the dist on an index, as a release that was interrupted did."""
        for pattern in patterns:
            for path in self.project.dist.glob(pattern):
                index.put(path.name, path.read_bytes())

    def build_again(self) -> None:
        """Build the same version from the same commit into other bytes."""
        folder = self.project.root.parent / "again"
        members = (replace(PAIR[0], code="# built at another time\n"), PAIR[1])
        other = make_family(folder, members, git=False)
        for path in other.dist.iterdir():
            text = path.read_bytes()
            if path.name.endswith(".json"):
                text = text.replace(b'"commit": ""', f'"commit": "{self.project.commit}"'.encode())
            (self.project.dist / path.name).write_bytes(text)
        shutil.rmtree(folder)


@pytest.fixture
def scene(wheelkit: Wheelkit, tmp_path: Path) -> Iterator[Scene]:
    staging, production = (Warehouse(tokens={TOKEN: Token()}) for _ in range(2))
    with serving(staging) as stage, serving(production) as live:
        text = "".join(
            f'\n[index.{name}]\nupload = "{at.upload}"\nsimple = "{at.simple}"\nlag = "1 s"\n'
            for name, at in (("stage", stage), ("live", live))
        )
        config = f'{text}\n[ci]\nstaging = "stage"\nproduction = "live"\n'
        project = make_family(tmp_path / "gyro", PAIR, config=config)
        project.tag()
        yield Scene(project=project, wheelkit=wheelkit, staging=staging, production=production)


def test_a_release_that_was_begun_with_other_bytes_ends_green(scene: Scene) -> None:
    scene.keep(scene.production, "gyro_core-*.whl")
    first = scene.production.files["gyro_core-1.0-py3-none-any.whl"].data
    scene.build_again()
    refused = scene.publish()
    assert refused.returncode == 1
    assert "gyro_core-1.0-py3-none-any.whl is on live already, with other bytes" in refused.stderr
    assert "wheelkit fetch-dist --from live" in refused.stderr
    fetched = scene("fetch-dist", "--from", "live")
    assert fetched.returncode == 0, fetched.stderr
    assert fetched.stdout == "dist/gyro_core-1.0-py3-none-any.whl\n"
    assert (scene.project.dist / "gyro_core-1.0-py3-none-any.whl").read_bytes() == first
    done = scene.publish()
    assert done.returncode == 0, done.stderr
    assert {event.file for event in scene.production.events} == {
        path.name for path in scene.project.files() if path.name != "gyro_core-1.0-py3-none-any.whl"
    }
    assert "nothing to do" in scene.publish().stdout
    assert "dist/ has these files already" in scene("fetch-dist", "--from", "live").stderr


def test_files_of_staging_reach_production_only_with_their_commit(scene: Scene) -> None:
    scene.keep(scene.staging, "*.whl", "*.gz")
    scene.build_again()
    assert "with other bytes" in scene.publish("stage").stderr
    assert scene("fetch-dist", "--from", "stage").returncode == 0
    assert "nothing to do" in scene.publish("stage").stdout
    refused = scene.publish()
    assert refused.returncode == 1
    assert "nothing says from which commit" in refused.stderr
    assert scene.production.events == []
    assert "there is no such commit here" in scene("fetch-dist", "--from", "stage", "--commit", "abc").stderr
    assert scene("fetch-dist", "--from", "stage", "--commit", "v1.0").returncode == 0
    assert scene.publish().returncode == 0
    assert {name: file.data for name, file in scene.production.files.items()} == {
        name: file.data for name, file in scene.staging.files.items()
    }


def test_a_released_sibling_goes_to_staging_beside_the_part_that_needs_it(scene: Scene) -> None:
    scene.keep(scene.production, "gyro_core-*.whl", "gyro_core-*.gz")
    for path in list(scene.project.dist.glob("gyro_core-*")):
        path.unlink()
    refused = scene.publish("stage")
    assert "stage lacks gyro-core" in refused.stderr
    assert "wheelkit fetch-dist gyro-core --from live" in refused.stderr
    assert scene("fetch-dist", "gyro-core", "--from", "live").returncode == 0
    assert scene.publish("stage").returncode == 0
    assert scene.publish("live").returncode == 0
    assert len(scene.staging.events) == 4
    assert len(scene.production.events) == 2


@pytest.mark.parametrize("form", ["folder", "zip", "folder of zips"])
def test_the_artifacts_of_a_ci_run(scene: Scene, tmp_path: Path, form: str) -> None:
    scene.keep(scene.production, "gyro_core-*.whl")
    artifacts = tmp_path / "artifacts"
    shutil.copytree(scene.project.dist, artifacts / "native" / "dist")
    before = {path.name: path.read_bytes() for path in scene.project.files()}
    if form != "folder":
        with zipfile.ZipFile(tmp_path / "run.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for path in (artifacts / "native" / "dist").iterdir():
                archive.write(path, f"../dist/{path.name}")  # a path is not followed
        shutil.rmtree(artifacts)
        artifacts.mkdir()
        (tmp_path / "run.zip").rename(artifacts / "run.zip")
    scene.build_again()
    assert scene.publish().returncode == 1
    fetched = scene("fetch-dist", "--from", artifacts if "folder" in form else artifacts / "run.zip")
    assert fetched.returncode == 0, fetched.stderr
    assert {path.name: path.read_bytes() for path in scene.project.files()} == before
    assert scene.publish().returncode == 0


def test_artifacts_that_are_not_what_their_manifests_say(scene: Scene, tmp_path: Path) -> None:
    artifacts = tmp_path / "artifacts"
    shutil.copytree(scene.project.dist, artifacts)
    (artifacts / "gyro_core-1.0-py3-none-any.whl").write_bytes(b"other")
    (artifacts / "gyro_cli-1.0.tar.gz").unlink()
    done = scene("fetch-dist", "--from", artifacts)
    assert done.returncode == 1
    assert "gyro_core-1.0-py3-none-any.whl has another sha256 than its manifest records" in done.stderr
    assert "gyro_cli-1.0.tar.gz is missing" in done.stderr
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "has no manifest of gyro-core 1.0, gyro-cli 1.0" in scene("fetch-dist", "--from", empty).stderr
    (empty / "a.zip").write_bytes(b"no archive")
    assert scene("fetch-dist", "--from", empty).returncode == 1
    assert scene("fetch-dist", "--from", "nowhere").returncode == 2
    missing = scene("fetch-dist", "--from", "live")
    assert missing.returncode == 2
    assert "live has no project gyro-core" in missing.stderr
    assert "--commit is for an index's files" in scene("fetch-dist", "--from", empty, "--commit", "x").stderr
