"""wheelkit release: two indexes, real uploads by twine, real installs by uv, and squatters on both sides."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from servers.warehouse import Address, Token, Warehouse, serving
from support import wheels
from support.command import Wheelkit, git_commit
from support.releases import META, Member, Project, bumped, make_family

STAGING_TOKEN, PRODUCTION_TOKEN = "pypi-token-of-the-staging-index", "pypi-token-of-the-production-index"
TAG = f"cp{sys.version_info.major}{sys.version_info.minor}"
# Whatever is imported from a squatter's file leaves this behind, and fails.
EVIL = 'raise SystemExit("installed from a squatter")\n'
FAMILY = (
    Member(name="gyro-core"),
    Member(
        name="gyro-cli",
        needs=("gyro-core",),
        third_parties=("friendly>=1",),
        script="gyro",
        code='import friendly\nimport gyro_core\n\n\ndef main() -> None:\n    print("usage: gyro")\n',
    ),
    META,
)


def plain_wheel(name: str, version: str, code: str, *, build: str = "") -> tuple[str, bytes]:
    """Make a wheel of one module in memory; returns its file name, too."""
    module, info = name.replace("-", "_"), f"{name.replace('-', '_')}-{version}.dist-info"
    filename = f"{module}-{version}{f'-{build}' if build else ''}-py3-none-any.whl"
    texts = {
        f"{module}.py": code,
        f"{info}/METADATA": wheels.metadata(name, version),
        f"{info}/WHEEL": wheels.wheel_file(filename, Build=build),
    }
    data = {path: text.encode() for path, text in texts.items()}
    data[f"{info}/RECORD"] = wheels.record(data, info).encode()
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, contents in data.items():
            archive.writestr(path, contents)
    return filename, buffer.getvalue()


@dataclass
class Pair:
    """A family, its two indexes, and the command that releases it."""

    project: Project
    wheelkit: Wheelkit
    config: Path
    staging: Warehouse
    production: Warehouse
    public: Address

    def __call__(self, *options: str) -> subprocess.CompletedProcess[str]:
        home = self.project.root.parent
        # One token for both would hide which index got it; .pypirc keeps them apart.
        (home / ".pypirc").write_text(
            f"[stage]\npassword = {STAGING_TOKEN}\n[live]\npassword = {PRODUCTION_TOKEN}\n"
        )
        words = (
            "release",
            "dist",
            "--config",
            self.config,
            "--python",
            TAG,
            "--index",
            self.public.simple,
            *options,
        )
        env = {
            "HOME": str(home),
            "TWINE_PASSWORD": "",
            "UV_CACHE_DIR": str(home / "uv-cache"),
            "GIT_CONFIG_GLOBAL": str(home / ".gitconfig"),
        }
        return self.wheelkit(*words, cwd=self.project.root, env=env)

    @property
    def tags(self) -> list[str]:
        return subprocess.run(
            ["git", "-C", self.project.root, "tag"], capture_output=True, text=True, check=True
        ).stdout.split()


@pytest.fixture
def pair(wheelkit: Wheelkit, tmp_path: Path) -> Iterator[Pair]:
    """Release from a clean checkout; the third-party package is on the production index, the public one."""
    staging, production = (Warehouse(tokens={token: Token()}) for token in (STAGING_TOKEN, PRODUCTION_TOKEN))
    production.put(*plain_wheel("friendly", "1.0", "FRIEND = True\n"))
    project = make_family(tmp_path / "gyro", FAMILY)
    (tmp_path / ".gitconfig").write_text("[user]\nname = Releaser\nemail = releaser@localhost\n")
    text = (project.root / "wheelkit.toml").read_text()
    with serving(staging) as stage, serving(production) as live:
        config = tmp_path / "settings.toml"
        for name, at in (("stage", stage), ("live", live)):
            text += f'\n[index.{name}]\nupload = "{at.upload}"\nsimple = "{at.simple}"\nlag = "1 s"\n'
        config.write_text(text + '\n[ci]\nstaging = "stage"\nproduction = "live"\n')
        yield Pair(
            project=project,
            wheelkit=wheelkit,
            config=config,
            staging=staging,
            production=production,
            public=live,
        )


def family_files(index: Warehouse) -> dict[str, bytes]:
    return {
        name: stored.data
        for name, stored in index.files.items()
        if stored.project.startswith("gyro") and stored.version == "1.0"
    }


def test_both_indexes_get_the_same_bytes_and_the_tag_comes_last(pair: Pair) -> None:
    done = pair()
    assert done.returncode == 0, done.stderr
    built = {path.name: path.read_bytes() for path in pair.project.files()}
    assert family_files(pair.staging) == family_files(pair.production) == built
    assert pair.tags == ["v1.0"]
    assert "released on stage and live" in done.stdout
    assert "tagged v1.0" in done.stderr
    assert "git push" not in done.stderr  # there is no remote
    assert (
        done.stderr.index("smoke from stage")
        < done.stderr.index("6 files uploaded to live")
        < done.stderr.index("smoke from live")
    )
    again = pair()
    assert again.returncode == 0
    assert "nothing to upload to live" in again.stderr
    assert len(pair.staging.events) == len(pair.production.events) == 6


def test_squatters_on_both_sides_are_never_installed(pair: Pair) -> None:
    for index in (pair.staging, pair.production):
        for name in ("gyro-core", "gyro-cli", "gyro"):
            index.put(*plain_wheel(name, "9.0", EVIL))
    pair.staging.put(*plain_wheel("friendly", "9.0", EVIL))
    done = pair()
    assert done.returncode == 0, done.stderr
    assert "squatter" not in done.stderr


def test_smoke_takes_the_family_from_an_index(pair: Pair) -> None:
    words = (
        "smoke",
        "dist",
        "--from",
        "stage",
        "--config",
        pair.config,
        "--python",
        TAG,
        "--index",
        pair.public.simple,
    )
    env = {"UV_CACHE_DIR": str(pair.project.root.parent / "uv-cache")}
    done = pair.wheelkit(*words, cwd=pair.project.root, env=env)
    assert done.returncode == 1
    assert "stage does not show gyro_core-1.0-py3-none-any.whl" in done.stderr
    for path in pair.project.files():
        pair.staging.put(path.name, path.read_bytes())
    pair.staging.put(*plain_wheel("gyro-core", "1.0", EVIL, build="1"))
    assert pair.wheelkit(*words, cwd=pair.project.root, env=env).returncode == 0


def test_a_build_tag_squat_stops_the_release_before_anything_is_uploaded(pair: Pair) -> None:
    pair.production.put(*plain_wheel("gyro-core", "1.0", EVIL, build="1"))
    done = pair()
    assert done.returncode == 1
    assert "live has 1 file of this version that is in no manifest here" in done.stderr
    assert family_files(pair.production).keys() == {"gyro_core-1.0-1-py3-none-any.whl"}
    assert pair.tags == []


def test_a_build_tag_squat_that_comes_after_the_upload_is_not_installed(pair: Pair) -> None:
    assert pair("--until", "stage").returncode == 0
    name, data = plain_wheel("gyro-core", "1.0", EVIL, build="1")
    # It shows only once the looks are over, while the smoke test fetches.
    pair.production.put(name, data)
    shown = pair.production.files.pop(name)
    waiting = _ShownAfterTheUploads(pair.production, shown)
    pair.production.take = waiting.take  # type: ignore[method-assign]  # replaced in this test
    done = pair("--only", "live")
    assert done.returncode == 0, done.stderr
    assert name in pair.production.files


def test_every_kind_of_squat_on_either_index(pair: Pair) -> None:
    """Third-party packages have their own index here, so that the two others may serve only the family."""
    public = Warehouse()
    public.put(*plain_wheel("friendly", "1.0", "FRIEND = True\n"))
    squats = {*(plain_wheel(name, "9.0", EVIL) for name in ("gyro-core", "gyro-cli", "gyro", "friendly"))}
    late = plain_wheel("gyro-core", "1.0", EVIL, build="1")
    for index in (pair.staging, pair.production):
        for name, data in squats:
            index.put(name, data)
        index.put(*late)
        index.take = _ShownAfterTheUploads(index, index.files.pop(late[0])).take  # type: ignore[method-assign]  # replaced in this test
    with serving(public) as third:
        pair.public = third
        done = pair()
    assert done.returncode == 0, done.stderr
    assert "squatter" not in done.stderr
    for index in (pair.staging, pair.production):
        assert late[0] in index.files
        fetched = {path.rpartition("/")[2] for path in index.requests if "/files/" in path}
        assert fetched == {path.name for path in pair.project.files() if path.suffix == ".whl"}


class _ShownAfterTheUploads:
    """Puts a file beside the others when the last of them has been taken."""

    def __init__(self, index: Warehouse, late: object) -> None:
        self._index = index
        self._take = index.take
        self._late = late

    def take(self, form: object, token: str | None) -> bool:
        kept = self._take(form, token)  # type: ignore[arg-type]  # replaced in this test
        if len(family_files(self._index)) == 6:
            self._index.files[self._late.name] = self._late  # type: ignore[attr-defined, assignment]  # replaced in this test
        return kept


def test_production_is_not_touched_until_these_bytes_passed_on_staging(pair: Pair) -> None:
    done = pair("--only", "live")
    assert done.returncode == 1
    assert "these files have not passed on stage; nothing was uploaded to live" in done.stderr
    assert pair.production.events == []
    assert pair("--until", "stage").returncode == 0
    assert (pair.production.events, pair.tags) == ([], [])
    assert pair("--only", "live").returncode == 0
    assert pair.tags == ["v1.0"]


def test_a_broken_family_stops_on_the_staging_index(pair: Pair, tmp_path: Path) -> None:
    broken = replace(FAMILY[1], code="import not_there\n\n\ndef main() -> None: ...\n")
    pair.project = make_family(tmp_path / "other", (FAMILY[0], broken, META))
    done = pair()
    assert done.returncode == 1
    assert "the release on stage failed its smoke test" in done.stderr
    assert "not_there" in done.stderr
    assert (pair.production.events, pair.tags) == ([], [])
    assert pair("--only", "live").returncode == 1
    assert pair.production.events == []


def test_the_run_after_a_refusal_by_production(pair: Pair) -> None:
    pair.production.tokens = {}
    done = pair()
    assert done.returncode == 1
    assert "live refused gyro_core-1.0-py3-none-any.whl" in done.stderr
    assert pair.tags == []
    pair.production.tokens = {PRODUCTION_TOKEN: Token()}
    done = pair()
    assert done.returncode == 0
    assert "nothing to upload to stage" in done.stderr
    assert len(pair.staging.events) == 6


def test_a_tag_on_another_commit_is_found_before_the_first_upload(pair: Pair) -> None:
    pair.project.tag()
    (pair.project.root / "more").write_text("")
    pair.project = replace(pair.project, commit=git_commit(pair.project.root))
    for path in pair.project.dist.glob("*.wheelkit.json"):
        text = path.read_text()
        path.write_text(text.replace(text.partition('"commit": "')[2][:40], pair.project.commit))
    done = pair()
    assert done.returncode == 1
    assert "v1.0 is on" in done.stderr
    assert (pair.staging.events, pair.production.events) == ([], [])


def test_a_tag_that_git_cannot_create_is_found_before_the_first_upload(pair: Pair) -> None:
    (pair.project.root.parent / ".gitconfig").write_text("[user]\nuseConfigOnly = true\n")
    done = pair()
    assert done.returncode == 1
    assert "git has no name and email for the tags" in done.stderr
    assert pair.staging.events == []


def test_unknown_stages(pair: Pair) -> None:
    done = pair("--until", "nowhere")
    assert done.returncode == 2
    assert "the stages of this release are stage and live" in done.stderr


TEMPLATES = "".join(
    f'[distribution.{name}]\ntag = "{name}-v{{version}}"\n' for name in ("gyro-core", "gyro-cli", "gyro")
)


@pytest.fixture
def independent(pair: Pair, tmp_path: Path) -> Pair:
    """A family whose members have versions and tags of their own, released whole."""
    text = pair.config.read_text()
    project = make_family(tmp_path / "independent", FAMILY)
    pair.config.write_text(text + TEMPLATES)
    pair.project = project
    done = pair()
    assert done.returncode == 0, done.stderr
    assert pair.tags == ["gyro-cli-v1.0", "gyro-core-v1.0", "gyro-v1.0"]
    return pair


def test_one_member_alone_and_then_the_whole_family(independent: Pair) -> None:
    pair = independent
    pair.project = bumped(pair.project, "gyro-cli", "1.1")
    for index in (pair.staging, pair.production):
        index.put(*plain_wheel("gyro-core", "99.0", EVIL))  # beyond the range
    done = pair()
    assert done.returncode == 0, done.stderr
    assert "tagged gyro-cli-v1.1" in done.stderr
    assert pair.tags == ["gyro-cli-v1.0", "gyro-cli-v1.1", "gyro-core-v1.0", "gyro-v1.0"]
    assert len(pair.production.events) == 8
    # All of them again: what did not change is on the index, and its tag stays where it is.
    pair.project = bumped(pair.project, "gyro", "1.1", whole=True)
    done = pair()
    assert done.returncode == 0, done.stderr
    assert len(pair.production.events) == len(pair.staging.events) == 10
    assert pair.tags == ["gyro-cli-v1.0", "gyro-cli-v1.1", "gyro-core-v1.0", "gyro-v1.0", "gyro-v1.1"]


def test_a_part_whose_siblings_are_not_released_goes_nowhere(pair: Pair) -> None:
    for path in list(pair.project.dist.glob("gyro_core-*")):
        path.unlink()
    for words in (("release", "dist"), ("publish", "dist", "--to", "stage")):
        env = {"HOME": str(pair.project.root.parent)}
        done = pair.wheelkit(*words, "--config", pair.config, cwd=pair.project.root, env=env)
        assert done.returncode == 1
        assert "stage lacks gyro-core, which this release needs; nothing was uploaded" in done.stderr
        assert "gyro-cli 1.0 requires gyro-core<99,>=1; stage has no file of gyro-core" in done.stderr
    assert (pair.staging.events, pair.production.events, pair.tags) == ([], [], [])


def test_smoke_takes_released_siblings_from_the_index_that_is_named(independent: Pair) -> None:
    pair = independent
    pair.project = bumped(pair.project, "gyro-cli", "1.1")
    env = {"UV_CACHE_DIR": str(pair.project.root.parent / "uv-cache")}
    words = ("smoke", "dist", "--config", pair.config, "--python", TAG, "--index", pair.public.simple)
    alone = pair.wheelkit(*words, cwd=pair.project.root, env=env)
    assert alone.returncode == 1
    assert "gyro-cli requires gyro-core, a member of the family" in alone.stdout
    assert "--siblings live" in alone.stdout
    done = pair.wheelkit(*words, "--siblings", "live", cwd=pair.project.root, env=env)
    assert done.returncode == 0, done.stdout
    assert "with released siblings: gyro-core 1.0" in done.stderr


def test_a_tag_releases_what_it_names_from_a_dist_with_more(pair: Pair) -> None:
    pair.config.write_text(pair.config.read_text() + TEMPLATES)
    done = pair("--tag", "gyro-core-v1.0")
    assert done.returncode == 0, done.stderr
    assert pair.tags == ["gyro-core-v1.0"]
    assert {event.file for event in pair.production.events} == {
        "gyro_core-1.0-py3-none-any.whl",
        "gyro_core-1.0.tar.gz",
    }
    done = pair("--tag", "gyro-v1.0")
    assert done.returncode == 1
    assert "stage lacks gyro-cli, which this release needs" in done.stderr
    assert pair().returncode == 0
    assert pair.tags == ["gyro-cli-v1.0", "gyro-core-v1.0", "gyro-v1.0"]
    assert len(pair.staging.events) == len(pair.production.events) == 6
