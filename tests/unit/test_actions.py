"""The runner for generated workflows follows GitHub's rules and rejects everything that it does not know."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from actions.artifacts import ArtifactError, Artifacts
from actions.expressions import ExpressionError, condition, evaluate, fill
from actions.hosted import Hosted
from actions.runner import Event, Run, Service, UnknownError
from support.rows import rows

CONTEXTS: dict[str, Any] = {
    "inputs": {"until": None},
    "github": {"ref_type": "tag"},
    "matrix": {"name": "linux-x86_64"},
}
WELL = {"success": lambda: True, "failure": lambda: False, "cancelled": lambda: False}
ILL = {"success": lambda: False, "failure": lambda: True, "cancelled": lambda: False}


@rows(
    ("text", "value"),
    [
        ("inputs.until != 'verify'", True),
        ("inputs.until == ''", True),
        ("github.ref_type == 'TAG' && inputs.until != 'verify'", True),
        ("!cancelled()", True),
        ("failure() || cancelled()", False),
        ("(failure() || success()) && !failure()", True),
        ("'it''s'", "it's"),
        ("inputs.until || github.ref_type", "tag"),
        ("contains(github.ref_type, 'A')", True),
        ("!contains(github.ref_type, '.dev')", True),
    ],
)
def test_an_expression_means_what_github_says(text: str, value: object) -> None:
    assert evaluate(text, CONTEXTS, WELL) == value


@rows(
    "text",
    [
        "inputs.since",
        "github.sha",
        "matrix.name.first == 'x'",
        "always()",
        "hashFiles('a')",
        "contains('a')",
        "1 < 2",
        "inputs.until ==",
        "'a' 'b'",
        "(failure()",
    ],
)
def test_unknown_expressions_are_errors(text: str) -> None:
    with pytest.raises(ExpressionError):
        fill(f"${{{{ {text} }}}}", CONTEXTS, WELL)


def test_a_condition_without_a_status_function_needs_success() -> None:
    assert condition("inputs.until != 'verify'", CONTEXTS, WELL)
    assert not condition("inputs.until != 'verify'", CONTEXTS, ILL)
    assert condition("${{ failure() || cancelled() }}", CONTEXTS, ILL)
    assert condition("${{ !cancelled() }}", CONTEXTS, ILL)


def test_artifacts_follow_the_rules_of_the_actions(tmp_path: Path) -> None:
    artifacts = Artifacts(tmp_path / "artifacts")
    work, options = (
        tmp_path / "work",
        {"name": "dist-a", "path": "dist/", "if-no-files-found": "error", "overwrite": "false"},
    )
    with pytest.raises(ArtifactError, match="no files were found for dist-a"):
        artifacts.upload(options, work, tmp_path)
    artifacts.upload({**options, "if-no-files-found": "ignore"}, work, tmp_path)
    (work / "dist").mkdir(parents=True)
    for name in ("one.whl", ".hidden"):
        (work / "dist" / name).write_text(name)
    artifacts.upload(options, work, tmp_path)
    with pytest.raises(ArtifactError, match="there is already an artifact named dist-a"):
        artifacts.upload(options, work, tmp_path)
    artifacts.upload({**options, "overwrite": "true"}, work, tmp_path)
    artifacts.upload({**options, "name": "dist-b"}, work, tmp_path)
    merged = {"pattern": "dist-*", "path": "dist", "merge-multiple": "true"}
    artifacts.download(merged, tmp_path / "other")
    assert [path.name for path in (tmp_path / "other/dist").iterdir()] == ["one.whl"]
    (work / "dist/one.whl").write_text("other bytes")
    artifacts.upload({**options, "name": "dist-c"}, work, tmp_path)
    with pytest.raises(ArtifactError, match=r"two artifacts hold one\.whl, with different bytes"):
        artifacts.download(merged, tmp_path / "third")
    with pytest.raises(ArtifactError, match="there is no artifact named release"):
        artifacts.download({"name": "release", "path": "dist"}, tmp_path / "third")


STEP = {
    "name": "Speak",
    "id": "speak",
    "run": 'echo "word=$WORD" >> "$GITHUB_OUTPUT"',
    "env": {"WORD": "${{ matrix.word }}"},
}
HEAR = {"name": "Hear", "run": 'test "$HEARD" = hello', "env": {"HEARD": "${{ steps.speak.outputs.word }}"}}


def run_of(folder: Path, job: dict[str, Any], **more: Any) -> Run:
    matrix = {"fail-fast": False, "matrix": {"include": [{"name": "one", "word": "hello"}]}}
    after = {"runs-on": "ubuntu-24.04", "needs": ["own"], "steps": [{"name": "After", "run": "true"}]}
    jobs = {
        "after": after,
        "own": {"runs-on": "ubuntu-24.04", "strategy": matrix, "steps": [STEP, HEAR], **job},
    }
    workflow: dict[Any, Any] = {
        True: {"workflow_dispatch": None},
        "defaults": {"run": {"shell": "bash"}},
        "jobs": jobs,
        **more,
    }
    (folder / "own.yml").write_text(yaml.safe_dump(workflow))
    service = Service(
        hosted=Hosted(pythons={}, wheels=folder, pinned=folder),
        event=Event(name="push", ref="refs/heads/main", sha="", repository=folder),
        labels=frozenset({"ubuntu-24.04"}),
        elsewhere={},
        secrets={},
        identity={},
    )
    return Run(folder / "own.yml", service, folder / "run")


@pytest.mark.skipif(sys.platform == "win32", reason="steps are run by bash")
def test_steps_pass_outputs_on_and_a_failure_skips_dependent_jobs(tmp_path: Path) -> None:
    (tmp_path / "well").mkdir()
    (tmp_path / "ill").mkdir()
    well = run_of(tmp_path / "well", {}).go()
    assert well.results == {"own": "success", "after": "success"}
    tidy = {"name": "Tidy", "if": "${{ failure() }}", "run": "true"}
    ill = run_of(
        tmp_path / "ill", {"steps": [STEP, {**HEAR, "run": "false | true"}, {**HEAR, "name": "Then"}, tidy]}
    ).go()
    assert ill.results == {"own": "failure", "after": "skipped"}
    assert ill.job("own").steps == {
        "Speak": "success",
        "Hear": "failure",
        "Then": "skipped",
        "Tidy": "success",
    }


@pytest.mark.parametrize(
    "job",
    [
        {"steps": [{"name": "Other", "uses": "somebody/other@v1"}]},
        {"steps": [{"name": "Other", "run": "true", "timeout-minutes": 5}]},
        {"steps": [{"name": "Other", "run": "echo ${{ matrix.word }}"}]},
        {"steps": [{"name": "Other", "run": "true", "shell": "pwsh"}]},
        {"container": "debian"},
        {"runs-on": "solaris"},
        {"strategy": {"fail-fast": True, "matrix": {"include": []}}},
    ],
)
def test_unknown_jobs_and_steps_are_errors(tmp_path: Path, job: dict[str, Any]) -> None:
    with pytest.raises(UnknownError):
        run_of(tmp_path, job).go()


def test_unknown_workflow_keys_are_errors(tmp_path: Path) -> None:
    with pytest.raises(UnknownError, match="env"):
        run_of(tmp_path, {}, env={"X": "1"})
