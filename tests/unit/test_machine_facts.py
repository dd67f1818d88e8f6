from __future__ import annotations

import sys

import pytest

from support.scripts import Script
from wheelkit.machine.facts import Machine, detect, find_engine
from wheelkit.matrix import System, Target

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="replaces programs by shell scripts")

DOCKER_DOWN = (
    "echo 'Cannot connect to the Docker daemon at unix:///var/run/docker.sock. "
    "Is the docker daemon running?' >&2; exit 1"
)


def test_docker_comes_first_and_podman_where_docker_does_not_answer(script: Script) -> None:
    script("podman", "echo 4.3.1")
    script("docker", "echo 27.1")
    engine, problem = find_engine({})
    assert (str(engine), problem) == ("docker 27.1", "")
    script("docker", DOCKER_DOWN)
    engine, problem = find_engine({})
    assert engine is not None
    assert (str(engine), engine.setting) == ("podman 4.3.1", "podman")


def test_without_an_engine_the_reason_names_each(script: Script) -> None:
    assert find_engine({}) == (None, "docker is not installed; podman is not installed")
    script("docker", DOCKER_DOWN)
    script("podman", "exit 125")
    _, problem = find_engine({})
    assert problem.startswith("docker is installed but does not work: Cannot connect to the Docker daemon")
    assert problem.endswith("podman is installed but does not work: it failed with exit status 125")


def test_an_engine_that_answers_with_nothing_does_not_work(script: Script) -> None:
    script("docker", "exit 0")
    assert find_engine({})[0] is None


def test_the_engine_that_cibuildwheel_is_configured_with_is_the_only_one_queried(script: Script) -> None:
    script("docker", "echo 27.1")
    environ = {"CIBW_CONTAINER_ENGINE": "podman; create_args: --network=host"}
    assert find_engine(environ) == (None, "podman is not installed")
    script("podman", "echo 4.3.1")
    engine, _ = find_engine(environ)
    assert engine is not None
    assert engine.setting == "podman; create_args: --network=host"
    assert str(find_engine({"CIBW_CONTAINER_ENGINE": " "})[0]) == "docker 27.1"
    assert str(find_engine({**environ, "CIBW_CONTAINER_ENGINE_LINUX": "docker"})[0]) == "docker 27.1"


def test_an_engine_that_cibuildwheel_does_not_support_is_reported(script: Script) -> None:
    script("nerdctl", "echo 2.0")
    engine, problem = find_engine({"CIBW_CONTAINER_ENGINE": "nerdctl"})
    assert engine is None
    assert problem == 'CIBW_CONTAINER_ENGINE is "nerdctl", but cibuildwheel supports only docker and podman'


def test_this_machine_is_described(script: Script) -> None:
    script("podman", "echo 4.3.1")
    here = detect(containers=False)
    assert here.engine is None
    assert str(here).startswith(str(here.system))
    if here.system is System.LINUX:
        assert str(detect({}).engine) == "podman 4.3.1"


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's personalities are those of Linux")
@pytest.mark.parametrize(("answer", "builds"), [("armv8l", "armv7l aarch64"), ("aarch64", "aarch64")])
def test_only_some_processors_for_64_bit_arm_build_for_32_bit(
    script: Script, monkeypatch: pytest.MonkeyPatch, answer: str, builds: str
) -> None:
    script("linux32", f"echo {answer}")
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    here = detect(containers=False)
    archs = ("armv7l", "aarch64", "x86_64")
    built = [arch for arch in archs if here.builds(Target.parse(f"manylinux_2_31_{arch}"))]
    assert " ".join(built) == builds


@pytest.mark.parametrize(
    ("target", "builder"),
    [
        ("android_24_arm64_v8a", "linux x86_64"),
        ("pyemscripten_2026_0_wasm32", "linux x86_64"),
        ("ios_13_0_x86_64_iphonesimulator", "macos arm64"),
    ],
)
def test_one_kind_of_machine_builds_for_a_system_without_compilers(target: str, builder: str) -> None:
    machines = [
        Machine(system=system, arch=arch)
        for system, arch in (
            (System.LINUX, "x86_64"),
            (System.LINUX, "aarch64"),
            (System.MACOS, "arm64"),
            (System.MACOS, "x86_64"),
            (System.WINDOWS, "amd64"),
        )
    ]
    assert [str(machine) for machine in machines if machine.builds(Target.parse(target))] == [builder]


def test_a_machine_builds_its_own_targets_and_no_others() -> None:
    intel = Machine(system=System.LINUX, arch="x86_64", libc="manylinux")
    builds = {
        tag: intel.builds(Target.parse(tag))
        for tag in ("manylinux_2_28_x86_64", "musllinux_1_2_i686", "manylinux_2_28_aarch64", "win_amd64")
    }
    assert list(builds.values()) == [True, True, False, False]
    assert not Machine(system=System.LINUX, arch="vax").builds(Target.parse("manylinux_2_28_x86_64"))
    apple = Machine(system=System.MACOS, arch="arm64")
    assert apple.builds(Target.parse("macosx_11_0_universal2"))
    assert not apple.builds(Target.parse("macosx_10_13_x86_64"))
