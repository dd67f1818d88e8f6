"""Compare `wheelkit smoke` with the commands that it runs, and with venv and pip.

    python tests/bench/smoke_overhead.py [--runs 5] [--pip-runs 2] [--json] [DIST]

DIST is a folder of wheels (default: the native example family, which is built first). The bare commands
create the same environments one after another, by `uv venv`, `uv pip install` and `uv tool install`, or by
`python -m venv` and `pip install`. The smoke test also imports modules, loads entry points, and runs scripts
and commands. With ``--offline`` both sides take third-party packages from uv's cache, which excludes the
index from the measurement; a slow index favours the smoke test, which waits for it in several environments at
a time.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from outcome import Outcome, compared
from pairs import Contender, duel
from script import script

from wheelkit.machine import facts, interpreters
from wheelkit.machine.process import Command, find_tool
from wheelkit.matrix import Interpreter
from wheelkit.smoke import install, plan, wheels
from wheelkit.smoke.environments import Environment, variables_to_unset
from wheelkit.smoke.install import Source
from wheelkit.smoke.model import Case, InstallMode

NATIVE = Path(__file__).resolve().parents[1] / "families" / "native"
TAG = f"cp3{sys.version_info[1]}"
# ext4 does not reuse freed space (here, the environments of the previous run) for five seconds.
REST = 6.0


def measure(options: argparse.Namespace) -> list[Outcome]:
    """Compare with the bare commands, with and without an index, and with venv and pip."""
    with tempfile.TemporaryDirectory() as name:
        scratch = Path(name)
        project = Path(shutil.copytree(NATIVE, scratch / "native"))
        dist = options.dist.resolve() if options.dist else built(project)
        argv = (sys.executable, "-m", "wheelkit", "smoke", str(dist), "--python", TAG)
        ours = Contender(name="wheelkit smoke", argv=argv, cwd=project)
        offline = Contender(name="wheelkit smoke --offline", argv=(*argv, "--offline"), cwd=project)
        outcomes = [
            compared("smoke", duel(ours, bare(dist, scratch / "uv"), runs=options.runs, rest=REST), most=1.5),
            compared(
                "smoke --offline",
                duel(offline, bare(dist, scratch / "off", offline=True), runs=options.runs, rest=REST),
                most=1.5,
            ),
        ]
        if options.pip_runs:
            slow = Contender(
                name="the same with venv and pip",
                argv=["sh", "-euc", lines(dist, scratch / "pip", Source(), pip=True)],
            )
            outcomes.append(compared("smoke", duel(ours, slow, runs=options.pip_runs), faster=10))
    return outcomes


def bare(dist: Path, folder: Path, *, offline: bool = False) -> Contender:
    """Return the bare commands of a smoke test."""
    name = "the bare commands with uv" + (", --offline" if offline else "")
    return Contender(name=name, argv=["sh", "-euc", lines(dist, folder, Source(offline=offline), pip=False)])


def built(project: Path) -> Path:
    """Build the example family on this host."""
    subprocess.run(
        [sys.executable, "-m", "wheelkit", "build", "--builder", "host"],
        cwd=project,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return project / "dist"


def lines(dist: Path, folder: Path, source: Source, *, pip: bool) -> str:
    """Return a shell script of a smoke test's commands, without its checks."""
    packages = tuple(wheels.read_package(path) for path in wheels.list_wheels(dist))
    target = facts.own_target(facts.detect(containers=False))
    python = interpreters.find_pythons([Interpreter.parse(TAG)])[TAG]
    inputs = plan.SmokeInputs(
        packages=packages, family=frozenset(package.key for package in packages), target=target
    )
    script_lines = []
    for number, case in enumerate(plan.plan_cases(inputs, [python])):
        environment = Environment(folder=folder / str(number))
        environment.prepare(case)
        script_lines.append(f"rm -rf {environment.venv} {environment.tools}")
        script_lines += [line(command) for command in commands(case, environment, source, pip=pip)]
    return "\n".join(script_lines)


def commands(case: Case, environment: Environment, source: Source, *, pip: bool) -> Iterable[Command]:
    """Return the commands that create one environment."""
    if pip:
        return install.pip_commands(case, environment, source)
    uv = find_tool("uv")
    return (
        install.tool_commands(uv, case, environment, source)
        if case.mode is InstallMode.TOOL
        else install.uv_commands(uv, case, environment, source)
    )


def line(command: Command) -> str:
    """Return a command as shell text, with its variables."""
    unset = (f"-u {name}" for name in variables_to_unset(os.environ))
    settings = (f"{name}={shlex.quote(value)}" for name, value in command.env.items())
    return " ".join(["env", *unset, *settings, shlex.join(command.argv)])


if __name__ == "__main__":
    script(
        __doc__,
        measure,
        runs=5,
        options={"dist": {"nargs": "?", "type": Path}, "--pip-runs": {"type": int, "default": 2}},
    )
