"""Publish and release through a real devpi-server, with the example families as wheelkit builds them."""

from __future__ import annotations

import json
import platform
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin

import pytest

from servers.devpi import PASSWORD, USER, Devpi, serving
from servers.warehouse import JSON_TYPE, Address, Warehouse, identity
from servers.warehouse import serving as warehouse_serving
from support.command import Wheelkit, git_commit
from support.releases import CLI, Member, make_family
from support.smoke_wheels import served, torch_stand_in

TESTS = Path(__file__).resolve().parent.parent
TAG = f"cp{sys.version_info.major}{sys.version_info.minor}"


@pytest.fixture(scope="module")
def devpi(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Devpi]:
    with serving(tmp_path_factory.mktemp("devpi"), "staging", "production", "other") as server:
        yield server


def indexes(devpi: Devpi, *names: str) -> str:
    return "".join(
        f'\n[index.{name}]\nupload = "{devpi.upload(name)}"\nsimple = "{devpi.simple(name)}"\nlag = "2 s"\n'
        for name in names
    )


def test_a_family_is_published_and_cannot_be_replaced(
    wheelkit: Wheelkit, tmp_path: Path, devpi: Devpi
) -> None:
    config = indexes(devpi, "other") + '\n[ci]\nstaging = "other"\n'
    project = make_family(tmp_path / "gyro", (Member(name="gyro-core"), CLI), config=config)
    env = {"TWINE_USERNAME": USER, "TWINE_PASSWORD": PASSWORD, "HOME": str(tmp_path)}
    done = wheelkit("publish", "dist", "--to", "other", cwd=project.root, env=env)
    assert done.returncode == 0, done.stderr
    assert "4 files uploaded" in done.stdout
    assert "nothing to do" in wheelkit("publish", "dist", "--to", "other", cwd=project.root, env=env).stdout
    again = make_family(
        tmp_path / "again", (Member(name="gyro-core", code="CHANGED = True\n"), CLI), config=config
    )
    done = wheelkit("publish", "dist", "--to", "other", cwd=again.root, env=env)
    assert done.returncode == 1
    assert "gyro_core-1.0-py3-none-any.whl is on other already, with other bytes" in done.stderr


def test_a_wrong_password(wheelkit: Wheelkit, tmp_path: Path, devpi: Devpi) -> None:
    config = indexes(devpi, "other") + '\n[ci]\nstaging = "other"\n'
    project = make_family(tmp_path / "gyro", (Member(name="gyro-web"),), config=config)
    env = {"TWINE_USERNAME": USER, "TWINE_PASSWORD": "wrong-password", "HOME": str(tmp_path)}
    done = wheelkit("publish", "dist", "--to", "other", cwd=project.root, env=env)
    assert done.returncode == 1
    assert "does not accept the credentials" in done.stderr
    assert "wrong-password" not in done.stderr


@dataclass(frozen=True, kw_only=True)
class Family:
    """One of the example families: the files that it ships, its order, and how it is built and tried."""

    name: str
    files: int
    order: tuple[str, ...]
    native: bool = False
    torch: bool = False


FAMILIES = (
    Family(name="single-pure", files=2, order=("lantern-text",)),
    Family(name="format-runtime-meta", files=6, order=("granule-format", "granule-runtime", "granule")),
    Family(name="core-scheduler-meta", files=6, order=("ferry-core", "ferry-scheduler", "ferry")),
    Family(name="native", files=8, order=("orrery", "orrery-cli", "orrery-csv", "orrery-all"), native=True),
    Family(name="torch", files=2, order=("spinor",), native=True, torch=True),
)


@pytest.fixture
def third_parties(tmp_path: Path, family: Family) -> Iterator[tuple[str, ...]]:
    """Yield the options for third-party packages: an index with a fake torch, or none."""
    if not family.torch:
        yield ()
        return
    torch_stand_in(TESTS / "families" / family.name, tmp_path / "third")
    with served(tmp_path / "third") as index:
        yield "--index", index.url


