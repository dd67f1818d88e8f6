"""Compare `wheelkit build` with the commands that it runs.

    python tests/bench/build_overhead.py [--runs 5] [--builder cibuildwheel|host] [--json] [PROJECT]

PROJECT is a folder or an sdist (default: wheelkit itself). The bare commands are the builder's, after `uv
build --sdist` if PROJECT is a folder. cibuildwheel repairs and tests by itself. For the host builder, which
builds one abi3 wheel here, `auditwheel repair` and the tests in one environment per interpreter follow in
turn, as run by hand. cibuildwheel uses the image of ci/image.py, if it exists.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from outcome import Outcome, compared
from pairs import Contender, duel
from script import script

from wheelkit.machine.interpreters import find_pythons
from wheelkit.matrix import Interpreter

ROOT = Path(__file__).resolve().parent.parent.parent
OPTIONS: dict[str, dict[str, Any]] = {
    "project": {"nargs": "?", "type": Path, "default": ROOT},
    "--builder": {"choices": ["cibuildwheel", "host"], "default": "cibuildwheel"},
}


def measure(options: argparse.Namespace) -> list[Outcome]:
    image = image_environment() if options.builder == "cibuildwheel" else {}
    project = options.project.resolve()
    with tempfile.TemporaryDirectory() as scratch:
        ours = [
            sys.executable,
            "-m",
            "wheelkit",
            "build",
            str(project),
            "--native",
            "--builder",
            options.builder,
            "--no-cache",
        ]
        first = Contender(
            name="wheelkit build --native",
            argv=[*ours, "--out", f"{scratch}/dist"],
            env=image,
            cwd=Path(scratch),
        )
        bare = bare_script(project, options.builder, image, Path(scratch))
        second = Contender(name="the bare commands", argv=["sh", "-euc", bare], env=image, cwd=Path(scratch))
        sys.stderr.write(f"{bare}\n")
        timings = duel(first, second, runs=options.runs)
    label = f"first build, {options.builder}"
    return [compared(label, timings, most=1.05), compared(label, timings, extra=0.5)]


def image_environment() -> dict[str, str]:
    command = [sys.executable, str(ROOT / "ci" / "image.py"), "--json", "--if-standing"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    values: dict[str, str] = json.loads(done.stdout) if done.returncode == 0 else {}
    return values


def bare_script(project: Path, builder: str, image: dict[str, str], scratch: Path) -> str:
    """Return a shell script of the commands in the plan."""
    command = [sys.executable, "-m", "wheelkit", "plan", str(project), "--builder", builder, "--json"]
    plan = json.loads(
        subprocess.run(command, env={**os.environ, **image}, stdout=subprocess.PIPE, check=True).stdout
    )
    (step,) = plan["steps"]
    lines = []
    sdist = str(project)
    if project.is_dir():
        build = f"uv build --quiet --sdist --out-dir {scratch}/sdist {shlex.quote(str(project))}"
        lines.append(f"rm -rf {scratch}/sdist && {build}")
        sdist = f"{scratch}/sdist/*.tar.gz"
    lines.append(f"rm -rf {scratch}/bare")
    lines.append(_line(step, sdist, scratch))
    if builder == "host":
        lines += _by_hand(step, scratch)
    return "\n".join(lines)


def _by_hand(step: dict[str, Any], scratch: Path) -> Iterator[str]:
    """Yield what the host builder does after the build: repair, and test on each installed interpreter."""
    raw, repaired = f"{scratch}/bare/*.whl", f"{scratch}/repaired"
    yield f"rm -rf {repaired}; {step['repair'].replace('{dest_dir}', repaired).replace('{wheel}', raw)}"
    wanted = [Interpreter.parse(identifier.partition("-")[0]) for identifier in step["identifiers"]]
    for tag, python in find_pythons(wanted).items():
        env = scratch / f"env-{tag}"
        yield f"rm -rf {env}; uv venv --quiet --python {python.path} {env}"
        yield f"uv pip install --quiet --python {env}/bin/python {repaired}/*.whl"
        for test in step["tests"]:
            yield f"(cd {env} && VIRTUAL_ENV={env} PATH={env}/bin:$PATH sh -c {shlex.quote(test)})"


def _line(step: dict[str, Any], sdist: str, scratch: Path) -> str:
    filled = {"{out}": f"{scratch}/bare", "{python}": sys.executable}
    argv = [filled.get(word, word) for word in step["argv"]]
    words = [sdist if word == "{sdist}" else shlex.quote(word) for word in argv]
    return " ".join([*(f"{name}={shlex.quote(value)}" for name, value in step["env"].items()), *words])


if __name__ == "__main__":
    # One of the two limits has to hold: 5 % matters for long builds, half a second for short ones.
    script(__doc__, measure, runs=5, options=OPTIONS, enough=any)
