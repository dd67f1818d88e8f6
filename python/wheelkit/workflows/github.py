"""GitHub's workflows: ci.yml for pull requests and release-python.yml for tags.

They follow GitHub's "Security hardening for GitHub Actions" and the audits of zizmor. The only permission
besides reading the repository is the one that trusted publishing needs, in the jobs that publish. Actions are
pinned by commit, no script contains an expression, and a job that publishes is never cancelled.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from msgspec.structs import replace

from wheelkit import data
from wheelkit.runners import runner_for
from wheelkit.workflows import user_blocks
from wheelkit.workflows.jobs import TOOL_PYTHON, verify_command
from wheelkit.workflows.model import (
    LINUX_RUNNER,
    READ_PERMISSIONS,
    UserBlock,
    WorkflowJob,
    WorkflowStep,
    quoted,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wheelkit.matrix import Target
    from wheelkit.workflows.jobs import Blueprint, NativeJob
    from wheelkit.workflows.user_blocks import UserLines

    Steps = tuple[WorkflowStep | UserBlock, ...]


CI_FILE = ".github/workflows/ci.yml"
RELEASE_FILE = ".github/workflows/release-python.yml"
_PUBLISH_PERMISSIONS = {
    **READ_PERMISSIONS,
    "id-token: write": "trusted publishing: identifies this workflow to the index",
}
_TO_STAGING = "inputs.until != 'verify'"
_TO_PRODUCTION = "github.ref_type == 'tag' && inputs.until != 'verify' && inputs.until != 'staging'"
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
_MERGE = WorkflowStep(
    name="Download the files of all runners",
    action="download-artifact",
    options={"pattern": "dist-*", "path": "dist", "merge-multiple": "true"},
)
_DOWNLOAD = WorkflowStep(
    name="Download the verified files",
    action="download-artifact",
    options={"name": "release", "path": "dist"},
)
# The folders of platformdirs for logs on the three systems.
_LOGS = ("~/.local/state/wheelkit/log/", "~/Library/Logs/wheelkit/", "~/AppData/Local/wheelkit/Logs/")


def label(target: Target, overrides: Mapping[str, str]) -> str | None:
    """Return the label of a target's runner: the configured one, else the hosted one, else None."""
    runner = runner_for(target, overrides)
    return runner.label if runner else None


def files(plan: Blueprint, user_lines: Mapping[str, UserLines]) -> dict[str, str]:
    """Return the text of both workflows by path, with the user's lines of each file."""
    tags = ", ".join(map(quoted, plan.tags))
    ci_jobs = (_checks(plan), *([_tests(plan)] if plan.ci.test else []), _build(plan))
    release_head = data.text("workflows/release.yml.in").replace("@tags@", tags)
    return {
        CI_FILE: _workflow(data.text("workflows/ci.yml.in"), ci_jobs, user_lines.get(CI_FILE, {})),
        RELEASE_FILE: _workflow(release_head, _release_jobs(plan), user_lines.get(RELEASE_FILE, {})),
    }


def _workflow(head: str, jobs: Iterable[WorkflowJob], user_lines: UserLines) -> str:
    body = [line for job in jobs for line in (*job.lines(user_lines), "")]
    indented = user_blocks.indent((*body, *user_blocks.jobs_block(user_lines)), 2)
    return user_blocks.join((*user_blocks.HEADER, *head.splitlines(), *indented))


def _checks(plan: Blueprint) -> WorkflowJob:
    steps: Steps = (
        *_prepare(plan),
        _wheelkit("Check the versions of the family", "version check"),
        _wheelkit("Check that the workflows are up to date", "ci --check"),
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
        machines=_machines(plan),
        steps=(*_prepare(plan, all_pythons=True), *tests),
    )


