"""wheelkit verify-matrix --from-index: what an index shows of a release, by its list alone and by its files."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from command import Wheelkit
from releases import CORE, FAMILY, Project, make_family
from servers.warehouse import Warehouse, serving


@dataclass
class Published:
    """A family that is on an index, and the command that looks at it."""

    project: Project
    index: Warehouse
    config: Path
    wheelkit: Wheelkit

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.wheelkit("verify-matrix", "--index", "here", "--config", self.config, *words, cwd=self.project.root)

    def codes(self, *words: str) -> list[str]:
        done = self("--json", *words)
        found = [one["code"] for one in json.loads(done.stdout)["findings"]]
        assert done.returncode == (1 if {"WK901", "WK902", "WK903", "WK801", "WK101", "WK102"}.intersection(found) else 0)
        return found


@pytest.fixture
def published(wheelkit: Wheelkit, tmp_path: Path) -> Iterator[Published]:
    project = make_family(tmp_path / "gyro", FAMILY, git=False)
    index = Warehouse()
    for path in project.files():
        index.put(path.name, path.read_bytes())
    with serving(index) as address:
        config = tmp_path / "settings.toml"
        here = f'\n[index.here]\nupload = "{address.upload}"\nsimple = "{address.simple}"\n'
        config.write_text((project.root / "wheelkit.toml").read_text() + here)
        yield Published(project=project, index=index, config=config, wheelkit=wheelkit)


@pytest.mark.parametrize("depth", [(), ("--deep",)])
def test_what_was_published_whole(published: Published, depth: tuple[str, ...]) -> None:
    for member in FAMILY:
        assert published.codes("--from-index", f"{member.name}==1.0", "dist", *depth) == []
    assert [request for request in published.index.requests if "/files/" in request] == [] or depth


def test_a_missing_wheel_shows_in_the_list_alone(published: Published) -> None:
    del published.index.files["gyro_core-1.0-cp311-abi3-manylinux_2_40_x86_64.whl"]
    assert "WK801" in published.codes("--from-index", "gyro-core==1.0")
    assert {"WK801", "WK902"} <= set(published.codes("--from-index", "Gyro.Core==1.0", "dist"))


def test_other_bytes_and_files_that_nobody_built(published: Published) -> None:
    published.index.put("gyro_cli-1.0-py3-none-any.whl", b"other bytes")
    published.index.put("gyro_cli-1.0-1-py3-none-any.whl", b"a stranger")
    assert {"WK901", "WK903"} <= set(published.codes("--from-index", "gyro-cli==1.0", "dist"))
    assert not {"WK901", "WK903"} & set(published.codes("--from-index", "gyro-cli==1.0"))
    assert "WK101" in published.codes("--from-index", "gyro-cli==1.0", "--deep")


def test_a_yanked_release(published: Published) -> None:
    published.index.yanked = {"gyro_cli-1.0.tar.gz"}
    assert published.codes("--from-index", "gyro-cli==1.0") == ["WK904"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--from-index", "gyro-cli"), '"gyro-cli" names no release'),
        (("--from-index", "gyro-cli==x"), "names no release"),
        (("--from-index", "gyro-cli==2.0"), "here has no file of gyro-cli 2.0"),
        ((), "there is nothing to verify"),
    ],
)
def test_what_names_nothing(published: Published, words: tuple[str, ...], said: str) -> None:
    done = published(*words)
    assert done.returncode == 2
    assert said in done.stderr


def test_one_distribution_does_not_miss_the_others(published: Published) -> None:
    assert "WK804" not in published.codes("--from-index", f"{CORE.name}==1.0", "--deep")
