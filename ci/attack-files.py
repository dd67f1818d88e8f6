"""Verify files that are made to keep a reader busy: python ci/attack-files.py [COUNT] [SEED].

Prints the processor time and the memory of each; the exit code is 1 if one takes more than two seconds or
300 MB, or does not end in a report. Without COUNT, all are tried.
"""

import random
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.attacks import ATTACKS, attacks


def main(count: int = len(ATTACKS), seed: int = 0) -> int:
    """Print a line for each attack, and the totals."""
    names = list(ATTACKS)
    random.Random(seed).shuffle(names)  # noqa: S311 - repeatable, not secret
    beyond = 0
    for done in attacks(names[:count]):
        beyond += not done.bounded
        mark = " " if done.bounded else "!"
        print(
            f"{mark} {done.name:58} {done.size / 1e6:6.2f} MB {done.run.cpu:6.2f} s"
            f" {done.run.megabytes:5.0f} MB  {done.message[:90]}",
            flush=True,
        )
    print(f"{min(count, len(names))} files, {beyond} beyond the bounds")
    return 1 if beyond else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:3])))
