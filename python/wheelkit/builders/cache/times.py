"""How long each step took the last time, on this machine and in this project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.builders.cache.digests import text_digest
from wheelkit.builders.cache.store import ValueKind

if TYPE_CHECKING:
    from wheelkit.builders.cache.store import Store


class Times(Struct, frozen=True, kw_only=True):
    """The durations of the steps of one project, which is identified by its folder."""

    store: Store
    project: str

    def last(self, label: str) -> float | None:
        """Return the seconds that a step took when it last succeeded; None if that is not known."""
        try:
            return float(self.store.load_value(ValueKind.DURATION, self._name(label)) or "")
        except ValueError:
            return None

    def save(self, label: str, seconds: float) -> None:
        """Save how long a step took."""
        self.store.save_value(ValueKind.DURATION, self._name(label), f"{seconds:.2f}")

    def _name(self, label: str) -> str:
        return text_digest(f"{self.project}\0{label}")
