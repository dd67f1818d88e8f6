"""Judges of mutants: the unit tests for Python and tables; the scanner's tests and meson test for C."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from mutation.mutants import Mutant
from mutation.records import Records
from mutation.trees import Tree

# How much longer than recorded tests may take. Other programs run at the same time, so what takes longer than
# this counts only if it takes less time without the mutant.
PATIENCE, SECONDS = 8, 45.0
BUILD_SECONDS = 600.0
SANITIZED = (
    "-Db_sanitize=address,undefined",
    "-Db_lundef=false",
    "-Dbuildtype=debugoptimized",
    "-Db_ndebug=false",
)


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """How a mutant comes into a tree, and out of it."""

    apply: Callable[[], None]
    undo: Callable[[], None]


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """A mutant and what noticed it: nothing if it survived. ``is_valid`` is false if it does not compile."""

    mutant: Mutant
    noticed_by: str = ""
    is_valid: bool = True


def judge_by_tests(tree: Tree, records: Records, mutant: Mutant, change: Change) -> Verdict:
    """Run the unit tests that can notice a mutant which the tree has already, the likeliest first.

    A quick test's failure counts. Any other counts if the same tests fail again and then pass without the
    mutant. Otherwise the test judges nothing from then on, or, if no test can be named, everything gets more
    time.
    """
    while True:
        noticed = ""
        for tests in records.steps(mutant):
            if noticed := failure(tree, records, tests):
                break
        if not noticed or confirmed(tree, records, tests, noticed, change):
            return Verdict(mutant=mutant, noticed_by=noticed)


def failure(tree: Tree, records: Records, tests: Sequence[str]) -> str:
    """Return which of the tests fails first, or what else goes wrong, or nothing."""
    limits = {name: records.patience * (SECONDS + PATIENCE * records.seconds(name)) for name in tests}
    expected = sum(records.seconds(name) for name in tests)
    return tree.first_failure(limits, records.tests, records.patience * (2 * SECONDS + PATIENCE * expected))


def confirmed(tree: Tree, records: Records, tests: Sequence[str], noticed: str, change: Change) -> bool:
    """Return whether the tests that noticed a mutant fail again with it, and pass without it."""
    named = re.sub(r"^(Timeout: )?(FAILED|ERROR) ", "", noticed)
    if records.is_quick(named) and not noticed.startswith("Timeout"):
        return True
    again = [name for name in tests if name == named] or records.quickest(tests, named) or tests
    if failure(tree, records, again):
        change.undo()
        fails_without = failure(tree, records, again)
        if not fails_without:
            return True
        change.apply()
    if named in records.tests:
        records.distrust(named)
    else:
        records.patience *= 2
    return False


def judge_python(tree: Tree, records: Records, mutant: Mutant) -> Verdict:
    """Apply a mutant of Python or of a table, and run the unit tests."""
    source = mutant.apply((tree.root / mutant.file).read_bytes())
    if mutant.file.endswith(".py") and not compiles(source):
        return Verdict(mutant=mutant, is_valid=False)
    change = Change(apply=lambda: tree.apply(mutant), undo=lambda: tree.restore(mutant))
    change.apply()
    try:
        return judge_by_tests(tree, records, mutant, change)
    finally:
        change.undo()


class Builds:
    """Builds of a tree's C core: one with sanitizers for ``meson test``, one for Python."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.tests, self.module = tree.folder.parent / "c-tests", tree.folder.parent / "module"
        for folder, options in ((self.tests, ("-Dtests=enabled", *SANITIZED)), (self.module, ())):
            code, output = tree.run(
                [
                    "meson",
                    "setup",
                    str(folder),
                    str(tree.folder),
                    "-Dpython.allow_limited_api=true",
                    *options,
                ],
                BUILD_SECONDS,
            )
            if code != 0:
                raise SystemExit(f"meson setup failed:\n{output}")
        if code := self.build(self.tests) or self.build(self.module):
            raise SystemExit(f"ninja failed with exit status {code}")
        self.unchanged = tree.folder.parent / "unchanged-module"
        self.unchanged.mkdir()
        for built in self.module.rglob("_core*.so"):
            shutil.copy2(built, self.unchanged)
        if failure := self.failed_test():
            raise SystemExit(f"the C tests fail without a change: {failure}")

    def build(self, folder: Path) -> int | None:
        """Compile what has changed."""
        return self.tree.run(["ninja", "-C", str(folder)], BUILD_SECONDS)[0]

    def failed_test(self) -> str:
        """Run ``meson test``; returns what failed."""
        command = ["meson", "test", "-C", str(self.tests), "--suite", "c", "--no-rebuild", "--maxfail", "1"]
        # Sanitizers reserve more addresses than any limit allows.
        code, output = self.tree.run(command, BUILD_SECONDS, ASAN_OPTIONS="detect_leaks=0")
        failed = [line for line in output.splitlines() if "FAIL" in line or "TIMEOUT" in line]
        return "" if code == 0 else f"meson test: {' '.join((failed or [f'exit status {code}'])[0].split())}"

    def install(self, build: Path) -> None:
        """Put the module that a build has made into the tree."""
        for built in build.rglob("_core*.so"):
            target = self.tree.folder / "python" / "wheelkit" / built.name
            shutil.copy2(built, target.with_suffix(".new"))
            target.with_suffix(".new").replace(target)  # running programs keep the old file

    def change(self) -> Change:
        """Return how the built module takes the place of the unchanged one."""
        return Change(apply=lambda: self.install(self.module), undo=lambda: self.install(self.unchanged))


def judge_c(tree: Tree, builds: Builds, records: Records, mutant: Mutant) -> Verdict:
    """Apply a mutant of the C core, compile it, and run the scanner's tests in Python and then those in C."""
    tree.apply(mutant)
    try:
        if builds.build(builds.module) != 0:
            return Verdict(mutant=mutant, is_valid=False)
        change = builds.change()
        change.apply()
        try:
            verdict = judge_by_tests(tree, records, mutant, change)
        finally:
            change.undo()
        if not verdict.noticed_by and builds.build(builds.tests) == 0:
            verdict = Verdict(mutant=mutant, noticed_by=builds.failed_test())
        return verdict
    finally:
        tree.restore(mutant)


def compiles(source: bytes) -> bool:
    """Return whether a source is valid Python."""
    try:
        compile(source, "mutant", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True
