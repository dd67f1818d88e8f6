"""GitLab's pipeline: the stages of both GitHub workflows in one .gitlab-ci.yml."""

from __future__ import annotations

import re
import shlex
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from wheelkit import data
from wheelkit.matrix import System
from wheelkit.workflows import user_blocks
from wheelkit.workflows.jobs import ATTESTATIONS, TOOL_PYTHON, NativeJob, verify_command
from wheelkit.workflows.model import scalar

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wheelkit.matrix import Target
    from wheelkit.workflows.jobs import Blueprint
    from wheelkit.workflows.user_blocks import UserLines


FILE = ".gitlab-ci.yml"
_STAGES = ("check", "build", "verify", "smoke", "stage", "smoke-staging", "production")
_LINUX = NativeJob(name="linux-x86_64", runner="saas-linux-small-amd64", system=System.LINUX, targets=())
_IMAGES: Mapping[System, str] = {System.LINUX: f"python:{TOOL_PYTHON}", System.MACOS: "macos-15-xcode-16"}
# How to install Python on each system.
_SET_UP: Mapping[System, tuple[str, ...]] = {
    System.LINUX: (),
    System.MACOS: (
        f"brew install python@{TOOL_PYTHON}",
        f"python{TOOL_PYTHON} -m venv .ci-venv",
        "source .ci-venv/bin/activate",
    ),
    System.WINDOWS: (f"choco install python --yes --version {TOOL_PYTHON}.0", "refreshenv"),
}
# What jobs on Linux need to start containers.
_DOCKER = (
    "  services: ['docker:dind']",
    "  variables: {DOCKER_HOST: 'tcp://docker:2375', DOCKER_TLS_CERTDIR: ''}",
)
_INSTALL_DOCKER = "apt-get update && apt-get install --yes docker.io"
# The identity that attestations are signed with (PyPI's documentation, "Producing attestations").
_SIGSTORE = ("    SIGSTORE_ID_TOKEN:", "      aud: sigstore")
_INTERRUPTIBLE = "  interruptible: true"
_ARTIFACTS = ("  artifacts:", "    when: always", "    expire_in: 1 month", "    paths: [dist/]")
_TO_STAGING = "$UNTIL == 'staging' || $UNTIL == 'production'"
# Tags of development versions, which wheelkit does not make, end on the staging index.
_TO_PRODUCTION = "$CI_COMMIT_TAG && $CI_COMMIT_TAG !~ /\\.dev/ && $UNTIL == 'production'"


def label(target: Target, overrides: Mapping[str, str]) -> str | None:
    """Return the tag of a target's runner: the configured one, else the hosted one, else None."""
    rows = data.table("gitlab.toml")["runner"]
    hosted = ((pattern, row["label"]) for row in rows for pattern in row["targets"])
    runners = (*overrides.items(), *hosted)
    return next((name for pattern, name in runners if fnmatchcase(target.tag, pattern)), None)


def files(plan: Blueprint, user_lines: Mapping[str, UserLines]) -> dict[str, str]:
    """Return the text of the pipeline by its path, with the user's lines of the file."""
    blocks = user_lines.get(FILE, {})
    staging = plan.ci.staging
    stages = [*_STAGES[:4], *(_STAGES[4:6] if staging else ()), _STAGES[6]]
    until = ["verify", *(["staging"] if staging else []), "production"]
    head = data.text("workflows/gitlab.yml.in").replace("@release@", scalar(_release_condition(plan)))
    submodules = "  GIT_SUBMODULE_STRATEGY: recursive\n" if plan.submodules else ""
    head = head.replace("@submodules@", submodules)
    head = head.replace("@stages@", ", ".join(stages)).replace("@until@", ", ".join(until))
    body = [line for job in _jobs(plan, blocks) for line in (*job, "")]
    lines = (*user_blocks.HEADER, *head.splitlines(), *body, *user_blocks.jobs_block(blocks))
    return {FILE: user_blocks.join(lines)}


def _release_condition(plan: Blueprint) -> str:
    """Return the condition that the tag is one of a release, with the tag globs as regular expressions."""
    patterns = (
        ".*".join(map(re.escape, glob.replace("\\", "").split("*"))).replace("/", "\\/") for glob in plan.tags
    )
    return " || ".join(f"$CI_COMMIT_TAG =~ /^{pattern}$/" for pattern in patterns)


