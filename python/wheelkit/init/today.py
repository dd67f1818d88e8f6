"""Which wheels a project makes today: from its CI, its settings of cibuildwheel, and its last release."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.errors import UsageError, WheelkitError
from wheelkit.init import detect
from wheelkit.init.archs import ALL
from wheelkit.init.last_release import fetch_release
from wheelkit.init.todays_builds import Build, identifiers, options_of, todays_builds
from wheelkit.matrix import System, Target, build_identifier
from wheelkit.project.ci import Hosted, OwnCi, Repository, Run, publishers, read_github, read_gitlab
from wheelkit.publish.listed_versions import WantedRelease, parse_release
from wheelkit.text import plural

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from wheelkit.init.last_release import LastRelease
    from wheelkit.project.read import Distribution
    from wheelkit.publish.client import Client
    from wheelkit.publish.index import Index


# The machines that cibuildwheel runs on where no workflow says so, one for each of the common targets.
_USUAL = (
    Hosted(system=System.LINUX, arch="x86_64"),
    Hosted(system=System.LINUX, arch="aarch64"),
    Hosted(system=System.MACOS, arch="x86_64"),
    Hosted(system=System.MACOS, arch="arm64"),
    Hosted(system=System.WINDOWS, arch="AMD64"),
)
_GROUPS = {"pp": "pypy pypy-eol", "gp": "graalpy"}


class IndexAccess(Struct, frozen=True, kw_only=True):
    """An index and the client that asks it."""

    index: Index
    client: Client


class Today(Struct, frozen=True, kw_only=True):
    """The builds of today, and where they are known from.

    ``origin`` says that in words. ``added`` are those that only the last release shows. ``notes`` are
    sentences about what could not be read. ``complete`` is false if the project says nothing of its wheels.
    """

    builds: tuple[Build, ...]
    ci: OwnCi
    release: LastRelease | None = None
    origin: str = ""
    added: tuple[Build, ...] = ()
    notes: tuple[str, ...] = ()
    complete: bool = True
    like: bool = False


def repository_root(folder: Path) -> Path:
    """Return the top of the checkout that a folder is in; the folder itself outside of any."""
    for candidate in (folder, *folder.parents):
        if (candidate / ".git").exists() or (candidate / ".github" / "workflows").is_dir():
            return candidate
    return folder


def read_ci(folder: Path, tag: str) -> OwnCi:
    """Read the project's own CI; ``tag`` is its newest tag, or empty."""
    root = repository_root(folder)
    github = read_github(Repository(root=root, project=folder, tag=tag))
    gitlab = read_gitlab(root)
    return OwnCi(
        runs=(*github.runs, *gitlab.runs),
        incomplete=(*github.incomplete, *gitlab.incomplete),
        broken=(*github.broken, *gitlab.broken),
        workflows=(*github.workflows, *gitlab.workflows),
    )


def own_workflows(folder: Path) -> tuple[str, ...]:
    """Return the project's own files of CI that build its wheels, or publish when a release is made."""
    published = (publisher.path for publisher in publishers(repository_root(folder)))
    return tuple(dict.fromkeys([*read_ci(folder, "").workflows, *published]))


def like(project: Distribution, text: str, access: IndexAccess) -> Today:
    """Return the builds of a named release; raises UsageError, and IndexUnavailableError."""
    release = fetch_release(parse_release(text), access.index, access.client)
    if not release.wheels:
        raise UsageError(
            f"{release} has no wheel with native code", hint="name a release with wheels for some system"
        )
    builds = release.builds(project.requires_python)
    return Today(builds=builds, ci=OwnCi(), release=release, origin=str(release), like=True)


