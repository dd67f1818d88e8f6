"""Run `wheelkit verify-matrix` on every malformed wheel, as a user would, and print time and memory."""

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from malformed import MALFORMED, run_verify


def main() -> int:
    """Verify every wheel and print what each took."""
    visits = []
    for name, one in MALFORMED.items():
        with tempfile.TemporaryDirectory() as folder:
            seen = run_verify(one.write(Path(folder)))
        caught = one.code in seen.out
        visits.append((seen, caught))
        print(
            f"{one.code}  {'caught' if caught else 'MISSED'}  {seen.seconds:5.2f} s  {seen.megabytes:4.0f} MB  {name}"
        )
    worst = max(seen.seconds for seen, _ in visits), max(seen.megabytes for seen, _ in visits)
    print(
        f"{len(visits)} wheels, {sum(caught for _, caught in visits)} caught; at most {worst[0]:.2f} s and {worst[1]:.0f} MB"
    )
    return 0 if all(caught for _, caught in visits) else 1


if __name__ == "__main__":
    sys.exit(main())
