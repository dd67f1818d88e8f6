"""Mistakes of users: the exit code and message of each, and a twin that passes."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.command import MakeProject, Wheelkit
from support.wheels import ABI3, metadata, wheel_file, write_wheel

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="breaks things in the ways of Linux")
RUNNING = f"cp3{sys.version_info[1]}"
HOST = ("build", "--native", "--builder", "host")
MATRIX = 'interpreters = ["cp311", "cp312", "cp313"]'
ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


@pytest.fixture
def momentum(project: MakeProject) -> Callable[..., Path]:
    """Copy the abi3 project for the running interpreter only, with replacements in its pyproject.toml."""

    def copy(**replace: str) -> Path:
        folder = project(
            "abi3", git=False, replace={"pyproject.toml": (MATRIX, f'interpreters = ["{RUNNING}"]')}
        )
        text = (folder / "pyproject.toml").read_text()
        for old, new in replace.items():
            assert old in text
            text = text.replace(old, new)
        (folder / "pyproject.toml").write_text(text)
        return folder

    return copy


def add(folder: Path, text: str) -> None:
    with (folder / "pyproject.toml").open("a") as stream:
        stream.write(text)


def edit(folder: Path, old: str, new: str, file: str = "pyproject.toml") -> None:
    text = (folder / file).read_text()
    assert old in text
    (folder / file).write_text(text.replace(old, new))


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- configuration ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            f'"{RUNNING}"',
            '"cp36"',
            "cibuildwheel does not build cp36 for manylinux_2_28_x86_64; it offers cp39, cp310",
        ),
        (f'"{RUNNING}"', '"cp310"', 'cp310 promised, but momentum says requires-python = ">=3.11"'),
        ("manylinux_2_28_x86_64", "manylinux_2_28_x86_65", 'unknown architecture "x86_65"'),
        ("manylinux_2_28_x86_64", "linux_x86_64", 'unknown target "linux_x86_64"'),
        ('">=3.11"', '">=three"', "project.requires-python"),
    ],
)
def test_a_promise_that_cannot_be_kept_is_refused_with_its_key(
    momentum: Callable[..., Path], wheelkit: Wheelkit, old: str, new: str, message: str
) -> None:
    folder = momentum()
    assert wheelkit("plan", cwd=folder).returncode == 0
    edit(folder, old, new)
    for command in ("plan", "build"):
        done = wheelkit(command, cwd=folder)
        assert done.returncode == 2
        assert message in done.stderr
        assert re.search(r"wheelkit: \d mistakes? in the configuration, ", done.stderr)
    assert not (folder / "dist").exists()


def test_all_mistakes_come_at_once_each_with_its_key(
    momentum: Callable[..., Path], wheelkit: Wheelkit
) -> None:
    folder = momentum()
    edit(folder, f'["{RUNNING}"]', f'["{RUNNING}", 312]\ntagrets = []')
    add(
        folder,
        'max-size = "100 apples"\nsmok = ["x"]\n[tool.wheelkit.exclude]\ntorch = 5\n[tool.wheelkit.matirx]\n',
    )
    done = wheelkit("plan", cwd=folder)
    assert done.returncode == 2
    assert "6 mistakes in the configuration" in done.stderr
    for key in (
        "matrix.interpreters[1]",
        "matrix.tagrets",
        "distribution.momentum.max-size",
        "distribution.momentum.smok",
        "exclude.torch",
        "matirx",
    ):
        assert f"tool.wheelkit.{key}" in done.stderr
    for near in ("targets", "smoke", "matrix"):
        assert f'did you mean "{near}"' in done.stderr


def test_a_folder_without_a_project_says_what_is_missing(
    wheelkit: Wheelkit, tmp_path: Path, momentum: Callable[..., Path]
) -> None:
    for command in (("plan",), ("build",), HOST):
        done = wheelkit(*command, cwd=tmp_path)
        assert done.returncode == 2
        assert f"{tmp_path} has no pyproject.toml" in done.stderr
        assert "wheelkit init\n" in done.stderr
    assert wheelkit("plan", momentum(), cwd=tmp_path).returncode == 0


# --- tools -----------------------------------------------------------------------------------------


def only(tmp_path: Path, *programs: str) -> dict[str, str]:
    """Return an environment whose PATH holds these programs alone."""
    place = tmp_path / "only"
    place.mkdir()
    for program in programs:
        path = shutil.which(program, path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
        assert path is not None, program
        (place / program).symlink_to(path)
    return {"PATH": str(place)}


def test_a_missing_compiler_is_reported_before_anything_is_built(
    momentum: Callable[..., Path], wheelkit: Wheelkit, tmp_path: Path
) -> None:
    folder = momentum()
    env = only(tmp_path, "git", "sh")
    done = wheelkit(*HOST, cwd=folder, env=env)
    assert done.returncode == 3
    assert "wheelkit: no C compiler was found (looked for $CC, cc, gcc, clang)" in done.stderr
    assert "apt install gcc" in done.stderr
    assert not (folder / "dist").exists()
    done = wheelkit(*HOST, cwd=folder, env={**env, "CC": "no-such-cc"})
    assert (done.returncode, "$CC names a compiler that does not exist: no-such-cc" in done.stderr) == (
        3,
        True,
    )
    assert wheelkit("plan", cwd=folder, env=env).returncode == 0


def test_a_missing_git_is_reported_with_the_other_way(
    momentum: Callable[..., Path], wheelkit: Wheelkit, tmp_path: Path
) -> None:
    folder = momentum()
    done = wheelkit(*HOST, cwd=folder, env=only(tmp_path, "cc", "as", "ld", "sh"))
    assert done.returncode == 3
    assert "git was not found" in done.stderr
    assert "give an sdist" in done.stderr


DOCKER_DOWN = """#!/bin/sh
echo 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?' >&2
exit 1
"""


def test_a_docker_that_is_down_means_the_host_builder_and_says_why(
    momentum: Callable[..., Path], wheelkit: Wheelkit, tmp_path: Path
) -> None:
    folder = momentum()
    env = only(tmp_path, "cc", "as", "ld", "ar", "sh", "git", "uname")
    client = shutil.which("docker")
    if client and subprocess.run([client, "version"], capture_output=True, check=False).returncode != 0:
        (tmp_path / "only/docker").symlink_to(client)
    else:
        (tmp_path / "only/docker").write_text(DOCKER_DOWN)
        (tmp_path / "only/docker").chmod(0o755)
    planned = wheelkit("plan", cwd=folder, env=env)
    assert planned.returncode == 0
    why = "docker is installed but does not work: Cannot connect to the Docker daemon"
    assert f"the host builder is used: {why}" in planned.stdout
    refused = wheelkit("build", "--native", "--builder", "cibuildwheel", cwd=folder, env=env)
    assert refused.returncode == 3
    assert why in refused.stderr
    assert "wheelkit build --native --builder host" in refused.stderr
    built = wheelkit("build", "--native", cwd=folder, env=env)
    assert built.returncode == 0
    assert f"using the host builder ({why}" in built.stderr


# --- the project's code ----------------------------------------------------------------------------


def test_a_mistake_in_c_shows_the_compilers_own_lines(
    momentum: Callable[..., Path], wheelkit: Wheelkit
) -> None:
    folder = momentum()
    assert wheelkit(*HOST, cwd=folder).returncode == 0
    before = tree(folder / "dist")
    edit(folder, "double mass = 0.0;", "flaot mass = 0.0;", "core.c")
    done = wheelkit(*HOST, cwd=folder)
    assert done.returncode == 4
    assert re.search(
        r"wheelkit: building momentum for cp3\d+ failed: core\.c:6:5: unknown type name .flaot.", done.stderr
    )
    assert re.search(r"core\.c:6:5: error: unknown type name .flaot.", done.stderr)
    assert "full log: " in done.stderr
    assert tree(folder / "dist") == before


def test_a_mistake_in_the_link_shows_the_linkers_own_lines(
    momentum: Callable[..., Path], wheelkit: Wheelkit
) -> None:
    folder = momentum()
    edit(
        folder,
        "install: true, subdir",
        "link_args: ['-lno_such_library'], install: true, subdir",
        "meson.build",
    )
    done = wheelkit(*HOST, cwd=folder)
    assert done.returncode == 4
    assert "no_such_library" in done.stderr


# --- where files go --------------------------------------------------------------------------------


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Mount a file system of a given size."""
    if not ROOT or shutil.which("mount") is None:
        pytest.skip("only root can mount a small file system")
    mounted: list[Path] = []

    def mount(size: str) -> Path:
        folder = tmp_path / f"small-{size}"
        folder.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "wheelkit-test", folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            pytest.skip(f"this root may not mount: {done.stderr.strip()}")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "--lazy", folder], check=True)


