"""Cut a release into waves: files that need not wait for each other, in one run of twine each.

twine takes a second to start, and sends all files of one run with one token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelkit.project.kinds import Kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheelkit.publish.model import ShippedFile
    from wheelkit.publish.plan import PlannedDistribution, PublishPlan


_MOST_FILES = 100
# What a file is taken to cost before the first wave was timed: its request, and bytes on a slow line.
_SECONDS_PER_FILE, _BYTES_PER_SECOND = 1.0, 1_000_000
_START_SECONDS = 3.0
# The part of a token's remaining life that a wave may take by the estimate.
_USED_PART = 0.6


def levels(plan: PublishPlan) -> list[list[PlannedDistribution]]:
    """Group the distributions with something to upload: each level needs only those before it.

    A meta distribution is in the last level so far, unless one that comes later needs it.
    """
    level: dict[str, int] = {}
    groups: dict[int, list[PlannedDistribution]] = {}
    deepest = 0
    for planned in plan.distributions:
        distribution = planned.distribution
        own = max((level[need] + 1 for need in distribution.needs if need in level), default=0)
        if distribution.kind is Kind.META:
            own = max(own, deepest)
        level[distribution.key] = own
        deepest = max(deepest, own)
        if planned.todo:
            groups.setdefault(own, []).append(planned)
    return [groups[number] for number in sorted(groups)]


class Pace:
    """Estimates how long uploads take, from those of this run."""

    def __init__(self) -> None:
        self._factor = 1.0

    def wave(self, files: Sequence[ShippedFile], remaining: float) -> Sequence[ShippedFile]:
        """Return the first files, as many as one run of twine sends in the seconds that its token lasts."""
        allowed = remaining * _USED_PART - _START_SECONDS
        seconds, count = 0.0, 0
        for file in files[:_MOST_FILES]:
            seconds += self._factor * _cost(file)
            if count and seconds > allowed:
                break
            count += 1
        return files[:count]

    def took(self, files: Sequence[ShippedFile], seconds: float) -> None:
        """Learn from an upload; an estimate comes down by half at most."""
        cost = sum(map(_cost, files))
        if cost:
            self._factor = max(max(seconds - _START_SECONDS, 0.0) / cost, self._factor / 2)


def _cost(file: ShippedFile) -> float:
    return _SECONDS_PER_FILE + file.size / _BYTES_PER_SECOND
