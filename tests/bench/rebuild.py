"""Compare a second `wheelkit build` without changes with `uv build` and with the builder's commands.

    python tests/bench/rebuild.py [--runs 9] [--builder host|cibuildwheel] [--json]

A clone of this repository is built once into an empty cache and then stays as it is. `uv build --wheel` and
cibuildwheel have no cache of finished wheels, so they build again each time.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path

from build_overhead import bare_script, image_environment
from outcome import Outcome, compared, scaled
from pairs import Contender, duel
from script import script
from startup import PASS, ROOT


def measure(builder: str, runs: int) -> list[Outcome]:
    image = image_environment() if builder == "cibuildwheel" else {}
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        project = scratch / "wheelkit"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(project)], check=True)
        env = {**image, "WHEELKIT_CACHE_DIR": str(scratch / "cache")}
        argv = [sys.executable, "-m", "wheelkit", "build", "--native", "--builder", builder]
        ours = Contender(name="wheelkit build --native, again", argv=argv, env=env, cwd=project)
        check_cached(ours)
        outcomes = [scaled(f"no-change rebuild, {builder}", duel(ours, PASS, runs=runs), most=0.25)]
        out = shlex.quote(str(scratch / "uv"))
        uv = Contender(
            name="uv build --wheel",
            argv=["sh", "-euc", f"rm -rf {out}; uv build --quiet --wheel --out-dir {out}"],
            cwd=project,
        )
        outcomes.append(compared("no-change rebuild", duel(ours, uv, runs=max(runs // 3, 3)), faster=8))
        bare = Contender(
            name=f"the bare commands ({builder})",
            argv=["sh", "-euc", bare_script(project, builder, image, scratch)],
            env=image,
            cwd=scratch,
        )
        outcomes.append(compared("no-change rebuild", duel(ours, bare, runs=2), faster=1))
    return outcomes


def check_cached(ours: Contender) -> None:
    """Build twice, and exit unless the second build says that it used the cache."""
    for _ in range(2):
        done = subprocess.run(
            ours.argv,
            env={**os.environ, **ours.env},
            cwd=ours.cwd,
            stderr=subprocess.STDOUT,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    if "cached" not in done.stdout:
        sys.exit(f"the second build did not use the cache:\n{done.stdout}")


if __name__ == "__main__":
    builders = {"choices": ["cibuildwheel", "host"], "default": "host"}
    script(
        __doc__,
        lambda options: measure(options.builder, options.runs),
        runs=9,
        options={"--builder": builders},
    )