def test_no_space_for_scratch_files_is_reported(
    momentum: Callable[..., Path], wheelkit: Wheelkit, small: Callable[[str], Path]
) -> None:
    folder = momentum()
    scratch = small("16k")
    done = wheelkit(*HOST, cwd=folder, env={"TMPDIR": str(scratch)})
    assert done.returncode == 4
    assert "free some space on the disk" in done.stderr
    assert not (folder / "dist").exists()
    assert list(scratch.iterdir()) == []


def test_no_space_for_the_dist_folder_leaves_it_as_it_was(
    momentum: Callable[..., Path], wheelkit: Wheelkit, small: Callable[[str], Path]
) -> None:
    folder, out = momentum(), small("32k")
    assert wheelkit(*HOST, "--out", out, cwd=folder).returncode == 0
    before = tree(out)
    with (out / "filler").open("wb", buffering=0) as stream, contextlib.suppress(OSError):
        while stream.write(bytes(4096)):
            pass
    done = wheelkit(*HOST, "--out", out, cwd=folder)
    assert done.returncode == 4
    assert "No space left on device" in done.stderr
    assert "free some space" in done.stderr
    (out / "filler").unlink()
    assert tree(out) == before
    assert wheelkit(*HOST, "--out", out, cwd=folder).returncode == 0


