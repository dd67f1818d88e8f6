#!/usr/bin/env python3
"""All that `wheelkit smoke --emulate` uses, made to run from folders on this machine.

    eval "$(python ci/emulation.py aarch64 s390x wine pyodide)"    make these; set PATH and WHEELKIT_PYTHONS
    python ci/emulation.py --json musl                             the two variables as JSON

The names are those of processors (ci/qemu.py), and wine, musl and pyodide, each made by the script of that
name, which says what it needs and where things come from. Without names, all are made: musl's Python is
compiled, which takes minutes.

Exit codes: 0 fine, 1 a step failed, 2 wrong usage, 3 something is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import musl
import pyodide
import qemu
import wine
from debian import ERRORS, kept, problem_of

MISSING = 3
# How each is made: what this machine lacks for it, how its folder is filled, and which folders of programs
# and of interpreters it has then.
Steps = tuple[Callable[[], str], Callable[[Path], object], Callable[[Path], tuple[list[Path], list[Path]]]]


def main() -> int:
    """Parse the command line, make what is named, and print the variables."""
    parser = argparse.ArgumentParser(description="Make emulators and interpreters of other platforms.")
    parser.add_argument("names", nargs="*", choices=[*TABLE, []], metavar="NAME", help=", ".join(TABLE))
    parser.add_argument("--json", action="store_true", help="print a JSON object")
    options = parser.parse_args()
    programs: list[Path] = []
    interpreters: list[Path] = []
    for name in options.names or TABLE:
        lacking, prepare, places = TABLE[name]
        folder = kept(name).absolute()
        if problem := lacking():
            return say(f"{name}: {problem}", MISSING)
        try:
            prepare(folder)
        except ERRORS as error:
            return say(f"{name}: {problem_of(error, folder)}", 1)
        more_programs, more_interpreters = places(folder)
        programs += more_programs
        interpreters += more_interpreters
    joined = [os.pathsep.join(map(str, paths)) for paths in (programs, interpreters)]
    path = os.pathsep.join(filter(None, (joined[0], os.environ.get("PATH", os.defpath))))
    variables = {"PATH": path, "WHEELKIT_PYTHONS": joined[1]}
    lines = "\n".join(f"export {name}={shlex.quote(value)}" for name, value in variables.items())
    print(json.dumps(variables) if options.json else lines)
    return 0


def emulated(arch: str) -> Steps:
    """Return the steps of a processor under qemu."""

    def places(folder: Path) -> tuple[list[Path], list[Path]]:
        return [folder / "emulator/usr/bin"], [folder / "root"]

    return qemu.missing, lambda folder: qemu.prepare(arch, folder), places


TABLE: dict[str, Steps] = {
    **{arch: emulated(arch) for arch in qemu.ARCHS},
    "wine": (wine.missing, wine.prepare, lambda folder: ([folder / "bin"], [folder / "python"])),
    "pyodide": (pyodide.missing, pyodide.prepare, lambda folder: ([], [folder / "package"])),
    "musl": (musl.missing, musl.prepare, lambda folder: ([], [folder / "python"])),
}


def say(text: str, code: int) -> int:
    """Print to standard error and return the exit code."""
    print(f"emulation: {text}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
