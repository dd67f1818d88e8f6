"""Wheels of other platforms, from the index and broken on purpose, under real emulators."""

from __future__ import annotations

import json
import os
import shutil
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct

from support import corpus
from support.command import Wheelkit
from support.emulation import NOT_HERE, emulation
from support.wheels import record

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the emulators are for Linux"),
    pytest.mark.emulated,
    pytest.mark.network,
]
Damage = Callable[[dict[str, bytes]], None]


class Sample(Struct, frozen=True, kw_only=True):
    """A wheel of the index for a platform, what runs it, and its damage with the words that report it.

    ``made_by`` is the name for ci/emulation.py.
    """

    made_by: str
    wheel: str
    emulator: str
    damage: Damage
    words: str


def module(members: dict[str, bytes]) -> str:
    """Return the path of a wheel's extension module."""
    (path,) = (path for path in members if path.endswith((".so", ".pyd")) and "libs/" not in path)
    return path


def from_wheel(name: str) -> Damage:
    """Return the damage that replaces the extension module by that of another wheel."""

    def damage(members: dict[str, bytes]) -> None:
        others = contents(corpus.wheel(name))
        members[module(members)] = others[module(others)]

    return damage


def replaced(old: bytes, new: bytes) -> Damage:
    """Return the damage that replaces bytes of the extension module."""

    def damage(members: dict[str, bytes]) -> None:
        path = module(members)
        assert members[path].count(old) >= 1
        members[path] = members[path].replace(old, new)

    return damage


MANYLINUX = (
    "markupsafe-3.0.4-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.manylinux_2_28_x86_64.whl"
)
SAMPLES = (
    Sample(
        made_by="aarch64",
        wheel="markupsafe-3.0.4-cp311-cp311-manylinux2014_aarch64.manylinux_2_17_aarch64.manylinux_2_28_aarch64.whl",
        emulator="qemu-aarch64",
        damage=from_wheel(MANYLINUX),
        words="it contains a binary for another architecture than the interpreter's",
    ),
    Sample(
        made_by="s390x",
        wheel="cffi-2.1.1-cp311-cp311-manylinux2014_s390x.manylinux_2_17_s390x.whl",
        emulator="qemu-s390x",
        damage=replaced(b"GLIBC_2.2\0", b"GLIBC_9.2\0"),
        words="it needs GLIBC_9.2, which this system's glibc does not have",
    ),
    Sample(
        made_by="wine",
        wheel="markupsafe-3.0.4-cp313-cp313-win_amd64.whl",
        emulator="wine",
        damage=replaced(b"VCRUNTIME140.dll", b"VCRUNTIMExyz.dll"),
        words="_speedups could not be loaded: VCRUNTIMExyz.dll was not found",
    ),
    Sample(
        made_by="pyodide",
        wheel="msgspec-0.23.0-cp314-cp314-pyemscripten_2026_0_wasm32.whl",
        emulator="node",
        damage=replaced(b"\0asm", b"\0xsm"),
        words="magic",
    ),
)
MUSL = Sample(
    made_by="musl",
    wheel="markupsafe-3.0.4-cp313-cp313-musllinux_1_2_x86_64.whl",
    emulator="ld-musl-x86_64.so.1",
    damage=replaced(b"libc.musl-x86_64.so.1", b"libx.musl-x86_64.so.1"),
    words="the library libx.musl-x86_64.so.1 was not found",
)


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist() if not name.endswith("/")}


