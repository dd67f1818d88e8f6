"""Runner labels that will be retired, reported while there is time to switch."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from wheelkit.plan import TargetRow


_NOTICE = timedelta(days=90)


class RetiringRunner(Struct, frozen=True, kw_only=True):
    """The label of a runner, its last day, and the targets that need it."""

    label: str
    ends: date
    gone: bool
    targets: tuple[str, ...]

    def __str__(self) -> str:
        """Return what ends, when, and for which targets."""
        when = "ended on" if self.gone else "ends on"
        return f"the runner {self.label} {when} {self.ends:%d %B %Y} ({', '.join(self.targets)})"

    @property
    def remedy(self) -> str:
        """What to do about it."""
        setting = f'[tool.wheelkit.runner] {self.targets[0]} = "label"'
        return f"upgrade wheelkit, or set another runner in {setting}; then: wheelkit ci"


def retiring_runners(rows: Iterable[TargetRow], today: date) -> tuple[RetiringRunner, ...]:
    """List the runners of a plan that end within 90 days of ``today`` or have ended, soonest first."""
    targets: dict[tuple[date, str], list[str]] = {}
    for row in rows:
        if row.runner is not None and row.runner.ends is not None and row.runner.ends - today <= _NOTICE:
            targets.setdefault((row.runner.ends, row.runner.label), []).append(row.target.tag)
    return tuple(
        RetiringRunner(label=label, targets=tuple(tags), ends=ends, gone=ends < today)
        for (ends, label), tags in sorted(targets.items())
    )
