"""The siblings of a part, as wheelkit finds them on an index, are those that uv chooses there."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from servers.warehouse import Warehouse, serving
from support import wheels
from support.releases import Member, Project, make_family
from support.rows import rows
from wheelkit import config, matrix
from wheelkit.errors import CheckFailedError
from wheelkit.project import family
from wheelkit.publish import Index
from wheelkit.publish.client import Client
from wheelkit.publish.release import collect_release
from wheelkit.publish.siblings import fetch_siblings, find_siblings

PURE, ELSEWHERE = "py3-none-any", "cp311-cp311-win_amd64"
# What is on the index: a file's version (with its tags, or ".tar.gz") and what it requires of the family.
Shelf = Mapping[str, Mapping[str, tuple[str, ...]]]
# What gyro-web, which is released alone, requires; what the index has; and what is chosen, or the refusal.
CASES: list[tuple[tuple[str, ...], Shelf, dict[str, str] | str]] = [
    (("gyro-core>=1,<2",), {"gyro-core": {"1.0": (), "1.2": (), "2.0": ()}}, {"gyro-core": "1.2"}),
    (("gyro-core>=3",), {"gyro-core": {"1.0": (), "2.0": ()}}, "here has 2.0, 1.0"),
    (("gyro-core>=1",), {}, "here has no file of gyro-core"),
    (("gyro-core>=1",), {"gyro-core": {"1.0": (), "2.0rc1": ()}}, {"gyro-core": "1.0"}),
    (("gyro-core>=1",), {"gyro-core": {"1.5rc1": ()}}, {"gyro-core": "1.5rc1"}),
    (("gyro-core==1.0.dev7",), {"gyro-core": {"1.0.dev7": (), "1.1": ()}}, {"gyro-core": "1.0.dev7"}),
    (("gyro-core>=1",), {"gyro-core": {f"1.0-{ELSEWHERE}": ()}}, "here has 1.0, but no file of it for"),
    (("gyro-core>=1",), {"gyro-core": {f"1.1-{ELSEWHERE}": (), "1.0": ()}}, {"gyro-core": "1.0"}),
    (
        ("gyro-cli>=1",),
        {"gyro-cli": {"1.0": ("gyro-core>=1,<2",)}, "gyro-core": {"1.0": (), "2.0": ()}},
        {"gyro-cli": "1.0", "gyro-core": "1.0"},
    ),
    # The newest cli needs a core that is not there, so installers take the older one.
    (
        ("gyro-cli>=1",),
        {"gyro-cli": {"1.0": ("gyro-core",), "1.1": ("gyro-core>=9",)}, "gyro-core": {"1.0": ()}},
        {"gyro-cli": "1.0", "gyro-core": "1.0"},
    ),
    (
        ("gyro-cli>=1", "gyro-core>=2"),
        {"gyro-cli": {"1.0": ("gyro-core<2",)}, "gyro-core": {"1.0": (), "2.0": ()}},
        "gyro-cli 1.0 requires gyro-core<2",
    ),
    # Ranges of several dependents apply together.
    (
        ("gyro-core>=1", "gyro-cli>=1"),
        {"gyro-cli": {"1.0": ("gyro-core<2",)}, "gyro-core": {"1.0": (), "1.4": (), "2.0": ()}},
        {"gyro-core": "1.4", "gyro-cli": "1.0"},
    ),
    (
        ("gyro-cli[fast]>=1",),
        {"gyro-cli": {"1.0": ('gyro-core>=1; extra == "fast"',)}, "gyro-core": {"1.0": ()}},
        {"gyro-cli": "1.0", "gyro-core": "1.0"},
    ),
    (("gyro-cli>=1",), {"gyro-cli": {"1.0": ('gyro-core>=1; extra == "fast"',)}}, {"gyro-cli": "1.0"}),
    # What is released itself is not looked for.
    (
        ("gyro-cli>=1",),
        {"gyro-cli": {"1.0": ("gyro-web<2",)}, "gyro-web": {"0.1": ()}},
        {"gyro-cli": "1.0"},
    ),
    (("gyro-cli>=1",), {"gyro-cli": {"1.0": ("gyro-web>=2",)}}, "this release has 1.0"),
]


def part(folder: Path, requires: tuple[str, ...]) -> Project:
    """A family of which only gyro-web was built."""
    web = Member(name="gyro-web", third_parties=requires)
    project = make_family(folder, (Member(name="gyro-core"), Member(name="gyro-cli"), web), git=False)
    for path in list(project.dist.iterdir()):
        if not path.name.startswith("gyro_web-"):
            path.unlink()
    return project


def fill(index: Warehouse, shelf: Shelf, folder: Path) -> None:
    for name, files in shelf.items():
        for version, requires in files.items():
            number, _, tags = version.partition("-")
            filename = f"{name.replace('-', '_')}-{number}-{tags or PURE}.whl"
            lines = [f"Requires-Dist: {line}" for line in requires]
            extras = ["Provides-Extra: fast"] if "extra ==" in str(requires) else []
            text = wheels.metadata(name, number, *extras, *lines)
            path = wheels.write_wheel(folder, filename, members={"{info}/METADATA": text})
            index.put(filename, path.read_bytes())


def chosen_by_uv(project: Project, simple: str) -> dict[str, str] | None:
    """Resolve the part with uv, with its own file and the index; None where uv finds no solution."""
    done = subprocess.run(
        ["uv", "pip", "compile", "-", "--no-config", "--no-header", "--no-annotate", "--only-binary", ":all:",
         "--default-index", simple, "--find-links", project.dist, "--python-version", "3.11", "--no-cache"],
        input="gyro-web==1.0\n", capture_output=True, text=True, check=False,
    )  # fmt: skip
    found = dict(re.findall(r"^([a-z-]+)==(\S+)$", done.stdout, re.MULTILINE))
    found.pop("gyro-web", None)
    return found if done.returncode == 0 else None


@pytest.mark.skipif(sys.platform == "win32", reason="the file for another system is one for Windows")
@pytest.mark.parametrize("served", ["metadata and wheel", "wheel only"])
@rows(("requires", "shelf", "expected"), CASES)
def test_the_siblings_are_those_that_uv_chooses(
    requires: tuple[str, ...], shelf: Shelf, expected: dict[str, str] | str, tmp_path: Path, served: str
) -> None:
    project = part(tmp_path / "part", requires)
    index = Warehouse(core_metadata=served == "metadata and wheel")
    (tmp_path / "wheels").mkdir()
    fill(index, shelf, tmp_path / "wheels")
    read = config.load(project.root, validators=(matrix.validate,))
    members = family.discover(read)
    with serving(index) as address:
        here = Index(name="here", upload=address.upload, simple=address.simple)
        release = collect_release(project.dist, members)
        uv = chosen_by_uv(project, address.simple)
        if isinstance(expected, str):
            with pytest.raises(CheckFailedError, match="nothing was uploaded") as caught:
                find_siblings(release, here, Client(), members)
            assert expected in caught.value.detail
            assert uv is None
            return
        found = find_siblings(release, here, Client(), members)
        assert {sibling.key: sibling.version for sibling in found} == expected == uv
        fetched = fetch_siblings(found, Client(), tmp_path)
    for path in fetched:
        assert path.read_bytes() == index.files[path.name].data
    assert {path.name.partition("-")[0].replace("_", "-") for path in fetched} == expected.keys()


def test_a_sibling_of_an_extra_that_needs_the_part_itself(tmp_path: Path) -> None:
    """The first release of a core whose extra brings a cli that needs this core."""
    core = Member(name="gyro-core", third_parties=("gyro-cli>=1; extra == 'cli'",))
    project = make_family(tmp_path, (core, Member(name="gyro-cli", needs=("gyro-core",))), git=False)
    text = (project.root / "packages/gyro-core/pyproject.toml").read_text()
    extras = text.replace("dependencies = [\"gyro-cli>=1; extra == 'cli'\"]\n", "")
    extras += '[project.optional-dependencies]\ncli = ["gyro-cli>=1"]\n'
    (project.root / "packages/gyro-core/pyproject.toml").write_text(extras)
    for path in project.dist.glob("gyro_cli-*"):
        path.unlink()
    members = family.discover(config.load(project.root, validators=(matrix.validate,)))
    release = collect_release(project.dist, members)
    assert release.distributions[0].requires
    with serving(Warehouse()) as address:
        here = Index(name="here", upload=address.upload, simple=address.simple)
        assert find_siblings(release, here, Client(), members) == ()
