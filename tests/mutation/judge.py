"""Judges of mutants: the unit tests for Python and tables; meson test and the scanner's tests for C."""

from __future__ import annotations

import shutil
from pathlib import Path

import msgspec

from mutation.mutants import Mutant
from mutation.records import Records
from mutation.trees import Tree

# How much longer than recorded tests may take: other programs run at the same time.
PATIENCE, SECONDS = 8, 90.0
BUILD_SECONDS = 600.0
SANITIZED = (
    "-Db_sanitize=address,undefined",
    "-Db_lundef=false",
    "-Dbuildtype=debugoptimized",
    "-Db_ndebug=false",
)


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """A mutant and what noticed it: nothing if it survived. ``is_valid`` is false if it does not compile."""

    mutant: Mutant
    noticed_by: str = ""
    is_valid: bool = True


def judge_by_tests(tree: Tree, records: Records, mutant: Mutant) -> Verdict:
    """Run the unit tests that can notice a mutant which the tree has already."""
    for tests in records.steps(mutant):
        expected = sum(records.seconds(name) for name in tests)
        if noticed := tree.first_failure(tests, records.tests, SECONDS + PATIENCE * expected):
            return Verdict(mutant=mutant, noticed_by=noticed)
    return Verdict(mutant=mutant)


def confirmed(tree: Tree, records: Records, verdict: Verdict) -> bool:
    """Return whether the test that noticed a mutant fails again with it, and passes in the restored tree."""
    test = verdict.noticed_by.rpartition(" ")[2]
    if test not in records.tests:
        return True
    tree.apply(verdict.mutant)
    try:
        fails_again = tree.first_failure([test], records.tests, SECONDS)
    finally:
        tree.restore(verdict.mutant)
    return bool(fails_again) and not tree.first_failure([test], records.tests, SECONDS)


def judge_python(tree: Tree, records: Records, mutant: Mutant) -> Verdict:
    """Apply a mutant of Python or of a table, and run the unit tests."""
    source = mutant.apply((tree.root / mutant.file).read_bytes())
    if mutant.file.endswith(".py") and not compiles(source):
        return Verdict(mutant=mutant, is_valid=False)
    while True:
        tree.apply(mutant)
        try:
            verdict = judge_by_tests(tree, records, mutant)
        finally:
            tree.restore(mutant)
        if confirmed(tree, records, verdict):
            return verdict
        records.distrust(verdict.noticed_by.rpartition(" ")[2])


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

    def install(self) -> None:
        """Put the built module into the tree."""
        for built in self.module.rglob("_core*.so"):
            target = self.tree.folder / "python" / "wheelkit" / built.name
            shutil.copy2(built, target.with_suffix(".new"))
            target.with_suffix(".new").replace(target)  # running programs keep the old file


def judge_c(tree: Tree, builds: Builds, records: Records, mutant: Mutant) -> Verdict:
    """Apply a mutant of the C core, compile it, and run its tests and those of the scanner in Python."""
    tree.apply(mutant)
    try:
        if builds.build(builds.tests) != 0 or builds.build(builds.module) != 0:
            return Verdict(mutant=mutant, is_valid=False)
        if noticed := builds.failed_test():
            return Verdict(mutant=mutant, noticed_by=noticed)
        builds.install()
        return judge_by_tests(tree, records, mutant)
    finally:
        tree.restore(mutant)


def compiles(source: bytes) -> bool:
    """Return whether a source is valid Python."""
    try:
        compile(source, "mutant", "exec", dont_inherit=True)
    except SyntaxError:
        return False
    return True
