"""Compare plans with cibuildwheel's own reading of options: python ci/compare-cibuildwheel.py [COUNT] [SEED].

Makes configurations that follow from the seed (tables, overrides, inherit, variables), plans each with a
container engine and without, and compares what would be built, tested and repaired, in which image and
engine, with what cibuildwheel reads from the same files. Exits with 1 after a disagreement.
"""

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.cibuildwheel_comparison import Comparison


def main(count: int = 2000, seed: int = 1) -> int:
    """Compare and print the counts."""
    started = time.process_time()
    with tempfile.TemporaryDirectory(prefix="compare-cibuildwheel-") as folder:
        comparison = Comparison(Path(folder))
        for number in range(count):
            comparison.add(seed * 1_000_000 + number)
    for text in comparison.disagreements:
        print(text)
    print(
        f"{count} configurations, seed {seed}: {comparison.builds} builds compared, "
        f"{comparison.split} plans with several containers, {comparison.rejected} rejected by both, "
        f"{len(comparison.disagreements)} disagreements, in {time.process_time() - started:.0f} s"
    )
    return 1 if comparison.disagreements else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