def broken(sample: Sample, folder: Path) -> None:
    """Write the damaged wheel, with a RECORD that fits it."""
    members = contents(corpus.wheel(sample.wheel))
    sample.damage(members)
    (path,) = (path for path in members if path.endswith(".dist-info/RECORD"))
    del members[path]
    members[path] = record(members, path.rpartition("/")[0]).encode()
    with zipfile.ZipFile(folder / sample.wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def smoke(wheelkit: Wheelkit, dist: Path, env: dict[str, str]) -> tuple[int, dict[str, Any], str]:
    done = wheelkit("smoke", dist, "--emulate", "--json", cwd=dist.parent, env=env)
    return done.returncode, json.loads(done.stdout or "{}"), done.stderr


def check(sample: Sample, wheelkit: Wheelkit, tmp_path: Path) -> None:
    """Try a sample as it is and damaged."""
    env = emulation(sample.made_by)
    dist = tmp_path / "dist"
    dist.mkdir()
    (dist / sample.wheel).write_bytes(corpus.wheel(sample.wheel).read_bytes())
    code, document, errors = smoke(wheelkit, dist, env)
    assert code == 0, (document, errors)
    (case,) = document["cases"]
    assert case["emulator"] == sample.emulator
    assert list(case["files"]) == [sample.wheel]
    assert document["not_run"] == []
    broken(sample, dist)
    code, document, errors = smoke(wheelkit, dist, env)
    assert code == 1, (document, errors)
    (case,) = document["cases"]
    assert sample.words in " ".join(failure["what"] for failure in case["failures"]), case["failures"]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.made_by)
def test_a_wheel_of_the_index_passes_and_a_damaged_one_fails(
    sample: Sample, wheelkit: Wheelkit, tmp_path: Path
) -> None:
    check(sample, wheelkit, tmp_path)


@pytest.mark.slow
def test_the_same_on_musl_whose_python_is_built_first(wheelkit: Wheelkit, tmp_path: Path) -> None:
    check(MUSL, wheelkit, tmp_path)


@pytest.mark.parametrize(
    ("deed", "words"),
    [("kill -9 $$", "was ended by SIGKILL"), ("sleep 60", "timed out")],
    ids=["killed", "hung"],
)
def test_an_emulator_that_is_killed_or_hangs_is_a_failure(
    deed: str, words: str, wheelkit: Wheelkit, tmp_path: Path
) -> None:
    sample = next(sample for sample in SAMPLES if sample.made_by == "s390x")
    env = emulation(sample.made_by)
    qemu = shutil.which("qemu-s390x-static", path=env["PATH"])
    assert qemu is not None
    (tmp_path / "bin").mkdir()
    (tmp_path / "dist").mkdir()
    wrapper = tmp_path / "bin/qemu-s390x"
    wrapper.write_text(f'#!/bin/sh\ncase "$*" in *wheelkit-probe*) {deed};; esac\nexec {qemu} "$@"\n')
    wrapper.chmod(0o755)
    (tmp_path / "dist" / sample.wheel).write_bytes(corpus.wheel(sample.wheel).read_bytes())
    path = f"{tmp_path / 'bin'}{os.pathsep}{env['PATH']}"
    command = ("smoke", "dist", "--emulate", "--json", "--timeout", "0.5")
    done = wheelkit(*command, cwd=tmp_path, env={**env, "PATH": path})
    assert done.returncode == 1
    (case,) = json.loads(done.stdout)["cases"]
    assert [words in failure["what"] for failure in case["failures"]] == [True]


def test_without_emulators_the_exit_code_says_so(wheelkit: Wheelkit, tmp_path: Path) -> None:
    dist = tmp_path / "dist"
    dist.mkdir()
    for sample in SAMPLES:
        (dist / sample.wheel).write_bytes(corpus.wheel(sample.wheel).read_bytes())
    programs = tmp_path / "programs"
    programs.mkdir()
    done = wheelkit(
        "smoke", dist, "--emulate", cwd=tmp_path, env={"PATH": str(programs), "WHEELKIT_PYTHONS": ""}
    )
    assert done.returncode == NOT_HERE
    for words in (
        "qemu-s390x is not installed",
        "wine is not installed",
        "node is not installed",
        "apt install",
    ):
        assert words in done.stderr
    assert "Traceback" not in done.stderr