def test_a_file_in_the_place_of_the_dist_folder_is_refused_at_once(
    momentum: Callable[..., Path], wheelkit: Wheelkit
) -> None:
    folder = momentum()
    (folder / "dist").write_text("mine")
    done = wheelkit(*HOST, cwd=folder)
    assert done.returncode == 4
    assert f"{folder / 'dist'} cannot be written" in done.stderr
    assert "choose another folder with --out" in done.stderr
    assert "sdist momentum" not in done.stderr
    assert (folder / "dist").read_text() == "mine"


@pytest.mark.skipif(not ROOT or shutil.which("setpriv") is None, reason="only root can become somebody else")
def test_a_dist_folder_of_another_user_is_refused_at_once(
    momentum: Callable[..., Path], wheelkit: Wheelkit
) -> None:
    # pytest's own folders are closed to others.
    with tempfile.TemporaryDirectory(prefix="for-everyone-") as name:
        everyone = Path(name)
        everyone.chmod(0o755)
        folder = shutil.copytree(momentum(), everyone / "abi3")
        (folder / "dist").mkdir(mode=0o755)
        (everyone / "scratch").mkdir()
        (everyone / "scratch").chmod(0o777)
        nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *wheelkit.arguments()]
        own = dict.fromkeys(("HOME", "TMPDIR", "XDG_STATE_HOME", "UV_CACHE_DIR"), str(everyone / "scratch"))
        # podman leaves folders of its own for each user who asks it anything.
        env = {**wheelkit.env, **own, "CIBW_CONTAINER_ENGINE": "none"}
        if (
            subprocess.run(
                [*nobody, "--version"], env=env, cwd=folder, capture_output=True, check=False
            ).returncode
            != 0
        ):
            pytest.skip("the interpreter itself is not for others to run")
        done = subprocess.run(
            [*nobody, *HOST], env=env, cwd=folder, capture_output=True, text=True, check=False
        )
        assert not list((everyone / "scratch").glob("wheelkit-*"))
    assert done.returncode == 4, done.stderr
    assert f"{folder / 'dist'} cannot be written: Permission denied" in done.stderr
    assert "check the folder's owner and permissions" in done.stderr


# --- interruption ----------------------------------------------------------------------------------


def written_by(process: subprocess.Popen[str], path: Path) -> int:
    """Wait until something that the process runs has written its process id."""
    while process.poll() is None:
        if path.is_file() and (text := path.read_text()).endswith("\n"):
            return int(text)
        time.sleep(0.05)
    raise AssertionError(process.communicate()[1])


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_host_build_leaves_nothing(
    momentum: Callable[..., Path], wheelkit: Wheelkit, number: signal.Signals, tmp_path: Path
) -> None:
    folder = momentum()
    (folder / "dist").mkdir()
    (folder / "dist/old.whl").write_text("old")
    running = tmp_path / "running"
    edit(folder, "smoke = [", f"""smoke = ["sh -c 'echo $$ > {running}; exec sleep 60'", """)
    with subprocess.Popen(
        wheelkit.arguments(*HOST), cwd=folder, env=wheelkit.env, stderr=subprocess.PIPE, text=True
    ) as process:
        sleeper = written_by(process, running)
        process.send_signal(number)
        _, stderr = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "no unfinished files were left behind" in stderr
    assert "Traceback" not in stderr
    assert (
        not Path(f"/proc/{sleeper}").exists() or "Z" in Path(f"/proc/{sleeper}/stat").read_text().split()[2]
    )
    assert wheelkit.left_behind() == []
    assert tree(folder / "dist") == {"old.whl": b"old"}


