"""Change the product in many small ways, and list what no test notices.

    python ci/mutate.py COUNT SEED [--c COUNT]

COUNT mutants of python/wheelkit, a fifth of them in its tables, are drawn evenly over all lines, and with --c
others of the C core. Each is applied in a private copy of the checkout and judged there: one of Python by the
unit tests that run the changed lines, or something of the module if its import runs them; one of C by the
scanner's tests in Python, then by `meson test`. A failure counts if the test fails again, and passes without
the mutant; so does a test that takes far longer. Survivors that may live are named in
tests/mutation/survivors.toml, each with its reason.

    --workers N      how many are judged at once (default: 2)
    --only PATH      only mutants of files below this path, such as python/wheelkit/matrix
    --also PATH      let integration tests below this path, too, try what survives the unit tests
    --records DIR    keep there which test runs which lines, or use what an earlier run has kept

Needs the development environment on PATH, and git. Exits with 1 if a mutant survives without a reason.

No library was found to fit: mutmut and cosmic-ray change Python only, in the checkout or in a layout of their
own, and draw no sample by a seed; mutatest is for Python up to 3.8; universalmutator goes by patterns of
lines and leaves the choice of tests to its caller. None changes rows of tables. Which test runs which line is
known from coverage.
"""

import argparse
import queue
import signal
import sys
import tempfile
import threading
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from mutation.c_code import c_mutants
from mutation.judge import Builds, Verdict, judge_c, judge_python
from mutation.mutants import Mutant, draw
from mutation.python_code import python_mutants
from mutation.records import Records
from mutation.tables import table_mutants
from mutation.trees import Tree, end_all

ROOT = Path(__file__).resolve().parents[1]
TABLES_SHARE = 5
# A tree with more failing tests than this is not worth to be judged by.
FEW = 10
RECORD_SECONDS = 3600.0
# Integration tests that need no more than the development environment.
MARKS = "not slow and not container and not emulated and not wine and not network"


def main() -> int:
    """Draw, judge, and print what survives."""
    options = parse_options()
    started = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    with tempfile.TemporaryDirectory(prefix="mutants-", ignore_cleanup_errors=True) as folder:
        # The checkout may change in the meantime.
        tree = Tree(ROOT, Path(folder) / "unchanged")
        mutants = drawn(tree.folder, options)
        try:
            records = recorded(
                options.records or Path(folder) / "records",
                tree,
                options.workers,
                also=options.also,
            )
            verdicts = list(judged(mutants, records, tree, options.workers))
        finally:
            end_all()
        print(f"seed {options.seed}, {time.monotonic() - started:.0f} s")
        return report(tree.folder, verdicts)


def parse_options() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description="List small changes of the product that no test notices.")
    parser.add_argument("count", type=int, help="mutants of Python and the tables")
    parser.add_argument("seed", type=int, help="the same seed draws the same mutants")
    parser.add_argument("--c", type=int, default=0, metavar="COUNT", help="mutants of the C core")
    parser.add_argument("--workers", type=int, default=2, metavar="N", help="judged at once (default: 2)")
    parser.add_argument("--only", default="", metavar="PATH", help="only in files below this path")
    parser.add_argument("--also", action="append", default=[], metavar="PATH", help="integration tests")
    parser.add_argument("--records", type=Path, metavar="DIR", help="which test runs which lines")
    return parser.parse_args()


def drawn(root: Path, options: argparse.Namespace) -> list[Mutant]:
    """Draw mutants of each language; a table weighs as much as the root of its lines."""
    only, count = options.only, options.count
    tables = weights(root, only, "python/wheelkit/data/*.toml", power=0.5)
    python = weights(root, only, "python/wheelkit/**/*.py")
    core = weights(root, only, "src/*.[ch]", "include/**/*.h")
    in_tables = 0 if not tables else count if not python else count // TABLES_SHARE
    mutants = []
    for files, number, find in (
        (python, count - in_tables, python_mutants),
        (tables, in_tables, table_mutants),
        (core, options.c, c_mutants),
    ):
        if files and number:
            mutants += draw(root, files, number, options.seed, find)
    return mutants


def weights(root: Path, only: str, *patterns: str, power: float = 1.0) -> dict[str, float]:
    """Return files below the path and the weight of each: its lines."""
    paths = sorted(path for pattern in patterns for path in root.glob(pattern) if path.name != "_version.py")
    return {
        name: max(1, path.read_bytes().count(b"\n")) ** power
        for path in paths
        for name in [path.relative_to(root).as_posix()]
        if name.startswith(only)
    }