def today(
    project: Distribution,
    folder: Path,
    ci: OwnCi,
    classifiers: Sequence[str],
    ask: Callable[[], IndexAccess] | None,
) -> Today:
    """Return the builds of today, from the best source that says something of them."""
    release, problem = _release(project, ask)
    notes = [*ci.broken, *ci.incomplete, *problem]
    root = repository_root(folder)
    if ci.runs:
        builds = todays_builds(project, ci.runs, root)
        origin = f"{plural(len(ci.runs), 'run')} of cibuildwheel in {', '.join(ci.workflows)}"
    elif project.cibuildwheel or (ci.incomplete and not (release and release.wheels)):
        runs = tuple(_usual_runs(project, release, classifiers))
        builds = todays_builds(project, runs, root)
        machines = dict.fromkeys(f"{run.machine.system} {run.archs or run.machine.arch}" for run in runs)
        source = f"of {release}" if release else "that most projects use"
        settings = "[tool.cibuildwheel]" if project.cibuildwheel else "cibuildwheel's defaults"
        origin = f"{settings}, on the machines {source}: {', '.join(machines)}"
    elif release is not None and release.wheels:
        return Today(
            builds=release.builds(project.requires_python),
            ci=ci,
            release=release,
            origin=f"{release}",
            notes=tuple(notes),
        )
    else:
        builds = tuple(_recommended(project, classifiers))
        return Today(builds=builds, ci=ci, release=release, notes=tuple(notes), complete=False)
    added = tuple(_only_released(project, release, builds)) if release and ci.incomplete else ()
    return Today(
        builds=(*builds, *added), ci=ci, release=release, origin=origin, added=added, notes=tuple(notes)
    )


def _release(
    project: Distribution, ask: Callable[[], IndexAccess] | None
) -> tuple[LastRelease | None, tuple[str, ...]]:
    """Return the last release, or none and why."""
    if ask is None:
        return None, ()
    if not project.stated:
        why = "only a build tells the project's name, so it was not compared with a release"
        return None, (f"{why}; name one:  wheelkit init --like NAME",)
    access = ask()
    try:
        wanted = WantedRelease(distribution=project.key)
        return fetch_release(wanted, access.index, access.client), ()
    except UsageError:  # no release yet
        return None, ()
    except WheelkitError as error:
        return None, (f"not compared with the last release: {error.message}",)


def _usual_runs(
    project: Distribution, release: LastRelease | None, classifiers: Sequence[str]
) -> Iterator[Run]:
    """Yield a run for each usual machine, or one for each system with the architectures of the release."""
    if release is None or not release.wheels:
        systems = detect.systems(project, classifiers)
        for machine in _USUAL:
            if machine.system.value in systems:
                yield Run(workflow="", job="", system=machine.system, machine=machine)
        return
    groups = {build.identifier[:2] for build in release.builds(None)}
    enable = " ".join(words for kind, words in _GROUPS.items() if kind in groups)
    by_system: dict[System, dict[str, None]] = {}
    for target in (target for wheel in release.wheels for target in wheel.targets):
        by_system.setdefault(target.system, {})[_arch(target)] = None
    for system, archs in by_system.items():
        known = " ".join(arch for arch in archs if arch in ALL[system])
        machine = Hosted(system=system, arch="arm64" if system is System.MACOS else "x86_64")
        fixed = detect.states_archs(project, system)
        yield Run(
            workflow="", job="", system=system, machine=machine, archs="" if fixed else known, enable=enable
        )


def _arch(target: Target) -> str:
    """Return an architecture as cibuildwheel's ``archs`` spells it."""
    return (
        {"amd64": "AMD64", "arm64": "ARM64"}.get(target.arch, target.arch)
        if target.system is System.WINDOWS
        else target.arch
    )


def _only_released(project: Distribution, release: LastRelease, builds: Sequence[Build]) -> Iterator[Build]:
    """Yield the builds of the last release that what was read does not name, and nothing forbids."""
    known = {build.identifier for build in builds}
    for build in release.builds(project.requires_python):
        machine = Hosted(system=build.target.system, arch="arm64")
        run = Run(workflow="", job="", system=build.target.system, machine=machine, archs="all", enable="all")
        options = options_of(project, run, project.cibuildwheel)
        if build.identifier not in known and build.identifier in identifiers(project, run, options):
            yield build


def _recommended(project: Distribution, classifiers: Sequence[str]) -> Iterator[Build]:
    """Yield the common targets with the interpreters that the project names."""
    targets = detect.targets(project, classifiers)
    for target in targets:
        for interpreter in detect.interpreters(project, classifiers):
            yield Build(identifier=build_identifier(interpreter, target), target=target)
