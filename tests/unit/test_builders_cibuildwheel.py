"""The excerpts are what cibuildwheel 4.3 printed with podman and docker; only names were shortened."""

from __future__ import annotations

from pathlib import Path

import pytest

from wheelkit.builders import cibuildwheel
from wheelkit.errors import CheckFailedError, MissingToolError, ProjectError, ToolFailedError, WheelkitError
from wheelkit.machine.process import Completed
from wheelkit.matrix import Interpreter, Target
from wheelkit.plan import Builder, NativeStep
from wheelkit.project.kinds import Kind
from wheelkit.project.read import Distribution

JOB = NativeStep(
    distribution=Distribution(name="momentum", version="1.2.0", kind=Kind.NATIVE, source=Path("momentum")),
    target=Target.parse("manylinux_2_28_x86_64"),
    builder=Builder.CIBUILDWHEEL,
    interpreters=(Interpreter.parse("cp311"), Interpreter.parse("cp312")),
    identifiers=("cp311-manylinux_x86_64", "cp312-manylinux_x86_64"),
    repair="auditwheel repair -w {dest_dir} {wheel}",
    patterns=(),
    tests=("true",),
)
LOG = Path("build.log")

BUILD = """
Building cp311-manylinux_x86_64 wheel
CPython 3.11 manylinux x86_64

Setting up build environment...

    + which uv

                                                                       ✓ 0.07s
Building wheel...

    + python -m build /project --wheel --outdir=/tmp/cibuildwheel/built_wheel --installer=uv
* Building wheel...
"""
REPAIR = """
                                                                       ✓ 2.12s
Repairing wheel...

    + sh -c 'auditwheel repair -w /tmp/cibuildwheel/repaired_wheel /tmp/cibuildwheel/built_wheel/m.whl'
"""
TEST = """
                                                                       ✓ 0.20s
Testing wheel...

    + uv pip install /tmp/cibuildwheel/repaired_wheel/m.whl
    + sh -c 'python -c "print(1/0)"'
"""
REUSED = """
Building cp312-manylinux_x86_64 wheel
CPython 3.12 manylinux x86_64

Setting up build environment...

Found previously built wheel m.whl, that's compatible with cp312-manylinux_x86_64. Skipping build step...
"""
FOLDED = """
\x1b[1m\x1b[34mBuilding cp311-manylinux_x86_64 wheel\x1b[0m
CPython 3.11 manylinux x86_64

::group::Building wheel...

::endgroup::Building wheel...
                                                              \x1b[32m✓ \x1b[0m2.32s
::group::Testing wheel...

    + sh -c 'python -c "print(1/0)"'
"""
FAILED = """Traceback (most recent call last):
  File "<string>", line 1, in <module>
ZeroDivisionError: division by zero
{start}Command ['sh', '-c', 'python -c "print(1/0)"'] failed with code 1.
"""
COMPILER_ERROR = (
    "building momentum for cp311 failed: ../core.c:12:5: unknown type name 'flaot'; did you mean 'float'?"
)
COMPILER = """[1/2] Compiling C object _core.abi3.so.p/core.c.o
FAILED: [code=1] _core.abi3.so.p/core.c.o
../core.c: In function 'of':
../core.c:12:5: error: unknown type name 'flaot'; did you mean 'float'?
   12 |     flaot mass = 0.0;
      |     ^~~~~
      |     float
ninja: build stopped: subcommand failed.
"""
BUILD_FAILED = (
    "cibuildwheel: error: Command ['python', '-m', 'build', PurePosixPath('/project'), '--wheel', "
    "'--outdir=/tmp/cibuildwheel/built_wheel', '--installer=uv'] failed with code 1. \n"
)


def explained(log: str, code: int = 1) -> WheelkitError:
    return cibuildwheel._explain(Completed(returncode=code, output=log, log=LOG), JOB)


def test_the_label_joins_the_options_of_the_engine() -> None:
    assert cibuildwheel.with_label("docker", "l=1") == "docker; create_args: --label=l=1"
    assert (
        cibuildwheel.with_label("podman; create_args: --network=host", "l=1")
        == "podman; create_args: --label=l=1 --network=host"
    )
    assert (
        cibuildwheel.with_label("podman; disable_host_mount: true", "l=1")
        == "podman; disable_host_mount: true; create_args: --label=l=1"
    )


def test_cibuildwheel_itself_reads_the_label_from_the_setting() -> None:
    from cibuildwheel.oci_container import OCIContainerEngineConfig

    for setting in ("docker", "podman; create_args: --network=host --env=A=B; disable_host_mount: true"):
        config = OCIContainerEngineConfig.from_config_string(
            cibuildwheel.with_label(setting, "wheelkit.run=x")
        )
        assert "--label=wheelkit.run=x" in config.create_args
        assert config.disable_host_mount is ("mount" in setting)


