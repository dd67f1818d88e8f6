"""How long each step took the last time, on this machine and in this project."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from wheelkit.builders.cache.store import Store


class Times(Struct, frozen=True, kw_only=True):
    """The memory of one project, which its folder names."""

    store: Store
    project: str

    def last(self, label: str) -> float | None:
        """Give the seconds that a step took the last time that it ended well; None where nobody knows."""
        try:
            return float(self.store.load_value("times", self._name(label)) or "")
        except ValueError:
            return None

    def took(self, label: str, seconds: float) -> None:
        """Remember how long a step took."""
        self.store.save_value("times", self._name(label), f"{seconds:.2f}")

    def _name(self, label: str) -> str:
        return sha256(f"{self.project}\0{label}".encode()).hexdigest()
