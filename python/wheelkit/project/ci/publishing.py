"""The project's own workflows that publish a release, so that no second one publishes the same tag."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import Struct

from wheelkit.project.ci.github import workflow_files
from wheelkit.project.ci.scripts import publishes
from wheelkit.project.ci.triggers import RELEASE, release_event

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


_ACTIONS = ("pypa/gh-action-pypi-publish",)


class Publisher(Struct, frozen=True, kw_only=True):
    """A workflow of the project's own that uploads to an index when a tag or a release is made."""

    path: str
    job: str

    def __str__(self) -> str:
        """Return the file and the job."""
        return f"{self.path} (job {self.job})"


def publishers(root: Path) -> tuple[Publisher, ...]:
    """Return the workflows, other than those of wheelkit, that publish when a release is made."""
    workflows, _ = workflow_files(root)
    return tuple(
        Publisher(path=workflow.path, job=job)
        for workflow in workflows
        if (event := release_event(workflow.table.get("on"), "")) is not None and event.rank == RELEASE
        for job in _publishing_jobs(workflow.table["jobs"])
    )


def _publishing_jobs(jobs: dict[str, Any]) -> Iterator[str]:
    for name, job in jobs.items():
        steps = job.get("steps") if isinstance(job, dict) else None
        if isinstance(steps, list) and any(_uploads(step) for step in steps):
            yield str(name)


def _uploads(step: object) -> bool:
    if not isinstance(step, dict):
        return False
    return str(step.get("uses") or "").startswith(_ACTIONS) or publishes(str(step.get("run") or ""))