# --- files that are no wheels --------------------------------------------------------------------------


def bad(folder: Path, defect: str) -> Path:
    path = folder / ABI3
    if defect == "no zip":
        path.write_bytes(b"hello there")
    elif defect == "empty":
        path.write_bytes(b"")
    elif defect == "cut short":
        whole = write_wheel(folder).read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        write_wheel(folder).unlink()
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("demo/__init__.py", "")
            archive.writestr("demo-1.0.dist-info/WHEEL", wheel_file(ABI3))
    return path


@pytest.mark.parametrize("what", ["no zip", "empty", "cut short", "no metadata"])
def test_a_file_that_is_no_wheel_is_a_finding_and_hides_no_other(
    wheelkit: Wheelkit, tmp_path: Path, what: str
) -> None:
    dist = tmp_path / "dist"
    dist.mkdir()
    good = write_wheel(dist, "other-1.0-py3-none-any.whl", members={"other/__init__.py": ""})
    assert wheelkit("verify-matrix", dist, cwd=tmp_path).returncode == 0
    path = bad(dist, what)
    done = wheelkit("verify-matrix", dist, cwd=tmp_path)
    assert done.returncode == 1
    assert "WK101" in done.stdout
    assert path.name in done.stdout
    assert "other 1.0" in done.stdout
    shown = json.loads(wheelkit("verify-matrix", dist, "--json", cwd=tmp_path).stdout)
    assert [finding["file"] for finding in shown["findings"] if finding["code"] == "WK101"] == [path.name]
    for command in ("inspect", "repair"):
        assert wheelkit(command, path, cwd=tmp_path).returncode == 1
    assert wheelkit("inspect", good, cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(
    "name",
    ["de mo-1.0-py3-none-any.whl", "démo-1.0-py3-none-any.whl", "demo.whl", "demo-1.0-py3-none.whl", "-.whl"],
)
def test_a_name_that_no_wheel_may_have_is_a_finding(wheelkit: Wheelkit, tmp_path: Path, name: str) -> None:
    dist = tmp_path / "dist"
    dist.mkdir()
    write_wheel(dist, "demo-1.0-py3-none-any.whl").rename(dist / name)
    done = wheelkit("verify-matrix", dist, cwd=tmp_path)
    assert done.returncode == 1
    assert "WK" in done.stdout
    assert wheelkit("inspect", dist / name, cwd=tmp_path).returncode in {0, 1}
    assert wheelkit("repair", dist / name, cwd=tmp_path).returncode == 1
    (dist / name).rename(dist / "demo-1.0-py3-none-any.whl")
    assert wheelkit("verify-matrix", dist, cwd=tmp_path).returncode == 0


def test_a_missing_and_an_empty_folder_are_wrong_usage(wheelkit: Wheelkit, tmp_path: Path) -> None:
    done = wheelkit("verify-matrix", "dist", cwd=tmp_path)
    assert (done.returncode, "dist does not exist" in done.stderr) == (2, True)
    (tmp_path / "dist").mkdir()
    done = wheelkit("verify-matrix", "dist", cwd=tmp_path)
    assert (done.returncode, "dist contains no wheel and no sdist" in done.stderr) == (2, True)
    assert "wheelkit build" in done.stderr
    write_wheel(tmp_path / "dist", "demo-1.0-py3-none-any.whl")
    assert wheelkit("verify-matrix", "dist", cwd=tmp_path).returncode == 0


@pytest.mark.parametrize("content", [b"", b"hello", b"\x1f\x8b\x08\x00junk"])
def test_a_file_that_is_no_sdist_is_reported_by_name(
    wheelkit: Wheelkit, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "demo-1.0.tar.gz").write_bytes(content)
    for command in (("plan", "demo-1.0.tar.gz"), (*HOST, "demo-1.0.tar.gz")):
        done = wheelkit(*command, cwd=tmp_path)
        assert done.returncode == 2
        assert "demo-1.0.tar.gz cannot be read as an sdist" in done.stderr
    done = wheelkit("verify-matrix", "demo-1.0.tar.gz", cwd=tmp_path)
    assert (done.returncode, "WK112" in done.stdout) == (1, True)


def test_metadata_of_another_project_is_a_finding(wheelkit: Wheelkit, tmp_path: Path) -> None:
    write_wheel(tmp_path, "demo-1.0-py3-none-any.whl", members={"{info}/METADATA": metadata("other", "2.0")})
    done = wheelkit("verify-matrix", "demo-1.0-py3-none-any.whl", cwd=tmp_path)
    assert done.returncode == 1
    assert "other" in done.stdout
