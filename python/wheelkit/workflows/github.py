"""GitHub's workflows: ci.yml for pull requests and release-python.yml for tags, written from a blueprint.

The rules that they keep: no permission beyond reading the repository, except the one that trusted publishing needs, in the jobs
that publish; actions pinned by commit; no expression inside a script; nothing that publishes is ever cancelled
(GitHub's "Security hardening for GitHub Actions", and the audits of zizmor).
"""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from wheelkit.runners import runner_for
from wheelkit.workflows import user_blocks
from wheelkit.workflows.jobs import TOOL_PYTHON
from wheelkit.workflows.model import UserBlock, WorkflowJob, WorkflowStep

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wheelkit.matrix import Target
    from wheelkit.workflows.jobs import Blueprint
    from wheelkit.workflows.model import Kept

    Steps = tuple[WorkflowStep | UserBlock, ...]


CI_FILE = ".github/workflows/ci.yml"
RELEASE_FILE = ".github/workflows/release-python.yml"
_LINUX = "ubuntu-24.04"
_READ = {"contents: read": "to check out"}
_PUBLISH = {**_READ, "id-token: write": "trusted publishing: to prove to the index which workflow this is"}
# Pull requests build again only what changed. A release takes nothing from a cache that other workflows may write to.
_CACHE = "${{ runner.temp }}/wheelkit-cache"
_CACHED = {
    "path": _CACHE,
    "key": "wheelkit-${{ matrix.name }}-${{ github.sha }}",
    "restore-keys": "wheelkit-${{ matrix.name }}-",
}
# Where platformdirs puts wheelkit's logs on the three systems.
_LOGS = ("~/.local/state/wheelkit/log/", "~/Library/Logs/wheelkit/", "~/AppData/Local/wheelkit/Logs/")


def label(target: Target, overrides: Mapping[str, str]) -> str | None:
    """Name the label of the runner that builds a target: the configured one, else the hosted one, else None."""
    runner = runner_for(target, overrides)
    return runner.label if runner else None


def files(plan: Blueprint, kept: Mapping[str, Kept]) -> dict[str, str]:
    """Write both workflows; ``kept`` holds the hand-written lines of each file by the name of their place."""
    return {
        CI_FILE: _ci(plan, kept.get(CI_FILE, {})),
        RELEASE_FILE: _release(plan, kept.get(RELEASE_FILE, {})),
    }


def _ci(plan: Blueprint, kept: Kept) -> str:
    triggers = ("pull_request:", "push:", "  branches: [main, master]", "workflow_dispatch:")
    # A newer push to a pull request makes the older run worthless; runs on branches are kept.
    concurrency = (
        "group: ci-${{ github.ref }}",
        "cancel-in-progress: ${{ github.event_name == 'pull_request' }}",
    )
    jobs = [_checks(plan), *([_tests(plan)] if plan.ci.test else []), _build(plan)]
    return _workflow("CI", triggers, concurrency, jobs, kept)


def _release(plan: Blueprint, kept: Kept) -> str:
    tags = ", ".join(map(json.dumps, plan.tags))
    triggers = (
        "push:",
        f"  tags: [{tags}]",
        "workflow_dispatch:",
        "  inputs:",
        "    until:",
        "      description: How far to go; production needs a tag",
        "      type: choice",
        "      options: [verify, staging, production]",
        "      default: verify",
    )
    concurrency = ("group: release-${{ github.ref }}", "cancel-in-progress: false")
    return _workflow("Release", triggers, concurrency, _release_jobs(plan), kept)


def _workflow(
    name: str, triggers: Iterable[str], concurrency: Iterable[str], jobs: Iterable[WorkflowJob], kept: Kept
) -> str:
    head = (
        "# Written by `wheelkit ci` from the project's configuration: change that, then run it again.",
        "# Only what stands between the lines marked as yours is kept.",
        f"name: {name}",
        "",
        "on:",
        *(f"  {line}" for line in triggers),
        "",
        "permissions: {}",
        "",
        "concurrency:",
        *(f"  {line}" for line in concurrency),
        "",
        "defaults:",
        "  run:",
        "    shell: bash",
        "",
        "jobs:",
    )
    body = [line for job in jobs for line in (*user_blocks.indent(job.lines(kept), 2), "")]
    own = user_blocks.indent(
        user_blocks.user_block_marker("jobs", "whole jobs between these lines are kept", kept), 2
    )
    return user_blocks.user_block_text((*head, *body, *own))


