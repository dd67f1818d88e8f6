"""What is known about the unit tests: lines, seconds, and which of them can notice a mutant."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from coverage import CoverageData

from mutation.mutants import Mutant
from mutation.trees import file_of

# How many test files try a mutant first, and for how long by the recorded times.
FIRST_FILES, FIRST_SECONDS = 3, 8.0
# How long more tests that run the changed lines try it, and then others, by the recorded times.
MORE_SECONDS, OTHER_SECONDS = 40.0, 15.0
INTEGRATION, INTEGRATION_SECONDS = "tests/integration/", 120.0
# What starts no program and takes no longer than this does not depend on what else the machine does.
QUICK_SECONDS = 0.5
# Tests that read the scanner's results, by the words in their files; the first are the scanner's own.
SCANNER_WORDS = ("wheelkit._core", "binaries", "mutations")


class Records:
    """The recorded tests of a tree, and their choice for a mutant."""

    def __init__(self, folder: Path, tree: Path) -> None:
        self.tree = tree
        self.tests: dict[str, dict[str, float]] = {}
        for path in folder.glob("tests.*.json"):
            self.tests |= json.loads(path.read_text())
        # How much more time everything gets than was recorded.
        self.patience = 1
        self.lines: dict[str, dict[int, set[str]]] = {}
        for path in folder.glob("lines.*"):
            data = CoverageData(str(path))
            data.read()
            for file in data.measured_files():
                lines = self.lines.setdefault(file[file.index("python/wheelkit/") :], {})
                for line, names in data.contexts_by_lineno(file).items():
                    lines.setdefault(line, set()).update(names)
        # How many lines of the product a test runs: the fewer, the nearer it is to each of them.
        self.reach = Counter(
            name for lines in self.lines.values() for names in lines.values() for name in names
        )

    @property
    def failed(self) -> list[str]:
        """The tests that fail without a mutant."""
        return sorted(name for name, test in self.tests.items() if test.get("failed"))

    def distrust(self, test: str) -> None:
        """Let a test that has failed without a mutant judge no other."""
        self.tests[test]["failed"] = True

    def steps(self, mutant: Mutant) -> list[list[str]]:
        """Return the tests that can notice a mutant, in steps: the most likely first.

        These are the tests that run the changed lines, and those in the same files that share a fixture. A
        change that runs when its module is imported can be noticed by all that run something of the module or
        of one that imports it. Tests that start programs, whose lines are not known, come last, if they name
        the module, or no others are known to run the changed lines; behind them integration tests, the
        quickest first, if their lines were recorded, too.
        """
        stem = Path(mutant.file).stem
        programs = {name for name, test in self.tests.items() if test["programs"]}
        if mutant.row:
            table = Path(mutant.file).name
            return self.ordered(
                self.naming(mutant.row), self.running_all(self.naming_modules(table)), programs
            )
        if not mutant.file.endswith(".py"):
            return self.ordered(self.naming(SCANNER_WORDS[0]), self.naming(*SCANNER_WORDS), ())
        lines = self.lines.get(mutant.file, {})
        running = set().union(*(lines.get(line, set()) for line in range(mutant.first, mutant.last + 1)))
        if "" not in running and running:
            return self.ordered(running, set(), programs & self.naming(stem))
        # A test may only read what the import has made.
        likely = self.running_all([mutant.file]) | self.naming(module_of(mutant.file), f"import {stem}\n")
        others = self.running_all(self.importers(mutant.file))
        return self.ordered(likely, others, programs & self.naming(stem) if likely else programs)

    def ordered(
        self, likely: Iterable[str], others: Iterable[str], programs: Iterable[str]
    ) -> list[list[str]]:
        """Return the nearest of the likely tests, then all the likely, then all that come into question."""
        trusted = {name for name in likely if self.is_trusted(name)}
        slow = {name for name in trusted if name.startswith(INTEGRATION)}
        near = trusted - slow
        weights: Counter[str] = Counter()
        for name in near:
            weights[file_of(name)] += 1 / (1 + self.reach[name])
        best = {file for file, _ in weights.most_common(FIRST_FILES)}
        steps: list[list[str]] = [[], [], []]
        spent = 0.0
        for name in sorted(near, key=lambda name: (file_of(name) not in best, self.reach[name])):
            spent += self.seconds(name)
            steps[0 if spent < FIRST_SECONDS or not steps[0] else 1].append(name)
        others = set(others)
        far = {
            name: test
            for name, test in self.tests.items()
            if name not in trusted and self.is_trusted(name) and not name.startswith(INTEGRATION)
        }
        steps[1] = self.shortened(steps[1], MORE_SECONDS)
        sharing = [name for name, test in far.items() if test["shares"] and file_of(name) in weights]
        steps[1] += self.shortened([*sharing, *(name for name in far if name in others)], OTHER_SECONDS)
        steps[1].sort(key=lambda name: (name not in near, file_of(name)))
        starting = (name for name in programs if name in far and name not in steps[1])
        steps[2] = self.shortened(starting, MORE_SECONDS)
        steps.append(self.shortened(slow, INTEGRATION_SECONDS))
        return [step for step in steps if step]

    def shortened(self, names: Iterable[str], seconds: float) -> list[str]:
        """Return the tests that run the least, the quick ones first, as many as there is time for."""
        kept, spent = [], 0.0
        for name in sorted(set(names), key=lambda name: (self.seconds(name) > 1, self.reach[name])):
            spent += self.seconds(name)
            if spent < seconds:
                kept.append(name)
        return sorted(kept, key=file_of)

    def is_trusted(self, name: str) -> bool:
        """Return whether a test exists and passes without a mutant."""
        return name in self.tests and not self.tests[name].get("failed")

    def running_all(self, files: Iterable[str]) -> set[str]:
        """Return the tests that run something of these modules, not counting what their import runs."""
        lines = [names for file in files for names in self.lines.get(file, {}).values()]
        return set().union(*lines) - {""}

    def importers(self, file: str) -> set[str]:
        """Return the modules that import a module."""
        module = module_of(file)
        package, _, name = module.rpartition(".")
        text = f"from {module} import|import {module}|from {package} import .*{name}"
        return {
            other
            for other in self.lines
            if re.search(rf"(?m)^\s*({text})\b", (self.tree / other).read_text())
        }

    def naming_modules(self, word: str) -> set[str]:
        """Return the modules with this word in their sources."""
        return {file for file in self.lines if word in (self.tree / file).read_text()}

    def quickest(self, tests: Iterable[str], file: str) -> list[str]:
        """Return the test of a file that takes the least time, as a list, or nothing if it has none."""
        return sorted((name for name in tests if file_of(name) == file), key=self.seconds)[:1]

    def is_quick(self, name: str) -> bool:
        """Return whether a test is known that ends the same whatever else the machine does."""
        return (
            self.is_trusted(name) and not self.tests[name]["programs"] and self.seconds(name) < QUICK_SECONDS
        )

    def seconds(self, name: str) -> float:
        """Return how long a test takes."""
        return self.tests[name]["seconds"]

    def naming(self, *words: str) -> set[str]:
        """Return the tests in files with one of these words."""
        files = {file_of(name) for name in self.tests}
        texts = {file: (self.tree / file).read_text() for file in files if (self.tree / file).is_file()}
        return {name for name in self.tests if any(word in texts.get(file_of(name), "") for word in words)}


def module_of(file: str) -> str:
    """Return the name by which a file of the product is imported."""
    return file.removeprefix("python/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")
