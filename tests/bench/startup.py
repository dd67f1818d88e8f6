"""How long the commands take that do next to nothing, in pairs.

python tests/bench/startup.py [--runs 15] [--json]
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from outcome import Outcome, compared, report, scaled
from pairs import Contender, duel

ROOT = Path(__file__).resolve().parents[2]
HELLO = "import argparse; p = argparse.ArgumentParser(); p.add_argument('--version', action='version', version='hello 1'); p.parse_args()"
PASS = Contender(name="python -c pass", argv=[sys.executable, "-c", "pass"])
PEERS = {"auditwheel": "--version", "twine": "--version", "abi3audit": "--version", "cibuildwheel": "--help"}


def wheelkit(*words: str, cwd: Path = ROOT) -> Contender:
    return Contender(name=f"wheelkit {' '.join(words)}", argv=[sys.executable, "-m", "wheelkit", *words], cwd=cwd)


def measure(runs: int) -> list[Outcome]:
    hello = Contender(name="argparse hello", argv=[sys.executable, "-c", HELLO, "--version"])
    found = [
        compared("--version", duel(wheelkit("--version"), hello, runs=runs), most=2.5),
        compared("--help", duel(wheelkit("--help"), hello, runs=runs)),
        scaled("plan, on wheelkit itself", duel(wheelkit("plan"), PASS, runs=runs), most=0.150),
    ]
    for tool, option in PEERS.items():
        script = shutil.which(tool, path=str(Path(sys.executable).parent)) or shutil.which(tool)
        if script is not None:
            peer = Contender(name=f"{tool} {option}", argv=[script, option])
            found.append(compared("--version", duel(wheelkit("--version"), peer, runs=max(runs // 3, 3))))
    return found


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    return report(measure(options.runs), as_json=options.json)


if __name__ == "__main__":
    sys.exit(main())
