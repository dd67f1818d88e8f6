"""Times verify-matrix against what a user runs today, and against what no verification can do without, in pairs.

The wheels are those pinned in tests/integration/corpus.toml that BENCH names: 16 projects on three systems; a torch wheel is added with
--torch. Every ratio is a median of neighbouring pairs. The first contender's work is looked at before it is timed: a dead scan is fast.

    python tests/bench/verify_peers.py [--torch torch-2.13.0+cpu-….whl] [--only peers,floor,shallow,small,version] [--runs 5] [--json]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]

from pairs import Contender, Duel, duel  # noqa: E402
from verify_steps import THREADS, peers  # noqa: E402

import corpus  # noqa: E402

PROJECTS = "bcrypt cffi cryptography lxml markupsafe msgpack numpy orjson pillow psutil pyarrow pydantic_core pynacl pyyaml scipy zstandard"
# For each system the parts of file names that choose one wheel of a project.
SYSTEMS = ("manylinux*x86_64", "macosx*arm64", "win_amd64")
SMALL = {
    "abi3, Linux": "psutil-7.2.2-cp36-abi3-manylinux2010_x86_64.manylinux_2_12_x86_64.manylinux_2_28_x86_64.whl",
    "Linux": "markupsafe-3.0.4-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.manylinux_2_28_x86_64.whl",
    "macOS": "markupsafe-3.0.4-cp311-cp311-macosx_11_0_arm64.whl",
    "Windows": "markupsafe-3.0.4-cp311-cp311-win_amd64.whl",
}
STEPS = Path(__file__).parent / "verify_steps.py"
HELLO = "import argparse; p = argparse.ArgumentParser(); p.add_argument('--version', action='version', version='hello 1'); p.parse_args()"
# What the issue that asked for speed wants: ratios of peers over wheelkit at least, of wheelkit over its floor at most.
LIMITS = {
    "peers": (45, "at least"),
    "floor": (0.80, "at most"),
    "shallow": (2.0, "at most"),
    "small": (8, "at least"),
    "version": (2.5, "at most"),
}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One comparison: its name, the two medians in seconds, and the ratio that is limited."""

    kind: str
    name: str
    ours: float
    theirs: float
    ratio: float

    @property
    def holds(self) -> bool:
        limit, words = LIMITS[self.kind]
        return self.ratio >= limit if words == "at least" else self.ratio <= limit

    def line(self) -> str:
        limit, words = LIMITS[self.kind]
        state = "" if self.holds else "  MISSED"
        return f"{self.name:44} {self.ours:8.3f} s  {self.theirs:8.3f} s  ratio {self.ratio:6.2f}  ({words} {limit}){state}"


def wheels() -> list[Path]:
    """The pinned wheels of the benchmark: of each project the first pinned one for each system."""
    names = [*corpus.names(), *corpus.names("large")]
    chosen = []
    for project in PROJECTS.split():
        for system in SYSTEMS:
            first, _, rest = system.partition("*")
            own = [name for name in names if name.lower().startswith(f"{project}-") and first in name and rest in name.rpartition(first)[2]]
            chosen += sorted(own, key=lambda name: ("cp311" not in name, name))[:1]
    return [corpus.wheel(name) for name in dict.fromkeys(chosen)]


def ours(paths: list[Path], *options: str) -> Contender:
    """Give wheelkit's command; its exit status tells of findings, which is no failure here."""
    command = [sys.executable, "-m", "wheelkit", "verify-matrix", *options, *map(str, paths)]
    return Contender(name="wheelkit", argv=["sh", "-c", '"$@"; test $? -le 1', "sh", *command], cwd=Path("/"))


def step(name: str, paths: list[Path]) -> Contender:
    """Give one of the steps above as a process."""
    return Contender(name=name, argv=[sys.executable, str(STEPS), name, *map(str, paths)], cwd=Path("/"))


