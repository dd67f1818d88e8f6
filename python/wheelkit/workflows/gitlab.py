"""GitLab's pipeline: the stages of the two workflows in one .gitlab-ci.yml, written from a blueprint."""

from __future__ import annotations

import re
import shlex
from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING

from wheelkit import data
from wheelkit.matrix import System
from wheelkit.workflows import user_blocks
from wheelkit.workflows.jobs import TOOL_PYTHON, NativeJob
from wheelkit.workflows.model import scalar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wheelkit.matrix import Target
    from wheelkit.workflows.jobs import Blueprint
    from wheelkit.workflows.model import Kept


FILE = ".gitlab-ci.yml"
STAGES = ("check", "build", "verify", "smoke", "stage", "smoke-staging", "production")
_LINUX = "saas-linux-small-amd64"
# How a machine of each system comes to Python and, on Linux, to the containers that cibuildwheel starts.
_IMAGES: Mapping[System, str] = {System.LINUX: f"python:{TOOL_PYTHON}", System.MACOS: "macos-15-xcode-16"}
_DOCKER = (
    "  services: ['docker:dind']",
    "  variables: {DOCKER_HOST: 'tcp://docker:2375', DOCKER_TLS_CERTDIR: ''}",
)
_SET_UP: Mapping[System, tuple[str, ...]] = {
    System.LINUX: (),
    System.MACOS: (
        f"brew install python@{TOOL_PYTHON}",
        f"python{TOOL_PYTHON} -m venv .ci-venv",
        "source .ci-venv/bin/activate",
    ),
    System.WINDOWS: (f"choco install python --yes --version {TOOL_PYTHON}.0", "refreshenv"),
}
_TO_STAGING = "$UNTIL == 'staging' || $UNTIL == 'production'"
_TO_PRODUCTION = "$CI_COMMIT_TAG && $UNTIL == 'production'"


def label(target: Target, overrides: Mapping[str, str]) -> str | None:
    """Name the tag of the GitLab runner that builds a target: the configured one, else the hosted one, else None."""
    for pattern, name in overrides.items():
        if fnmatchcase(target.tag, pattern):
            return name
    return next(
        (row["label"] for row in _rows() if any(fnmatchcase(target.tag, one) for one in row["targets"])), None
    )


@cache
def _rows() -> list[dict[str, str]]:
    rows: list[dict[str, str]] = data.table("gitlab.toml")["runner"]
    return rows


def files(plan: Blueprint, kept: Mapping[str, Kept]) -> dict[str, str]:
    """Write the pipeline; ``kept`` holds its hand-written lines by the name of their place."""
    own = kept.get(FILE, {})
    jobs = [
        _checks(plan, own),
        *_tests(plan),
        *_builds(plan),
        _verify(plan),
        *_smokes(plan),
        *_publishing(plan),
    ]
    head = (
        "# Written by `wheelkit ci` from the project's configuration: change that, then run it again.",
        "# Only what stands between the lines marked as yours is kept.",
        f"stages: [{', '.join(STAGES)}]",
        "",
        "variables:",
        "  # The whole history, for versions that come from tags.",
        '  GIT_DEPTH: "0"',
        "  UNTIL:",
        "    description: How far to go; production needs a tag",
        "    value: verify",
        "    options: [verify, staging, production]",
        "",
        "workflow:",
        "  rules:",
        '    - if: $CI_PIPELINE_SOURCE == "merge_request_event"',
        "    # What is chosen by hand counts more than what is set here.",
        f"    - if: {scalar(_released(plan))}",
        "      variables: {UNTIL: production}",
        "    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH",
        '    - if: $CI_PIPELINE_SOURCE == "web"',
        "",
    )
    body = [line for job in jobs for line in (*job, "")]
    return {
        FILE: user_blocks.user_block_text(
            (
                *head,
                *body,
                *user_blocks.user_block_marker("jobs", "whole jobs between these lines are kept", own),
            )
        )
    }


def _released(plan: Blueprint) -> str:
    """Write the condition that the tag is one of a release: its globs as regular expressions, which GitLab matches anywhere in a text."""
    words = ([*map(re.escape, glob.replace("\\", "").split("*"))] for glob in plan.tags)
    return " || ".join(f"$CI_COMMIT_TAG =~ /^{'.*'.join(one).replace('/', chr(92) + '/')}$/" for one in words)


