"""The runs of cibuildwheel that a release makes, from the project's own workflows."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from support.rows import rows
from wheelkit.inputs import yaml_document
from wheelkit.project.ci import OwnCi, Repository, Run, publishers, read_github, read_gitlab
from wheelkit.project.ci.machines import hosted

PUBLISH = "{uses: pypa/gh-action-pypi-publish@release/v1}"


def workflow(folder: Path, text: str, name: str = "wheels.yml") -> Path:
    path = folder / ".github" / "workflows" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text))
    return folder


def read(folder: Path, tag: str = "", project: str = "") -> OwnCi:
    return read_github(Repository(root=folder, project=folder / project, tag=tag))


def summary(run: Run) -> tuple[str, str, dict[str, str]]:
    return run.system.value, run.machine.arch, dict(run.environ)


def test_variables_of_workflow_job_and_step_are_ranked(tmp_path: Path) -> None:
    workflow(
        tmp_path,
        """
        on: {push: {tags: ["v*"]}}
        env: {CIBW_SKIP: "a", CIBW_BUILD: "a", CIBW_ENABLE: "a", OTHER: "x"}
        jobs:
          wheels:
            runs-on: ubuntu-latest
            env: {CIBW_SKIP: "b", CIBW_BUILD: "b"}
            steps:
            - uses: pypa/cibuildwheel@v4
              env: {CIBW_SKIP: "${{ env.OTHER }}-${{ env.CIBW_BUILD }}", CIBW_X: null}
        """,
    )
    (run,) = read(tmp_path).runs
    assert summary(run) == (
        "linux", "x86_64", {"CIBW_SKIP": "x-b", "CIBW_BUILD": "b", "CIBW_ENABLE": "a", "CIBW_X": ""},
    )  # fmt: skip


def test_a_matrix_gives_runners_and_variables(tmp_path: Path) -> None:
    workflow(
        tmp_path,
        """
        on: push
        jobs:
          wheels:
            runs-on: ${{ matrix.os[0] }}
            strategy:
              matrix:
                python: ["cp311", "cp312"]
                os: [["ubuntu-24.04-arm", "aarch64"], ["macos-15-intel", "x86_64"]]
                exclude: [{python: cp311, os: ["macos-15-intel", "x86_64"]}]
            steps:
            - run: python -m cibuildwheel --archs ${{ matrix.os[1] }}
              env: {CIBW_BUILD: "${{ matrix.python }}-*"}
        """,
    )
    runs = read(tmp_path).runs
    assert [(*summary(run)[:2], run.environ["CIBW_BUILD"], run.archs) for run in runs] == [
        ("linux", "aarch64", "cp311-*", "aarch64"),
        ("linux", "aarch64", "cp312-*", "aarch64"),
        ("macos", "x86_64", "cp312-*", "x86_64"),
    ]


def test_a_reusable_workflow_and_an_action_get_their_inputs(tmp_path: Path) -> None:
    workflow(
        tmp_path,
        """
        on: {release: {types: [published]}}
        jobs:
          wheels:
            strategy: {matrix: {arch: [s390x, riscv64]}}
            uses: ./.github/workflows/one.yml
            with: {arch: "${{ matrix.arch }}"}
          publish: {runs-on: ubuntu-latest, steps: [PUBLISH]}
        """.replace("PUBLISH", PUBLISH),
    )
    workflow(
        tmp_path,
        """
        on:
          workflow_call:
            inputs: {arch: {type: string}, os: {type: string, default: windows-11-arm}, qemu: {type: boolean}}
        jobs:
          build:
            runs-on: ${{ inputs.os }}
            steps:
            - {if: inputs.qemu, uses: pypa/cibuildwheel@v4}
            - uses: ./.github/actions/build
              with: {arch: "${{ inputs.arch }}"}
        """,
        "one.yml",
    )
    action = tmp_path / ".github/actions/build/action.yml"
    action.parent.mkdir(parents=True)
    action.write_text(
        "inputs: {arch: {}}\nruns:\n  using: composite\n  steps:\n"
        "  - {run: cibuildwheel, env: {CIBW_ARCHS: '${{ inputs.arch }}'}}\n"
    )
    found = read(tmp_path)
    assert [(*summary(run)[:2], run.environ) for run in found.runs] == [
        ("windows", "ARM64", {"CIBW_ARCHS": "s390x"}),
        ("windows", "ARM64", {"CIBW_ARCHS": "riscv64"}),
    ]
    assert found.workflows == (".github/workflows/wheels.yml",)


JOB = "  {name}: {{runs-on: ubuntu-latest, {more} steps: [{{uses: pypa/cibuildwheel@v4, {step}}}]}}"


def jobs(*, more: str = "", step: str = "", name: str = "wheels") -> str:
    return JOB.format(name=name, more=f"{more}," if more else "", step=step)


@rows(
    ("trigger", "more", "runs"),
    [
        ("push", "if: \"startsWith(github.ref, 'refs/tags/')\"", 1),
        ("{push: {branches: [main]}}", "if: \"startsWith(github.ref, 'refs/tags/')\"", 0),
        ("{push: {branches: [main]}}", "if: \"github.ref == 'refs/heads/main'\"", 1),
        ("{push: {tags: ['release-*']}}", "if: \"startsWith(github.ref, 'refs/tags/release-')\"", 1),
        ("[push, pull_request]", "if: \"github.event_name == 'pull_request'\"", 0),
        ("pull_request", "if: \"github.event_name == 'pull_request'\"", 1),
        ("release", "if: \"github.event.action == 'published'\"", 1),
        ("{workflow_dispatch: {inputs: {x: {default: go}}}}", "if: \"inputs.x == 'go'\"", 1),
        ("{workflow_dispatch: {inputs: {x: {type: boolean}}}}", 'if: "inputs.x"', 0),
        ("push", 'if: "github.repository == \'me/x\'"', 1),
        ("push", "needs: never", 0),
        ("push", 'needs: never, if: "always()"', 1),
        ("workflow_call", "", 0),
    ],
)  # fmt: skip
def test_the_event_of_a_release_decides_which_jobs_run(
    tmp_path: Path, trigger: str, more: str, runs: int
) -> None:
    never = jobs(name="never", more="if: false")
    workflow(tmp_path, f"on: {trigger}\njobs:\n{jobs(more=more)}\n{never}\n")
    assert len(read(tmp_path).runs) == runs


def test_workflows_that_publish_come_before_others(tmp_path: Path) -> None:
    workflow(tmp_path, f"on: push\njobs:\n{jobs(step='env: {CIBW_BUILD: test}')}\n", "test.yml")
    publish = f"  publish: {{runs-on: ubuntu-latest, steps: [{PUBLISH}]}}"
    workflow(
        tmp_path, f"on: push\njobs:\n{jobs(step='env: {CIBW_BUILD: release}')}\n{publish}\n", "release.yml"
    )
    found = read(tmp_path)
    assert [run.environ["CIBW_BUILD"] for run in found.runs] == ["release"]
    assert found.workflows == (".github/workflows/release.yml",)
    assert [str(one) for one in publishers(tmp_path)] == [".github/workflows/release.yml (job publish)"]


@rows(
    ("trigger", "step", "published"),
    [
        ("push", PUBLISH, True),
        ("{push: {tags: ['v*']}}", "{run: twine upload dist/*}", True),
        ("release", "{run: uv publish}", True),
        ("pull_request", PUBLISH, False),
        ("{push: {branches: [main]}}", PUBLISH, False),
        ("push", "{run: twine check dist/*}", False),
    ],
)
def test_a_publisher_uploads_when_a_release_is_made(
    tmp_path: Path, trigger: str, step: str, published: object
) -> None:
    workflow(tmp_path, f"on: {trigger}\njobs:\n  go: {{runs-on: ubuntu-latest, steps: [{step}]}}\n")
    assert bool(publishers(tmp_path)) is published


def test_what_only_a_run_tells_is_named(tmp_path: Path) -> None:
    workflow(
        tmp_path,
        """
        on: push
        jobs:
          many:
            runs-on: ubuntu-latest
            strategy: {matrix: "${{ fromJSON(needs.setup.outputs.matrix) }}"}
            steps: [{uses: pypa/cibuildwheel@v4, with: {only: "${{ matrix.only }}"}}]
          own:
            runs-on: [self-hosted, big]
            steps: [{uses: pypa/cibuildwheel@v4}]
          one:
            runs-on: ubuntu-latest
            steps:
            - {uses: pypa/cibuildwheel@v4, with: {only: "${{ steps.x.outputs.y }}"}}
            - {uses: pypa/cibuildwheel@v4, env: {CIBW_SKIP: "${{ vars.SKIP }}"}}
        """,
    )
    found = read(tmp_path)
    assert found.incomplete == (
        ".github/workflows/wheels.yml, job many: another job makes its matrix",
        '.github/workflows/wheels.yml, job own: nothing is known of the runner "self-hosted, big"',
        ".github/workflows/wheels.yml, job one: only its run tells what it builds",
        ".github/workflows/wheels.yml, job one: only its run tells CIBW_SKIP",
    )
    (run,) = found.runs
    assert (run.environ, run.unknown) == ({}, ("CIBW_SKIP",))


def test_a_job_that_asks_cibuildwheel_for_the_builds_is_read_instead_of_those_that_make_them(
    tmp_path: Path,
) -> None:
    workflow(
        tmp_path,
        """
        on: push
        jobs:
          list:
            runs-on: ubuntu-latest
            steps:
            - run: |
                pipx install cibuildwheel
                MATRIX=$(
                  {
                    cibuildwheel --print-build-identifiers --platform linux | jq -nRc '{only: inputs}'
                    cibuildwheel --print-build-identifiers --platform macos | jq -nRc '{only: inputs}'
                  } | jq -sc
                )
              env: {CIBW_ARCHS_LINUX: x86_64 aarch64}
          build:
            needs: list
            strategy: {matrix: {include: "${{ fromJson(needs.list.outputs.include) }}"}}
            runs-on: ubuntu-latest
            steps: [{uses: pypa/cibuildwheel@v4, with: {only: "${{ matrix.only }}"}}]
        """,
    )
    found = read(tmp_path)
    assert found.incomplete == ()
    assert [summary(run) for run in found.runs] == [
        ("linux", "x86_64", {"CIBW_ARCHS_LINUX": "x86_64 aarch64"}),
        ("macos", "x86_64", {"CIBW_ARCHS_LINUX": "x86_64 aarch64"}),
    ]


@rows(
    ("step", "count"),
    [
        ("{uses: pypa/cibuildwheel@v4}", 0),
        ("{uses: pypa/cibuildwheel@v4, with: {package-dir: core}}", 1),
        ("{uses: pypa/cibuildwheel@v4, with: {package-dir: ./other/../core}}", 1),
        ("{uses: pypa/cibuildwheel@v4, with: {package-dir: other}}", 0),
        ("{uses: pypa/cibuildwheel@v4, with: {package-dir: 'dist/*.tar.gz'}}", 1),
        ("{run: cibuildwheel core}", 1),
        ("{run: cibuildwheel, working-directory: core}", 1),
        ("{run: cibuildwheel $SDIST}", 1),
    ],
)
def test_runs_for_other_projects_of_the_repository_are_left_out(
    tmp_path: Path, step: str, count: int
) -> None:
    for name in ("core", "other"):
        (tmp_path / name).mkdir()
    workflow(tmp_path, f"on: push\njobs:\n  a: {{runs-on: ubuntu-latest, steps: [{step}]}}\n")
    assert len(read(tmp_path, project="core").runs) == count


BOMB = "a0: &a0 x\n" + "\n".join(
    f"a{number}: &a{number} [{', '.join([f'*a{number - 1}'] * 9)}]" for number in range(1, 10)
)


@rows(
    ("text", "problem"),
    [
        ("on: push\njobs: {a: [", "line 2: expected the node content, but found '<stream end>'"),
        ("a: *missing\n", "line 1: found undefined alias 'missing'"),
        ("a: !!python/object/apply:os.system [id]\n", "could not determine a constructor"),
        ("[" * 5000, "nested too deeply"),
        ("a: &a [*a]\n", "its anchors stand for more than"),
        (BOMB, "its anchors stand for more than"),
        ("? {a: 1}\n: b\n", "line 1: found unhashable key"),
        ("a: 1\n---\nb: 2\n", "line 2: but found another document"),
        ("a" * 2_000_000, "larger than 1048576 bytes"),
        ("a: \x01", "special characters are not allowed"),
    ],
)  # fmt: skip
def test_a_workflow_that_is_no_yaml_is_one_sentence(tmp_path: Path, text: str, problem: str) -> None:
    workflow(tmp_path, f"on: push\njobs:\n{jobs()}\n", "good.yml")
    (tmp_path / ".github/workflows/bad.yml").write_text(text)
    found = read(tmp_path)
    assert len(found.runs) == 1
    (sentence,) = found.broken
    assert sentence.startswith(".github/workflows/bad.yml was left out: not valid YAML: ")
    assert problem in sentence


@rows(
    "text",
    [
        "", "[]", "jobs: []", "jobs: {a: b}", "on: push\njobs: {a: {steps: {b: c}}}", "on: 3\njobs: {a: {}}",
        "on: push\njobs: {a: {runs-on: 3, steps: [1, {uses: 2}, {run: [3]}, {env: 4, run: cibuildwheel}]}}",
        "on: {push: 7}\njobs: {a: {strategy: x, env: [1], needs: 5, steps: [{run: cibuildwheel}]}}",
        "on: push\njobs: {a: {uses: ./.github/workflows/wheels.yml}}",
        "on: push\njobs: {a: {runs-on: ubuntu-latest, steps: [{uses: ./missing}]}}",
    ],
)  # fmt: skip
def test_yaml_of_another_form_has_no_runs(tmp_path: Path, text: str) -> None:
    workflow(tmp_path, text)
    assert read(tmp_path).runs == ()


def test_workflows_of_wheelkit_are_not_the_projects_own(tmp_path: Path) -> None:
    step = "{run: python -m wheelkit publish dist}"
    text = f"on: push\njobs:\n{jobs()}\n  p: {{runs-on: ubuntu-latest, steps: [{step}]}}\n"
    workflow(tmp_path, f"# Written by `wheelkit ci`: do not edit\n{text}")
    assert read(tmp_path).workflows == publishers(tmp_path) == ()


@rows(
    ("labels", "machine"),
    [
        (["ubuntu-latest"], ("linux", "x86_64")),
        (["ubuntu-24.04-arm"], ("linux", "aarch64")),
        (["macos-13"], ("macos", "x86_64")),
        (["macos-14-large"], ("macos", "x86_64")),
        (["macos-15-intel"], ("macos", "x86_64")),
        (["macOS-latest"], ("macos", "arm64")),
        (["macos-15-xlarge"], ("macos", "arm64")),
        (["windows-2022"], ("windows", "AMD64")),
        (["windows-11-arm"], ("windows", "ARM64")),
        (["ubuntu-24.04-ppc64le"], ("linux", "ppc64le")),
        (["self-hosted", "Linux", "ARM64"], ("linux", "aarch64")),
        (["self-hosted", "macOS", "ARM64"], ("macos", "arm64")),
    ],
)
def test_labels_stand_for_machines(labels: list[str], machine: tuple[str, str]) -> None:
    found = hosted(labels)
    assert found is not None
    assert (found.system.value, found.arch) == machine


def test_words_of_yaml_1_1_are_texts() -> None:
    assert yaml_document("on: yes\noff: no\na: true\nd: 2024-01-01") == {
        "on": "yes", "off": "no", "a": True, "d": "2024-01-01",
    }  # fmt: skip


def test_jobs_of_gitlab_are_read(tmp_path: Path) -> None:
    (tmp_path / ".gitlab-ci.yml").write_text(
        dedent(
            """
            variables: {CIBW_SKIP: "pp*"}
            .base:
              variables: {CIBW_ENABLE: pypy, CIBW_SKIP: "gp*"}
              script: [pip install cibuildwheel, cibuildwheel --platform $SYSTEM]
            linux:
              extends: .base
              tags: [saas-linux-small-$ARCH]
              parallel: {matrix: [{ARCH: [amd64, arm64], SYSTEM: linux}]}
            windows:
              extends: .base
              tags: [saas-windows-medium-amd64]
              variables: {SYSTEM: auto, CIBW_ARCHS: x86}
            own: {extends: .base, tags: [big]}
            test: {script: [pytest]}
            """
        )
    )
    (tmp_path / "azure-pipelines.yml").write_text("steps:\n- bash: cibuildwheel\n")
    found = read_gitlab(tmp_path)
    base = {"CIBW_ENABLE": "pypy", "CIBW_SKIP": "gp*"}
    assert [summary(run) for run in found.runs] == [
        ("linux", "x86_64", base),
        ("linux", "aarch64", base),
        ("windows", "AMD64", {**base, "CIBW_ARCHS": "x86"}),
    ]
    assert found.incomplete == (
        "azure-pipelines.yml runs cibuildwheel, and wheelkit does not read it",
        '.gitlab-ci.yml, job own: nothing is known of the runner "big"',
    )


def test_a_gitlab_file_that_is_no_yaml_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / ".gitlab-ci.yml").write_text("a: [")
    assert read_gitlab(tmp_path).broken[0].startswith(".gitlab-ci.yml was left out: not valid YAML: line 1: ")


@pytest.mark.skipif(not hasattr(__import__("os"), "mkfifo"), reason="Windows has no named pipes")
def test_a_pipe_among_the_workflows_is_left_out(tmp_path: Path) -> None:
    import os

    workflow(tmp_path, f"on: push\njobs:\n{jobs()}\n", "good.yml")
    os.mkfifo(tmp_path / ".github/workflows/pipe.yml")
    assert read(tmp_path).broken == (
        ".github/workflows/pipe.yml was left out: it is a named pipe, not a file",
    )
