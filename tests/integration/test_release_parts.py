"""The example families with independent versions: whole, one member alone, and whole again.

Staging shows files seconds late, production is a real devpi-server.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from servers import devpi
from servers.warehouse import Token, Warehouse, serving
from support.command import Wheelkit, git_commit
from support.sample_families import checked_out

TAG = f"cp{sys.version_info.major}{sys.version_info.minor}"
TOKEN = "pypi-token-of-the-late-index"  # noqa: S105 - only valid for the fake index


@dataclass(frozen=True, kw_only=True)
class Family:
    """A family, its member that is released alone, the meta that follows it, and all tags in the end."""

    name: str
    member: str
    meta: str
    tags: tuple[tuple[str, ...], ...]


FAMILIES = (
    Family(
        name="format-runtime-meta",
        member="granule-runtime",
        meta="granule",
        tags=(("format-v1.2.0", "runtime-v0.9.1", "v1.2.0"), ("runtime-v0.9.2",), ("v1.2.1",)),
    ),
    Family(
        name="core-scheduler-meta",
        member="ferry-scheduler",
        meta="ferry",
        tags=(("v2.3.0", "scheduler-v2.3.0", "suite-v2.3.0"), ("scheduler-v2.3.1",), ("suite-v2.3.1",)),
    ),
)


@dataclass
class Scene:
    """A checkout of a family, and its two indexes."""

    root: Path
    wheelkit: Wheelkit
    staging: Warehouse
    env: dict[str, str]

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        done = self.wheelkit(*words, cwd=self.root, env=self.env)
        assert done.returncode == 0, done.stderr
        return done

    def release(self) -> tuple[str, ...]:
        """Release the dist; returns the tags that it made."""
        tags: list[str] = json.loads(self("release", "dist", "--python", TAG, "--json").stdout)["tags"]
        return tuple(tags)

    def bump(self, name: str) -> None:
        self("version", "bump", "patch", name)
        git_commit(self.root)


@pytest.fixture(params=FAMILIES, ids=lambda family: family.name)
def family(request: pytest.FixtureRequest) -> Family:
    chosen: Family = request.param
    return chosen


@pytest.fixture
def scene(wheelkit: Wheelkit, tmp_path: Path, family: Family) -> Iterator[Scene]:
    staging = Warehouse(lag=3.0, tokens={TOKEN: Token()})
    (tmp_path / "devpi").mkdir()
    with serving(staging) as stage, devpi.serving(tmp_path / "devpi", "production") as server:
        root = checked_out(family.name, tmp_path / "family")
        with (root / "wheelkit.toml").open("a") as stream:
            stream.write(
                f'\n[index.stage]\nupload = "{stage.upload}"\nsimple = "{stage.simple}"\nlag = "5 s"\n'
                f'[index.live]\nupload = "{server.upload("production")}"\n'
                f'simple = "{server.simple("production")}"\n[ci]\nstaging = "stage"\nproduction = "live"\n'
            )
        git_commit(root)
        (tmp_path / ".pypirc").write_text(
            f"[stage]\npassword = {TOKEN}\n[live]\nusername = {devpi.USER}\npassword = {devpi.PASSWORD}\n"
        )
        (tmp_path / ".gitconfig").write_text("[user]\nname = Releaser\nemail = releaser@localhost\n")
        env = {"HOME": str(tmp_path), "TWINE_PASSWORD": "", "TWINE_USERNAME": ""}
        env["GIT_CONFIG_GLOBAL"] = str(tmp_path / ".gitconfig")
        yield Scene(root=root, wheelkit=wheelkit, staging=staging, env=env)


@pytest.mark.network
def test_whole_then_one_member_alone_then_whole_again(scene: Scene, family: Family) -> None:
    scene("build")
    assert scene.release() == family.tags[0]
    uploads = len(scene.staging.events)
    scene.bump(family.member)
    built = scene("build", family.member)
    assert f"dist also has {family.member}" in built.stderr
    scene("clean", "--old")
    assert scene.release() == family.tags[1]
    assert len(scene.staging.events) == uploads + 2
    scene.bump(family.meta)
    scene("build")
    assert scene.release() == family.tags[2]
    assert len(scene.staging.events) == uploads + 4
    commits = [
        subprocess.run(
            ["git", "-C", scene.root, "rev-list", "--max-count=1", tags[0]],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for tags in family.tags
    ]
    assert len(set(commits)) == 3
