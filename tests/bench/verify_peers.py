"""Time verify-matrix against the tools that users run today, and against unpacking and hashing alone, in pairs.

The wheels are those of tests/integration/corpus.toml for 16 projects on three systems; --torch adds a torch
wheel. Every ratio is a median of neighbouring pairs. Before it is timed, the report is checked: a scan that
does nothing is fast.

    python tests/bench/verify_peers.py [--torch torch-2.13.0+cpu-….whl] [--only peers,floor,shallow,small] [--runs 5] [--json]
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]

from outcome import Outcome, compared  # noqa: E402 - found by the path above
from pairs import Contender, duel  # noqa: E402 - found by the path above
from script import script  # noqa: E402 - found by the path above
from verify_steps import peers  # noqa: E402 - found by the path above

from support import corpus  # noqa: E402 - found by the path above

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
KINDS = ("peers", "floor", "shallow", "small")
NAMES = {"peers": "the loop of peers", "inflate": "zlib + sha256 of all", "open": "open + metadata"}


def wheels() -> list[Path]:
    """The pinned wheels of the benchmark: of each project the first pinned one for each system."""
    names = [*corpus.names(), *corpus.names("large")]
    chosen = []
    for project in PROJECTS.split():
        for system in SYSTEMS:
            first, _, rest = system.partition("*")
            own = [
                name
                for name in names
                if name.lower().startswith(f"{project}-")
                and first in name
                and rest in name.rpartition(first)[2]
            ]
            chosen += sorted(own, key=lambda name: ("cp311" not in name, name))[:1]
    return [corpus.wheel(name) for name in dict.fromkeys(chosen)]


def ours(paths: list[Path], *options: str) -> Contender:
    """Return wheelkit's command, run from its script as the peers are.

    Its exit status 1 means findings, which are no failure here.
    """
    command = Path(sysconfig.get_path("scripts")) / "wheelkit"
    return Contender(
        name="wheelkit",
        argv=[str(command), "verify-matrix", *options, *map(str, paths)],
        cwd=Path("/"),
        statuses=(0, 1),
    )


def step(name: str, paths: list[Path]) -> Contender:
    """Return a step of verify_steps.py as a process."""
    return Contender(
        name=NAMES[name], argv=[sys.executable, str(STEPS), name, *map(str, paths)], cwd=Path("/")
    )


def check_work(paths: list[Path]) -> None:
    """Exit unless the work is done: every wheel is read, and every native one reports what it needs."""
    command = [sys.executable, "-m", "wheelkit", "verify-matrix", "--json", *map(str, paths)]
    done = subprocess.run(command, cwd="/", capture_output=True, check=False)
    report = json.loads(done.stdout)
    if report["wheels"] != len(paths) or not all(row["needs"] for row in report["matrix"]):
        raise SystemExit(f"verify-matrix did not read every wheel: {done.stderr.decode()}")


def compare(kind: str, paths: list[Path], label: str, runs: int) -> Outcome:
    """Compare wheelkit with the peers, the floor or the shallow floor on a set of wheels."""
    if kind == "peers":  # a minute and more each time
        return compared(
            f"verify-matrix, {label}",
            duel(ours(paths), step("peers", paths), runs=max(runs // 3, 1), warm=ours(paths)),
            faster=40,
        )
    if kind == "floor":
        return compared(
            f"verify-matrix, {label}", duel(ours(paths), step("inflate", paths), runs=runs), most=0.65
        )
    return compared(
        f"--shallow, {label}", duel(ours(paths, "--shallow"), step("open", paths), runs=runs), most=2
    )


def small(runs: int) -> list[Outcome]:
    """Compare whole processes on one small wheel with the peers that apply to it."""
    outcomes = []
    for name, filename in SMALL.items():
        path = corpus.wheel(filename)
        commands = peers(str(path))
        loop = "; ".join(f"{' '.join(command)} >/dev/null 2>&1" for command in commands) + "; true"
        theirs = Contender(name=", ".join(command[0] for command in commands), argv=["sh", "-c", loop])
        outcomes.append(compared(f"one small wheel, {name}", duel(ours([path]), theirs, runs=runs), faster=5))
    return outcomes


def require_peers(kinds: Sequence[str]) -> None:
    missing = [
        tool
        for tool in ("twine", "check-wheel-contents", "auditwheel", "abi3audit", "delvewheel")
        if shutil.which(tool) is None
    ]
    if missing and {"peers", "small"} & set(kinds):
        sys.stderr.write(f"install the peers first: pip install {' '.join(missing)}\n")
        sys.exit(2)


def measure(options: argparse.Namespace) -> list[Outcome]:
    """Run the chosen comparisons."""
    require_peers(options.only)
    own = wheels()
    size = sum(path.stat().st_size for path in own) / 1e6
    sets = {f"{len(own)} wheels, {size:.0f} MB": own}
    if options.torch:
        sets[f"with torch, {size + options.torch.stat().st_size / 1e6:.0f} MB"] = [
            *own,
            options.torch.resolve(),
        ]
    found = []
    for label, paths in sets.items():
        check_work(paths)
        found += [
            compare(kind, paths, label, options.runs)
            for kind in ("peers", "floor", "shallow")
            if kind in options.only
        ]
    if "small" in options.only:
        found += small(options.runs)
    return found


OPTIONS: dict[str, dict[str, Any]] = {
    "--torch": {"type": Path},
    "--only": {"default": ",".join(KINDS), "type": lambda text: text.split(",")},
}

if __name__ == "__main__":
    script(__doc__, measure, runs=5, options=OPTIONS)
