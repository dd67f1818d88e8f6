"""What a builder hands back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Made:
    """One repaired wheel: the interpreters that it serves and was tested on, the libraries copied in and those left out."""

    path: Path
    cells: tuple[str, ...]
    tested: tuple[str, ...] = ()
    grafted: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
