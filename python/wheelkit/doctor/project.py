"""The project: its configuration, what breaks meson-python builds, git, and what a release needs."""

from __future__ import annotations

import re
import shutil
import sysconfig
from typing import TYPE_CHECKING

from wheelkit import workflows
from wheelkit.doctor.model import fine, missing, warning
from wheelkit.errors import ConfigError, WheelkitError
from wheelkit.machine.git import FIRST_COMMIT, UNTRUSTED, Repository, commit_command
from wheelkit.matrix import matrix_of
from wheelkit.project.ci import publishers
from wheelkit.text import shorten_list
from wheelkit.workflows.github import RELEASE_FILE

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date
    from pathlib import Path

    from wheelkit.config import Config
    from wheelkit.doctor.model import CheckLine
    from wheelkit.project.family import Family


TOPIC, RELEASE = "project", "release"
_GITHUB = re.compile(r"github\.com[:/](?P<owner>[^/\s]+)/(?P<name>[^/\s]+?)(?:\.git)?/?$")


def checkout(folder: Path, projects: Iterable[Path] = ()) -> Iterable[CheckLine]:
    """Check git, and for uncommitted files: meson leaves them out of sdists, and publish rejects them."""
    if shutil.which("git") is None:
        yield missing(TOPIC, "git", "not found", "apt install git")
        return
    repository = Repository(folder=folder)
    state = repository.start_status().wait()
    everywhere = repository.changes([folder, *projects]) if state.commit else ()
    changed = [path for path in everywhere if path.startswith(state.prefix)]
    if state.trust_command:
        yield warning(TOPIC, "git", f"{UNTRUSTED}; publish needs its commit", state.trust_command)
    elif not state.commit or not state.tracked:
        detail = "the project is not under version control; publish needs a commit"
        yield warning(TOPIC, "git", detail, FIRST_COMMIT)
    elif changed:
        names = f"{len(changed)} uncommitted: {shorten_list(changed)}"
        fix = commit_command(changed, folder)
        yield warning(TOPIC, "git", f"{names}; sdists may lack them, and publish rejects them", fix)
    else:
        yield fine(TOPIC, "git", f"clean at {state.commit[:12]}")


def project(
    config: Config | None, family: Family | None, trouble: WheelkitError | None
) -> Iterable[CheckLine]:
    """Check the configuration, and for settings that break builds."""
    if trouble is not None:
        yield from _problems(trouble, TOPIC, "configuration", "fix it, then: wheelkit plan")
    if config is None or family is None:
        return
    names = ", ".join(member.name for member in family.distributions)
    source = config.source.name if config.source else "no [tool.wheelkit], defaults are used"
    yield fine(TOPIC, "configuration", f"{names}; {source}")
    matrix = matrix_of(config, None)
    threaded = [interpreter.tag for interpreter in matrix.interpreters if interpreter.free_threaded]
    for member in family.native:
        if member.build_backend.free_threaded_setting and member.limited_api and threaded:
            yield _limited_api(member.name, threaded)


def _problems(error: WheelkitError, topic: str, name: str, default_fix: str) -> Iterable[CheckLine]:
    """Return a line for each mistake of an error."""
    fix = (error.hint or default_fix).splitlines()[0]
    for problem in error.problems if isinstance(error, ConfigError) else (error.message,):
        yield missing(topic, name, problem, fix)


def _limited_api(name: str, threaded: list[str]) -> CheckLine:
    """Check limited-api together with free-threaded cells, whose Python cannot make the project's sdist."""
    detail = f"{name} has limited-api = true and promises {', '.join(threaded)}"
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        detail += "; this free-threaded Python cannot build its sdist"
        return missing(TOPIC, "meson-python", detail, "run wheelkit with a regular Python")
    return fine(TOPIC, "meson-python", f"{detail}: those are built with allow_limited_api=false")


def release(config: Config, family: Family, today: date) -> Iterable[CheckLine]:
    """Check the workflows and the end dates of runners, and list what trusted publishing needs."""
    try:
        plan = workflows.plan_anywhere(config, family)
        blueprint = workflows.blueprint(config, plan, workflows.PROVIDERS["github"].label)
        drifts = workflows.compare(workflows.generate(blueprint, "github", family.root), family.root)
    except WheelkitError as error:
        yield from _problems(error, RELEASE, "workflows", "fix it, then: wheelkit ci")
        return
    for runner in workflows.retiring_runners(plan.targets, today):
        line = missing if runner.gone else warning
        yield line(RELEASE, "runners", str(runner), runner.remedy)
    has_release, own = (family.root / RELEASE_FILE).is_file(), publishers(family.root)
    for publisher in own if has_release else ():
        detail = f"{publisher} publishes the same tags as {RELEASE_FILE}"
        yield warning(RELEASE, "workflows", detail, "keep one of the two")
    if own and not has_release:
        yield fine(RELEASE, "workflows", f"your own {', '.join(map(str, own))} publishes")
    elif not has_release:
        yield warning(RELEASE, "workflows", "there is no release workflow", "wheelkit ci")
    elif drifts:
        yield warning(RELEASE, "workflows", "; ".join(map(str, drifts)), "wheelkit ci")
    else:
        yield fine(RELEASE, "workflows", "up to date")
    yield from _publishers(config, family)


def _publishers(config: Config, family: Family) -> Iterable[CheckLine]:
    """List the trusted publishers to register for the distributions."""
    indexes = [name for name in config.ci.indexes if name not in config.ci.secrets]
    if not indexes:
        return
    remote = Repository(folder=family.root).run("remote", "get-url", "origin")
    address = _GITHUB.search(remote.output) if remote.returncode == 0 else None
    if address is None:
        detail = "the repository has no remote on GitHub, which trusted publishing needs"
        fix = "git remote add origin git@github.com:OWNER/NAME.git, or set [tool.wheelkit.ci] secrets"
        yield warning(RELEASE, "trusted publishing", detail, fix)
        return
    publisher = (
        f"owner {address['owner']}, repository {address['name']}, "
        f"workflow {RELEASE_FILE.rpartition('/')[2]}, environment {' and '.join(indexes)}"
    )
    for member in family.distributions:
        yield fine(RELEASE, member.name, f"needs a trusted publisher with {publisher}")
    if len(family.distributions) > 1:
        detail = "an index keeps one pending publisher for a workflow, so register new names one at a time"
        fix = f"register {family.distributions[0].name}, release it, then register the next new name"
        yield warning(RELEASE, "trusted publishing", detail, fix)
