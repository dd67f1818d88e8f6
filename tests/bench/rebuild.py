"""What a second `wheelkit build` without a change costs, against `uv build` and the bare cibuildwheel command, in pairs.

    python tests/bench/rebuild.py [--runs 9] [--builder host|cibuildwheel] [--json]

A clone of this repository is built once into a cache of its own; then nothing changes any more. `uv build
--wheel` and cibuildwheel have no cache of finished wheels, so theirs is a whole build each time.
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
        look(ours)
        found = [scaled(f"no-change rebuild, {builder}", duel(ours, PASS, runs=runs), most=0.25)]
        out = shlex.quote(str(scratch / "uv"))
        uv = Contender(
            name="uv build --wheel",
            argv=["sh", "-euc", f"rm -rf {out}; uv build --quiet --wheel --out-dir {out}"],
            cwd=project,
        )
        found.append(compared("no-change rebuild", duel(ours, uv, runs=max(runs // 3, 3)), faster=8))
        bare = Contender(
            name=f"the bare commands ({builder})",
            argv=["sh", "-euc", bare_script(project, builder, image, scratch)],
            env=image,
            cwd=scratch,
        )
        found.append(compared("no-change rebuild", duel(ours, bare, runs=2), faster=1))
    return found


def look(ours: Contender) -> None:
    """Make sure that the second build is one from the cache: it says so."""
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
        sys.exit(f"the second build was none from the cache:\n{done.stdout}")


if __name__ == "__main__":
    builders = {"choices": ["cibuildwheel", "host"], "default": "host"}
    script(
        __doc__,
        lambda options: measure(options.builder, options.runs),
        runs=9,
        options={"--builder": builders},
    )
