"""Runner labels that end: said ahead, while there is time to move."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from wheelkit.plan import TargetRow


AHEAD = timedelta(days=90)


class RetiringRunner(Struct, frozen=True, kw_only=True):
    """A runner's label, the targets that need it, and its last day."""

    label: str
    targets: tuple[str, ...]
    ends: date
    gone: bool

    def __str__(self) -> str:
        """Say what ends when, for whom."""
        when = "ended on" if self.gone else "ends on"
        return f"the runner {self.label} {when} {self.ends:%d %B %Y} ({', '.join(self.targets)})"

    @property
    def remedy(self) -> str:
        """What to do about it."""
        return f'upgrade wheelkit, or name another runner: [tool.wheelkit.runner] {self.targets[0]} = "label"; then: wheelkit ci'


def retiring_runners(rows: Iterable[TargetRow], today: date) -> tuple[RetiringRunner, ...]:
    """List the labels of a plan's targets that have ended or will within 90 days of ``today``, the next one first."""
    doomed: dict[tuple[date, str], list[str]] = {}
    for row in rows:
        if row.runner is not None and row.runner.ends is not None and row.runner.ends - today <= AHEAD:
            doomed.setdefault((row.runner.ends, row.runner.label), []).append(row.target.tag)
    return tuple(
        RetiringRunner(label=label, targets=tuple(targets), ends=ends, gone=ends < today)
        for (ends, label), targets in sorted(doomed.items())
    )
