"""Compare the start of wheelkit with that of other programs.

python tests/bench/startup.py [--runs 15] [--json]
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from outcome import Outcome, compared, scaled
from pairs import Contender, duel
from script import script

ROOT = Path(__file__).resolve().parents[2]
HELLO = (
    "import argparse; parser = argparse.ArgumentParser(); "
    "parser.add_argument('--version', action='version', version='hello 1'); parser.parse_args()"
)
PASS = Contender(name="python -c pass", argv=[sys.executable, "-c", "pass"])
PEERS = {"auditwheel": "--version", "twine": "--version", "abi3audit": "--version", "cibuildwheel": "--help"}


def wheelkit(*words: str, cwd: Path = ROOT) -> Contender:
    return Contender(
        name=f"wheelkit {' '.join(words)}", argv=[sys.executable, "-m", "wheelkit", *words], cwd=cwd
    )


def measure(runs: int) -> list[Outcome]:
    hello = Contender(name="argparse hello", argv=[sys.executable, "-c", HELLO, "--version"])
    outcomes = [
        compared("--version", duel(wheelkit("--version"), hello, runs=runs), most=2.5),
        compared("--help", duel(wheelkit("--help"), hello, runs=runs)),
        scaled("plan, on wheelkit itself", duel(wheelkit("plan"), PASS, runs=runs), most=0.150),
    ]
    for tool, option in PEERS.items():
        path = shutil.which(tool, path=str(Path(sys.executable).parent)) or shutil.which(tool)
        if path is not None:
            peer = Contender(name=f"{tool} {option}", argv=[path, option])
            outcomes.append(compared("--version", duel(wheelkit("--version"), peer, runs=max(runs // 3, 3))))
    return outcomes


if __name__ == "__main__":
    script(__doc__, lambda options: measure(options.runs), runs=15)
