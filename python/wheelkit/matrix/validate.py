"""What is wrong with a configured matrix; one mistake is one problem, however many cells it hits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelkit.matrix.builds import (
    build_identifier,
    offered_builds,
    offered_interpreters,
    selects,
    selects_cell,
)
from wheelkit.matrix.cells import Absence, matrix_of
from wheelkit.matrix.interpreters import Interpreter, default_interpreters
from wheelkit.matrix.targets import COMMON_TARGETS, Target
from wheelkit.text import shorten_list

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from wheelkit.config import Config, Problems
    from wheelkit.matrix.cells import Matrix


# What earlier versions of cibuildwheel built for, and projects still skip.
_FORMER_INTERPRETERS = (
    "cp27", "cp35", "cp36", "cp37", "cp38", "cp313t", "pp27", "pp36", "pp37", "pp38", "pp39", "pp310",
)  # fmt: skip


def validate(config: Config, problems: Problems) -> None:
    """Report every mistake in the matrix: words that do not exist, and cells that cannot be."""
    settings = config.matrix
    if settings.targets is settings.interpreters is None and not settings.skip and not settings.override:
        return
    before = len(problems)
    _check_targets(settings.targets or (), problems)
    for key, tags in _interpreter_lists(config):
        _check_interpreters(tags, key, problems)
    if len(problems) == before and _complete(config):
        _add(problems, _skip_problems(config))
        _add(problems, _override_problems(config))
    if len(problems) == before and _complete(config):
        _add(problems, _cell_problems(config, matrix_of(config, None)))


def _complete(config: Config) -> bool:
    """Return whether no word is empty, which stands for a problem that was reported already."""
    selectors = (*config.matrix.skip, *(override.select for override in config.matrix.override))
    lists = (config.matrix.targets or (), selectors, *(tags for _, tags in _interpreter_lists(config)))
    return all(map(all, lists))


def _add(problems: Problems, found: Iterable[tuple[str, str]]) -> None:
    for key, problem in found:
        problems.add(key, problem)


def _interpreter_lists(config: Config) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield the key and the tags of each list of interpreters; wrong values are empty, or missing."""
    yield "matrix.interpreters", config.matrix.interpreters or ()
    for index, override in enumerate(config.matrix.override):
        yield f"matrix.override[{index}].interpreters", override.interpreters


def _check_targets(words: Sequence[str], problems: Problems) -> None:
    first: dict[Target, int] = {}
    for index, word in enumerate(words):
        key = f"matrix.targets[{index}]"
        try:
            target = Target.parse(word) if word else None
        except ValueError as error:
            from wheelkit.matrix.suggestions import target_like

            problems.add(key, f"{error}{_meant(target_like(word), word, COMMON_TARGETS, problems)}")
            continue
        if target is None:
            continue
        if not target.admits(target.tag):
            problems.add(key, f'no installer accepts wheels for "{word}": that system is too old')
        elif (same := first.setdefault(target, index)) != index:
            problems.add(key, f'"{word}" is the same target as "{words[same]}", at [{same}]')


def _check_interpreters(words: Sequence[str], key: str, problems: Problems) -> None:
    for index, word in enumerate(words):
        try:
            if word:
                Interpreter.parse(word)
        except ValueError as error:
            from wheelkit.matrix.suggestions import interpreter_like

            known = tuple(dict.fromkeys(build.partition("-")[0] for build in _all_builds()))
            meant = _meant(interpreter_like(word, known), word, known, problems)
            problems.add(f"{key}[{index}]", f"{error}{meant}")


def _meant(likely: str, word: str, known: Sequence[str], problems: Problems) -> str:
    return f'; did you mean "{likely}"?' if likely else problems.did_you_mean(word, known)


def _all_builds() -> list[str]:
    return [build for offered in offered_builds().values() for build in offered]


def _skip_problems(config: Config) -> Iterator[tuple[str, str]]:
    """Yield a problem for each pattern of ``skip`` that could name no build of any cibuildwheel.

    cibuildwheel says nothing about a pattern for builds that it does not offer, or no longer, or that this
    matrix has not: projects keep such patterns, and they are harmless.
    """
    builds, targets = _all_builds(), config.matrix.targets or COMMON_TARGETS
    pairs = [build.partition("-") for build in builds]
    interpreters = dict.fromkeys([*(python for python, _, _ in pairs), *_FORMER_INTERPRETERS])
    platforms = dict.fromkeys(platform for _, _, platform in pairs)
    conceivable = [f"{python}-{platform}" for python in interpreters for platform in platforms]
    for index, selector in enumerate(config.matrix.skip):
        for pattern in selector.split():
            matched = _matches(pattern, conceivable)
            if isinstance(matched, str):
                yield f"matrix.skip[{index}]", matched
            elif not matched and not any(pattern.endswith(f"-{target}") for target in targets):
                problem = f'"{pattern}" matches no build of cibuildwheel{_selector_hint(pattern, builds)}'
                yield f"matrix.skip[{index}]", problem


