"""Compare verify-matrix with the tools that users run today, and with mere unpacking and hashing.

    python tests/bench/verify_peers.py [--torch WHEEL] [--only KIND,KIND] [--runs 5] [--json]

The kinds are peers, floor, shallow and small. The wheels are those of 16 projects on three systems in
tests/integration/corpus.toml; --torch adds a torch wheel. The report is checked before it is timed, since a
scan that does nothing is fast.
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

PROJECTS = (
    "bcrypt cffi cryptography lxml markupsafe msgpack numpy orjson "
    "pillow psutil pyarrow pydantic_core pynacl pyyaml scipy zstandard"
)
# For each system, the parts of a file name that select one wheel of a project.
SYSTEMS = ("manylinux*x86_64", "macosx*arm64", "win_amd64")
SMALL = {
    "abi3, Linux": (
        "psutil-7.2.2-cp36-abi3-manylinux2010_x86_64.manylinux_2_12_x86_64.manylinux_2_28_x86_64.whl"
    ),
    "Linux": (
        "markupsafe-3.0.4-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.manylinux_2_28_x86_64.whl"
    ),
    "macOS": "markupsafe-3.0.4-cp311-cp311-macosx_11_0_arm64.whl",
    "Windows": "markupsafe-3.0.4-cp311-cp311-win_amd64.whl",
}
STEPS = Path(__file__).parent / "verify_steps.py"
KINDS = ("peers", "floor", "shallow", "small")
NAMES = {"peers": "the loop of peers", "inflate": "zlib + sha256 of all", "open": "open + metadata"}


def wheels() -> list[Path]:
    """Return the wheels to verify: for each project and system one pinned wheel, cp311 preferred."""
    names = [*corpus.names(), *corpus.names("large")]
    chosen = []
    for project in PROJECTS.split():
        for system in SYSTEMS:
            first, _, rest = system.partition("*")
            matching = [
                name
                for name in names
                if name.lower().startswith(f"{project}-")
                and first in name
                and rest in name.rpartition(first)[2]
            ]
            chosen += sorted(matching, key=lambda name: ("cp311" not in name, name))[:1]
    return [corpus.wheel(name) for name in dict.fromkeys(chosen)]


def ours(paths: list[Path], *options: str) -> Contender:
    """Return wheelkit's command, run from its script as the peers are; findings (1) are no failure here."""
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
    """Exit unless verify-matrix reads every wheel and reports what each native one needs."""
    command = [sys.executable, "-m", "wheelkit", "verify-matrix", "--json", *map(str, paths)]
    done = subprocess.run(command, cwd="/", capture_output=True, check=False)
    report = json.loads(done.stdout)
    if report["wheels"] != len(paths) or not all(row["needs"] for row in report["matrix"]):
        raise SystemExit(f"verify-matrix did not read every wheel: {done.stderr.decode()}")


def compare(kind: str, paths: list[Path], label: str, runs: int) -> Outcome:
    """Compare wheelkit with the peers, the floor or the shallow floor on a set of wheels."""
    if kind == "peers":  # takes a minute or more
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
    """Compare on one small wheel, with the peers that apply to it."""
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
    pinned = wheels()
    size = sum(path.stat().st_size for path in pinned) / 1e6
    sets = {f"{len(pinned)} wheels, {size:.0f} MB": pinned}
    if options.torch:
        sets[f"with torch, {size + options.torch.stat().st_size / 1e6:.0f} MB"] = [
            *pinned,
            options.torch.resolve(),
        ]
    outcomes = []
    for label, paths in sets.items():
        check_work(paths)
        outcomes += [
            compare(kind, paths, label, options.runs)
            for kind in ("peers", "floor", "shallow")
            if kind in options.only
        ]
    if "small" in options.only:
        outcomes += small(options.runs)
    return outcomes


OPTIONS: dict[str, dict[str, Any]] = {
    "--torch": {"type": Path},
    "--only": {"default": ",".join(KINDS), "type": lambda text: text.split(",")},
}

if __name__ == "__main__":
    script(__doc__, measure, runs=5, options=OPTIONS)
