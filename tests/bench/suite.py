"""Run all benchmarks on an idle machine and print one table.

    python tests/bench/suite.py [--only NAME,NAME] [--quick] [--torch WHEEL] [--json FILE]

The names are start, verify, smoke, publish, rebuild, build and growth. Each benchmark is a script that can
also be run alone. --quick runs fewer pairs. `verify` needs twine, check-wheel-contents, auditwheel, abi3audit
and delvewheel, installed beside wheelkit. The exit code is 1 if a limit does not hold.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from outcome import Outcome, from_plain, table

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True, kw_only=True, slots=True)
class Benchmark:
    """A script, what it measures, and its arguments for full and quick runs."""

    script: str
    title: str
    full: Sequence[str] = ()
    quick: Sequence[str] = ("--runs", "3")


BENCHMARKS = {
    "start": Benchmark(script="startup.py", title="commands that do next to nothing", quick=("--runs", "5")),
    "verify": Benchmark(
        script="verify_peers.py",
        title="verify-matrix against the peers and the zlib floor",
        full=("--runs", "5"),
    ),
    "smoke": Benchmark(
        script="smoke_overhead.py", title="smoke against its bare commands, and venv with pip"
    ),
    "publish": Benchmark(script="publish_overhead.py", title="publish against bare twine"),
    "rebuild": Benchmark(script="rebuild.py", title="a build without a change"),
    "build": Benchmark(script="build_overhead.py", title="a first build against the bare commands"),
    "growth": Benchmark(script="growth.py", title="many wheels, large families", quick=("--runs", "2")),
}


def run(benchmark: Benchmark, further: Sequence[str], *, quick: bool) -> list[Outcome]:
    """Run one script, whose standard error is passed through."""
    arguments = benchmark.quick if quick else benchmark.full
    command = [sys.executable, str(HERE / benchmark.script), *arguments, *further, "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    try:
        return [from_plain(outcome) for outcome in json.loads(done.stdout)["outcomes"]]
    except (ValueError, KeyError):
        sys.exit(f"{benchmark.script} printed no outcomes (exit status {done.returncode}):\n{done.stdout}")


def main() -> int:
    """Run the benchmarks, print the table, and write the outcomes if asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", default=",".join(BENCHMARKS), type=lambda text: text.split(","))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument(
        "--torch",
        type=Path,
        metavar="WHEEL",
        help="a torch wheel: `verify` then also runs with it",
    )
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    if unknown := set(options.only) - BENCHMARKS.keys():
        parser.error(
            f"there is no benchmark {', '.join(sorted(unknown))}; choose from {', '.join(BENCHMARKS)}"
        )
    outcomes: list[Outcome] = []
    for name in options.only:
        sys.stderr.write(f"{name}: {BENCHMARKS[name].title}\n")
        further = ("--torch", str(options.torch.resolve())) if options.torch and name == "verify" else ()
        outcomes += run(BENCHMARKS[name], further, quick=options.quick)
    print(table(outcomes))
    if options.json:
        options.json.write_text(
            json.dumps(
                {"python": sys.version.split()[0], "outcomes": [outcome.plain() for outcome in outcomes]},
                indent=2,
            )
        )
    return 0 if all(outcome.holds for outcome in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
