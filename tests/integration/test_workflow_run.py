"""Run generated workflows job by job, from a tag to the production index or to the first failure."""

from __future__ import annotations

import json
import os
import platform
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import yaml

from actions import gh
from actions.hosted import Hosted, hosted
from actions.runner import Event, JobRun, Run, Service
from servers.issuer import Issuer, issuing
from servers.publishers import Publishers
from servers.sigstore import Sigstore, signing
from servers.warehouse import Token, Warehouse, serving
from support.command import Wheelkit, git_commit
from wheelkit.workflows.jobs import TOOL_PYTHON

FAMILIES = Path(__file__).parents[1] / "families"
ACTION = Path(__file__).parents[2] / ".github/actions/wheelkit/action.yml"
CI, RELEASE = ".github/workflows/ci.yml", ".github/workflows/release-python.yml"
MEMBERS = frozenset({"orrery", "orrery-cli", "orrery-csv", "orrery-all"})
PYTHONS = ("3.11", "3.12", "3.13")
OWN = "linux-x86_64"
OTHERS = {"linux-aarch64", "macos-x86_64", "macos-arm64", "windows-amd64"}
TOKEN = "pypi-token-of-the-rehearsal"  # noqa: S105 - only valid for the fake index
# A smoke command that fails once the flag exists.
FLAW = "python -c 'import pathlib, sys; sys.exit(pathlib.Path(\"{flag}\").exists())'"
MORE = """
[tool.wheelkit.publish]
allow-cross = true

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

LATER = ("stage", "smoke-staging", "production", "github-release")
CHANGELOG = "# Changelog\n\n## 0.4.0\n\n- Planets.\n\n## 0.3.0\n"

pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(
        (sys.platform, platform.machine()) != ("linux", "x86_64"),
        reason="the simulated machine is x86-64 Linux",
    ),
]


@dataclass
class Stage:
    """The tagged example family, its two indexes, and the file whose existence fails a smoke test."""

    project: Path
    service: Service
    rehearsal: Warehouse
    live: Warehouse
    flag: Path
    releases: Path
    start: Path

    def run(self, folder: Path) -> Run:
        return Run(self.project / RELEASE, self.service, folder)


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Hosted:
    simulated = hosted(tmp_path_factory.mktemp("hosted"), PYTHONS, TOOL_PYTHON)
    if missing := {*PYTHONS, TOOL_PYTHON} - set(simulated.pythons):
        pytest.skip(f"no Python {', '.join(sorted(missing))} on this machine")
    return simulated


@pytest.fixture(scope="module")
def stage(machine: Hosted, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("stage")
    flag = folder / "flawed"
    rehearsal = Warehouse(tokens={TOKEN: Token()})
    live = Warehouse(
        tokens={}, publishers=Publishers(enabled=True, workflows={"release-python.yml": MEMBERS})
    )
    with (
        serving(rehearsal) as rehearsal_address,
        serving(live) as live_address,
        issuing(Issuer(workflow="release-python.yml")) as issuer,
        signing(Sigstore()) as sigstore,
    ):
        project = family(
            folder / "orrery",
            MORE.format(rehearsal=rehearsal_address, live=live_address),
            FLAW.format(flag=flag),
        )
        subprocess.run([sys.executable, "-m", "wheelkit", "ci"], cwd=project, check=True)
        sha = issuer.sha = git_commit(project)
        start = sigstore.start(folder / "keys")
        (folder / "start").mkdir()
        (folder / "start" / "sitecustomize.py").write_text(start)
        gh.install(folder / "programs", folder / "releases")
        subprocess.run(["git", "-C", project, "tag", "v0.4.0"], check=True)
        service = Service(
            hosted=replace(machine, start=start, programs=folder / "programs"),
            event=Event(name="push", ref="refs/tags/v0.4.0", sha=sha, repository=project),
            labels=frozenset({"ubuntu-24.04"}),
            elsewhere=cross_builds(project),
            secrets={"REHEARSAL_TOKEN": TOKEN},
            identity=issuer.environment(),
        )
        yield Stage(
            project=project,
            service=service,
            rehearsal=rehearsal,
            live=live,
            flag=flag,
            releases=folder / "releases",
            start=folder / "start",
        )


def family(folder: Path, more: str, check: str) -> Path:
    ignored = shutil.ignore_patterns("dist", "*.egg-info", "__pycache__")
    shutil.copytree(FAMILIES / "native", folder, ignore=ignored)
    text = (folder / "pyproject.toml").read_text()
    known = '"orrery solve 1.0 0.2"'
    assert known in text
    (folder / "pyproject.toml").write_text(text.replace(known, f"{known}, {json.dumps(check)}") + more)
    (folder / ".gitignore").write_text("/dist/\n")
    (folder / "CHANGELOG.md").write_text(CHANGELOG)
    return folder


def cross_builds(project: Path) -> Mapping[str, Mapping[str, str]]:
    """Map the other runners to their build command and its replacement here, a cross build with zig."""
    done = subprocess.run(
        [sys.executable, "-m", "wheelkit", "ci", "--matrix"],
        cwd=project,
        check=True,
        capture_output=True,
        text=True,
    )
    rows = {row["name"]: row for row in json.loads(done.stdout)["include"]}
    assert set(rows) == OTHERS | {OWN}
    places = os.pathsep.join(
        str(Path(folder).resolve()) for folder in os.environ.get("PYTHONPATH", "").split(os.pathsep) if folder
    )
    words = ["env", f"PYTHONPATH={places}", sys.executable, "-m", "wheelkit", "build", "--cross"]
    targets = {
        rows[name]["runner"]: [f"--target={target}" for target in rows[name]["targets"].split()]
        for name in OTHERS
    }
    return {
        runner: {"python -m wheelkit build --native": shlex.join([*words, *wanted])}
        for runner, wanted in targets.items()
    }


@pytest.fixture
def indexes(stage: Stage) -> Iterator[Stage]:
    """Return both indexes empty, and a smoke test that passes."""
    for index in (stage.rehearsal, stage.live):
        index.files.clear()
        index.events.clear()
    stage.live.publishers.issued.clear()
    yield stage
    stage.flag.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def built(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run the jobs that build."""
    return stage.run(tmp_path_factory.mktemp("built")).go(until="sdists")


