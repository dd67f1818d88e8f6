"""What a builder hands back, and whom it serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.matrix import Candidate, pick
from wheelkit.wheel.names import parse_file_name

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from wheelkit.matrix import Interpreter
    from wheelkit.plan import NativeStep


class Made(Struct, frozen=True, kw_only=True):
    """One repaired wheel: the interpreters that it serves and was tested on, the libraries copied in and those left out.

    ``compiler`` says in words for the manifest what compiled it, empty where the builder's own name says it.
    """

    path: Path
    cells: tuple[str, ...]
    tested: tuple[str, ...] = ()
    grafted: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    compiler: str = ""


def serves(path: Path, job: NativeStep, interpreters: Sequence[Interpreter]) -> tuple[str, ...]:
    """Name the interpreters on which an installer would take the wheel for the step's target."""
    name = parse_file_name(path.name)
    candidate = Candidate(filename=path.name, tags=name.tags)
    return tuple(one.tag for one in interpreters if pick([candidate], job.target, one))
