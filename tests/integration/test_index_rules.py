"""Each rule of the public indexes: the index refuses the file, and publish stops before the first upload."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from servers.warehouse import Address, Warehouse, serving
from support import wheels
from support.command import Wheelkit
from support.index_cases import ACCEPTED, BOTH, CASES, SDIST, WHEEL, Case, Change, Draft
from support.metadata_fields import FIELDS, VERSIONS, metadata_of
from support.releases import Member, Project, make_family, write_manifest
from wheelkit.verification.checks import index_metadata
from wheelkit.verification.contract import Contract
from wheelkit.wheel import read

TOKEN = "pypi-valid-token-0123456789"  # noqa: S105 - only valid for the fake index


@pytest.fixture
def index() -> Warehouse:
    return Warehouse(strict=True)


@pytest.fixture
def address(index: Warehouse) -> Iterator[Address]:
    with serving(index) as address:
        yield address


def draft(change: Change, name: str = "gyro_cli") -> Draft:
    """Return a changed draft; for another name, what the change calls by the usual one is renamed as well."""
    made = Draft()
    change(made)
    made.name = name
    for attribute in ("wheel_name", "sdist_name", "dist_info"):
        setattr(made, attribute, getattr(made, attribute).replace("gyro_cli", name))
    for attribute in ("wheel_files", "sdist_files"):
        files = {path.replace("gyro_cli", name): data.replace(b"gyro_cli", name.encode())
                 for path, data in getattr(made, attribute).items()}  # fmt: skip
        setattr(made, attribute, files)
    return made


def twine(address: Address, *paths: Path) -> subprocess.CompletedProcess[str]:
    """Upload files with twine, as anybody would."""
    options = ("--non-interactive", "--disable-progress-bar", "--verbose", "--repository-url", address.upload)
    env = {**os.environ, "TWINE_USERNAME": "__token__", "TWINE_PASSWORD": TOKEN, "COLUMNS": "2000"}
    command = [sys.executable, "-m", "twine", "--no-color", "upload", *options, *map(str, paths)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env)


@dataclass(frozen=True, kw_only=True)
class Publisher:
    """Publishes projects to the index that has the rules of the public ones."""

    wheelkit: Wheelkit
    address: Address

    def __call__(self, project: Project, rules: str = "public") -> subprocess.CompletedProcess[str]:
        site = f'upload = "{self.address.upload}"\nsimple = "{self.address.simple}"\n'
        here = f'{site}lag = "1 s"\nrules = "{rules}"\n'
        config = project.root.parent / f"{project.root.name}.toml"
        text = (project.root / "wheelkit.toml").read_text()
        config.write_text(f'{text}\n[index.here]\n{here}\n[ci]\nstaging = "here"\n')
        words = ("publish", "dist", "--to", "here", "--config", config)
        env = {"TWINE_PASSWORD": TOKEN, "HOME": str(project.root.parent)}
        return self.wheelkit(*words, cwd=project.root, env=env)


@pytest.fixture
def publish(wheelkit: Wheelkit, address: Address) -> Publisher:
    return Publisher(wheelkit=wheelkit, address=address)


def project_of(root: Path, drafts: Iterable[tuple[Draft, Draft]]) -> Project:
    """Write a project whose distributions have the wheel of one draft and the sdist of another."""
    pairs = list(drafts)
    tags = {wheel.name: wheel.tags for wheel, _ in pairs}
    members = [
        Member(name=name.replace("_", "-"), wheels=(f"{{name}}-{{version}}-{kind}.whl",))
        for name, kind in tags.items()
    ]
    project = make_family(root, members, version=pairs[0][0].version)
    for path in project.files():
        path.unlink()
    for member, (wheel, sdist) in zip(members, pairs, strict=True):
        target = "manylinux_2_40_x86_64" if wheel.native else "any"
        builder = "host" if wheel.native else "pure"
        made = {
            target: wheel.write(project.dist, WHEEL),
            "sdist": sdist.write(project.dist, SDIST),
        }
        for kind, path in made.items():
            build = builder if kind == target else "pure"
            write_manifest(project, member, kind, [path], build)
    return project


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_bad_file_is_refused_and_publish_stops_before_the_first_upload(
    case: Case, tmp_path: Path, index: Warehouse, address: Address, publish: Publisher
) -> None:
    for kind in case.kinds:
        bad, good = draft(case.bad), draft(case.good)
        refused = twine(address, bad.write(tmp_path, kind))
        assert refused.returncode == 1
        assert case.words in refused.stdout + refused.stderr
        assert [event.status for event in index.events] == ([] if case.twine else [400])
        index.events.clear()
        pair = (bad, good) if kind == WHEEL else (good, bad)
        if bad.version != good.version:
            pair = (bad, bad)
        done = publish(project_of(tmp_path / kind / "gyro", [pair]))
        assert done.returncode == 1
        assert re.search(rf"\b{case.code}\b", done.stderr)
        assert "nothing was uploaded" in done.stderr
        assert index.events == []
        assert index.files == {}


def test_the_twins_are_accepted_by_twine_and_by_publish(
    tmp_path: Path, index: Warehouse, address: Address, publish: Publisher
) -> None:
    changes = [case.good for case in CASES] + [change for _, _, change in ACCEPTED]
    drafts = [draft(change, f"gyro_{number}") for number, change in enumerate(changes)]
    project = project_of(tmp_path / "gyro", [(one, one) for one in drafts])
    done = publish(project)
    assert done.returncode == 0, done.stderr
    assert {event.status for event in index.events} == {200}
    assert set(index.files) == {path.name for path in project.files()}
    assert len(index.files) == len(BOTH) * len(changes)
    index.files.clear()
    assert twine(address, *project.files()).returncode == 0
    assert set(index.files) == {path.name for path in project.files()}


@pytest.mark.parametrize(("name", "code", "change"), ACCEPTED, ids=lambda value: str(value)[:20])
def test_what_is_accepted_all_the_same_has_its_finding(
    name: str, code: str, change: Change, tmp_path: Path, wheelkit: Wheelkit
) -> None:
    project = project_of(tmp_path / "gyro", [(draft(change), draft(change))])
    done = wheelkit("verify-matrix", "dist", "--json", cwd=project.root)
    assert f'"{code}"' in done.stdout, name


def test_twine_refuses_the_fields_that_are_newer_than_their_version(tmp_path: Path) -> None:
    """It takes each field in the first version that has it, and refuses it (WK730) in the one before."""
    accepted: list[Path] = []
    for field in FIELDS:
        paths = []
        for version in VERSIONS:
            folder = tmp_path / field / version
            folder.mkdir(parents=True)
            members = {"{info}/METADATA": metadata_of(field, version)}
            paths.append(wheels.write_wheel(folder, wheels.PURE, members=members))
        refused = [
            path
            for path in paths
            if "WK730" in {finding.code for finding in index_metadata.valid(read(path), Contract())}
        ]
        accepted.append(paths[len(refused)])
        assert paths[: len(refused)] == refused
        if refused:
            assert "InvalidDistribution" in twine_check(refused[-1]).stdout
    done = twine_check(*accepted)
    assert done.returncode == 0, done.stdout


def twine_check(*paths: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "twine", "--no-color", "check", *map(str, paths)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_second_sdist_is_refused_when_the_first_is_out(
    tmp_path: Path, index: Warehouse, address: Address, publish: Publisher
) -> None:
    project = project_of(tmp_path / "gyro", [(Draft(), Draft())])
    first = project.dist / "gyro_cli-1.0.tar.gz"
    second = project.dist / "gyro-cli-1.0.tar.gz"
    second.write_bytes(first.read_bytes() + b"\0")
    assert twine(address, first).returncode == 0
    refused = twine(address, second)
    assert "Only one sdist may be uploaded per release" in refused.stdout
    index.files.clear()
    index.events.clear()
    write_manifest(project, Member(name="gyro-cli"), "sdist", [first, second], "pure")
    done = publish(project)
    assert done.returncode == 1
    assert "WK749" in done.stderr
    assert index.events == []


def test_an_index_without_these_rules_gets_the_file(
    tmp_path: Path, index: Warehouse, publish: Publisher
) -> None:
    index.strict = False
    case = next(case for case in CASES if case.code == "WK742")
    project = project_of(tmp_path / "gyro", [(draft(case.bad), draft(case.good))])
    assert publish(project).returncode == 1
    assert publish(project, rules="none").returncode == 0
    assert len(index.files) == len(BOTH)


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
def test_the_cases_make_what_they_say(tmp_path: Path) -> None:
    """Every bad file is another file than its twin, and both are readable."""
    for case in CASES:
        for kind in case.kinds:
            (tmp_path / case.name / "bad").mkdir(parents=True, exist_ok=True)
            (tmp_path / case.name / "good").mkdir(parents=True, exist_ok=True)
            bad = draft(case.bad).write(tmp_path / case.name / "bad", kind)
            good = draft(case.good).write(tmp_path / case.name / "good", kind)
            assert (bad.name, bad.read_bytes()) != (good.name, good.read_bytes())
            if kind == WHEEL:
                assert read(good).metadata.get("Name") == "gyro-cli"
