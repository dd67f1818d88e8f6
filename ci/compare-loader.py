"""Compare wheelkit with glibc's loader: python ci/compare-loader.py [COUNT] [SEED] [LAYOUTS].

Links a module in several ways, changes it in ways that follow from the seed, loads each in a process of its
own, and compares: what was loaded has no error, and the needs that the loader saw; what was refused has one.
Then makes layouts of libraries that need each other, and compares which are found. Needs Linux on x86-64 with
glibc and a C compiler. Exits with 1 after a disagreement, whose file is kept.
"""

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support import loader_comparison, search_comparison


def main(count: int = 2000, seed: int = 1, layouts: int = 100) -> int:
    """Compare and print the counts."""
    folder = Path(tempfile.mkdtemp(prefix="compare-loader-"))
    started = time.monotonic()
    found = loader_comparison.compare(folder, count, seed)
    refused = found.refused.total()
    seconds = time.monotonic() - started
    loaded = f"{found.loaded} loaded ({found.by_chance} by chance)"
    print(f"{loaded}, {refused} refused ({found.unresolved} for other symbols), in {seconds:.0f} s")
    for reason, times in found.refused.most_common():
        print(f"  {times:5}  {reason}")
    searched = search_comparison.compare(folder, layouts, seed)
    print(f"{layouts} layouts: {searched.found} libraries found all that they need, {searched.lost} did not")
    disagreements = [*found.disagreements, *searched.disagreements]
    for text in disagreements:
        print(text)
    print(f"{len(disagreements)} disagreements, seed {seed}; files in {folder}")
    return 1 if disagreements else 0


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
