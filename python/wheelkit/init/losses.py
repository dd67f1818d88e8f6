"""What adoption does not carry over, each by name and with its reason."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from wheelkit.init.todays_builds import GROUPS, IMAGES_GONE, settings_of
from wheelkit.matrix import Target, admits_python, offered_builds, selects
from wheelkit.plan.options import variable
from wheelkit.text import plural, shorten_list

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from wheelkit.init.last_release import LastRelease, ReleasedWheel
    from wheelkit.init.today import Today
    from wheelkit.project.ci import Run
    from wheelkit.project.read import Distribution


# Variables that wheelkit sets itself for each target, from the matrix.
_FROM_MATRIX = frozenset(
    {"build", "skip", "enable", "archs", "platform", "project-requires-python", "inherit"}
)
_HARMLESS = frozenset({
    "build-verbosity", "cache-path", "output-dir", "debug-traceback", "allow-empty", "container-engine",
})  # fmt: skip
# What earlier versions of cibuildwheel read, and what has taken its place.
_GONE: Mapping[str, str] = {
    "prerelease-pythons": "final Pythons need no variable",
    "free-threaded-support": "free-threaded builds need no variable",
    "arches": "the option is CIBW_ARCHS",
}
_SELECTOR = re.compile(r"(?P<python>(?:cp|pp|gp)[\w?*]*)-?.*")
_OLDEST_PYTHON = 9


def released(release: LastRelease, promised: Iterable[str], project: Distribution) -> Iterator[str]:
    """Yield a sentence for each reason why wheels of the last release are not promised."""
    names = set(promised)
    pythons = {name.partition("-")[0] for name in names}
    groups: dict[str, list[ReleasedWheel]] = {}
    for wheel in release.wheels:
        if not names.intersection(build.identifier for build in wheel.builds):
            groups.setdefault(_reason(wheel, project), []).append(wheel)
    for reason, wheels in groups.items():
        what = Counter(_what(wheel, pythons) for wheel in wheels)
        listed = shorten_list((f"{name} ({count})" for name, count in what.items()), 8)
        yield f"{plural(len(wheels), 'wheel')} of {release} not promised, {listed}: {reason}"


def _what(wheel: ReleasedWheel, pythons: Container[str]) -> str:
    """Name what a wheel is lost by: its Python, or its platform if others have that Python."""
    tags = sorted({_interpreter(python, abi) for python in wheel.pythons for abi in wheel.abis})
    if wheel.targets and all(tag in pythons for tag in tags):
        return ", ".join(map(str, wheel.targets))
    return ", ".join(tags) if wheel.targets else wheel.filename.rpartition("-")[2].removesuffix(".whl")


def _interpreter(python: str, abi: str) -> str:
    return abi if re.fullmatch(r"cp3\d+t", abi) else python


def _reason(wheel: ReleasedWheel, project: Distribution) -> str:
    if not wheel.targets or not any(_is_built(target) for target in wheel.targets):
        return "cibuildwheel has no builds for their platform"
    if not wheel.builds:
        return "cibuildwheel no longer builds for their Python"
    if not any(admits_python(project.requires_python, build.interpreter) for build in wheel.builds):
        return f'requires-python = "{project.requires_python}" excludes them'
    return "no run of cibuildwheel here builds them"


def _is_built(target: Target) -> bool:
    return any(build.partition("-")[2] == target.build_suffix for build in offered_builds()[target.system])


def newer(release: LastRelease, today: Today) -> Iterator[str]:
    """Yield a sentence about builds of today that the last release does not have."""
    known = {build.identifier for wheel in release.wheels for build in wheel.builds}
    more = [build.identifier for build in today.builds if build.identifier not in known]
    if more and release.wheels:
        yield f"{plural(len(more), 'build')} more than in {release}: {_by_python(more)}"


def _by_python(identifiers: Sequence[str]) -> str:
    counts = Counter(identifier.partition("-")[0] for identifier in identifiers)
    return shorten_list((f"{python} ({count})" for python, count in counts.items()), 8)


def old_glibc(release: LastRelease, targets: Iterable[Target]) -> Iterator[str]:
    """Yield a sentence if wheels of the last release also serve older C libraries than the targets have."""
    oldest: dict[str, Target] = {}
    for target in (target for target in targets if target.libc):
        known = oldest.setdefault(target.build_suffix, target)
        oldest[target.build_suffix] = min(known, target, key=lambda one: one.version)
    served: dict[str, Target] = {}
    for one in (one for wheel in release.wheels for one in wheel.targets):
        promise = oldest.get(one.build_suffix)
        if promise and one.version < served.get(one.build_suffix, promise).version:
            served[one.build_suffix] = one
    if served:
        names = (f"{one.libc}_{one.version[0]}_{one.version[1]}_{one.arch}" for one in served.values())
        yield f"wheels of {release} also serve {shorten_list(names, 8)}; the promise is what the images serve"


def python_3_8(project: Distribution) -> Iterator[str]:
    """Yield a sentence if requires-python admits Pythons that cibuildwheel no longer builds for."""
    if not project.requires_python:
        return
    try:
        admitted = SpecifierSet(project.requires_python)
    except InvalidSpecifier:
        return
    old = [f"3.{minor}" for minor in range(6, _OLDEST_PYTHON) if admitted.contains(f"3.{minor}.99")]
    if old:
        names = ", ".join(old)
        yield f"requires-python admits {names}, for which cibuildwheel 4 builds no wheels: sdist only"


def words(project: Distribution, runs: Sequence[Run], root: Path) -> Iterator[str]:
    """Yield a sentence for each kind of word in the settings that cibuildwheel 4 no longer knows."""
    selectors: dict[str, None] = {}
    groups: dict[str, None] = {}
    for table, environ in _settings(project, runs, root):
        build, enable = (_words(table, environ, key) for key in ("build", "enable"))
        selectors |= dict.fromkeys(build)
        groups |= dict.fromkeys(enable)
    every = [build for builds in offered_builds().values() for build in builds]
    gone = [word for word in selectors if _names_nothing(word, every)]
    if gone:
        yield f"build names {shorten_list(gone)}, which cibuildwheel 4 no longer builds"
    unknown = [word for word in groups if word not in GROUPS]
    if unknown:
        yield (
            f"enable names {shorten_list(unknown)}, which cibuildwheel 4 refuses; "
            "free-threaded builds need no group"
        )


def _names_nothing(word: str, every: Sequence[str]) -> bool:
    try:
        return bool(_SELECTOR.match(word)) and not any(selects(word, build) for build in every)
    except ValueError:
        return False


def _settings(
    project: Distribution, runs: Sequence[Run], root: Path
) -> Iterator[tuple[Mapping[str, object], Mapping[str, str]]]:
    if not runs:
        yield project.cibuildwheel, {}
    for run in runs:
        yield settings_of(project, run, root), run.environ


def _words(table: Mapping[str, object], environ: Mapping[str, str], key: str) -> list[str]:
    if variable(key) in environ and key != "enable":
        return environ[variable(key)].split()
    value = table.get(key, "")
    listed = list(map(str, value)) if isinstance(value, list) else str(value).split()
    return [*listed, *environ.get(variable(key), "").split()]


def variables(runs: Sequence[Run]) -> Iterator[str]:
    """Yield sentences about variables of workflows that a build by wheelkit does not see."""
    names: dict[str, dict[str, None]] = {}
    gone: dict[str, str] = {}
    for run in runs:
        for name in (*run.environ, *run.unknown):
            key = _key(name)
            if key in _GONE:
                gone[name] = _GONE[key]
            elif (
                run.environ.get(name) != ""
                and key not in _FROM_MATRIX | _HARMLESS
                and name.startswith("CIBW_")
            ):
                names.setdefault(run.workflow, {})[name] = None
    for name, instead in gone.items():
        yield f"{name} has no effect with cibuildwheel 4: {instead}"
    for workflow, found in names.items():
        yield (
            f"set in {workflow} only, so wheelkit's builds do not have them: {shorten_list(found, 12)}; "
            "move them to [tool.cibuildwheel]"
        )
    files = dict.fromkeys(run.config_file for run in runs if run.config_file)
    for file in files:
        yield f"cibuildwheel reads {file}; wheelkit reads [tool.cibuildwheel]: move it there"
    images = dict.fromkeys(
        value
        for run in runs
        for name, value in run.environ.items()
        if name.endswith("_IMAGE") and IMAGES_GONE.fullmatch(value)
    )
    if images:
        yield f"cibuildwheel 4 has no image {', '.join(images)}: give a whole address, or a newer one"


def _key(name: str) -> str:
    """Return the option that a variable sets: ``CIBW_ARCHS_LINUX`` sets ``archs``."""
    key = name.removeprefix("CIBW_").lower().replace("_", "-")
    return re.sub(r"-(linux|macos|windows|pyodide|android|ios)$", "", key)