@pytest.fixture(scope="module")
def verified(built: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run the workflow up to the verification of the matrix."""
    return built.fork(tmp_path_factory.mktemp("verified")).go(until="verify")


@pytest.fixture(scope="module")
def smoked(verified: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run the workflow up to the first upload."""
    return verified.fork(tmp_path_factory.mktemp("smoked")).go(until="smoke")


def log_of(job: JobRun) -> str:
    return "\n".join(job.log)


def test_every_runner_builds_and_keeps_its_own(built: Run) -> None:
    assert built.results == {"native": "success", "sdists": "success"}, "\n".join(map(log_of, built.jobs))
    assert {job.row["name"]: job.result for job in built.jobs if job.key == "native"} == dict.fromkeys(
        [OWN, *OTHERS], "success"
    )
    assert built.artifacts.names == sorted(["dist-sdists", *(f"dist-{name}" for name in (OWN, *OTHERS))])
    assert "auditwheel" in log_of(built.job("native", OWN))
    assert "cross builds are experimental" in log_of(built.job("native", "macos-arm64"))


def test_a_tag_takes_the_family_to_the_production_index(
    smoked: Run, indexes: Stage, verified: Run, tmp_path: Path, wheelkit: Wheelkit
) -> None:
    assert (
        "orrery 0.4.0 was not compared: live has no earlier release of it" in verified.job("verify").summary
    )
    assert "all fine" in log_of(smoked.job("smoke", OWN))
    run = smoked.fork(tmp_path / "run").go()
    assert set(run.results.values()) == {"success"}, "\n".join(map(log_of, run.jobs[len(smoked.jobs) :]))
    assert list(run.results)[-5:] == ["smoke", "stage", "smoke-staging", "production", "github-release"]
    released = {
        path.name for path in (run.artifacts.folder / "release").iterdir() if path.suffix in {".whl", ".gz"}
    }
    assert len(released) == 12
    assert set(indexes.rehearsal.files) == set(indexes.live.files) == released
    assert len(indexes.live.publishers.issued) == 1
    # Production has trusted publishing and takes attestations; staging has a token.
    assert (set(indexes.live.provenance), indexes.rehearsal.provenance) == (released, {})
    assert "attestations on live: 12 files signed by GitHub acme/gyro release-python.yml" in log_of(
        run.job("production")
    )
    published = indexes.releases / "v0.4.0"
    assert (published / "notes.md").read_text() == "- Planets.\n"
    assert {path.name for path in (published / "files").iterdir()} == released
    assert not (published / "prerelease").exists()
    for name in MEMBERS:
        done = wheelkit(
            "verify-matrix",
            "--from-index",
            f"{name}==0.4.0",
            "--index",
            "live",
            "--deep",
            "--repository",
            "https://github.com/acme/gyro",
            cwd=indexes.project,
            env={"PYTHONPATH": f"{indexes.start}:{wheelkit.env.get('PYTHONPATH', '')}"},
        )
        assert done.returncode == 0, done.stdout
        commit = indexes.service.event.sha[:12]
        assert f"signed by GitHub acme/gyro release-python.yml, commit {commit}" in done.stdout
    assert not {job.result for job in run.jobs if job.row.get("name") == OWN} - {"success"}
    assert {job.row["name"] for job in run.jobs if job.result == "elsewhere"} == OTHERS


def test_the_summary_compares_with_the_last_release(built: Run, indexes: Stage, tmp_path: Path) -> None:
    older = "cp311-abi3-manylinux_2_28_ppc64le", "cp311-abi3-manylinux_2_17_x86_64"
    for tags in older:
        indexes.live.put(f"orrery-0.3.0-{tags}.whl", b"an older wheel")
    run = built.fork(tmp_path / "run").go(until="verify")
    verify = run.job("verify")
    assert verify.result == "success"
    assert "WK805 manylinux_ppc64le::no wheel any more for manylinux_ppc64le;" in log_of(verify)
    assert "#### orrery 0.4.0 against 0.3.0 (live)" in verify.summary
    assert "orrery-cli 0.4.0 was not compared: live has no earlier release of it" in verify.summary


def test_a_missing_wheel_stops_it_before_any_upload(built: Run, indexes: Stage, tmp_path: Path) -> None:
    run = built.fork(tmp_path / "run")
    run.artifacts.lose("dist-windows-amd64")
    run.go()
    assert run.results == {
        **built.results,
        "verify": "failure",
        **dict.fromkeys(("smoke", *LATER), "skipped"),
    }
    verify = run.job("verify")
    assert "WK801" in log_of(verify)
    assert "win_amd64" in verify.summary
    assert verify.steps["Upload files and logs of a failure"] == "success"
    assert "failed-verify-1" in run.artifacts.names
    assert "release" not in run.artifacts.names
    assert (indexes.rehearsal.events, indexes.live.events) == ([], [])


def test_a_failing_smoke_stops_it_before_any_upload(verified: Run, indexes: Stage, tmp_path: Path) -> None:
    indexes.flag.touch()
    run = verified.fork(tmp_path / "run").go()
    assert run.results == {
        **verified.results,
        "smoke": "failure",
        **dict.fromkeys(LATER, "skipped"),
    }
    assert "sys.exit" in log_of(run.job("smoke", OWN))
    assert f"failed-smoke-{OWN}-1" in run.artifacts.names
    assert (indexes.rehearsal.events, indexes.live.events) == ([], [])


def test_a_failing_smoke_from_the_staging_index_stops_it_before_production(
    smoked: Run, indexes: Stage, tmp_path: Path
) -> None:
    run = smoked.fork(tmp_path / "run").go(until="stage")
    assert len(indexes.rehearsal.files) == 12
    indexes.flag.touch()
    run.go()
    assert run.results == {
        **smoked.results,
        "stage": "success",
        "smoke-staging": "failure",
        "production": "skipped",
        "github-release": "skipped",
    }
    assert (indexes.live.events, indexes.live.publishers.issued) == ([], [])


@pytest.mark.parametrize(
    ("case", "last"),
    [
        (("refs/tags/v0.4.0", {}), "github-release"),
        (("refs/tags/v0.4.0", {"until": "production"}), "github-release"),
        (("refs/tags/v0.4.0", {"until": "staging"}), "smoke-staging"),
        (("refs/tags/v0.4.0", {"until": "verify"}), "smoke"),
        (("refs/heads/main", {"until": "production"}), "smoke-staging"),
        (("refs/heads/main", {"until": "verify"}), "smoke"),
    ],
)
def test_how_far_it_goes(
    stage: Stage,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    case: tuple[str, Mapping[str, str]],
    last: str,
) -> None:
    ref, inputs = case
    monkeypatch.setattr(Run, "_row", lambda _run, key, _job, _contexts, row: JobRun(key=key, row=row))
    event = Event(
        name="workflow_dispatch" if inputs else "push", ref=ref, sha="", repository=tmp_path, inputs=inputs
    )
    service = Service(
        hosted=stage.service.hosted, event=event, labels=frozenset(), elsewhere={}, secrets={}, identity={}
    )
    results = Run(stage.project / RELEASE, service, tmp_path / "run").go().results
    assert [key for key, result in results.items() if result == "success"][-1] == last
    assert set(results.values()) <= {"success", "skipped"}


def test_a_pull_request_is_checked_built_and_tried(stage: Stage, tmp_path: Path) -> None:
    event = replace(stage.service.event, name="pull_request", ref="refs/pull/7/merge")
    run = Run(stage.project / CI, replace(stage.service, event=event), tmp_path / "run").go()
    assert run.results == {"checks": "success", "build": "success"}, "\n".join(map(log_of, run.jobs))
    assert set(run.job("checks").steps.values()) == {"success"}
    own = run.job("build", OWN)
    assert "orrery" in own.summary
    assert "all fine" in log_of(own)
    assert run.artifacts.names == [f"dist-{OWN}"]


def test_the_composite_action_builds_and_hands_on_the_result(stage: Stage, tmp_path: Path) -> None:
    action = yaml.safe_load(ACTION.read_text())
    wanted = {name: option["default"] for name, option in action["inputs"].items()}
    look = {
        "name": "Look",
        "env": {"RESULT": action["outputs"]["json"]["value"]},
        "run": 'python -m json.tool "$RESULT"',
    }
    checkout = {
        "name": "Check out",
        "uses": "actions/checkout@v7",
        "with": {"fetch-depth": "0", "persist-credentials": "false"},
    }
    workflow = {
        True: {"workflow_dispatch": {"inputs": dict.fromkeys(wanted)}},
        "defaults": {"run": {"shell": "bash"}},
        "jobs": {"own": {"runs-on": "ubuntu-24.04", "steps": [checkout, *action["runs"]["steps"], look]}},
    }
    (tmp_path / "own.yml").write_text(yaml.safe_dump(workflow))
    service = replace(stage.service, event=replace(stage.service.event, inputs=wanted))
    run = Run(tmp_path / "own.yml", service, tmp_path / "run").go()
    own = run.job("own")
    assert run.results == {"own": "success"}, log_of(own)
    (built,) = (entry for entry in json.loads(own.log[-1])["manifests"] if entry["target"] != "sdist")
    assert (built["distribution"], built["builder"], built["target"]) == (
        "orrery",
        "host",
        "manylinux_2_28_x86_64",
    )
