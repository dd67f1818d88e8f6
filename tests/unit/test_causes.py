"""The causes that wheelkit reads from the output of build tools, and files that an sdist lacks."""

from __future__ import annotations

import io
import re
import tarfile
import tomllib
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from support.rows import rows
from wheelkit import data
from wheelkit.builders.causes import explain, find_cause
from wheelkit.builders.not_packed import find_not_packed
from wheelkit.errors import IndexUnavailableError, MissingToolError, ToolFailedError
from wheelkit.machine.process import Completed
from wheelkit.project.backends import BACKENDS
from wheelkit.project.kinds import Kind
from wheelkit.project.read import Distribution

TEXT = Path(__file__).parents[1].joinpath("support/build_outputs.toml").read_text(encoding="utf-8")
SAMPLES = {name: (row["output"], row["cause"]) for name, row in tomllib.loads(TEXT).items()}
TRACEBACK = """\
Traceback (most recent call last):
  File "<string>", line 14, in <module>
  File "/x/lib/python3.11/site-packages/setuptools/build_meta.py", line 317, in run_setup
    exec(code, locals())
    ^^^^^^^^^^^^^^^^^^^^
  File "<string>", line 7, in <module>
  File "/x/lib/python3.11/subprocess.py", line 571, in run
{}
"""


@rows("name", sorted(SAMPLES))
def test_what_tools_print(name: str) -> None:
    output, said = SAMPLES[name]
    cause = find_cause(f"-- fine\n{output}\n")
    assert cause is not None
    assert cause.text.startswith(said)
    assert "{" not in cause.hint


def test_each_row_has_a_sample() -> None:
    table: list[dict[str, Any]] = data.table("causes.toml")["row"]
    plain = [re.sub(r"\x1b\[[\d;]*[mK]", "", output) + "\n" for output, _ in SAMPLES.values()]
    unused = [
        row["pattern"]
        for row in table
        if not any(re.search(row["pattern"], text, re.MULTILINE) for text in plain)
    ]
    assert unused == []


@rows(
    "output",
    [
        "",
        "error: Failed to build `x.tar.gz`\n  cause: The build backend returned an error",
        "error: command '/usr/bin/gcc' failed with exit code 1",
        "0 errors, 3 warnings\nno error: all is well",
        "ERROR: Failed building wheel for x",
        "a.c:1:2: warning: unused variable 'error'",
    ],
)
def test_what_is_no_cause(output: str) -> None:
    assert find_cause(output) is None


def test_the_first_error_counts_and_not_what_follows() -> None:
    first, second = SAMPLES["gcc"][0], SAMPLES["ld, undefined"][0]
    cause = find_cause(f"{first}\n{second}\n{SAMPLES['setuptools'][0]}\n")
    assert cause is not None
    assert cause.text == SAMPLES["gcc"][1]
    assert "undefined reference" in cause.detail


def test_a_weak_line_counts_only_alone() -> None:
    cause = find_cause(f"{SAMPLES['setuptools'][0]}\n{SAMPLES['gcc'][0]}\n")
    assert cause is not None
    assert cause.text == SAMPLES["gcc"][1]


def test_of_several_steps_of_ninja_the_failed_one_counts() -> None:
    probe = "conftest.c:1:1: error: a probe of no matter\n"
    cause = find_cause(f"{probe}[1/2] cc a.c\nFAILED: a.o \ncc a.c\n{SAMPLES['gcc'][0]}\n")
    assert cause is not None
    assert cause.text == SAMPLES["gcc"][1]


def test_of_several_commands_of_setuptools_the_last_counts() -> None:
    probe = "gcc -c probe.c -o probe.o\nprobe.c:1:1: error: a probe of no matter\n"
    real = f"gcc -c src/a.c -o a.o\n{SAMPLES['gcc'][0]}\n"
    cause = find_cause(f"{probe}{real}error: command '/usr/bin/gcc' failed with exit code 1\n")
    assert cause is not None
    assert cause.text == SAMPLES["gcc"][1]


@rows(
    ("end", "text"),
    [
        (
            "ModuleNotFoundError: No module named 'numpy'",
            "setup.py:7: ModuleNotFoundError: No module named 'numpy'",
        ),
        ("KeyError", "setup.py:7: KeyError"),
        (
            "subprocess.CalledProcessError: Command 'x' returned 1",
            "setup.py:7: CalledProcessError: Command 'x' returned 1",
        ),
    ],
)
def test_exceptions(end: str, text: str) -> None:
    cause = find_cause(TRACEBACK.format(end))
    assert cause is not None
    assert cause.text == text
    assert ("build-system.requires" in cause.hint) is ("numpy" in end)