def _override_problems(config: Config) -> Iterator[tuple[str, str]]:
    """Yield a problem for each override that matches no cell."""
    settings, builds = config.matrix, _all_builds()
    targets = tuple(map(Target.parse, settings.targets or COMMON_TARGETS))
    tags = settings.interpreters
    columns = default_interpreters(None) if tags is None else tuple(map(Interpreter.parse, tags))
    for index, override in enumerate(settings.override):
        key, select = f"matrix.override[{index}].select", override.select
        matched = _matches(select, builds)
        if isinstance(matched, str):
            yield key, matched
        elif not any(selects_cell(select, python, target) for target in targets for python in columns):
            cells = [build_identifier(python, target) for target in targets for python in columns]
            hint = _selector_hint(select, cells)
            if matched:
                hint = "; add what it names to targets or interpreters, or delete the override"
            yield key, f'"{select}" matches no cell of the matrix{hint}'
        columns = tuple(dict.fromkeys([*columns, *map(Interpreter.parse, override.interpreters)]))


def _matches(selector: str, builds: Iterable[str]) -> bool | str:
    """Return whether a selector matches one of the builds, or why it cannot be read."""
    try:
        return any(selects(selector, build) for build in builds)
    except ValueError as error:
        return f'"{selector}": {error}'


def _selector_hint(pattern: str, builds: Sequence[str]) -> str:
    from wheelkit.matrix.suggestions import selector_like

    likely = selector_like(pattern, builds)
    return f'; did you mean "{likely}"?' if likely else f"; builds are named like {builds[0]}"


def _cell_problems(config: Config, matrix: Matrix) -> Iterator[tuple[str, str]]:
    """Yield what cibuildwheel builds nowhere, and a matrix without a cell.

    Without targets, the project decides whether anything is built: pure ones list interpreters, too.
    """
    if config.matrix.targets is not None:
        yield from [*unbuilt_interpreters(config, matrix)] or _hopeless_targets(config, matrix)
    if not matrix.targets and all(cell.why is Absence.SKIPPED for cell in matrix.absent):
        yield "matrix.skip", "it skips every cell of the matrix; skip less"


def unbuilt_interpreters(config: Config, matrix: Matrix) -> Iterator[tuple[str, str]]:
    """Yield a problem for each interpreter that cibuildwheel builds for none of its targets."""
    targets = tuple(map(Target.parse, config.matrix.targets or COMMON_TARGETS))
    reasons: dict[str, list[Absence]] = {}
    for cell in matrix.absent:
        if cell.why is not Absence.OVERRIDDEN:
            reasons.setdefault(cell.interpreter, []).append(cell.why)
    promised = {interpreter.tag for interpreter in matrix.interpreters}
    for key, tags in _interpreter_lists(config):
        for index, tag in enumerate(tags):
            if tag not in promised and set(reasons.pop(tag, ())) == {Absence.NOT_BUILT}:
                offered = dict.fromkeys(one for target in targets for one in offered_interpreters(target))
                where = str(targets[0]) if len(targets) == 1 else "any of the targets"
                problem = f"cibuildwheel does not build {tag} for {where}"
                yield f"{key}[{index}]", f"{problem}; it offers {', '.join(offered)}"


def _hopeless_targets(config: Config, matrix: Matrix) -> Iterator[tuple[str, str]]:
    """Yield a problem for each target for which cibuildwheel builds none of the interpreters."""
    for index, tag in enumerate(config.matrix.targets or ()):
        target = Target.parse(tag)
        cells = [cell for cell in matrix.absent if cell.target == target.tag]
        unbuilt = [cell.interpreter for cell in cells if cell.why is Absence.NOT_BUILT]
        if target not in matrix.targets and unbuilt:
            problem = f"cibuildwheel builds none of {shorten_list(unbuilt)} for {tag}"
            offered = ", ".join(offered_interpreters(target))
            yield f"matrix.targets[{index}]", f"{problem}; it offers {offered}"
