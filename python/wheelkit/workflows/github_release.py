"""The jobs of GitHub's release-python.yml: build, verify, smoke, staging, smoke from there, production."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from msgspec.structs import replace

from wheelkit.workflows.github_steps import (
    on_all_machines,
    prepare,
    upload,
    upload_failed,
    verification,
    wheelkit,
)
from wheelkit.workflows.jobs import verify_command
from wheelkit.workflows.model import READ_PERMISSIONS, UserBlock, WorkflowJob, WorkflowStep

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.workflows.jobs import Blueprint

    Steps = tuple[WorkflowStep | UserBlock, ...]


_PUBLISH_PERMISSIONS = {
    **READ_PERMISSIONS,
    "id-token: write": "trusted publishing: identifies this workflow to the index",
}
_ATTEST_PERMISSIONS = {
    **READ_PERMISSIONS,
    "id-token: write": "trusted publishing and attestations: identifies this workflow",
}
_TO_STAGING = "inputs.until != 'verify'"
# Tags of development versions, which wheelkit does not make, end on the staging index.
_ON_TAGS = "github.ref_type == 'tag' && !contains(github.ref_name, '.dev')"
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
_NOTES = '"$RUNNER_TEMP/notes.md"'
# gh uploads the files to a draft, and publishes that when it has all of them.
_CREATE_RELEASE = (
    "prerelease=()",
    r'if [[ "$GITHUB_REF_NAME" =~ [0-9](a|b|rc|\.dev)[0-9]+$ ]]; then prerelease=(--prerelease); fi',
    'if ! gh release view "$GITHUB_REF_NAME" > /dev/null 2>&1; then',
    '  gh release create "$GITHUB_REF_NAME" --verify-tag --title "$GITHUB_REF_NAME" \\',
    f'    --notes-file {_NOTES} "${{prerelease[@]}}" dist/*.whl dist/*.tar.gz',
    "fi",
)


def release_jobs(plan: Blueprint) -> tuple[WorkflowJob, ...]:
    """Return the jobs in order; each needs those that have to pass before it."""
    builds = (*([_native(plan)] if plan.native else []), _sources(plan))
    return (
        *builds,
        _verify(plan, tuple(job.key for job in builds)),
        _smoke(plan, "smoke", "Smoke", "verify", "smoke dist"),
        *_uploads(plan),
        *([_github_release(plan)] if plan.ci.github_release else []),
    )


def _uploads(plan: Blueprint) -> Iterator[WorkflowJob]:
    """Yield the jobs that publish, with the smoke test between them; without staging, only production."""
    needs: tuple[str, ...] = ("verify", "smoke")
    condition = f"{_ON_TAGS} && {_TO_STAGING}"
    if plan.ci.staging:
        from_staging = f"smoke dist --from {shlex.quote(plan.ci.staging)}"
        yield _publish(plan, "stage", plan.ci.staging, needs, _TO_STAGING)
        yield _smoke(plan, "smoke-staging", "Smoke from the staging index", "stage", from_staging)
        needs, condition = (*needs, "smoke-staging"), f"{condition} && inputs.until != 'staging'"
    yield _publish(plan, "production", plan.ci.production, needs, condition)


def _native(plan: Blueprint) -> WorkflowJob:
    build = wheelkit("Build, repair and test", "build --native")
    steps: Steps = (UserBlock(name="before the build"), build, upload("dist-${{ matrix.name }}"))
    job = WorkflowJob(key="native", name="Build on ${{ matrix.name }}", minutes=120, steps=steps)
    return on_all_machines(job, plan)


def _sources(plan: Blueprint) -> WorkflowJob:
    """Return the job that builds the sdists; the pure wheels do not take a runner of their own."""
    name = "Build the sdists and pure wheels" if plan.pure else "Build the sdists"
    build = wheelkit(name, "build --sdist --pure" if plan.pure else "build --sdist")
    block = UserBlock(name="before the sdists")
    steps: Steps = (*prepare(plan), block, build, upload("dist-sdists"), upload_failed("sdists"))
    return WorkflowJob(key="sdists", name=name, minutes=30, steps=steps)


def _verify(plan: Blueprint, needs: tuple[str, ...]) -> WorkflowJob:
    name = "Verify the whole matrix"
    notes = wheelkit("Find the release notes", f"version notes > {_NOTES}", condition=_ON_TAGS)
    steps: Steps = (
        *prepare(plan),
        wheelkit("Check the versions and the tag", "version check"),
        *([notes] if plan.ci.github_release else []),
        _MERGE,
        *verification(name, verify_command(plan)),
        upload("release"),
        upload_failed("verify"),
    )
    return WorkflowJob(key="verify", name=name, needs=needs, minutes=30, steps=steps)


def _smoke(plan: Blueprint, key: str, name: str, needs: str, command: str) -> WorkflowJob:
    name = f"{name} on ${{{{ matrix.name }}}}"
    steps: Steps = (_DOWNLOAD, wheelkit("Smoke test", command))
    job = WorkflowJob(key=key, name=name, needs=(needs,), minutes=60, steps=steps)
    job = on_all_machines(job, plan, all_pythons=True)
    return replace(job, machines=tuple(row for row in job.machines if row.get("smoke") != "false"))


def _publish(plan: Blueprint, key: str, index: str, needs: tuple[str, ...], condition: str) -> WorkflowJob:
    """Return a job that uploads in the index's environment, by trusted publishing or with a secret."""
    secret, attested = plan.ci.secrets.get(index), index in plan.attested
    env = {"TWINE_USERNAME": "__token__", "TWINE_PASSWORD": f"${{{{ secrets.{secret} }}}}"} if secret else {}
    steps: Steps = (
        *prepare(plan, attest=attested),
        _DOWNLOAD,
        UserBlock(name=f"before {key}"),
        wheelkit(f"Publish to {index}", f"publish dist --to {shlex.quote(index)}", env=env),
        UserBlock(name=f"after {key}"),
        upload_failed(key),
    )
    trusted = _ATTEST_PERMISSIONS if attested else _PUBLISH_PERMISSIONS
    return WorkflowJob(
        key=key,
        name=f"Publish to {index}",
        needs=needs,
        condition=condition,
        minutes=60,
        environment=index,
        permissions=READ_PERMISSIONS if secret else trusted,
        steps=steps,
    )


def _github_release(plan: Blueprint) -> WorkflowJob:
    """Return the job that creates the release of the tag on GitHub, if there is none yet."""
    steps: Steps = (
        *prepare(plan),
        _DOWNLOAD,
        wheelkit("Find the release notes", f"version notes > {_NOTES}"),
        WorkflowStep(
            name="Create the release on GitHub", run=_CREATE_RELEASE, env={"GH_TOKEN": "${{ github.token }}"}
        ),
    )
    return WorkflowJob(
        key="github-release",
        name="Release on GitHub",
        needs=("production",),
        minutes=30,
        permissions={"contents: write": "to create the release"},
        steps=steps,
    )
