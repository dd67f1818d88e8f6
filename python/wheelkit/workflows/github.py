"""GitHub's workflows: ci.yml for pull requests and release-python.yml for tags.

They follow GitHub's "Security hardening for GitHub Actions" and the audits of zizmor. Each job has only the
permissions that it needs: to read the repository, to identify itself where it publishes, and to create the
release on GitHub. Actions are pinned by commit, no script contains an expression, and a job that publishes is
never cancelled.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheelkit import data
from wheelkit.runners import runner_for
from wheelkit.workflows import user_blocks
from wheelkit.workflows.github_release import release_jobs
from wheelkit.workflows.github_steps import (
    all_smoked,
    machines,
    on_all_machines,
    prepare,
    upload,
    verification,
    wheelkit,
)
from wheelkit.workflows.model import UserBlock, WorkflowJob, WorkflowStep, in_list, quoted

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wheelkit.matrix import Target
    from wheelkit.workflows.jobs import Blueprint
    from wheelkit.workflows.user_blocks import UserLines

    Steps = tuple[WorkflowStep | UserBlock, ...]


CI_FILE = ".github/workflows/ci.yml"
RELEASE_FILE = ".github/workflows/release-python.yml"
# Pull requests rebuild only what changed. A release uses no cache that other workflows can write to.
_CACHE_FOLDER = "${{ runner.temp }}/wheelkit-cache"
_CACHE = WorkflowStep(
    name="Restore the build cache",
    action="cache",
    options={
        "path": _CACHE_FOLDER,
        "key": "wheelkit-${{ matrix.name }}-${{ github.sha }}",
        "restore-keys": "wheelkit-${{ matrix.name }}-",
    },
)


def label(target: Target, overrides: Mapping[str, str]) -> str | None:
    """Return the label of a target's runner: the configured one, else the hosted one, else None."""
    runner = runner_for(target, overrides)
    return runner.label if runner else None


def files(plan: Blueprint, user_lines: Mapping[str, UserLines]) -> dict[str, str]:
    """Return the text of both workflows by path, with the user's lines of each file."""
    tags = ", ".join(map(quoted, plan.tags))
    until = ", ".join(["verify", *(["staging"] if plan.ci.staging else []), "production"])
    ci_jobs = (_checks(plan), *([_tests(plan)] if plan.ci.test else []), _build(plan))
    ci_head = data.text("workflows/ci.yml.in").replace("@push@", _pushes(plan))
    release_head = data.text("workflows/release.yml.in").replace("@until@", until).replace("@tags@", tags)
    return {
        CI_FILE: _workflow(ci_head, ci_jobs, user_lines.get(CI_FILE, {})),
        RELEASE_FILE: _workflow(release_head, release_jobs(plan), user_lines.get(RELEASE_FILE, {})),
    }


def _pushes(plan: Blueprint) -> str:
    """Return the trigger for pushes to the branches of releases, except to those named after releases.

    Their pull requests are checked, and so is each tag. With the cache of pull requests, a workflow that
    runs on release branches is what zizmor calls cache poisoning.
    """
    branches = [in_list(ref_glob(branch)) for branch in plan.branches if "release" not in branch.lower()]
    return f"  push:\n    branches: [{', '.join(branches)}]\n" if branches else ""


def ref_glob(pattern: str) -> str:
    """Return a shell's glob of branches as GitHub's, whose ``?``, ``+`` and brackets mean something else.

    Wildcards that GitHub lacks ("Filter pattern cheat sheet"), and brackets that no branch has, become ``*``,
    so that none is missed.
    """
    return re.sub(r"[+!]", r"\\\g<0>", re.sub(r"(\[[^]]+\]|[?[])+", "*", pattern))


def _workflow(head: str, jobs: Iterable[WorkflowJob], user_lines: UserLines) -> str:
    body = [line for job in jobs for line in (*job.lines(user_lines), "")]
    indented = user_blocks.indent((*body, *user_blocks.jobs_block(user_lines)), 2)
    return user_blocks.join((*user_blocks.HEADER, *head.splitlines(), *indented))


def _checks(plan: Blueprint) -> WorkflowJob:
    steps: Steps = (
        *prepare(plan),
        wheelkit("Check the versions of the family", "version check"),
        wheelkit("Check that the workflows are up to date", "ci --check"),
        *(WorkflowStep(name=f"Lint: {line}", run=(line,)) for line in plan.ci.lint),
        UserBlock(name="checks"),
    )
    return WorkflowJob(key="checks", name="Checks", minutes=30, steps=steps)


def _tests(plan: Blueprint) -> WorkflowJob:
    tests = (WorkflowStep(name=f"Test: {line}", run=(line,)) for line in plan.ci.test)
    return WorkflowJob(
        key="tests",
        name="Tests on ${{ matrix.name }}",
        minutes=60,
        machines=machines(plan),
        steps=(*prepare(plan, all_pythons=True), *tests),
    )


def _build(plan: Blueprint) -> WorkflowJob:
    smoked = "" if all_smoked(plan) else "${{ matrix.smoke == 'true' }}"
    steps: Steps = (
        UserBlock(name="before the build"),
        _CACHE,
        wheelkit("Build, repair and test", "build", env={"WHEELKIT_CACHE_DIR": _CACHE_FOLDER}),
        *verification("Verify the wheels", "verify-matrix dist --native"),
        wheelkit("Smoke test", "smoke dist", condition=smoked),
        upload("dist-${{ matrix.name }}"),
    )
    job = WorkflowJob(key="build", name="Build on ${{ matrix.name }}", minutes=90, steps=steps)
    return on_all_machines(job, plan, all_pythons=True)