def _checks(plan: Blueprint) -> WorkflowJob:
    lint = (WorkflowStep(name=f"Lint: {line}", run=(line,)) for line in plan.ci.lint)
    steps: Steps = (
        *_prepared(plan),
        WorkflowStep(name="The versions of the family agree", run=("python -m wheelkit version check",)),
        WorkflowStep(
            name="The workflows follow from the configuration", run=("python -m wheelkit ci --check",)
        ),
        *lint,
        UserBlock(name="checks"),
    )
    return WorkflowJob(key="checks", name="Checks", runner=_LINUX, minutes=30, permissions=_READ, steps=steps)


def _tests(plan: Blueprint) -> WorkflowJob:
    tests = (WorkflowStep(name=f"Test: {line}", run=(line,)) for line in plan.ci.test)
    return WorkflowJob(
        key="tests",
        name="Tests on ${{ matrix.name }}",
        runner="${{ matrix.runner }}",
        minutes=60,
        permissions=_READ,
        matrix=_machines(plan),
        steps=(*_prepared(plan, everything=True), *tests),
    )


def _build(plan: Blueprint) -> WorkflowJob:
    steps: Steps = (
        *_prepared(plan, everything=True),
        UserBlock(name="before the build"),
        WorkflowStep(name="Take what earlier runs built", action="cache", options=_CACHED),
        WorkflowStep(
            name="Build, repair and test",
            run=("python -m wheelkit build",),
            env={"WHEELKIT_CACHE_DIR": _CACHE},
        ),
        *_proof("Prove the wheels", "verify-matrix dist --native"),
        WorkflowStep(name="Install what was built, and try it", run=("python -m wheelkit smoke dist",)),
        _keep("dist-${{ matrix.name }}"),
        _keep_failed("build-${{ matrix.name }}"),
    )
    return WorkflowJob(
        key="build",
        name="Build on ${{ matrix.name }}",
        runner="${{ matrix.runner }}",
        minutes=90,
        permissions=_READ,
        matrix=_machines(plan),
        steps=steps,
    )


def _release_jobs(plan: Blueprint) -> tuple[WorkflowJob, ...]:
    builders = (
        *([_native(plan)] if plan.native else []),
        _part(plan, "sdists", "--sdist"),
        *([_part(plan, "pure", "--pure")] if plan.pure else []),
    )
    staging, production = plan.ci.staging, plan.ci.production
    return (
        *builders,
        _verify(plan, tuple(job.key for job in builders)),
        _smoke(plan),
        _publish(plan, "stage", staging, ("verify", "smoke"), "inputs.until != 'verify'"),
        _smoke_staging(plan),
        _publish(
            plan,
            "production",
            production,
            ("verify", "smoke", "smoke-staging"),
            "github.ref_type == 'tag' && inputs.until != 'verify' && inputs.until != 'staging'",
        ),
    )


def _native(plan: Blueprint) -> WorkflowJob:
    steps: Steps = (
        *_prepared(plan),
        UserBlock(name="before the build"),
        WorkflowStep(name="Build, repair and test", run=("python -m wheelkit build --native",)),
        _keep("dist-${{ matrix.name }}"),
        _keep_failed("native-${{ matrix.name }}"),
    )
    return WorkflowJob(
        key="native",
        name="Build on ${{ matrix.name }}",
        runner="${{ matrix.runner }}",
        minutes=120,
        permissions=_READ,
        matrix=_machines(plan),
        steps=steps,
    )


def _part(plan: Blueprint, key: str, flag: str) -> WorkflowJob:
    what = {"--sdist": "sdists", "--pure": "pure wheels"}[flag]
    steps: Steps = (
        *_prepared(plan),
        WorkflowStep(name=f"Build the {what}", run=(f"python -m wheelkit build {flag}",)),
        _keep(f"dist-{key}"),
        _keep_failed(key),
    )
    return WorkflowJob(
        key=key, name=f"Build the {what}", runner=_LINUX, minutes=30, permissions=_READ, steps=steps
    )


def _verify(plan: Blueprint, needs: tuple[str, ...]) -> WorkflowJob:
    steps: Steps = (
        *_prepared(plan),
        WorkflowStep(name="Merge what the runners built", action="download-artifact", options=_MERGED),
        *_proof("Prove the whole matrix", "verify-matrix dist"),
        _keep("release"),
        _keep_failed("verify"),
    )
    return WorkflowJob(
        key="verify",
        name="Prove the whole matrix",
        needs=needs,
        runner=_LINUX,
        minutes=30,
        permissions=_READ,
        steps=steps,
    )


def _proof(name: str, command: str) -> tuple[WorkflowStep, ...]:
    """Verify, with the findings as annotations; then the matrix goes to the job's summary, also where something was found."""
    summary = f'python -m wheelkit {command} --format markdown >> "$GITHUB_STEP_SUMMARY"'
    return (
        WorkflowStep(name=name, run=(f"python -m wheelkit {command} --format github",)),
        WorkflowStep(name="Show the matrix in the summary", condition="${{ !cancelled() }}", run=(summary,)),
    )


