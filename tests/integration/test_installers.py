"""Both pips and uv agree with wheelkit about generated, malformed and real wheels.

ci/compare-installers.py does the same with many more generated wheels.
"""

import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from packaging.tags import sys_tags
from packaging.utils import parse_wheel_filename

import malformed
from installers.agreement import disagreements, opinion
from installers.campaign import compare_file, compare_one, unpack_pips
from installers.drafts import Draft, generate, valid
from installers.run import SITE, Installers, installers
from support import corpus

SEED, COUNT = 15, 120
# Wheels of ci/compare-installers.py that once showed a disagreement: their seed and number.
ONCE_WRONG = (
    (2027, 3261), (2027, 4364), (2027, 4507), (2027, 4776), (2027, 6415), (2027, 6439), (2028, 2450),
)  # fmt: skip
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="installs as on Linux")
# Files that only installers write, the scripts whose words differ between them, and compiled modules.
# Malformed wheels that are not compared: they install here, or take minutes, and their errors are right.
RIGHT_ELSEWHERE = {
    "a_bomb": "installers write all of its 400 MB",
    "metadata_to_keep_readers_busy": "it is refused for its size alone",
    "a_path_of_thirty_thousand_folders": "installers take minutes to find that no system has such paths",
    "a_second_dist_info_in_capitals": "on Windows and macOS, both are one folder",
}
OWN = ("RECORD", "REQUESTED", "direct_url.json", "uv_cache.json", "INSTALLER")


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installers]:
    folder = tmp_path_factory.mktemp("installers")
    with installers(unpack_pips(folder), valid(Random(0)).write(folder)) as started:  # noqa: S311
        yield started


def everything(number: int) -> Draft:
    """Return a valid wheel with a script, an entry point, data and headers."""
    draft = valid(Random(number))  # noqa: S311
    draft.entry_points = b"[console_scripts]\nrun = demo:main\n[gui_scripts]\nwindow = demo:main\n"
    draft.add("{data}/scripts/tool", "#!python\nprint(1)\n", 0o100755)
    draft.add("{data}/data/share/page.txt", "page\n")
    draft.add("{data}/headers/demo.h", "int demo;\n")
    draft.add("{data}/purelib/extra.py")
    return draft


def test_generated_wheels(ready: Installers, tmp_path: Path) -> None:
    comparisons = [compare_one(generate(number, SEED), number, tmp_path, ready) for number in range(COUNT)]
    bad = {f"{item.number}: {item.wheel}": item.disagreements for item in comparisons if item.disagreements}
    assert bad == {}
    assert sum(bool(item.refusals) for item in comparisons) > COUNT // 4
    assert sum(item.mapped for item in comparisons) > COUNT // 5


@pytest.mark.parametrize(("seed", "number"), ONCE_WRONG)
def test_wheels_that_once_were_judged_wrongly(
    ready: Installers, tmp_path: Path, seed: int, number: int
) -> None:
    assert compare_one(generate(number, seed), number, tmp_path, ready).disagreements == ()


@pytest.mark.filterwarnings("ignore:Duplicate name:UserWarning")
@pytest.mark.parametrize("name", sorted(malformed.MALFORMED.keys() - RIGHT_ELSEWHERE.keys()))
def test_malformed_wheels(ready: Installers, tmp_path: Path, name: str) -> None:
    path = malformed.MALFORMED[name].write(tmp_path)
    assert compare_file(path, 0, name, ready).disagreements == ()


def for_this_machine(filename: str) -> bool:
    return not parse_wheel_filename(filename)[3].isdisjoint(sys_tags())


@pytest.mark.parametrize("filename", list(filter(for_this_machine, corpus.names())))
def test_real_wheels(ready: Installers, filename: str) -> None:
    comparison = compare_file(corpus.wheel(filename), 0, filename, ready)
    assert (comparison.refusals, comparison.disagreements) == ({}, ())


def test_what_is_compared_can_disagree(ready: Installers, tmp_path: Path) -> None:
    good = everything(1).write(tmp_path)
    outcomes, said = ready.install(good), opinion(good)
    assert list(disagreements(outcomes, said, good.name)) == []
    draft = everything(1)
    draft.files[0].path = "other.py"
    (tmp_path / "second").mkdir()
    found = disagreements(outcomes, opinion(draft.write(tmp_path / "second")), good.name)
    kinds = {item.kind.partition(" ")[2] for item in found}
    assert {"installs a file that the map lacks", "does not install a file of the map"} <= kinds
    refused = [item for item in ready.install(_without_wheel_file(tmp_path)) if item.refused]
    assert len(refused) == len(outcomes)
    assert {item.kind.partition(" by ")[0] for item in disagreements(refused, said, good.name)} == {"refused"}


def _without_wheel_file(folder: Path) -> Path:
    draft = everything(1)
    draft.wheel = None
    return draft.write(folder)


@pytest.mark.parametrize("installer", ["pip", "uv"])
def test_the_commands_as_users_run_them_leave_the_same(
    ready: Installers, tmp_path: Path, installer: str
) -> None:
    wheel = everything(2).write(tmp_path)
    environment = tmp_path / "environment"
    venv.create(environment, symlinks=True)
    usual = _files(environment)
    python = str(environment / "bin/python")
    program = {
        "pip": [sys.executable, "-m", "pip", "--python", python, "install"],
        "uv": ["uv", "pip", "install", "--python", python],
    }[installer]
    variables = {**os.environ, "PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1"}
    subprocess.run([*program, "--no-deps", "--no-index", str(wheel)], check=True, env=variables)
    (outcome,) = (item for item in ready.install(wheel) if item.installer == installer)
    theirs = {path: data for path, data in _files(environment).items() if path not in usual}
    ours = {path: file.data for path, file in outcome.files.items()}
    assert theirs.keys() == ours.keys()
    different = {path for path, data in theirs.items() if data != ours[path]}
    changing = {f"bin/{name}" for name in ("run", "window", "tool", "demo-run", "demo-tool")}
    changing |= {f"{SITE}/demo-1.0.dist-info/{name}" for name in OWN}
    assert {path for path in different - changing if not path.endswith(".pyc")} == set()


def _files(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}