def _build(plan: Blueprint) -> WorkflowJob:
    smoked = "" if _all_smoked(plan) else "${{ matrix.smoke == 'true' }}"
    steps: Steps = (
        UserBlock(name="before the build"),
        _CACHE,
        _wheelkit("Build, repair and test", "build", env={"WHEELKIT_CACHE_DIR": _CACHE_FOLDER}),
        *_verification("Verify the wheels", "verify-matrix dist --native"),
        _wheelkit("Smoke test", "smoke dist", condition=smoked),
        _upload("dist-${{ matrix.name }}"),
    )
    job = WorkflowJob(key="build", name="Build on ${{ matrix.name }}", minutes=90, steps=steps)
    return _on_all_machines(job, plan, all_pythons=True)


def _release_jobs(plan: Blueprint) -> tuple[WorkflowJob, ...]:
    builds = (
        *([_native(plan)] if plan.native else []),
        _build_part(plan, "sdists", "sdists", "--sdist"),
        *([_build_part(plan, "pure", "pure wheels", "--pure")] if plan.pure else []),
    )
    staging, production = plan.ci.staging, plan.ci.production
    from_staging = f"smoke dist --from {shlex.quote(staging)}"
    return (
        *builds,
        _verify(plan, tuple(job.key for job in builds)),
        _smoke(plan, "smoke", "Smoke", "verify", "smoke dist"),
        _publish(plan, "stage", staging, ("verify", "smoke"), _TO_STAGING),
        _smoke(plan, "smoke-staging", "Smoke from the staging index", "stage", from_staging),
        _publish(plan, "production", production, ("verify", "smoke", "smoke-staging"), _TO_PRODUCTION),
    )


def _native(plan: Blueprint) -> WorkflowJob:
    build = _wheelkit("Build, repair and test", "build --native")
    steps: Steps = (UserBlock(name="before the build"), build, _upload("dist-${{ matrix.name }}"))
    job = WorkflowJob(key="native", name="Build on ${{ matrix.name }}", minutes=120, steps=steps)
    return _on_all_machines(job, plan)


def _build_part(plan: Blueprint, key: str, content: str, option: str) -> WorkflowJob:
    name = f"Build the {content}"
    build = _wheelkit(name, f"build {option}")
    steps: Steps = (*_prepare(plan), build, _upload(f"dist-{key}"), _upload_failed(key))
    return WorkflowJob(key=key, name=name, minutes=30, steps=steps)


def _verify(plan: Blueprint, needs: tuple[str, ...]) -> WorkflowJob:
    name = "Verify the whole matrix"
    verification = _verification(name, verify_command(plan))
    steps: Steps = (*_prepare(plan), _MERGE, *verification, _upload("release"), _upload_failed("verify"))
    return WorkflowJob(key="verify", name=name, needs=needs, minutes=30, steps=steps)


def _smoke(plan: Blueprint, key: str, name: str, needs: str, command: str) -> WorkflowJob:
    name = f"{name} on ${{{{ matrix.name }}}}"
    steps: Steps = (_DOWNLOAD, _wheelkit("Smoke test", command))
    job = WorkflowJob(key=key, name=name, needs=(needs,), minutes=60, steps=steps)
    job = _on_all_machines(job, plan, all_pythons=True)
    return replace(job, machines=tuple(row for row in job.machines if row.get("smoke") != "false"))


def _publish(plan: Blueprint, key: str, index: str, needs: tuple[str, ...], condition: str) -> WorkflowJob:
    """Return a job that uploads in the index's environment, by trusted publishing or with a secret."""
    secret = plan.ci.secrets.get(index)
    env = {"TWINE_USERNAME": "__token__", "TWINE_PASSWORD": f"${{{{ secrets.{secret} }}}}"} if secret else {}
    steps: Steps = (
        *_prepare(plan),
        _DOWNLOAD,
        _wheelkit(f"Publish to {index}", f"publish dist --to {shlex.quote(index)}", env=env),
        _upload_failed(key),
    )
    return WorkflowJob(
        key=key,
        name=f"Publish to {index}",
        needs=needs,
        condition=condition,
        minutes=60,
        environment=index,
        permissions=READ_PERMISSIONS if secret else _PUBLISH_PERMISSIONS,
        steps=steps,
    )


