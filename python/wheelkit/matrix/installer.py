"""The file that an installer picks for a cell of the matrix."""

from __future__ import annotations

from functools import cache
from operator import itemgetter
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.matrix.interpreters import admits_python

if TYPE_CHECKING:
    from collections.abc import Iterable

    from wheelkit.matrix.interpreters import Interpreter
    from wheelkit.matrix.targets import Target
    from wheelkit.tags import WheelTag


class Candidate(Struct, frozen=True, kw_only=True):
    """A wheel as an installer sees it before the download: its tags, build tag and ``Requires-Python``."""

    filename: str
    tags: frozenset[WheelTag]
    build: tuple[()] | tuple[int, str] = ()
    requires_python: str | None = None


@cache
def _ranks(interpreter: Interpreter) -> dict[tuple[str, str, bool], int]:
    """Rank the pairs of Python and ABI tag that an interpreter accepts, for platform tags and for ``any``.

    An installer tries a pair with all platforms before the next pair, so a single platform is enough for the
    ranks.
    """
    ranks: dict[tuple[str, str, bool], int] = {}
    for rank, tag in enumerate(interpreter.tags(["platform"])):
        ranks.setdefault((tag.interpreter, tag.abi, tag.platform == "any"), rank)
    return ranks


def _rank(tag: WheelTag, target: Target, interpreter: Interpreter) -> tuple[int, int] | None:
    """Return a tag's rank among those that an installer accepts, best first; None if it rejects it."""
    anywhere = tag.platform == "any"
    pair = _ranks(interpreter).get((tag.interpreter, tag.abi, anywhere))
    platform = 0 if anywhere else _platform_ranks(target).get(tag.platform)
    return None if pair is None or platform is None else (pair, platform)


@cache
def _platform_ranks(target: Target) -> dict[str, int]:
    return {platform: rank for rank, platform in reversed(tuple(enumerate(target.platforms())))}


def pick(candidates: Iterable[Candidate], target: Target, interpreter: Interpreter) -> Candidate | None:
    """Return the wheel that an installer on ``target`` with ``interpreter`` would choose, or None.

    Among wheels of one version the best tag wins, then the higher build tag (binary distribution format
    specification).
    """
    accepted = []
    for candidate in candidates:
        ranks = [rank for tag in candidate.tags if (rank := _rank(tag, target, interpreter)) is not None]
        if ranks and admits_python(candidate.requires_python, interpreter):
            build = candidate.build[0] if candidate.build else -1
            accepted.append((min(ranks), -build, candidate))
    best = min(accepted, key=itemgetter(0, 1), default=None)
    return best[-1] if best else None
