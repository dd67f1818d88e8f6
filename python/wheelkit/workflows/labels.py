"""Runner labels of the configuration, held against the matrix and the hosted machines."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from wheelkit.config import Problems
from wheelkit.config.problems import dotted
from wheelkit.machine.facts import building_machine
from wheelkit.runners import hosted_machines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from wheelkit.matrix import Target


def label_problems(overrides: Mapping[str, str], targets: Iterable[Target]) -> Iterator[str]:
    """Yield labels of hosted machines that do not build their targets, and keys that match no target."""
    targets = tuple(targets)
    used: set[str] = set()
    for target in targets:
        pattern = next((pattern for pattern in overrides if fnmatchcase(target.tag, pattern)), None)
        if pattern is None or overrides[pattern] in used:
            continue
        label = overrides[pattern]
        machine = hosted_machines().get(label)
        system, arch = building_machine(target)
        if machine is not None and (machine.system, machine.arch) != (system.value, arch):
            used.add(label)
            yield (
                f"{dotted('runner', pattern)}: {label} is a machine with {machine.system} {machine.arch}, and"
                f" {target} is built on {system} {arch}"
            )
    tags = [target.tag for target in targets]
    for pattern in overrides:
        if not any(fnmatchcase(tag, pattern) for tag in tags):
            hint = Problems.did_you_mean(pattern, tags) if tags else ""
            yield f"{dotted('runner', pattern)}: no target of the matrix matches{hint}"


def unknown_labels(labels: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield labels that no hosted machine has, each with the end of a message: the label it resembles."""
    known = hosted_machines()
    for label in dict.fromkeys(labels):
        if label not in known:
            yield label, Problems.nearest(label, known)
