"""Verify many damaged wheels: python ci/fuzz-wheels.py [COUNT] [FIRST].

The numbers make the wheels (tests/mutations.py), so a crash is repeated by its number alone;
tests/unit/test_mutations.py keeps those that were found.
"""

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.mutations import crashes

STEP = 1000


def main(count: int = 200_000, first: int = 0) -> int:
    """Print the figures, and every number that ended in an exception; the exit code tells whether there was one."""
    started = time.monotonic()
    found = []
    for start in range(first, first + count, STEP):
        for number, error in crashes(range(start, min(start + STEP, first + count))):
            found.append(number)
            print(f"{number}: {type(error).__name__}: {error}", flush=True)
    print(
        f"{count} wheels from {first} on in {time.monotonic() - started:.0f} s, {len(found)} of them ended in an exception"
    )
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:3])))
