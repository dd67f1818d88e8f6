"""Visit every animal of the zoo: `python tests/zoo` runs the command on each, as a user would, and prints what it took."""

import sys
import tempfile
from pathlib import Path

from zoo import ZOO, visit

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))


def main() -> int:
    """Visit every animal, and print what each took."""
    visits = []
    for name, one in ZOO.items():
        with tempfile.TemporaryDirectory() as folder:
            seen = visit(one.write(Path(folder)))
        caught = one.code in seen.out
        visits.append((seen, caught))
        print(f"{one.code}  {'caught' if caught else 'MISSED'}  {seen.seconds:5.2f} s  {seen.megabytes:4.0f} MB  {name}")
    worst = max(seen.seconds for seen, _ in visits), max(seen.megabytes for seen, _ in visits)
    print(f"{len(visits)} wheels, {sum(caught for _, caught in visits)} caught; at most {worst[0]:.2f} s and {worst[1]:.0f} MB")
    return 0 if all(caught for _, caught in visits) else 1


if __name__ == "__main__":
    sys.exit(main())
