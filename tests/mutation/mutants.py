"""One mutant: a small change of one file; and how a number of them are drawn evenly from many files."""

from __future__ import annotations

import difflib
import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec

# A mutant is drawn from those this near to a random line, so that all parts of a file have the same chance.
NEARBY_LINES = 12


class Mutant(msgspec.Struct, frozen=True, kw_only=True):
    """Replace the bytes from ``start`` to ``end`` of ``file`` by ``new``.

    ``first`` and ``last`` are the lines (from 1) of the statement; a test that runs none of them does not
    notice. ``row`` is the name of a table's row.
    """

    file: str
    kind: str
    start: int
    end: int
    new: str
    first: int
    last: int
    row: str = ""

    def apply(self, source: bytes) -> bytes:
        """Return the changed source."""
        return source[: self.start] + self.new.encode() + source[self.end :]

    def line(self, source: bytes) -> int:
        """Return the line of the change, from 1."""
        return source.count(b"\n", 0, self.start) + 1

    def texts(self, source: bytes) -> tuple[str, str]:
        """Return the changed lines before and after, without indentation: what a survivor is known by."""
        begin = source.rfind(b"\n", 0, self.start) + 1
        stop = source.find(b"\n", self.end)
        stop = len(source) if stop < 0 else stop
        after = source[begin : self.start] + self.new.encode() + source[self.end : stop]
        return plain(source[begin:stop].decode()), plain(after.decode())

    def diff(self, source: bytes) -> str:
        """Return the change as a unified diff without context."""
        lines = difflib.unified_diff(
            source.decode().splitlines(), self.apply(source).decode().splitlines(), n=0, lineterm=""
        )
        return "\n".join(line for line in list(lines)[2:] if not line.startswith("@@"))


def plain(text: str) -> str:
    """Return the lines of a text without indentation and blank lines."""
    return "\n".join(line.strip() for line in text.splitlines() if line.strip())


def draw(
    root: Path,
    weights: Mapping[str, float],
    count: int,
    seed: int,
    list_mutants: Callable[[str, bytes], Sequence[Mutant]],
) -> list[Mutant]:
    """Draw mutants of files (paths below ``root``), evenly by weight and by line, and each at most once.

    Points at equal distances along all files, the first of them random, decide how many each file gets.
    """
    chance = random.Random(seed)  # noqa: S311 - a seed that repeats the draw is the point
    listed: dict[str, Sequence[Mutant]] = {}
    drawn: dict[Mutant, None] = {}
    while len(drawn) < count:
        before = len(drawn)
        for file in spread(weights, count - before, chance):
            if file not in listed:
                listed[file] = list_mutants(file, (root / file).read_bytes())
            left = [mutant for mutant in listed[file] if mutant not in drawn]
            if left:
                drawn[near(left, chance)] = None
        if len(drawn) == before:
            break
    return list(drawn)


def spread(weights: Mapping[str, float], count: int, chance: random.Random) -> list[str]:
    """Return ``count`` files; a file with twice the weight comes about twice as often."""
    step = sum(weights.values()) / count
    at, passed, files = chance.random() * step, 0.0, []
    for file, weight in weights.items():
        passed += weight
        while at < passed and len(files) < count:
            files.append(file)
            at += step
    return files


def near(mutants: Sequence[Mutant], chance: random.Random) -> Mutant:
    """Choose one near a random line: first a kind of those that are possible there, then one of the kind."""
    line = chance.randint(mutants[0].first, max(mutant.last for mutant in mutants))
    distance = max(NEARBY_LINES, min(abs(mutant.first - line) for mutant in mutants))
    kinds = defaultdict(list)
    for mutant in mutants:
        if abs(mutant.first - line) <= distance:
            kinds[mutant.kind].append(mutant)
    return chance.choice(kinds[chance.choice(sorted(kinds))])
