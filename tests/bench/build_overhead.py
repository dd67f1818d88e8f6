"""What `wheelkit build` costs over the bare commands that it prints, in pairs.

    python tests/bench/build_overhead.py [--runs 5] [--builder cibuildwheel|host] [--json] [PROJECT]

PROJECT is a folder or an sdist; by default wheelkit itself. With a folder the bare commands are `uv build
--sdist` and the builder's; with an sdist only the builder's. cibuildwheel repairs and tests by itself; for
the host builder, which makes one abi3 wheel here, `auditwheel repair` and the tests in an environment for
each interpreter are written out, one after another, as people run them by hand. cibuildwheel is taken with
the environment that ci/image.py prints, where its image stands.
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
        fought = duel(first, second, runs=options.runs)
    label = f"first build, {options.builder}"
    return [compared(label, fought, most=1.05), compared(label, fought, extra=0.5)]


def image_environment() -> dict[str, str]:
    command = [sys.executable, str(ROOT / "ci" / "image.py"), "--json", "--if-standing"]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    values: dict[str, str] = json.loads(done.stdout) if done.returncode == 0 else {}
    return values


def bare_script(project: Path, builder: str, image: dict[str, str], scratch: Path) -> str:
    """Write the script of the bare commands, as the plan tells them."""
    command = [sys.executable, "-m", "wheelkit", "plan", str(project), "--builder", builder, "--json"]
    plan = json.loads(
        subprocess.run(command, env={**os.environ, **image}, stdout=subprocess.PIPE, check=True).stdout
    )
    (step,) = plan["steps"]
    lines = []
    sdist = str(project)
    if project.is_dir():
        lines.append(
            f"rm -rf {scratch}/sdist && uv build --quiet --sdist --out-dir {scratch}/sdist {shlex.quote(str(project))}"
        )
        sdist = f"{scratch}/sdist/*.tar.gz"
    lines.append(f"rm -rf {scratch}/bare")
    lines.append(_line(step, sdist, scratch))
    if builder == "host":
        lines += _by_hand(step, scratch)
    return "\n".join(lines)


def _by_hand(step: dict[str, Any], scratch: Path) -> Iterator[str]:
    """Write what the host builder does after the build: repair, and tests on each interpreter that is here."""
    raw, done = f"{scratch}/bare/*.whl", f"{scratch}/repaired"
    yield f"rm -rf {done}; {step['repair'].replace('{dest_dir}', done).replace('{wheel}', raw)}"
    wanted = [Interpreter.parse(identifier.partition("-")[0]) for identifier in step["identifiers"]]
    for tag, python in find_pythons(wanted).items():
        env = scratch / f"env-{tag}"
        yield f"rm -rf {env}; uv venv --quiet --python {python.path} {env}; uv pip install --quiet --python {env}/bin/python {done}/*.whl"
        for test in step["tests"]:
            yield f"(cd {env} && VIRTUAL_ENV={env} PATH={env}/bin:$PATH sh -c {shlex.quote(test)})"


def _line(step: dict[str, Any], sdist: str, scratch: Path) -> str:
    filled = {"{out}": f"{scratch}/bare", "{python}": sys.executable}
    argv = [filled.get(word, word) for word in step["argv"]]
    words = [sdist if word == "{sdist}" else shlex.quote(word) for word in argv]
    return " ".join([*(f"{name}={shlex.quote(value)}" for name, value in step["env"].items()), *words])


if __name__ == "__main__":
    # One of the two limits has to hold: 5 % where the build is long, half a second where it is short.
    script(__doc__, measure, runs=5, options=OPTIONS, enough=any)
