"""Interrupt commands at random moments: python ci/signals.py [COUNT] [SEED] [COMMAND...].

Sends one to three of SIGINT, SIGTERM and SIGHUP to builds, smoke tests, publications and releases, and checks
after each what is left and what the message says. The commands are those of tests/support/signal_campaign.py,
such as "publish". Needs Linux, uv, git, and a package index for native builds. Exits with 1 after a problem.
"""

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.signal_campaign import WEIGHTS, run_campaign, summary


def main(count: int = 500, seed: int = 1, *names: str) -> int:
    """Run the campaign and print its figures."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="signals-") as folder:
        outcomes = run_campaign(Path(folder), count, seed, names or tuple(WEIGHTS))
    problems = [outcome for outcome in outcomes if outcome.problems]
    for outcome in problems:
        print(outcome)
    print("\n".join(summary(outcomes)))
    print(f"{count} moments, seed {seed}: {len(problems)} with problems, {time.monotonic() - started:.0f} s")
    return 1 if problems else 0


if __name__ == "__main__":
    arguments = sys.argv[1:]
    sys.exit(main(*map(int, arguments[:2]), *arguments[2:]))
