"""The host builder runs a project's own tests, as cibuildwheel's options describe them."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

from support.command import MakeProject, Wheelkit

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the host builder is for Linux"),
    pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler"),
    pytest.mark.network,
]
HOST = ("build", "--native", "--builder", "host")
TAGS = ["cp311", "cp312", "cp313"]


TEST = "import spin\n\n\ndef test_it():\n    assert spin.turns(720) == 2\n"
# Says where it ran: the version, a variable, and the files beside it.
REPORT = """
import os, sys, iniconfig
with open(sys.argv[1], "a") as stream:
    stream.write(f"{sys.version[:4]} in {os.environ['WHERE']}: {sorted(os.listdir())}\\n")
"""


def spin(project: MakeProject, table: str) -> Path:
    """Copy the project with tests and options of cibuildwheel, packed into its sdist."""
    folder = project("single_version", git=False)
    (folder / "checks").mkdir()
    (folder / "checks/test_spin.py").write_text(TEST)
    (folder / "checks/report.py").write_text(REPORT)
    (folder / "MANIFEST.in").write_text("graft checks\n")
    with (folder / "pyproject.toml").open("a") as stream:
        stream.write(f'\n[dependency-groups]\ntest = ["iniconfig"]\n[tool.cibuildwheel]\n{table}\n')
    return folder


def interpreters_of_tests(folder: Path) -> dict[str, list[str]]:
    (path,) = (folder / "dist").glob("*2_28*.wheelkit.json")
    return {file["cells"][0]: file["tested"] for file in json.loads(path.read_text())["files"]}


def test_everything_about_tests_is_followed(project: MakeProject, wheelkit: Wheelkit, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    table = f"""
test-command = [
  "python -m pytest -q -p no:cacheprovider checks",
  "test -e {{project}}/checks/test_spin.py",
  "python checks/report.py {ran}",
]
test-requires = ["pytest"]
test-groups = ["test"]
test-sources = ["checks"]
test-environment = {{ WHERE = "$SPIN" }}
environment = {{ SPIN = "space" }}
test-skip = "cp312-*"
"""
    folder = spin(project, table)
    done = wheelkit(*HOST, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert interpreters_of_tests(folder) == {"cp311": ["cp311"], "cp312": [], "cp313": ["cp313"]}
    assert "not tested on cp312" in done.stderr
    assert sorted(ran.read_text().splitlines()) == [f"3.1{minor} in space: ['checks']" for minor in (1, 3)]


def test_a_failing_test_is_one_of_the_project(project: MakeProject, wheelkit: Wheelkit) -> None:
    override = (
        '[[tool.cibuildwheel.overrides]]\nselect = "cp313-*"\ntest-command = "echo no spin here; exit 3"'
    )
    folder = spin(project, f'test-command = "true"\n{override}')
    done = wheelkit(*HOST, cwd=folder)
    assert done.returncode == 1
    assert "on cp313 failed with exit status 3: echo no spin here; exit 3" in done.stderr
    assert "spin-0.3-cp312-cp312-" in done.stderr
    (handed,) = (folder / "dist/failed").iterdir()
    assert "no spin here" in next(handed.glob("*.log")).read_text()


def test_a_file_of_tests_that_the_sdist_lacks_is_named(project: MakeProject, wheelkit: Wheelkit) -> None:
    folder = spin(project, 'test-command = "true"\ntest-sources = ["missing"]')
    done = wheelkit(*HOST, cwd=folder)
    assert done.returncode == 2
    assert "missing, named in test-sources, does not exist" in done.stderr


def test_tests_that_call_pip_find_one(project: MakeProject, wheelkit: Wheelkit) -> None:
    commands = 'before-test = "python -m pip --version"\ntest-command = "python -c \'import spin\'"'
    folder = spin(project, commands)
    assert wheelkit(*HOST, "--only", "cp311-manylinux_x86_64", cwd=folder).returncode == 0
    assert interpreters_of_tests(folder) == {"cp311": ["cp311"]}
