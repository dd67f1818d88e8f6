"""The steps that the jobs of both GitHub workflows have in common, and the machines they run on."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from msgspec.structs import replace

from wheelkit.workflows.jobs import ATTESTATIONS, TOOL_PYTHON
from wheelkit.workflows.model import LINUX_RUNNER, WorkflowJob, WorkflowStep

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelkit.workflows.jobs import Blueprint, NativeJob


# The folders of platformdirs for logs on the three systems.
_LOGS = ("~/.local/state/wheelkit/log/", "~/Library/Logs/wheelkit/", "~/AppData/Local/wheelkit/Logs/")


def on_all_machines(job: WorkflowJob, plan: Blueprint, *, all_pythons: bool = False) -> WorkflowJob:
    """Run a job on every machine: set it up before the steps, and keep what is there after a failure."""
    failed = upload_failed(f"{job.key}-${{{{ matrix.name }}}}")
    steps = (*prepare(plan, all_pythons=all_pythons), *job.steps, failed)
    return replace(job, machines=machines(plan), steps=steps)


def machines(plan: Blueprint) -> tuple[Mapping[str, str], ...]:
    """Return the rows of a job's matrix: those that build, or one for a pure project."""
    rows = ({"name": job.name, "runner": job.runner, **_differences(plan, job)} for job in plan.native)
    return tuple(rows) or ({"name": "linux-x86_64", "runner": LINUX_RUNNER},)


def _differences(plan: Blueprint, job: NativeJob) -> dict[str, str]:
    """Return the interpreters of a machine, a line each for setup-python, where machines differ in them.

    And whether it installs the wheels that it builds, where not all do.
    """
    pythons = {} if _alike(plan) else {"pythons": "\n".join(job.pythons)}
    return pythons if all_smoked(plan) else {**pythons, "smoke": str(job.smoked).lower()}


def all_smoked(plan: Blueprint) -> bool:
    """Return whether smoke tests run on all machines; so they do if there is no other to run them on."""
    smoked = [job.smoked for job in plan.native]
    return all(smoked) or not any(smoked)


def _alike(plan: Blueprint) -> bool:
    return len({job.pythons for job in plan.native}) <= 1


def prepare(plan: Blueprint, *, all_pythons: bool = False, attest: bool = False) -> tuple[WorkflowStep, ...]:
    """Check out and install wheelkit.

    With ``all_pythons``, also install all promised interpreters, with ``attest`` what makes attestations.
    """
    versions = plan.pythons if all_pythons else (TOOL_PYTHON,)
    if all_pythons and not _alike(plan):
        versions = ("${{ matrix.pythons }}",)
    prereleases = {"allow-prereleases": "true"} if all_pythons else {}
    python = {"python-version": versions if len(versions) > 1 else versions[0], **prereleases}
    install = (*plan.install, *((ATTESTATIONS,) if attest else ()))
    return (
        WorkflowStep(name="Check out", action="checkout", options=_checkout(plan)),
        WorkflowStep(name="Set up Python", action="setup-python", options=python),
        WorkflowStep(name="Install wheelkit", run=(f"python -m pip install {shlex.join(install)}",)),
    )


def _checkout(plan: Blueprint) -> dict[str, str]:
    """Fetch the whole history, for versions from git tags, and the submodules if there are any."""
    options = {"fetch-depth": "0", "persist-credentials": "false"}
    return {**options, "submodules": "recursive"} if plan.submodules else options


def wheelkit(
    name: str, command: str, *, env: Mapping[str, str] | None = None, condition: str = ""
) -> WorkflowStep:
    """Run a command of wheelkit."""
    return WorkflowStep(name=name, run=(f"python -m wheelkit {command}",), env=env or {}, condition=condition)


def verification(name: str, command: str) -> tuple[WorkflowStep, ...]:
    """Verify with annotations for findings, then add the matrix to the job's summary in any case."""
    summary = f'{command} --format markdown >> "$GITHUB_STEP_SUMMARY"'
    return (
        wheelkit(name, f"{command} --format github"),
        wheelkit("Show the matrix in the summary", summary, condition="${{ !cancelled() }}"),
    )


def upload(name: str) -> WorkflowStep:
    """Keep the files of a job; a second attempt of the job replaces those of the first."""
    options = {"name": name, "path": "dist/", "if-no-files-found": "error", "overwrite": "true"}
    return WorkflowStep(name="Upload the files", action="upload-artifact", options=options)


def upload_failed(name: str) -> WorkflowStep:
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
