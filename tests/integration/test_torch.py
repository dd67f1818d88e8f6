"""An extension of torch: with fake torch libraries on every system, and with the real torch on Linux."""

from __future__ import annotations

import importlib.util
import os
import platform
import random
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from support import smoke_wheels
from support.command import Wheelkit, git_commit
from support.native import Library, Toolchain
from wheelkit import wheel as wheels
from wheelkit.wheel.library_names import base_name, plain_name

FAMILY = Path(__file__).parents[1] / "families/torch"
TARGETS = (
    "manylinux_2_28_x86_64",
    "manylinux_2_28_aarch64",
    "macosx_10_13_x86_64",
    "macosx_11_0_arm64",
    "win_amd64",
)
BOUNDED = "torch>=2.13,<2.14"
CONFIG = """
[exclude]
torch = true

[distribution.demo]
max-size = "60 kB"
"""
zig = pytest.mark.skipif(importlib.util.find_spec("ziglang") is None, reason="needs the extra cross")


class Standins:
    """The raw wheel of spinor's module for one target, linked against large fake libraries."""

    def __init__(self, tag: str, folder: Path) -> None:
        self.tools = Toolchain(tag, folder)
        self.folder = folder
        weight = ",".join(map(str, random.Random(1).randbytes(120_000)))  # noqa: S311 - it only has to resist compression
        ballast = f"\nEXPORT const unsigned char weight[] = {{{weight}}};\n"
        source = {name: (FAMILY / f"standin/{name}.c").read_text() for name in ("torch", "torch_cpu", "c10")}
        c10 = self.tools.library("c10", source["c10"])
        # torch's own sonames have no version; others' do, and one pattern has to mean both.
        cpu = self.tools.library("torch_cpu", source["torch_cpu"] + ballast, version="2", needs=(c10,))
        torch = self.tools.library("torch", source["torch"], needs=(cpu,))
        self.libraries: tuple[Library, ...] = (torch, cpu, c10)
        self.core = self.tools.extension((FAMILY / "core.c").read_text(), self.libraries)

    def raw(self, requires: str = BOUNDED) -> Path:
        return self.tools.wheel(self.folder / "raw", self.core, requires=(requires,))

    @property
    def place(self) -> Path:
        return self.libraries[0].path.parent


@pytest.fixture(scope="module", params=TARGETS)
def standins(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Standins:
    return Standins(request.param, tmp_path_factory.mktemp(request.param))


def repaired(wheelkit: Wheelkit, raw: Path, folder: Path, *words: str | Path) -> Path:
    done = wheelkit("repair", *words, "--out", "dist", raw, cwd=folder)
    assert done.returncode == 0
    (path,) = (folder / "dist").glob("*.whl")
    return path


def bundled(path: Path) -> set[str]:
    return {plain_name(binary.member) for binary in wheels.read(path).binaries if not binary.extension}


@zig
def test_torch_stays_out_of_the_wheel_and_the_wheel_is_verified(
    standins: Standins, tmp_path: Path, wheelkit: Wheelkit
) -> None:
    (tmp_path / "wheelkit.toml").write_text(CONFIG)
    raw = standins.raw()
    path = repaired(wheelkit, raw, tmp_path, "--target", standins.tools.target.tag)
    assert bundled(path) == set()
    names = {library.name for library in standins.libraries}
    needed = {base_name(name) for name in wheels.read(path).needed}
    assert needed & names == {base_name(name) for name in wheels.read(raw).needed} & names
    assert len(needed & names) >= 2
    done = wheelkit("verify-matrix", "dist", cwd=tmp_path)
    assert done.returncode == 0


@zig
def test_without_the_list_the_wheel_is_caught_with_size_and_names(
    standins: Standins, tmp_path: Path, wheelkit: Wheelkit
) -> None:
    path = repaired(
        wheelkit,
        standins.raw(),
        tmp_path,
        "--target",
        standins.tools.target.tag,
        "--lib-path",
        standins.place,
    )
    needed = {base_name(name) for name in wheels.read(standins.raw()).needed}
    names = {library.name for library in standins.libraries if library.name in needed}
    assert bundled(path) >= names
    (tmp_path / "wheelkit.toml").write_text(CONFIG)
    done = wheelkit("verify-matrix", "dist", cwd=tmp_path)
    assert done.returncode == 1
    assert "WK503" in done.stdout
    assert "WK601" in done.stdout
    for name in names:
        assert f"leaves {name} to torch" in " ".join(done.stdout.split())


@zig
def test_a_range_without_an_upper_bound_is_a_finding(
    standins: Standins, tmp_path: Path, wheelkit: Wheelkit
) -> None:
    (tmp_path / "wheelkit.toml").write_text(CONFIG)
    repaired(wheelkit, standins.raw("torch>=2.13"), tmp_path, "--target", standins.tools.target.tag)
    done = wheelkit("verify-matrix", "dist", cwd=tmp_path)
    assert "WK509" in done.stdout
    assert "without an upper bound" in " ".join(done.stdout.split())


@zig
@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64", reason="the wheel is for Linux on x86_64"
)
def test_it_computes_beside_the_stand_ins(tmp_path: Path, wheelkit: Wheelkit) -> None:
    standins = Standins("manylinux_2_28_x86_64", tmp_path)
    (tmp_path / "wheelkit.toml").write_text(CONFIG)
    path = repaired(wheelkit, standins.raw(), tmp_path, "--target", "manylinux_2_28_x86_64")
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path / "site")
    script = "from demo import _core; print(_core.element_size(), _core.is_device(1), _core.is_device(99))"
    env = {**os.environ, "LD_LIBRARY_PATH": str(standins.place)}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path / "site",
        env=env,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["8", "True", "False"]


@pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("cc") is None, reason="needs a C compiler for ELF"
)
def test_a_symbol_that_the_installed_torch_lacks_is_an_abi_mismatch(
    tmp_path: Path, wheelkit: Wheelkit
) -> None:
    # A function of torch's in C++, called as the linker sees it; the fake of another torch version
    # has no such function.
    code = 'void *zeros(void) __asm__("_ZN2at5zerosEv");\nvoid *PyInit__x(void) { return zeros(); }\n'
    (tmp_path / "x.c").write_text(code)
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-Wl,-z,now", "-o", tmp_path / "x.so", tmp_path / "x.c"], check=True
    )
    dist = tmp_path / "dist"
    smoke_wheels.make(dist, "torch", "2.12.1", files={"torch/__init__.py": ""})
    files: dict[str, str | bytes] = {
        "wk_spin/__init__.py": "",
        "wk_spin/_x.abi3.so": (tmp_path / "x.so").read_bytes(),
    }
    smoke_wheels.make(
        dist, "wk-spin", files=files, needs=("torch>=2.12",), tag=f"cp311-abi3-linux_{platform.machine()}"
    )
    done = wheelkit("smoke", dist, "--offline", cwd=tmp_path)
    assert done.returncode == 1
    shown = " ".join((done.stdout + done.stderr).split())
    assert "ABI mismatch: the installed torch 2.12.1 does not have the C++ symbol _ZN2at5zerosEv" in shown
    assert 'dependencies = ["torch==2.12.*"]' in shown


@pytest.fixture(scope="module")
def torch_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Fetch torch for this interpreter, without what it depends on."""
    folder = tmp_path_factory.mktemp("torch")
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--only-binary",
        ":all:",
        "--dest",
        str(folder),
        "torch>=2.13,<2.14",
    ]
    subprocess.run(command, check=True)
    (path,) = folder.glob("torch-*.whl")
    return path


@pytest.mark.slow
@pytest.mark.network
@pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() != "x86_64", reason="the host builder is for Linux"
)
@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the project promises cp311 only")
def test_against_the_real_torch(tmp_path: Path, wheelkit: Wheelkit, torch_wheel: Path) -> None:
    folder = tmp_path / "spinor"
    shutil.copytree(FAMILY, folder)
    git_commit(folder)
    subprocess.run(["git", "-C", folder, "tag", "v1.0.0"], check=True)
    env = {"UV_FIND_LINKS": str(torch_wheel.parent)}
    # Its smoke test installs the wheel beside torch, and computes with it.
    done = wheelkit("build", "--native", "--builder", "host", cwd=folder, env=env)
    assert done.returncode == 0
    (path,) = (folder / "dist").glob("*.whl")
    assert bundled(path) == set()
    assert path.stat().st_size < 100_000
    needed = {base_name(name) for name in wheels.read(path).needed}
    assert needed >= {"libtorch.so", "libtorch_cpu.so", "libc10.so"}
    assert wheelkit("verify-matrix", "dist", "--native", cwd=folder).returncode == 0
    with zipfile.ZipFile(torch_wheel) as archive:
        archive.extractall(tmp_path, [name for name in archive.namelist() if name.startswith("torch/lib/")])
    away = tmp_path / "away"
    away.mkdir()
    grafted = repaired(
        wheelkit, path, away, "--target", "manylinux_2_28_x86_64", "--lib-path", tmp_path / "torch/lib"
    )
    assert bundled(grafted) >= {"libtorch_cpu.so", "libc10.so"}
    done = wheelkit("verify-matrix", grafted, "--config", folder / "pyproject.toml", cwd=folder)
    shown = " ".join(done.stdout.split())
    assert done.returncode == 1
    assert "WK601" in shown
    assert "leaves libtorch_cpu.so to torch" in shown
    assert "leaves libc10.so to torch" in shown
