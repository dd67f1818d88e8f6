"""Which builder a target gets on a machine, and why it gets another one or none."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from support.rows import rows
from wheelkit.errors import MissingToolError, UsageError
from wheelkit.machine.facts import Engine, Machine
from wheelkit.matrix import System, Target
from wheelkit.plan import Builder
from wheelkit.plan.make import _builder

DOCKER = Engine(name="docker", version="24.0", setting="docker")
LINUX = Machine(system=System.LINUX, arch="x86_64", libc="manylinux", libc_version=(2, 36))
CONTAINERS = replace(LINUX, engine=DOCKER)
BROKEN = replace(LINUX, engine_problem="docker does not answer")
MUSL = replace(LINUX, libc="musllinux", libc_version=(1, 2))
MAC, WINDOWS = Machine(system=System.MACOS, arch="arm64"), Machine(system=System.WINDOWS, arch="amd64")
CIBW, HOST, CROSS = Builder.CIBUILDWHEEL, Builder.HOST, Builder.CROSS
ONLY_OWN = "the host builder makes manylinux wheels for x86_64 only"
# The machine, the target, the builder that was asked for, the one that it gets, and what is said.
BUILDERS: list[tuple[Machine, str, Builder | None, Builder | None, str]] = [
    (CONTAINERS, "manylinux_2_28_x86_64", None, CIBW, ""),
    (CONTAINERS, "musllinux_1_2_x86_64", None, CIBW, ""),
    (CONTAINERS, "manylinux_2_28_x86_64", CIBW, CIBW, ""),
    (CONTAINERS, "manylinux_2_28_x86_64", HOST, HOST, "--builder host"),
    (CONTAINERS, "musllinux_1_2_x86_64", HOST, None, ONLY_OWN),
    (LINUX, "manylinux_2_28_x86_64", None, HOST, "no container engine"),
    (BROKEN, "manylinux_2_28_x86_64", None, HOST, "docker does not answer"),
    (LINUX, "manylinux_2_28_x86_64", HOST, HOST, "no container engine"),
    (LINUX, "musllinux_1_2_x86_64", None, None, ONLY_OWN),
    (LINUX, "manylinux_2_28_i686", None, None, ONLY_OWN),
    (MUSL, "musllinux_1_2_x86_64", None, HOST, "no container engine"),
    (LINUX, "manylinux_2_28_aarch64", None, None, "this machine is linux x86_64"),
    (LINUX, "win_amd64", None, None, "this machine is linux x86_64"),
    (MAC, "macosx_11_0_arm64", None, CIBW, ""),
    (MAC, "macosx_11_0_arm64", CIBW, CIBW, ""),
    (MAC, "manylinux_2_28_x86_64", None, None, "this machine is macos arm64"),
    (WINDOWS, "win_amd64", None, CIBW, ""),
    (LINUX, "win_amd64", CROSS, CROSS, ""),
    (LINUX, "manylinux_2_28_aarch64", CROSS, CROSS, ""),
]  # fmt: skip


@rows(("machine", "tag", "forced", "builder", "why"), BUILDERS)
def test_the_builder_of_a_target(
    machine: Machine, tag: str, forced: Builder | None, builder: Builder | None, why: str
) -> None:
    assert _builder(machine, Target.parse(tag), forced) == (builder, why)


def test_a_target_that_zig_cannot_build_has_a_reason() -> None:
    builder, why = _builder(LINUX, Target.parse("manylinux_2_36_loongarch64"), CROSS)
    assert builder is None
    assert why


def test_the_host_builder_is_for_linux() -> None:
    for machine, tag in ((MAC, "macosx_11_0_arm64"), (WINDOWS, "win_amd64")):
        with pytest.raises(UsageError, match="the host builder is for Linux only") as usage:
            _builder(machine, Target.parse(tag), HOST)
        assert usage.value.hint == "leave out --builder: cibuildwheel needs no container here"
    builder, why = _builder(CONTAINERS, Target.parse("android_21_x86_64"), HOST)
    assert (builder, why) == (None, "only cibuildwheel builds for android")


def test_cibuildwheel_needs_an_engine_on_linux() -> None:
    with pytest.raises(MissingToolError, match="none works here: docker does not answer") as missing:
        _builder(BROKEN, Target.parse("manylinux_2_28_x86_64"), CIBW)
    assert missing.value.hint.endswith("wheelkit build --native --builder host")