_MERGED = {"pattern": "dist-*", "path": "dist", "merge-multiple": "true"}


def _proven() -> WorkflowStep:
    return WorkflowStep(
        name="Take the proven files", action="download-artifact", options={"name": "release", "path": "dist"}
    )


def _smoke(plan: Blueprint) -> WorkflowJob:
    steps: Steps = (
        *_prepared(plan, everything=True),
        _proven(),
        WorkflowStep(name="Install what was built, and try it", run=("python -m wheelkit smoke dist",)),
        _keep_failed("smoke-${{ matrix.name }}"),
    )
    return WorkflowJob(
        key="smoke",
        name="Smoke on ${{ matrix.name }}",
        needs=("verify",),
        runner="${{ matrix.runner }}",
        minutes=60,
        permissions=_READ,
        matrix=_machines(plan),
        steps=steps,
    )


def _smoke_staging(plan: Blueprint) -> WorkflowJob:
    steps: Steps = (
        *_prepared(plan, everything=True),
        _proven(),
        WorkflowStep(
            name="Install from the staging index, and try it",
            run=(f"python -m wheelkit smoke dist --from {shlex.quote(plan.ci.staging)}",),
        ),
        _keep_failed("smoke-staging-${{ matrix.name }}"),
    )
    return WorkflowJob(
        key="smoke-staging",
        name="Smoke from the staging index on ${{ matrix.name }}",
        needs=("stage",),
        runner="${{ matrix.runner }}",
        minutes=60,
        permissions=_READ,
        matrix=_machines(plan),
        steps=steps,
    )


def _publish(plan: Blueprint, key: str, index: str, needs: tuple[str, ...], condition: str) -> WorkflowJob:
    """Write a job that uploads: in an environment of the index's name, by trusted publishing or with the configured secret."""
    secret = plan.ci.secrets.get(index)
    env = {"TWINE_USERNAME": "__token__", "TWINE_PASSWORD": f"${{{{ secrets.{secret} }}}}"} if secret else {}
    steps: Steps = (
        *_prepared(plan),
        _proven(),
        WorkflowStep(
            name=f"Publish to {index}",
            run=(f"python -m wheelkit publish dist --to {shlex.quote(index)}",),
            env=env,
        ),
        _keep_failed(key),
    )
    return WorkflowJob(
        key=key,
        name=f"Publish to {index}",
        needs=needs,
        condition=condition,
        runner=_LINUX,
        minutes=60,
        environment=index,
        permissions=_READ if secret else _PUBLISH,
        steps=steps,
    )


def _machines(plan: Blueprint) -> tuple[Mapping[str, str], ...]:
    rows = tuple({"name": job.name, "runner": job.runner} for job in plan.native)
    return rows or ({"name": "linux-x86_64", "runner": _LINUX},)


def _prepared(plan: Blueprint, *, everything: bool = False) -> tuple[WorkflowStep, ...]:
    """Check out, and install wheelkit; with ``everything``, all interpreters that the project promises stand ready, too."""
    install = f"python -m pip install {shlex.join(plan.install)}"
    versions = plan.pythons if everything else (TOOL_PYTHON,)
    options: dict[str, str | tuple[str, ...]] = {
        "python-version": versions if len(versions) > 1 else versions[0]
    }
    if everything:
        options["allow-prereleases"] = "true"
    return (
        # The whole history, for versions that come from tags.
        WorkflowStep(
            name="Check out", action="checkout", options={"fetch-depth": "0", "persist-credentials": "false"}
        ),
        WorkflowStep(name="Set up Python", action="setup-python", options=options),
        WorkflowStep(name="Install wheelkit", run=(install,)),
    )


def _keep(name: str) -> WorkflowStep:
    """Keep what a job made, under a name of its own; a second attempt of the job takes the place of the first."""
    options: dict[str, str | tuple[str, ...]] = {
        "name": name,
        "path": "dist/",
        "if-no-files-found": "error",
        "overwrite": "true",
    }
    return WorkflowStep(name="Keep the files", action="upload-artifact", options=options)


def _keep_failed(name: str) -> WorkflowStep:
    """Keep what there is when a job fails, where no later job takes it for finished, under a name that no other attempt has."""
    options: dict[str, str | tuple[str, ...]] = {
        "name": f"failed-{name}-${{{{ github.run_attempt }}}}",
        "path": ("dist/", *_LOGS),
        "if-no-files-found": "ignore",
    }
    return WorkflowStep(
        name="Keep files and logs of a failure",
        condition="${{ failure() || cancelled() }}",
        action="upload-artifact",
        options=options,
    )
