"""Compare wheelkit with pip and uv on generated wheels: python ci/compare-installers.py [COUNT] [SEED].

The wheels follow from the seed, so the same seed repeats a disagreement. Both pips and uv install each into
fresh environments; uv also unpacks it while it downloads it. What lies there, or the refusal, has to agree
with what wheelkit says (see tests/installers/agreement.py). --workers is the number of processes, --first
the number of the first wheel; --keep is a folder for a wheel of each disagreement.
"""

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from installers.campaign import Comparison, compare

STEP = 250


def run(seed: int, keep: Path | None, numbers: range) -> list[Comparison]:
    """Compare the wheels with these numbers, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        return list(compare(numbers, seed, Path(folder), keep=keep))


def report(comparisons: list[Comparison]) -> None:
    """Print how many wheels each installer refused, by reason, and how many wheelkit did."""
    for installer in sorted({name for item in comparisons for name in item.refusals}):
        kinds = Counter(item.refusals[installer] for item in comparisons if installer in item.refusals)
        print(f"\n{installer} refuses {kinds.total()}:")
        for kind, count in kinds.most_common():
            print(f"{count:7}  {kind}")
    codes = Counter(code for item in comparisons for code in item.errors)
    mapped = sum(item.mapped for item in comparisons)
    print(f"\nall install {mapped}, and every file of them was compared with the map of installed paths")
    print(f"\nwheelkit has errors for {sum(bool(item.errors) for item in comparisons)}:")
    print("  ".join(f"{code} {count}" for code, count in sorted(codes.items())))


def main() -> int:
    """Print each disagreement, the refusals by reason, and the totals; returns 1 if installers disagree."""
    parser = argparse.ArgumentParser(description="Compare wheelkit with pip and uv on generated wheels.")
    parser.add_argument("count", nargs="?", type=int, default=20_000)
    parser.add_argument("seed", nargs="?", type=int, default=0)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    started = time.monotonic()
    end = options.first + options.count
    parts = [range(start, min(start + STEP, end)) for start in range(options.first, end, STEP)]
    comparisons = []
    with ProcessPoolExecutor(options.workers) as pool:
        for done in pool.map(partial(run, options.seed, options.keep), parts):
            comparisons += done
            for item in done:
                for found in item.disagreements:
                    print(f"{item.number}: {found.kind} | {item.wheel} | {found.detail}", flush=True)
            print(
                f"{len(comparisons)} wheels, {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True
            )
    report(comparisons)
    kinds = Counter(item.kind for comparison in comparisons for item in comparison.disagreements)
    for kind, count in kinds.most_common():
        print(f"{count:7}  {kind}")
    bad = sum(bool(item.disagreements) for item in comparisons)
    seconds = time.monotonic() - started
    print(f"\n{len(comparisons)} wheels by seed {options.seed} in {seconds:.0f} s; {bad} with a disagreement")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
