"""The project: its configuration, what breaks meson-python builds, version control, and what a release needs beforehand."""

from __future__ import annotations

import re
import shutil
import sysconfig
from typing import TYPE_CHECKING

from wheelkit import workflows
from wheelkit.doctor.model import fine, missing, warning
from wheelkit.errors import ConfigError, WheelkitError
from wheelkit.machine.git import UNTRUSTED, Repository
from wheelkit.workflows.github import RELEASE_FILE

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date
    from pathlib import Path

    from wheelkit.config import Config
    from wheelkit.doctor.model import CheckLine
    from wheelkit.project.family import Family


TOPIC, RELEASE = "project", "release"
_GLIMPSE = 3
_GITHUB = re.compile(r"github\.com[:/](?P<owner>[^/\s]+)/(?P<name>[^/\s]+?)(?:\.git)?/?$")


def checkout(folder: Path) -> Iterable[CheckLine]:
    """Look at version control: whether git is there, and what is not committed; meson leaves that out of sdists, and publish refuses it."""
    if shutil.which("git") is None:
        yield missing(TOPIC, "git", "was not found", "apt install git")
        return
    state = Repository(folder=folder).checkout()
    if state.trust_command:
        yield warning(
            TOPIC,
            "git",
            f"{UNTRUSTED}; publish needs its commit",
            state.trust_command,
        )
    elif not state.tracked:
        yield warning(
            TOPIC,
            "git",
            "the project is not under version control; publish needs a commit",
            "git init && git add -A && git commit",
        )
    elif state.changed:
        names = ", ".join(state.changed[:_GLIMPSE]) + (", …" if len(state.changed) > _GLIMPSE else "")
        detail = f"{len(state.changed)} uncommitted: {names}; other tools leave them out of the sdist, and publish refuses them"
        yield warning(TOPIC, "git", detail, "git add -A && git commit")
    else:
        yield fine(TOPIC, "git", f"clean at {state.commit[:12]}")


def project(
    config: Config | None, family: Family | None, trouble: WheelkitError | None
) -> Iterable[CheckLine]:
    """Look at the configuration, and at settings that break builds."""
    if trouble is not None:
        problems = trouble.problems if isinstance(trouble, ConfigError) else (trouble.message,)
        for problem in problems:
            yield missing(
                TOPIC,
                "configuration",
                problem,
                trouble.hint.splitlines()[0] if trouble.hint else "mend it, then: wheelkit plan",
            )
    if config is None or family is None:
        return
    names = ", ".join(item.name for item in family.distributions)
    yield fine(
        TOPIC,
        "configuration",
        f"{names}; {config.source.name if config.source else 'no [tool.wheelkit], so the defaults hold'}",
    )
    threaded = [tag for tag in config.matrix.interpreters or () if tag.endswith("t")]
    for item in family.native:
        if item.backend == "mesonpy" and item.limited_api and threaded:
            yield _limited_api(item.name, threaded)


def _limited_api(name: str, threaded: list[str]) -> CheckLine:
    """Judge limited-api beside free-threaded cells: wheelkit builds them without it, but a free-threaded Python cannot make the sdist."""
    what = f"{name} has limited-api = true and promises {', '.join(threaded)}"
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        return missing(
            TOPIC,
            "meson-python",
            f"{what}; this free-threaded Python cannot make its sdist",
            "run wheelkit on an ordinary Python",
        )
    return fine(TOPIC, "meson-python", f"{what}: those are built with allow_limited_api=false")


def release(config: Config, family: Family, today: date) -> Iterable[CheckLine]:
    """Look at the workflows, the runners' last days, and what each distribution has to have registered for trusted publishing."""
    try:
        planned = workflows.plan_anywhere(config, family)
        made = workflows.blueprint(config, planned, workflows.PROVIDERS["github"].label)
        drifts = workflows.compare(workflows.generate(made, "github", family.root), family.root)
    except WheelkitError as error:
        problems = error.problems if isinstance(error, ConfigError) else (error.message,)
        for problem in problems:
            yield missing(
                RELEASE, "workflows", problem, (error.hint or "mend it, then: wheelkit ci").splitlines()[0]
            )
        return
    for one in workflows.retiring_runners(planned.targets, today):
        line = missing if one.gone else warning
        yield line(RELEASE, "runners", str(one), one.remedy)
    if not (family.root / RELEASE_FILE).is_file():
        yield warning(RELEASE, "workflows", "there is no release workflow", "wheelkit ci")
    elif drifts:
        yield warning(RELEASE, "workflows", "; ".join(map(str, drifts)), "wheelkit ci")
    else:
        yield fine(RELEASE, "workflows", "they follow from the configuration")
    yield from _publishers(config, family)


def _publishers(config: Config, family: Family) -> Iterable[CheckLine]:
    """Tell what to register for each distribution; only one pending publisher may stand for one workflow and environment at a time."""
    indexes = [name for name in (config.ci.staging, config.ci.production) if name not in config.ci.secrets]
    if not indexes:
        return
    remote = Repository(folder=family.root).run("remote", "get-url", "origin")
    found = _GITHUB.search(remote.output) if remote.returncode == 0 else None
    if found is None:
        mend = "git remote add origin git@github.com:OWNER/NAME.git, or name a secret: [tool.wheelkit.ci] secrets"
        yield warning(
            RELEASE,
            "trusted publishing",
            "the repository has no address on GitHub, so nothing vouches for its workflow",
            mend,
        )
        return
    workflow = RELEASE_FILE.rpartition("/")[2]
    for item in family.distributions:
        where = f"owner {found['owner']}, repository {found['name']}, workflow {workflow}, environment {' and '.join(indexes)}"
        yield fine(RELEASE, item.name, f"has to be registered with {where}")
    if len(family.distributions) > 1:
        first = family.distributions[0].name
        count = len(family.distributions)
        detail = f"an index keeps one pending publisher per workflow and environment: of {count} new names, one at a time"
        mend = f"register {first}, release it, then register the next; names that exist already need no turn"
        yield warning(RELEASE, "trusted publishing", detail, mend)