def test_an_exception_that_repeats_an_exit_status_is_no_cause_beside_an_error() -> None:
    output = TRACEBACK.format("subprocess.CalledProcessError: x") + SAMPLES["configure"][0]
    cause = find_cause(output)
    assert cause is not None
    assert cause.text == SAMPLES["configure"][1]


def project(folder: Path, *files: str, backend: str = "setuptools.build_meta") -> Distribution:
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return Distribution(name="Gear-Box", version="1.0", kind=Kind.NATIVE, source=folder, backend=backend)


def sdist(path: Path, *names: str) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for name in names:
            archive.addfile(tarfile.TarInfo(f"gear_box-1.0/{name}"), io.BytesIO())
    return path


def test_the_error_for_a_failed_build(tmp_path: Path) -> None:
    log = tmp_path / "log"
    cases = {
        "gcc": ToolFailedError,
        "shell": MissingToolError,
        "git without a network": IndexUnavailableError,
    }
    for name, kind in cases.items():
        completed = Completed(returncode=1, output=SAMPLES[name][0], log=log)
        error = explain(completed, "building gear", project(tmp_path), None)
        assert type(error) is kind
        assert error.message == f"building gear failed: {SAMPLES[name][1]}"
        assert getattr(error, "log", None) == log or error.hint.endswith(f"full log: {log}")
    assert explain(Completed(returncode=1, output="x"), "building gear", project(tmp_path), None) is None
    late = Completed(returncode=124, output=SAMPLES["gcc"][0], timed_out=True)
    assert explain(late, "building gear", project(tmp_path), None) is None


def test_paths_are_relative_to_the_sdists_top(tmp_path: Path) -> None:
    output = "/x/.tmpA/gear_box-1.0/src/a.c:3:9: error: no gear"
    error = explain(Completed(returncode=1, output=output), "building", project(tmp_path), None)
    assert error is not None
    assert error.message == "building failed: src/a.c:3:9: no gear"
    below = Completed(returncode=1, output=SAMPLES["Meson"][0])
    assert "failed: ../meson.build:3" in str(explain(below, "building", project(tmp_path), None))
    assert "failed: meson.build:3" in str(explain(below, "building", project(tmp_path, "meson.build"), None))


@rows(
    ("named", "found"),
    [
        ("gear.h", "src/gear.h"),
        ("src/gear.h", "src/gear.h"),
        ("/x/.tmpA/gear_box-1.0/src/gear.h", "src/gear.h"),
        ("packed.h", None),
        ("other/gear.h", None),
        ("twice.h", None),
        ("a/twice.h", "a/twice.h"),
        ("absent.h", None),
    ],
)
def test_files_that_the_sdist_lacks(tmp_path: Path, named: str, found: str | None) -> None:
    distribution = project(tmp_path / "p", "src/gear.h", "src/packed.h", "a/twice.h", "b/twice.h")
    packed = sdist(tmp_path / "x.tar.gz", "src/packed.h")
    missing = find_not_packed(named, distribution, packed)
    assert (missing and missing.file) == found
    if missing:
        assert missing.hint == f"add to MANIFEST.in:  include {found}"
        assert find_not_packed(named, distribution, None) is None


def test_each_backend_that_makes_sdists_says_how_to_pack() -> None:
    said = {backend.modules[0]: backend.packing.format(file="a.h") for backend in BACKENDS if backend.packing}
    assert all("a.h" in text for text in said.values())
    assert said["mesonpy"] == "meson-python packs what git tracks:  git add a.h"
    assert said["maturin"] == 'add to [tool.maturin]:  include = [{ path = "a.h", format = "sdist" }]'


def test_a_given_sdist_lacks_nothing_and_a_damaged_one_everything(tmp_path: Path) -> None:
    distribution = project(tmp_path / "p", "src/gear.h")
    (tmp_path / "bad.tar.gz").write_bytes(b"no archive")
    missing = find_not_packed("gear.h", distribution, tmp_path / "bad.tar.gz")
    assert missing is not None
    assert missing.file == "src/gear.h"
    empty = sdist(tmp_path / "gear_box-1.0.tar.gz")
    assert find_not_packed("gear.h", replace(distribution, source=empty), empty) is None
