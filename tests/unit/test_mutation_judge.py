"""How a mutant is judged: what counts as noticed on a machine that does other things, too."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import pytest

from mutation.judge import PATIENCE, SECONDS, judge_python
from mutation.mutants import Mutant
from mutation.records import Records
from mutation.trees import Tree
from support.rows import rows

FILE = "python/wheelkit/part.py"
SOURCE = "LIMIT = 5\n\n\ndef part(a, b):\n    return a < b\n"
MUTANT = Mutant(
    file=FILE,
    kind="comparison",
    start=SOURCE.index("<"),
    end=SOURCE.index("<") + 1,
    new="<=",
    first=5,
    last=5,
)
NEAR, QUICK, FAR, SHARED, PROGRAM, OTHER = (
    "tests/unit/test_part.py::test_near",
    "tests/unit/test_part.py::test_quick[sleep 60]",
    "tests/unit/test_all.py::test_far",
    "tests/unit/test_part.py::test_shared",
    "tests/unit/test_main.py::test_program",
    "tests/unit/test_other.py::test_other",
)


class FewRecords(Records):
    """Records of six tests, three of which run the changed line."""

    def __init__(self, tree: Path) -> None:
        super().__init__(tree / "none", tree)
        self.tests = {
            name: {
                "seconds": 0.1 if name == QUICK else 1.0,
                "programs": name == PROGRAM,
                "shares": name == SHARED,
            }
            for name in (PROGRAM, FAR, SHARED, NEAR, QUICK, OTHER)
        }
        self.lines = {
            FILE: {1: {""}, 5: {NEAR, FAR, QUICK}},
            "python/wheelkit/user.py": {2: {OTHER}},
            "python/wheelkit/stranger.py": {2: {SHARED}},
        }
        self.reach.update({NEAR: 1, QUICK: 50, FAR: 100})


class Outcomes(Tree):
    """A tree whose tests end as a table says: by what runs, and whether the mutant is there."""

    def __init__(self, root: Path, outcomes: Mapping[tuple[str, bool], list[str]]) -> None:
        self.root, self.folder, self.times = root, root / "copy", 0
        self.outcomes = {key: list(values) for key, values in outcomes.items()}
        self.asked: list[tuple[list[str], float]] = []
        (self.folder / FILE).parent.mkdir(parents=True)

    def first_failure(self, limits: Mapping[str, float], known: Collection[str], seconds: float) -> str:
        assert set(limits) <= set(known)
        assert seconds >= len(limits) * PATIENCE
        self.asked.append((list(limits), limits[next(iter(limits))]))
        changed = (self.folder / FILE).read_text() != SOURCE
        for name in limits:
            if (found := self.outcomes.get((name, changed))) and (failure := found.pop(0)):
                return failure
        return ""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    for name, text in (
        (FILE, SOURCE),
        ("python/wheelkit/user.py", "from wheelkit.part import LIMIT\nLIMIT\n"),
        ("python/wheelkit/stranger.py", "from wheelkit.parts import LIMIT\nLIMIT\n"),
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


SLOW = "tests that take more than 5 s"
FAILED = f"FAILED {NEAR}"
JUDGED: list[tuple[dict[tuple[str, bool], list[str]], str, int]] = [
    # Is quick.
    ({(QUICK, True): [f"FAILED {QUICK}"]}, f"FAILED {QUICK}", 1),
    # Is quick, and hangs.
    ({(QUICK, True): [f"Timeout: FAILED {QUICK}", ""]}, "", 1),
    # Fails again.
    ({(NEAR, True): [FAILED, FAILED]}, FAILED, 1),
    # Fails by chance.
    ({(NEAR, True): [FAILED, ""]}, "", 1),
    # Fails without.
    ({(NEAR, True): [FAILED, FAILED], (NEAR, False): [FAILED]}, "", 1),
    # Another test.
    (
        {(NEAR, True): [FAILED, ""], (FAR, True): [f"FAILED {FAR}", "FAILED"]},
        f"FAILED {FAR}",
        1,
    ),
    # Slow with it.
    ({(NEAR, True): [SLOW, SLOW]}, SLOW, 1),
    # Slow without.
    ({(NEAR, True): [SLOW, SLOW, "", ""], (NEAR, False): [SLOW]}, "", 2),
    # Slow by chance.
    ({(NEAR, True): [SLOW, ""]}, "", 2),
]


@rows(("outcomes", "noticed", "patience"), JUDGED)
def test_what_counts_as_noticed(
    outcomes: dict[Any, Any], noticed: str, patience: int, tmp_path: Path
) -> None:
    (tmp_path / FILE).parent.mkdir(parents=True)
    (tmp_path / FILE).write_text(SOURCE)
    tree, records = Outcomes(tmp_path, outcomes), FewRecords(tmp_path)
    verdict = judge_python(tree, records, MUTANT)
    assert (verdict.noticed_by, verdict.is_valid) == (noticed, True)
    assert records.patience == patience
    # The mutant is gone, and no limit is shorter than a busy machine needs.
    assert (tree.folder / FILE).read_text() == SOURCE
    assert min(limit for _, limit in tree.asked) > SECONDS


def steps(checkout: Path, line: int) -> list[list[str]]:
    mutant = Mutant(file=FILE, kind="number", start=8, end=9, new="6", first=line, last=line)
    return FewRecords(checkout).steps(mutant)


def test_the_nearest_tests_come_first(checkout: Path) -> None:
    assert steps(checkout, 5) == [[NEAR, QUICK, FAR], [SHARED]]


def test_what_an_import_runs_concerns_the_module_and_its_importers(checkout: Path) -> None:
    assert steps(checkout, 1) == [[NEAR, QUICK, FAR], [OTHER, SHARED]]


def test_programs_try_what_no_test_is_known_to_run(checkout: Path) -> None:
    records = FewRecords(checkout)
    records.lines[FILE] = {1: {""}}
    mutant = Mutant(file=FILE, kind="number", start=8, end=9, new="6", first=5, last=5)
    assert records.steps(mutant) == [[OTHER], [PROGRAM]]