def look(paths: list[Path]) -> None:
    """Make sure that the work is done: every wheel was read, and every native one says what it needs."""
    command = [sys.executable, "-m", "wheelkit", "verify-matrix", "--json", *map(str, paths)]
    done = subprocess.run(command, cwd="/", capture_output=True, check=False)
    report = json.loads(done.stdout)
    if report["wheels"] != len(paths) or not all(row["needs"] for row in report["matrix"]):
        raise SystemExit(f"the verification did not do its work: {done.stderr.decode()}")


def outcome(kind: str, name: str, fought: Duel, *, inverse: bool = False) -> Outcome:
    """Turn a duel of wheelkit against another into the limited ratio; ``inverse`` is how many times faster wheelkit is."""
    first, second = (statistics.median(pair[side] for pair in fought.pairs) for side in (0, 1))
    ratio = statistics.median(b / a if inverse else a / b for a, b in fought.pairs)
    return Outcome(kind=kind, name=name, ours=first, theirs=second, ratio=ratio)


def compare(kind: str, paths: list[Path], label: str, runs: int) -> Outcome:
    """Hold wheelkit against one other on a set of wheels."""
    if kind == "peers":
        return outcome(kind, f"the loop of peers, {label}", duel(ours(paths), step("peers", paths), runs=runs), inverse=True)
    if kind == "floor":
        return outcome(kind, f"zlib inflate + sha256, {label}", duel(ours(paths), step("inflate", paths), runs=runs))
    return outcome(kind, f"open + METADATA, {label}", duel(ours(paths, "--shallow"), step("open", paths), runs=runs))


def small(runs: int) -> list[Outcome]:
    """Hold whole processes on one small wheel against the peers that apply to it."""
    found = []
    for name, filename in SMALL.items():
        paths = [corpus.wheel(filename)]
        script = "; ".join(f"{' '.join(command)} >/dev/null 2>&1" for command in peers(str(paths[0]))) + "; true"
        theirs = Contender(name="peers", argv=["sh", "-c", script])
        found.append(outcome("small", f"one small wheel, {name}", duel(ours(paths), theirs, runs=runs), inverse=True))
    return found


def version(runs: int) -> Outcome:
    """Hold --version against a hello world of argparse."""
    first = Contender(name="wheelkit --version", argv=[sys.executable, "-m", "wheelkit", "--version"], cwd=Path("/"))
    second = Contender(name="argparse hello", argv=[sys.executable, "-c", HELLO, "--version"], cwd=Path("/"))
    return outcome("version", "--version against argparse", duel(first, second, runs=runs))


def measure(options: argparse.Namespace) -> list[Outcome]:
    """Run what was asked for."""
    own = wheels()
    size = sum(path.stat().st_size for path in own) / 1e6
    sets = {f"{len(own)} wheels, {size:.0f} MB": own}
    if options.torch:
        sets[f"with torch, {size + options.torch.stat().st_size / 1e6:.0f} MB"] = [*own, options.torch.resolve()]
    found = []
    for label, paths in sets.items():
        look(paths)
        found += [compare(kind, paths, label, options.runs) for kind in ("peers", "floor", "shallow") if kind in options.only]
    if "small" in options.only:
        found += small(options.runs)
    if "version" in options.only:
        found.append(version(options.runs))
    return found


def main() -> int:
    """Measure and print; the exit code tells whether every limit holds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--torch", type=Path)
    parser.add_argument("--only", default=",".join(LIMITS), type=lambda text: text.split(","))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    missing = [tool for tool in ("twine", "check-wheel-contents", "auditwheel", "abi3audit", "delvewheel") if shutil.which(tool) is None]
    if missing and {"peers", "small"} & set(options.only):
        parser.error(f"install the peers first: pip install {' '.join(missing)}")
    found = measure(options)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    if options.json:
        rows = [
            {"kind": one.kind, "name": one.name, "ours": one.ours, "theirs": one.theirs, "ratio": one.ratio, "holds": one.holds}
            for one in found
        ]
        print(json.dumps({"threads": THREADS, "load": load, "results": rows}, indent=2))
    else:
        print("\n".join(one.line() for one in found))
        print(f"load average at the end {load:.1f} on {os.cpu_count()} cores")
    return 0 if all(one.holds for one in found) else 1


if __name__ == "__main__":
    sys.exit(main())
