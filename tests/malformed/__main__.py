"""Run `wheelkit verify-matrix` on every malformed wheel, as a user would, and print time and memory.

python tests/malformed
"""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from malformed import MALFORMED, run_verify


def main() -> int:
    """Verify every wheel; returns 1 if one of them was not caught."""
    runs = []
    caught = 0
    for name, wheel in MALFORMED.items():
        with tempfile.TemporaryDirectory() as folder:
            run = run_verify(wheel.write(Path(folder)))
        runs.append(run)
        verdict = "caught" if wheel.code in run.out else "MISSED"
        caught += verdict == "caught"
        print(f"{wheel.code}  {verdict}  {run.seconds:5.2f} s  {run.megabytes:4.0f} MB  {name}")
    seconds, megabytes = max(run.seconds for run in runs), max(run.megabytes for run in runs)
    print(f"{len(runs)} wheels, {caught} caught; at most {seconds:.2f} s and {megabytes:.0f} MB")
    return 0 if caught == len(runs) else 1


if __name__ == "__main__":
    sys.exit(main())