def test_the_interpreters_of_tests_are_read_from_plain_and_folded_logs() -> None:
    assert cibuildwheel.tested_interpreters(BUILD + REPAIR + TEST + REUSED + TEST) == {"cp311", "cp312"}
    assert cibuildwheel.tested_interpreters(BUILD + REPAIR + TEST + REUSED) == {"cp311"}
    assert cibuildwheel.tested_interpreters(BUILD + REPAIR) == frozenset()
    assert cibuildwheel.tested_interpreters(FOLDED) == {"cp311"}
    assert cibuildwheel.tested_interpreters(
        FOLDED.replace("::group::", "##[group]").replace("cp311-", "cp314t-")
    ) == {"cp314t"}
    assert cibuildwheel.tested_interpreters("") == frozenset()


@pytest.mark.parametrize(
    ("log", "message"),
    [
        (
            (
                "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker "
                "daemon running?"
            ),
            "Is the docker daemon running?",
        ),
        (
            BUILD + "RuntimeError: Failed to read the return code, the container shell has exited\n",
            "the container shell has exited",
        ),
        (BUILD + "    self.stdin.flush()\nBrokenPipeError: [Errno 32] Broken pipe", "BrokenPipeError"),
    ],
)
def test_a_failed_engine_is_reported(log: str, message: str) -> None:
    error = explained(log)
    assert isinstance(error, ToolFailedError)
    assert error.message.startswith("the container engine failed: ")
    assert message in error.message
    assert "--builder host" in error.hint
    assert error.log == LOG


def test_an_engine_that_is_too_old_is_recognised_by_its_exit_code() -> None:
    error = explained(
        "cibuildwheel: error: Build failed because docker is too old or is not working properly.", 7
    )
    assert error.message == "the container engine failed: too old, or not working"


def test_a_test_that_only_speaks_of_broken_pipes_is_a_failed_test() -> None:
    log = (
        BUILD
        + REPAIR
        + TEST
        + "BrokenPipeError: [Errno 32] Broken pipe\n"
        + FAILED.format(start="cibuildwheel: error: ")
    )
    assert isinstance(explained(log), CheckFailedError)


@pytest.mark.parametrize(
    "log",
    [
        (
            "Error: initializing source docker://localhost/not-there:1: pinging container registry "
            "localhost: connection refused\n"
        ),
        "docker: Error response from daemon: manifest for not-there:1 not found: manifest unknown\n",
        "docker: Error response from daemon: pull access denied for not-there, repository does not exist\n",
        (
            "cibuildwheel: error: Command ['podman', 'create', '--interactive', "
            "'localhost/not-there:1', '/bin/bash'] failed with code 125. \n"
        ),
    ],
)
def test_an_image_that_cannot_be_had_is_a_missing_service(log: str) -> None:
    error = explained("Starting container image not-there:1...\n" + log)
    assert isinstance(error, MissingToolError)
    assert error.message == "the container image not-there:1 cannot be pulled"
    assert error.detail == log.strip() or "create" in log
    assert "registry" in error.hint
    assert str(LOG) in error.hint


def test_an_interpreter_that_the_image_does_not_hold_is_named_with_it() -> None:
    log = (
        "cibuildwheel: error:   '/opt/python/cp314-cp314/bin/python' executable doesn't exist "
        "in image 'own:1' "
        "to build 'cp314-manylinux'."
    )
    error = explained(log)
    assert isinstance(error, MissingToolError)
    assert error.message == "the container image own:1 has no /opt/python/cp314-cp314/bin/python"
    assert "CIBW_SKIP" in error.hint


def test_the_compilers_own_lines_are_shown() -> None:
    error = explained(BUILD + COMPILER + BUILD_FAILED)
    assert isinstance(error, ToolFailedError)
    assert error.message == COMPILER_ERROR
    assert (
        error.detail.splitlines()[1]
        == "../core.c:12:5: error: unknown type name 'flaot'; did you mean 'float'?"
    )
    assert "CPython 3.11 manylinux" not in error.detail
    assert error.log == LOG


def test_compile_errors_are_found_however_much_is_printed_after_them() -> None:
    assert explained(BUILD + COMPILER + "[2/9] Compiling\n" * 2000 + BUILD_FAILED).message == COMPILER_ERROR


def test_a_failed_audit_names_the_symbols() -> None:
    report = (
        '{"specs": {"m.whl": {"kind": "wheel", "wheel": [{"name": "_core.abi3.so", "result": '
        '{"is_abi3": true, '
        '"is_abi3_baseline_compatible": false, "baseline": "3.11", "computed": "3.13", '
        '"non_abi3_symbols": [], '
        '"future_abi3_objects": {"PyType_GetModuleByDef": "3.13"}}}]}}}\n'
    )
    error = explained(BUILD + REPAIR + report + "Audit command failed with exit code 1\n", 9)
    assert isinstance(error, CheckFailedError)
    assert error.message.endswith(
        "symbols that its Python version does not have: PyType_GetModuleByDef (stable from 3.13)"
    )
    assert error.detail == ""
    other = explained(BUILD + REPAIR + "twine check: no\nAudit command failed with exit code 1\n", 9)
    assert "twine check: no" in other.detail


