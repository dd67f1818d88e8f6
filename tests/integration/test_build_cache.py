"""The build cache with real builds, real changes and real damage."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from support.cache_stress import make_project
from support.command import Wheelkit, git_commit

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the host builder is for Linux"),
    pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler"),
]
TESTS = Path(__file__).parent.parent
HOST = ("--builder", "host")
RUNNING = f"cp3{sys.version_info[1]}"


@dataclass(frozen=True, kw_only=True)
class Site:
    """A project that was built once, and the cache of that build."""

    folder: Path
    cache: Path
    wheelkit: Wheelkit

    def run(self, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
        """Run wheelkit in the project."""
        done = self.wheelkit(*words, cwd=self.folder, env={"WHEELKIT_CACHE_DIR": str(self.cache), **env})
        assert done.returncode == 0
        return done

    def build(self, **env: str) -> subprocess.CompletedProcess[str]:
        """Build all of it."""
        return self.run("build", *HOST, **env)

    def plan(self, **env: str) -> dict[str, str]:
        """Return why each distribution and target is not cached; empty if it is."""
        document = json.loads(self.run("plan", *HOST, "--json", **env).stdout)
        return {f"{entry['distribution']} {entry['target']}": entry["why"] for entry in document["cache"]}

    def dist(self) -> dict[str, bytes]:
        """Read all finished files but the manifests."""
        return {
            path.name: path.read_bytes()
            for path in (self.folder / "dist").iterdir()
            if not path.name.endswith(".json")
        }

    def manifests(self) -> dict[str, dict[str, Any]]:
        """Read the manifests by target."""
        manifests = (json.loads(path.read_text()) for path in (self.folder / "dist").glob("*.json"))
        return {f"{entry['distribution']} {entry['target']}": entry for entry in manifests}


def change(path: Path, old: str, new: str) -> None:
    """Change a file but not its size and times."""
    assert len(old) == len(new)
    status = path.stat()
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def built_site(
    source: Path, place: Path, wheelkit: Wheelkit, edit: Callable[[Path], None] = lambda _folder: None
) -> Site:
    shutil.copytree(source, place / "project")
    edit(place / "project")
    git_commit(place / "project")
    site = Site(folder=place / "project", cache=place / "cache", wheelkit=wheelkit)
    site.build()
    return site


def only_running(folder: Path) -> None:
    """Promise only the interpreter that runs the tests."""
    text = (folder / "pyproject.toml").read_text()
    lines = [
        f'interpreters = ["{RUNNING}"]' if line.startswith("interpreters = ") else line
        for line in text.splitlines()
    ]
    (folder / "pyproject.toml").write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """Build the abi3 project once for all tests of this file."""
    return built_site(
        TESTS / "projects" / "abi3", tmp_path_factory.mktemp("built"), plain(tmp_path_factory), only_running
    )


def plain(factory: pytest.TempPathFactory) -> Wheelkit:
    scratch, state = factory.mktemp("scratch"), factory.mktemp("state")
    steering = (
        "CIBW_",
        "CONTAINERS_CONF",
        "SOURCE_DATE_EPOCH",
        "CC",
        "CFLAGS",
        "LDFLAGS",
        "GITHUB_",
        "WHEELKIT_",
    )
    env = {name: value for name, value in os.environ.items() if not name.startswith(steering)}
    return Wheelkit(
        scratch=scratch, env={**env, "TMPDIR": str(scratch), "XDG_STATE_HOME": str(state), "NO_COLOR": "1"}
    )


@pytest.fixture
def site(built: Site, tmp_path: Path) -> Site:
    """Copy the built project and its cache to another place: neither depends on where it lies."""
    shutil.copytree(built.folder, tmp_path / "elsewhere", symlinks=True)
    shutil.copytree(built.cache, tmp_path / "cache")
    shutil.rmtree(tmp_path / "elsewhere" / "dist")
    return replace(built, folder=tmp_path / "elsewhere", cache=tmp_path / "cache")


def test_what_did_not_change_comes_back_byte_for_byte(built: Site, site: Site) -> None:
    done = site.build()
    assert done.stderr.count("cached, built ") == 2
    assert "host build" not in done.stderr
    assert site.dist() == built.dist() != {}
    before, after = built.manifests(), site.manifests()
    assert before.keys() == after.keys()
    for name, manifest in after.items():
        assert {**manifest, "created": ""} == {**before[name], "created": ""}
    assert site.run("verify-matrix", "dist", "--native").returncode == 0
    (site.folder / "notes.txt").write_text("mine")
    assert [why for why in site.plan().values() if why] == ["notes.txt is new"] * 2


def test_the_manifest_names_the_current_commit(site: Site) -> None:
    subprocess.run(
        ["git", "-C", site.folder, "commit", "--quiet", "--amend", "--allow-empty", "-m", "other words"],
        check=True,
        env=author(),
    )
    commit = subprocess.run(
        ["git", "-C", site.folder, "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
    assert site.build().stderr.count("cached") == 2
    assert {manifest["commit"] for manifest in site.manifests().values()} == {commit}


def author() -> dict[str, str]:
    who = {"NAME": "test", "EMAIL": "test@localhost"}
    return {
        **os.environ,
        **{f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in who.items()},
    }


def test_a_change_that_only_the_bytes_show_is_built_and_its_undoing_is_not(site: Site) -> None:
    first = site.build() and site.dist()
    change(site.folder / "core.c", "return", "return")
    assert set(site.plan().values()) == {""}
    text = (site.folder / "core.c").read_text()
    (site.folder / "core.c").write_text(text + "\n")
    assert set(site.plan().values()) == {"core.c changed"}
    done = site.build()
    assert "cached" not in done.stderr
    assert all(manifest["dirty"] for manifest in site.manifests().values())
    (site.folder / "core.c").write_text(text)
    assert site.build().stderr.count("cached") == 2
    assert site.dist() == first


def test_the_plan_says_why_something_is_not_cached(site: Site, tmp_path: Path) -> None:
    assert site.plan() == {"momentum sdist": "", "momentum manylinux_2_28_x86_64": ""}
    assert set(site.plan(CFLAGS="-O1").values()) == {"CFLAGS changed"}
    assert set(site.plan(WHEELKIT_CACHE_DIR=str(tmp_path / "empty")).values()) == {"never built before"}
    for name in ("a.c", "b.c", "c.c", "d.c", "e.c"):
        (site.folder / name).write_text("")
    assert set(site.plan().values()) == {"a.c is new, b.c is new, c.c is new and 2 more"}
    assert "core.c" not in site.run("plan", *HOST).stdout
    (site.folder / "core.c").write_text("int x;")
    assert "core.c changed, a.c is new, b.c is new and 3 more" in site.run("plan", *HOST).stdout


def test_another_test_command_is_another_build(site: Site) -> None:
    with (site.folder / "wheelkit.toml").open("w") as stream:
        stream.write(f'[matrix]\ntargets = ["manylinux_2_28_x86_64"]\ninterpreters = ["{RUNNING}"]\n')
        stream.write('[distribution.momentum]\nsmoke = ["python -c 0"]\n')
    text = (site.folder / "pyproject.toml").read_text()
    (site.folder / "pyproject.toml").write_text(text[: text.index("[tool.wheelkit")])
    why = site.plan()["momentum manylinux_2_28_x86_64"]
    assert "the tests changed" in why or "more" in why


def test_a_damaged_wheel_in_the_cache_is_reported_and_built_again(site: Site) -> None:
    wheel = next(name for name in site.build() and site.dist() if name.endswith(".whl"))
    digest = site.manifests()["momentum manylinux_2_28_x86_64"]["files"][0]["sha256"]
    blob = site.cache / "v2" / "blobs" / digest[:2] / digest
    data = blob.read_bytes()
    blob.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    done = site.build()
    assert f"{wheel} is damaged in the cache and is built again" in done.stderr
    assert "host build" in done.stderr
    assert site.run("verify-matrix", "dist", "--native").returncode == 0


def test_the_cache_can_be_left_alone_and_emptied(site: Site) -> None:
    assert "cached" not in site.run("build", "--sdist", "--no-cache").stderr
    assert site.plan(WHEELKIT_NO_CACHE="1") == {}
    assert "files" in site.run("clean", "--cache", "--yes").stdout
    assert "empty" in site.run("clean", "--cache", "--yes").stderr
    assert not [path for path in site.cache.rglob("*") if path.is_file()]


def test_a_wheel_that_fails_verification_is_not_saved(site: Site) -> None:
    text = (site.folder / "pyproject.toml").read_text()
    (site.folder / "pyproject.toml").write_text(text.rstrip() + '\nmax-size = "1 kB"\n')
    words = ("build", "--native", *HOST)
    done = site.wheelkit(*words, cwd=site.folder, env={"WHEELKIT_CACHE_DIR": str(site.cache)})
    assert done.returncode == 1
    assert "the built files failed verification" in done.stderr
    assert set(site.plan().values()) == {"pyproject.toml changed"}
    assert not (site.folder / "dist").exists()


def test_an_interrupt_ends_a_build_within_two_seconds(site: Site) -> None:
    env = {**site.wheelkit.env, "WHEELKIT_CACHE_DIR": str(site.cache)}
    argv = site.wheelkit.arguments("build", "--native", *HOST, "--no-cache", "--verbose")
    with subprocess.Popen(
        argv, cwd=site.folder, env=env, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "uv build --wheel" in line:
                break
        time.sleep(0.5)
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        output = process.stderr.read()
        code = process.wait()
        seconds = time.monotonic() - started
    assert (code, "interrupted" in output) == (130, True)
    assert seconds < 2.0
    assert not site.wheelkit.left_behind()
    assert not (site.folder / "dist").exists()


def test_a_changed_promise_is_verified_although_the_files_are_cached(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    project = make_project(tmp_path / "python" / "squall", 1)
    backend = project / "backend.py"
    backend.write_text(backend.read_text().replace("License-Exp", "Requires-Dist: click\nLicense-Exp"))
    settings = tmp_path / "wheelkit.toml"
    settings.write_text('distributions = ["python/*"]\n[distribution.squall]\nmax-size = "1 MB"\n')
    site = Site(folder=tmp_path, cache=tmp_path / "cache", wheelkit=plain(tmp_path_factory))
    site.run("build")
    settings.write_text(settings.read_text() + "dependencies = []\n")
    assert set(site.plan().values()) == {""}
    env = {"WHEELKIT_CACHE_DIR": str(site.cache)}
    for words in (("build",), ("verify-matrix", "dist")):
        done = site.wheelkit(*words, cwd=site.folder, env=env)
        assert done.returncode == 1
        assert "WK715" in done.stdout + done.stderr


@pytest.mark.network
def test_in_a_family_only_what_depends_on_a_change_is_built(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    site = built_site(TESTS / "families" / "native", tmp_path, plain(tmp_path_factory), only_running)
    first = site.manifests()
    assert set(site.plan().values()) == {""}
    source = site.folder / "src" / "kepler.c"
    source.write_text(source.read_text() + "int orbits(void);\nint orbits(void) { return 8; }\n")
    done = site.build()
    built = {name for name, manifest in site.manifests().items() if manifest["files"] != first[name]["files"]}
    assert built == {"orrery sdist", "orrery manylinux_2_28_x86_64"}
    assert done.stderr.count("cached, built ") == len(first) - 2
    lines = [line for line in done.stderr.splitlines() if not line.endswith(" ...")]
    assert sum("host build cp3" in line for line in lines) == 1