def _on_all_machines(job: WorkflowJob, plan: Blueprint, *, all_pythons: bool = False) -> WorkflowJob:
    """Run a job on every machine: set it up before the steps, and keep what is there after a failure."""
    failed = _upload_failed(f"{job.key}-${{{{ matrix.name }}}}")
    steps = (*_prepare(plan, all_pythons=all_pythons), *job.steps, failed)
    return replace(job, machines=_machines(plan), steps=steps)


def _machines(plan: Blueprint) -> tuple[Mapping[str, str], ...]:
    machines = ({"name": job.name, "runner": job.runner, **_differences(plan, job)} for job in plan.native)
    return tuple(machines) or ({"name": "linux-x86_64", "runner": LINUX_RUNNER},)


def _differences(plan: Blueprint, job: NativeJob) -> dict[str, str]:
    """Return the interpreters of a machine, a line each for setup-python, where machines differ in them.

    And whether it installs the wheels that it builds, where not all do.
    """
    pythons = {} if _alike(plan) else {"pythons": "\n".join(job.pythons)}
    return pythons if _all_smoked(plan) else {**pythons, "smoke": str(job.smoked).lower()}


def _all_smoked(plan: Blueprint) -> bool:
    """Return whether smoke tests run on all machines; so they do if there is no other to run them on."""
    smoked = [job.smoked for job in plan.native]
    return all(smoked) or not any(smoked)


def _alike(plan: Blueprint) -> bool:
    return len({job.pythons for job in plan.native}) <= 1


def _prepare(plan: Blueprint, *, all_pythons: bool = False) -> tuple[WorkflowStep, ...]:
    """Check out and install wheelkit; with ``all_pythons``, also install all promised interpreters."""
    versions = plan.pythons if all_pythons else (TOOL_PYTHON,)
    if all_pythons and not _alike(plan):
        versions = ("${{ matrix.pythons }}",)
    prereleases = {"allow-prereleases": "true"} if all_pythons else {}
    python = {"python-version": versions if len(versions) > 1 else versions[0], **prereleases}
    return (
        # The whole history, for versions from git tags.
        WorkflowStep(
            name="Check out", action="checkout", options={"fetch-depth": "0", "persist-credentials": "false"}
        ),
        WorkflowStep(name="Set up Python", action="setup-python", options=python),
        WorkflowStep(name="Install wheelkit", run=(f"python -m pip install {shlex.join(plan.install)}",)),
    )


def _wheelkit(
    name: str, command: str, *, env: Mapping[str, str] | None = None, condition: str = ""
) -> WorkflowStep:
    return WorkflowStep(name=name, run=(f"python -m wheelkit {command}",), env=env or {}, condition=condition)


def _verification(name: str, command: str) -> tuple[WorkflowStep, ...]:
    """Verify with annotations for findings, then add the matrix to the job's summary in any case."""
    summary = f'{command} --format markdown >> "$GITHUB_STEP_SUMMARY"'
    return (
        _wheelkit(name, f"{command} --format github"),
        _wheelkit("Show the matrix in the summary", summary, condition="${{ !cancelled() }}"),
    )


def _upload(name: str) -> WorkflowStep:
    """Keep the files of a job; a second attempt of the job replaces those of the first."""
    options = {"name": name, "path": "dist/", "if-no-files-found": "error", "overwrite": "true"}
    return WorkflowStep(name="Upload the files", action="upload-artifact", options=options)


def _upload_failed(name: str) -> WorkflowStep:
    """Keep files and logs of a failed job, under a name that no later job and no other attempt uses."""
    options: dict[str, str | tuple[str, ...]] = {
        "name": f"failed-{name}-${{{{ github.run_attempt }}}}",
        "path": ("dist/", *_LOGS),
        "if-no-files-found": "ignore",
    }
    return WorkflowStep(
        name="Upload files and logs of a failure",
        condition="${{ failure() || cancelled() }}",
        action="upload-artifact",
        options=options,
    )