@pytest.mark.network
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_family_from_its_sources_through_both_kinds_of_index(
    wheelkit: Wheelkit, tmp_path: Path, devpi: Devpi, family: Family, third_parties: tuple[str, ...]
) -> None:
    """Build and release to two indexes of devpi, then to two fakes of the public indexes."""
    root = built(wheelkit, tmp_path, family)
    files = {
        path.name: path.read_bytes() for path in (root / "dist").iterdir() if path.suffix in {".whl", ".gz"}
    }
    assert len(files) == family.files
    release = releaser(wheelkit, root, devpi_env(tmp_path), third_parties)
    release(indexes(devpi, "staging", "production"))
    assert (
        downloaded(devpi, "staging", family.order) == downloaded(devpi, "production", family.order) == files
    )
    tags = subprocess.run(
        ["git", "-C", root, "tag"], capture_output=True, text=True, check=True
    ).stdout.split()
    assert tags
    staging, production = Warehouse(lag=0.2), Warehouse(lag=0.2)
    with warehouse_serving(staging) as staging_address, warehouse_serving(production) as production_address:
        release(
            stand_ins(staging=staging_address, production=production_address),
            TWINE_USERNAME="__token__",
            TWINE_PASSWORD=next(iter(staging.tokens)),
        )
    for index in (staging, production):
        assert {name: stored.data for name, stored in index.files.items()} == files
        assert tuple(dict.fromkeys(identity(event.file)[0] for event in index.events)) == family.order
        assert len(index.events) == family.files


def built(wheelkit: Wheelkit, tmp_path: Path, family: Family) -> Path:
    """Check the family out and build it, promising no more than this machine can build."""
    root = tmp_path / family.name
    shutil.copytree(
        TESTS / "families" / family.name,
        root,
        ignore=shutil.ignore_patterns("dist", "*.egg-info", "_built_with.py"),
    )
    (root / ".gitignore").write_text("dist/\n*.egg-info/\n_built_with.py\n")
    builder: tuple[str, ...] = ()
    if family.native:
        if sys.platform != "linux" or platform.machine() != "x86_64":
            pytest.skip("the host builder is for Linux")
        builder = ("--builder", "host")
        text = (root / "pyproject.toml").read_text()
        (root / "pyproject.toml").write_text(
            re.sub(r"(?m)^targets = .*$", 'targets = ["manylinux_2_28_x86_64"]', text)
        )
    if family.torch and sys.version_info[:2] != (3, 11):
        pytest.skip("the project promises cp311 only")
    git_commit(root)
    if family.torch:
        subprocess.run(["git", "-C", root, "tag", "v1.0.0"], check=True)
    done = wheelkit(
        "build", *builder, cwd=root, env={"UV_FIND_LINKS": str(tmp_path / "third")} if family.torch else None
    )
    assert done.returncode == 0, done.stderr
    return root


def devpi_env(home: Path) -> dict[str, str]:
    (home / ".gitconfig").write_text("[user]\nname = Releaser\nemail = releaser@localhost\n")
    return {"TWINE_USERNAME": USER, "TWINE_PASSWORD": PASSWORD, "GIT_CONFIG_GLOBAL": str(home / ".gitconfig")}


def releaser(
    wheelkit: Wheelkit, root: Path, env: Mapping[str, str], options: tuple[str, ...]
) -> Callable[..., None]:
    """Return what releases to indexes that are given as text of the configuration."""
    own = next(path for path in (root / "wheelkit.toml", root / "pyproject.toml") if path.is_file())
    prefix = "" if own.name == "wheelkit.toml" else "tool.wheelkit."
    config = root.parent / own.name

    def release(to: str, **more: str) -> None:
        extra = f'{to}\n[ci]\nstaging = "staging"\nproduction = "production"\n'
        config.write_text(
            own.read_text() + extra.replace("[index.", f"[{prefix}index.").replace("[ci]", f"[{prefix}ci]")
        )
        done = wheelkit(
            "release", "dist", "--config", config, "--python", TAG, *options, cwd=root, env={**env, **more}
        )
        assert done.returncode == 0, done.stderr
        assert "released on staging and production" in done.stdout

    return release


def stand_ins(**addresses: Address) -> str:
    return "".join(
        f'\n[index.{name}]\nupload = "{at.upload}"\nsimple = "{at.simple}"\nlag = "1 s"\n'
        for name, at in addresses.items()
    )


def downloaded(devpi: Devpi, index: str, projects: Iterable[str]) -> dict[str, bytes]:
    """Take all files of some projects from an index of devpi."""
    files: dict[str, bytes] = {}
    for project in projects:
        page = f"{devpi.simple(index)}{project}/"
        for entry in json.loads(fetched(page))["files"]:
            files[entry["filename"]] = fetched(urljoin(page, entry["url"]))
    return files


def fetched(url: str) -> bytes:
    request = urllib.request.Request(url, headers={"Accept": JSON_TYPE})  # noqa: S310 - an address of our own
    with urllib.request.urlopen(request, timeout=20) as response:  # noqa: S310 - a server of this test
        data: bytes = response.read()
    return data
