"""What is known about the unit tests: lines, seconds, and which of them can notice a mutant."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from coverage import CoverageData

from mutation.mutants import Mutant
from mutation.trees import file_of

# How many test files try a mutant first, and for how long by the recorded times.
FIRST_FILES, FIRST_SECONDS = 3, 20.0
# Tests that read the scanner's results, by the words in their files.
SCANNER_WORDS = ("wheelkit._core", "binaries", "mutations")


class Records:
    """The recorded tests of a tree, and their choice for a mutant."""

    def __init__(self, folder: Path, tree: Path) -> None:
        self.tree = tree
        self.tests: dict[str, dict[str, float]] = {}
        for path in folder.glob("tests.*.json"):
            self.tests |= json.loads(path.read_text())
        self.lines: dict[str, dict[int, set[str]]] = {}
        for path in folder.glob("lines.*"):
            data = CoverageData(str(path))
            data.read()
            for file in data.measured_files():
                lines = self.lines.setdefault(file[file.index("python/wheelkit/") :], {})
                for line, names in data.contexts_by_lineno(file).items():
                    lines.setdefault(line, set()).update(names)

    @property
    def failed(self) -> list[str]:
        """The tests that fail without a mutant."""
        return sorted(name for name, test in self.tests.items() if test.get("failed"))

    def distrust(self, test: str) -> None:
        """Let a test that has failed without a mutant judge no other."""
        self.tests[test]["failed"] = True

    def steps(self, mutant: Mutant) -> list[list[str]]:
        """Return the tests that can notice a mutant, in steps: the most likely first.

        A change that runs when its module is imported can be noticed by every test. Others only by the tests
        that run the line, by those in the same files that share a fixture, and by those that start programs.
        """
        if not mutant.file.endswith(".py"):
            return self.ordered(
                self.naming(*((mutant.row,) if mutant.row else SCANNER_WORDS)), bool(mutant.row)
            )
        lines = self.lines.get(mutant.file, {})
        running = set().union(*(lines.get(line, set()) for line in range(mutant.first, mutant.last + 1)))
        if "" in running or not running:
            return self.ordered(set().union(*lines.values()) if lines else set(), at_import=True)
        return self.ordered(running, at_import=False)

    def ordered(self, likely: Iterable[str], at_import: bool) -> list[list[str]]:  # noqa: FBT001
        """Return the likely tests of the few likeliest files, and then all that come into question."""
        names = {name for name in likely if name in self.tests and not self.tests[name].get("failed")}
        files = Counter(file_of(name) for name in names)
        best = {file for file, _ in files.most_common(FIRST_FILES)}
        first, spent = [], 0.0
        for name in sorted((name for name in names if file_of(name) in best), key=self.seconds):
            spent += self.seconds(name)
            if spent < FIRST_SECONDS or not first:
                first.append(name)
        rest = [
            name
            for name, test in self.tests.items()
            if name not in first
            and not test.get("failed")
            and (
                at_import or name in names or test["programs"] or (test["shares"] and file_of(name) in files)
            )
        ]
        rest.sort(key=lambda name: (name not in names, file_of(name)))
        return [step for step in (first, rest) if step]

    def seconds(self, name: str) -> float:
        """Return how long a test takes."""
        return self.tests[name]["seconds"]

    def naming(self, *words: str) -> set[str]:
        """Return the tests in files with one of these words."""
        texts = {file: (self.tree / file).read_text() for file in {file_of(name) for name in self.tests}}
        return {name for name in self.tests if any(word in texts[file_of(name)] for word in words)}
