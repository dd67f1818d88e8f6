"""Lint workflows of drawn configurations: python ci/lint-drawn-workflows.py [COUNT] [SEED] [--keep FOLDER].

Names, tags, branches, commands, labels, paths and own steps are drawn to break them (see
tests/support/drawn_configs.py); the same seed draws the same again. Each configuration has to be refused with
one message, or to give workflows for GitHub and a pipeline for GitLab in which actionlint, zizmor and the
schemas find nothing. The exit code is 1 if one does neither.
"""

import argparse
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from support.drawn_workflows import campaign


def main() -> int:
    """Print what was found, and the totals."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", nargs="?", type=int, default=400)
    parser.add_argument("seed", nargs="?", type=int, default=0)
    parser.add_argument("--keep", type=Path, help="a new folder for the projects")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        outcome = campaign(range(options.count), options.seed, options.keep or Path(scratch))
    for line in outcome.findings:
        print(line)
    print(outcome)
    return 1 if outcome.findings else 0


if __name__ == "__main__":
    sys.exit(main())