def recorded(records: Path, tree: Tree, workers: int, *, also: Sequence[str]) -> Records:
    """Run the tests once without a mutant, and return which test runs which lines."""
    code, where = tree.run([sys.executable, "-c", "import wheelkit; print(wheelkit.__file__)"], 60)
    if code != 0 or not Path(where.strip()).is_relative_to(tree.folder):
        raise SystemExit(
            f"wheelkit is imported from {where.strip()} instead of {tree.folder}: check PYTHONPATH"
        )
    if not records.is_dir():
        records.mkdir(parents=True)
        variables = {"WHEELKIT_MUTATION_RECORDS": str(records)}
        arguments = ("-n", str(workers), "-p", "mutation.recorder", "-m", MARKS, "tests/unit", *also)
        _, output = tree.pytest(*arguments, seconds=RECORD_SECONDS, **variables)
        print(output.splitlines()[-1], flush=True)
    found = Records(records, tree.folder)
    for name in found.failed:
        print(f"fails without a mutant, so it judges none: {name}")
    if not found.tests or len(found.failed) > FEW:
        raise SystemExit("the unit tests fail; mend them first")
    return found


def judged(mutants: list[Mutant], records: Records, tree: Tree, workers: int) -> Iterator[Verdict]:
    """Judge mutants with several workers, each in its own copy; yields the verdicts as they come."""
    waiting: queue.SimpleQueue[Mutant] = queue.SimpleQueue()
    verdicts: queue.SimpleQueue[Verdict | BaseException] = queue.SimpleQueue()
    for mutant in sorted(mutants, key=lambda mutant: not is_c(mutant)):
        waiting.put(mutant)
    for number in range(workers):
        arguments = (waiting, verdicts, records, tree.folder, tree.folder.parents[1] / f"worker-{number}")
        threading.Thread(target=work, args=arguments, daemon=True).start()
    for number in range(1, len(mutants) + 1):
        verdict = verdicts.get()
        if isinstance(verdict, BaseException):
            raise verdict
        print(f"{number}/{len(mutants)} {described(tree.folder, verdict)}", flush=True)
        yield verdict


def work(
    waiting: "queue.SimpleQueue[Mutant]",
    verdicts: "queue.SimpleQueue[Verdict | BaseException]",
    records: Records,
    root: Path,
    folder: Path,
) -> None:
    """Judge mutants until none is waiting."""
    try:
        tree = Tree(root, folder)
        builds = None
        while True:
            try:
                mutant = waiting.get_nowait()
            except queue.Empty:
                return
            if is_c(mutant):
                builds = builds or Builds(tree)
                verdicts.put(judge_c(tree, builds, records, mutant))
            else:
                verdicts.put(judge_python(tree, records, mutant))
    except BaseException as error:  # noqa: BLE001 - the main thread raises it
        verdicts.put(error)


def is_c(mutant: Mutant) -> bool:
    """Return whether a mutant is one of the C core."""
    return mutant.file.endswith((".c", ".h"))


def described(root: Path, verdict: Verdict) -> str:
    """Return one line about a verdict, and the change if the mutant survives."""
    mutant = verdict.mutant
    source = (root / mutant.file).read_bytes()
    line = f"{mutant.file}:{mutant.line(source)}: {mutant.kind}: "
    if verdict.noticed_by or not verdict.is_valid:
        return line + (verdict.noticed_by or "does not compile")
    return f"{line}survives\n{mutant.diff(source)}"


def report(root: Path, verdicts: list[Verdict]) -> int:
    """Print the figures of each kind, and each survivor with its change; returns 1 if one has no reason."""
    reasons = {
        (row["file"], row["old"], row["new"]): row["reason"]
        for row in tomllib.loads((root / "tests/mutation/survivors.toml").read_text()).get("survivor", [])
    }
    valid = [verdict for verdict in verdicts if verdict.is_valid]
    unexplained = 0
    for verdict in valid:
        if not verdict.noticed_by:
            source = (root / verdict.mutant.file).read_bytes()
            reason = reasons.get((verdict.mutant.file, *verdict.mutant.texts(source)), "")
            unexplained += not reason
            because = f"\nIt may: {reason}" if reason else ""
            print(f"\n{described(root, verdict)}{because}")
    print()
    for name, of_kind in groups(valid).items():
        print(f"{sum(bool(verdict.noticed_by) for verdict in of_kind):4} of {len(of_kind):4} noticed: {name}")
    print(f"{unexplained} survive without a reason; {len(verdicts) - len(valid)} did not compile")
    return 1 if unexplained else 0


def groups(verdicts: list[Verdict]) -> dict[str, list[Verdict]]:
    """Return the verdicts by kind, by language, and all."""
    found: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        language = {"py": "Python", "toml": "tables"}.get(verdict.mutant.file.rpartition(".")[2], "C")
        for name in (f"{language}, {verdict.mutant.kind}", f"{language}, all"):
            found.setdefault(name, []).append(verdict)
    counts = Counter({name: len(rows) for name, rows in found.items()})
    return {name: found[name] for name in sorted(found, key=lambda name: (name.split(",")[0], counts[name]))}


if __name__ == "__main__":
    sys.exit(main())