@pytest.mark.parametrize(
    ("log", "start"),
    [
        (BUILD + REPAIR + TEST, "cibuildwheel: error: "),
        (FOLDED, "::error::cibuildwheel: "),
        (FOLDED, "cibuildwheel: \x1b[91merror\x1b[0m: "),
    ],
)
def test_a_failed_test_is_a_failed_check_plain_coloured_and_folded(log: str, start: str) -> None:
    error = explained(log + FAILED.format(start=start))
    assert isinstance(error, CheckFailedError)
    assert (
        error.message
        == 'the test of the repaired wheel on cp311 failed with exit status 1: python -c "print(1/0)"'
    )
    assert "ZeroDivisionError" in error.detail
    assert str(LOG) in error.hint


def test_the_interpreter_of_a_failed_test_is_the_one_it_ran_on() -> None:
    error = explained(BUILD + REPAIR + TEST + REUSED + TEST + FAILED.format(start="cibuildwheel: error: "))
    assert " on cp312 failed " in error.message


def test_what_a_test_prints_is_not_taken_for_a_compilers_words() -> None:
    words = "demo.py:3: error: Incompatible types in assignment\n"
    assert isinstance(
        explained(BUILD + REPAIR + TEST + words + FAILED.format(start="cibuildwheel: error: ")),
        CheckFailedError,
    )


def test_a_build_that_fails_after_a_tested_one_is_no_failed_test() -> None:
    second = BUILD.replace("cp311-", "cp312-").replace("3.11", "3.12")
    log = (
        BUILD
        + REPAIR
        + TEST
        + second
        + "cibuildwheel: error: Command ['sh', '-c', 'make headers'] failed with code 2. \n"
    )
    error = explained(log)
    assert isinstance(error, ToolFailedError)
    assert error.message == "cibuildwheel failed with exit status 1"
    assert "make headers" in error.detail


def test_a_refused_repair_shows_auditwheels_reason() -> None:
    log = (
        BUILD
        + REPAIR
        + 'auditwheel: error: cannot repair "m.whl" to "manylinux_2_28_x86_64" ABI '
        + "because of the presence of too-recent versioned symbols.\n"
        + "\nlibc.so.6 with versions {'GLIBC_2.34'}\n\n                    ✕ 4.09s\n"
        + (
            "cibuildwheel: error: Command ['sh', '-c', 'auditwheel repair --plat "
            "manylinux_2_28_x86_64 m.whl'] failed with code 2. \n"
        )
    )
    error = explained(log)
    assert isinstance(error, ToolFailedError)
    assert error.message == "auditwheel cannot repair the wheel for manylinux_2_28_x86_64"
    assert error.detail.splitlines() == [
        (
            'auditwheel: error: cannot repair "m.whl" to "manylinux_2_28_x86_64" ABI because of the '
            "presence of too-recent versioned symbols."
        ),
        "libc.so.6 with versions {'GLIBC_2.34'}",
    ]
    assert "promise a newer target" in error.hint
    assert error.log == LOG


def test_configuration_and_an_empty_selection_are_distinguished() -> None:
    refused = explained("cibuildwheel: error: Invalid build selector: 'cp399-manylinux_x86_64'. \n", 2)
    assert refused.message.startswith("cibuildwheel rejects")
    assert "cp399-manylinux_x86_64" in refused.detail
    nothing = explained("cibuildwheel: error: No build identifiers selected: BuildSelector(...)\n", 3)
    assert isinstance(nothing, ProjectError)
    assert "cp311-manylinux_x86_64, cp312-manylinux_x86_64 are all skipped" in nothing.message
    assert "CIBW_SKIP" in nothing.hint


def test_anything_else_is_shown_as_it_ended() -> None:
    error = explained("line\n" * 100 + "the end\n", 6)
    assert isinstance(error, ToolFailedError)
    assert error.message == "cibuildwheel failed with exit status 6"
    assert len(error.detail.splitlines()) == 25
    assert error.detail.endswith("the end")


def test_a_pure_wheel_of_a_native_distribution_names_the_wheel() -> None:
    error = explained(
        BUILD
        + (
            "Successfully built momentum-1.0-py3-none-any.whl\n"
            "Build failed because a pure Python wheel was generated."
        ),
        5,
    )
    assert isinstance(error, ProjectError)
    assert (
        error.message
        == "momentum is treated as native, but its wheel contains no binary: momentum-1.0-py3-none-any.whl"
    )
    assert 'kind = "pure"' in error.hint
    assert error.detail == ""


STATISTICS = """Compile requests                     12
Compile requests executed            7
Cache hits                           6
Cache hits (C/C++)                   6
Cache misses                         1
"""


def test_the_compiler_caches_last_statistics_are_read() -> None:
    before = STATISTICS.replace("executed            7", "executed            1").replace(
        "hits                           6", "hits                           0"
    )
    assert cibuildwheel.compiler_cache_hits(f"x\n{before}y\n{STATISTICS}z\n") == (6, 7)
    assert cibuildwheel.compiler_cache_hits("Cache hits (C/C++)   6\n") is None