def _job(
    name: str, stage: str, machine: NativeJob, plan: Blueprint, script: Iterable[str], *extra: str
) -> tuple[str, ...]:
    image = _IMAGES.get(machine.system)
    install = f"python -m pip install {shlex.join(plan.install)}"
    return (
        f"{scalar(name)}:" if ":" not in name else f'"{name}":',
        f"  stage: {stage}",
        f"  tags: [{scalar(machine.runner)}]",
        *([f"  image: {scalar(image)}"] if image else []),
        *extra,
        "  timeout: 2 hours",
        "  before_script:",
        *(f"    - {scalar(line)}" for line in (*_SET_UP[machine.system], install)),
        "  script:",
        *(f"    - {scalar(line)}" for line in script),
    )


def _rule(condition: str) -> tuple[str, ...]:
    return ("  rules:", f"    - if: {_quoted(condition)}")


def _quoted(condition: str) -> str:
    return condition.replace("'", '"')


_KEPT = ("  artifacts:", "    when: always", "    expire_in: 1 month", "    paths: [dist/]")
_HOME = NativeJob(name="linux-x86_64", runner=_LINUX, system=System.LINUX, targets=())


def _machines(plan: Blueprint) -> tuple[NativeJob, ...]:
    return plan.native or (_HOME,)


def _containers(machine: NativeJob) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Give what a Linux job adds to start containers: to the job, and to its script."""
    if machine.system is not System.LINUX:
        return (), ()
    return _DOCKER, ("apt-get update && apt-get install --yes docker.io",)


def _checks(plan: Blueprint, kept: Kept) -> tuple[str, ...]:
    script = (
        "python -m wheelkit version check",
        "python -m wheelkit ci --provider gitlab --check",
        *plan.ci.lint,
    )
    return (
        *_job("checks", "check", _HOME, plan, script, "  interruptible: true"),
        *user_blocks.indent(
            user_blocks.user_block_marker("checks", "script lines between these lines are kept", kept), 4
        ),
    )


def _tests(plan: Blueprint) -> Iterable[tuple[str, ...]]:
    if plan.ci.test:
        for machine in _machines(plan):
            yield _job(f"tests:{machine.name}", "check", machine, plan, plan.ci.test, "  interruptible: true")


def _builds(plan: Blueprint) -> Iterable[tuple[str, ...]]:
    yield _job("sdists", "build", _HOME, plan, ["python -m wheelkit build --sdist"], *_KEPT)
    if plan.pure:
        yield _job("pure", "build", _HOME, plan, ["python -m wheelkit build --pure"], *_KEPT)
    for machine in plan.native:
        extra, script = _containers(machine)
        lines = (
            *script,
            "python -m wheelkit build --native",
            "python -m wheelkit verify-matrix dist --native",
        )
        yield _job(f"build:{machine.name}", "build", machine, plan, lines, *extra, *_KEPT)


def _verify(plan: Blueprint) -> tuple[str, ...]:
    return _job("verify", "verify", _HOME, plan, ["python -m wheelkit verify-matrix dist"], *_KEPT)


def _smokes(plan: Blueprint) -> Iterable[tuple[str, ...]]:
    for machine in _machines(plan):
        yield _job(f"smoke:{machine.name}", "smoke", machine, plan, ["python -m wheelkit smoke dist"])


def _publishing(plan: Blueprint) -> Iterable[tuple[str, ...]]:
    staging = plan.ci.staging
    yield _publish(plan, "stage", staging, _TO_STAGING)
    for machine in _machines(plan):
        script = [f"python -m wheelkit smoke dist --from {shlex.quote(staging)}"]
        yield _job(
            f"smoke-staging:{machine.name}", "smoke-staging", machine, plan, script, *_rule(_TO_STAGING)
        )
    yield _publish(plan, "production", plan.ci.production, _TO_PRODUCTION)


def _publish(plan: Blueprint, name: str, index: str, condition: str) -> tuple[str, ...]:
    """Write a job that uploads: with the ID token that the index's trusted publishing reads, or with the configured variable."""
    secret = plan.ci.secrets.get(index)
    token = f"{index.upper().replace('-', '_').replace('.', '_')}_ID_TOKEN"
    access = (
        ("  variables:", "    TWINE_USERNAME: __token__", f"    TWINE_PASSWORD: ${secret}")
        if secret
        else ("  id_tokens:", f"    {token}:", f"      aud: {scalar(index)}")
    )
    extra = (
        f"  environment: {scalar(index)}",
        f"  resource_group: {scalar(index)}",
        *access,
        *_rule(condition),
    )
    return _job(
        name, name, _HOME, plan, [f"python -m wheelkit publish dist --to {shlex.quote(index)}"], *extra
    )
