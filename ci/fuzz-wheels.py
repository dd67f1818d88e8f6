"""Verify many damaged wheels: python ci/fuzz-wheels.py [COUNT] [FIRST].

Each number stands for one damaged wheel (see tests/support/mutations.py), so the number alone repeats a
crash. tests/unit/test_mutations.py keeps the numbers that once crashed.
"""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.mutations import crashes

STEP = 1000


def main(count: int = 200_000, first: int = 0) -> int:
    """Print each number that ends in an exception, and the totals; returns 1 if there was one."""
    started = time.monotonic()
    crashed = []
    for start in range(first, first + count, STEP):
        for number, error in crashes(range(start, min(start + STEP, first + count))):
            crashed.append(number)
            print(f"{number}: {type(error).__name__}: {error}", flush=True)
    print(
        f"{count} wheels from {first} on in {time.monotonic() - started:.0f} s; "
        f"{len(crashed)} of them ended in an exception"
    )
    return 1 if crashed else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:3])))