def _jobs(plan: Blueprint, blocks: UserLines) -> Iterable[tuple[str, ...]]:
    yield _checks(plan, blocks)
    machines = plan.native or (_LINUX,)
    if plan.ci.test:
        for machine in machines:
            yield _job(f"tests:{machine.name}", "check", machine, plan, plan.ci.test, _INTERRUPTIBLE)
    yield from _builds(plan)
    verification = f"python -m wheelkit {verify_command(plan)}"
    yield _job("verify", "verify", _LINUX, plan, [verification], *_ARTIFACTS)
    smoked = [machine for machine in machines if machine.smoked] or machines
    for machine in smoked:
        yield _job(f"smoke:{machine.name}", "smoke", machine, plan, ["python -m wheelkit smoke dist"])
    if plan.ci.staging:
        yield from _staging(plan, plan.ci.staging, smoked)
    yield _publish(plan, "production", plan.ci.production, _TO_PRODUCTION)


def _staging(plan: Blueprint, staging: str, smoked: Iterable[NativeJob]) -> Iterable[tuple[str, ...]]:
    yield _publish(plan, "stage", staging, _TO_STAGING)
    for machine in smoked:
        script = [f"python -m wheelkit smoke dist --from {shlex.quote(staging)}"]
        name = f"smoke-staging:{machine.name}"
        yield _job(name, "smoke-staging", machine, plan, script, *_rule(_TO_STAGING))


def _job(
    name: str, stage: str, machine: NativeJob, plan: Blueprint, script: Iterable[str], *extra: str
) -> tuple[str, ...]:
    image = _IMAGES.get(machine.system)
    install = f"python -m pip install {shlex.join(plan.install)}"
    return (
        f"{scalar(name)}:",
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
    quoted = condition.replace("'", '"')
    return ("  rules:", f"    - if: {quoted}")


def _checks(plan: Blueprint, blocks: UserLines) -> tuple[str, ...]:
    script = (
        "python -m wheelkit version check",
        "python -m wheelkit ci --provider gitlab --check",
        *plan.ci.lint,
    )
    block = user_blocks.block_lines("checks", "script lines between these lines are kept", blocks)
    return (*_job("checks", "check", _LINUX, plan, script, _INTERRUPTIBLE), *user_blocks.indent(block, 4))


def _builds(plan: Blueprint) -> Iterable[tuple[str, ...]]:
    yield _job("sdists", "build", _LINUX, plan, ["python -m wheelkit build --sdist"], *_ARTIFACTS)
    if plan.pure:
        yield _job("pure", "build", _LINUX, plan, ["python -m wheelkit build --pure"], *_ARTIFACTS)
    for machine in plan.native:
        linux = machine.system is System.LINUX
        script = (
            *([_INSTALL_DOCKER] if linux else []),
            "python -m wheelkit build --native",
            "python -m wheelkit verify-matrix dist --native",
        )
        extra = (*(_DOCKER if linux else ()), *_ARTIFACTS)
        yield _job(f"build:{machine.name}", "build", machine, plan, script, *extra)


def _publish(plan: Blueprint, name: str, index: str, condition: str) -> tuple[str, ...]:
    """Return a job that uploads, with the ID tokens for trusted publishing or with a variable."""
    secret, attested = plan.ci.secrets.get(index), index in plan.attested
    # The name under which the package id looks for it.
    token = f"{re.sub('[^A-Z0-9_]|^[^A-Z_]', '_', index.upper())}_ID_TOKEN"
    access = (
        ("  variables:", "    TWINE_USERNAME: __token__", f"    TWINE_PASSWORD: ${secret}")
        if secret
        else (
            "  id_tokens:",
            f"    {token}:",
            f"      aud: {scalar(index)}",
            *(_SIGSTORE if attested else ()),
        )
    )
    place = (f"  environment: {scalar(index)}", f"  resource_group: {scalar(index)}")
    install = [f"python -m pip install {shlex.quote(ATTESTATIONS)}"] if attested else []
    script = [*install, f"python -m wheelkit publish dist --to {shlex.quote(index)}"]
    return _job(name, name, _LINUX, plan, script, *place, *access, *_rule(condition))
