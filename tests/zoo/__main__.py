"""Ask the installers about each variant, and record what they do in outcomes.tsv: python tests/zoo."""

import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from installers.agreement import comparable, opinion
from installers.campaign import unpack_pips
from installers.drafts import valid
from installers.run import Outcome, installers
from zoo import VARIANTS
from zoo.outcomes import INSTALLERS, REFUSED, Outcomes, write_outcomes


def trees(outcomes: Sequence[Outcome]) -> tuple[str, ...]:
    """Return a letter for each installed tree of files, in the order of ``INSTALLERS``."""
    by_installer = {item.installer: item for item in outcomes}
    seen: list[object] = []
    letters = []
    for name in INSTALLERS:
        outcome = by_installer[name]
        files = (comparable(outcome), outcome.outside)
        if not outcome.refused and files not in seen:
            seen.append(files)
        letters.append(REFUSED if outcome.refused else "ABCD"[seen.index(files)])
    return tuple(letters)


def main() -> int:
    """Record all outcomes."""
    started = time.monotonic()
    recorded = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        first = valid(Random(0)).write(folder)  # noqa: S311
        with installers(unpack_pips(folder), first) as ready:
            for variant in VARIANTS.values():
                path = variant.write(folder)
                outcomes, said = ready.install(path), opinion(path)
                codes = frozenset(item.code for item in said.findings)
                recorded.append(Outcomes(name=variant.name, trees=trees(outcomes), codes=codes))
                path.unlink()
    uv = subprocess.run(["uv", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    write_outcomes(recorded, f"pip {version('pip')}, pip 23.2.1, uv {uv}")
    print(f"{len(recorded)} variants in {time.monotonic() - started:.0f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
