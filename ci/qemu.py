#!/usr/bin/env python3
"""Pythons of other processors that run on this machine: Debian's packages under qemu's user-mode emulation.

    python3 ci/qemu.py s390x            unpack it unless it is there, and print its command, one word a line
    python3 ci/qemu.py aarch64 --json   the same as a JSON list
    python3 ci/qemu.py aarch64 --run -c 'import platform; print(platform.machine())'

Needs apt-get and dpkg-deb, but no root: some 50 packages (80 MB) are downloaded from the machine's own apt
sources and unpacked into a folder (--folder, by default in the user's cache). Nothing is installed, and
wheels are only run with it, never built.

Exit codes: 0 fine, 1 a step failed, 2 wrong usage, 3 something is missing.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path

from debian import ERRORS, fetch, kept, problem_of, to_fill, unpack

# For each processor, as wheels and qemu call it: Debian's name, and the suite if the machine's own lacks it.
ARCHS = {
    "aarch64": ("aarch64", "arm64", ""),
    "armv7l": ("arm", "armhf", ""),
    "ppc64le": ("ppc64le", "ppc64el", ""),
    "riscv64": ("riscv64", "riscv64", "trixie"),
    "s390x": ("s390x", "s390x", ""),
}
PACKAGES = ("python3", "libpython3-stdlib", "libstdc++6")
EMULATOR_PACKAGE = "qemu-user-static"
MISSING = 3


def main() -> int:
    """Parse the command line, make the folder, and print or run the command."""
    parser = argparse.ArgumentParser(
        description="Make a Python of another processor that runs under emulation."
    )
    parser.add_argument("arch", choices=ARCHS)
    parser.add_argument("--folder", type=Path, help="where it is kept (default: in the user's cache)")
    parser.add_argument("--json", action="store_true", help="print the command as a JSON list")
    parser.add_argument(
        "--run", nargs=argparse.REMAINDER, metavar="ARG", help="start that Python with these arguments"
    )
    options = parser.parse_args()
    folder: Path = (options.folder or kept(options.arch)).absolute()
    if problem := missing():
        return say(problem, MISSING)
    try:
        command = prepare(options.arch, folder)
    except ERRORS as error:
        return say(problem_of(error, folder), 1)
    if options.run is not None:
        return subprocess.run([*command, *options.run], check=False).returncode
    print(json.dumps(command) if options.json else "\n".join(command))
    return 0


def missing() -> str:
    """Return what this machine lacks, or an empty string."""
    programs = [name for name in ("apt-get", "dpkg-deb") if shutil.which(name) is None]
    return (
        f"{' and '.join(programs)} not found: this needs Debian or a system made from it" if programs else ""
    )


def prepare(arch: str, folder: Path) -> list[str]:
    """Fill the folder unless it is complete; returns the command that starts its Python."""
    qemu, debian, suite = ARCHS[arch]
    program = f"qemu-{qemu}-static"
    with to_fill(folder) as empty:
        if empty:
            archives = fetch(folder / "packages", PACKAGES, architecture=debian, suite=suite)
            unpack(archives, folder / "root")
            if shutil.which(program) is None:
                unpack(fetch(folder / "host", (EMULATOR_PACKAGE,), alone=True), folder / "emulator")
                for other in (folder / "emulator/usr/bin").iterdir():
                    if other.name != program:
                        other.unlink()  # there is one per processor, 5 MB each
            for downloads in ("packages", "host"):
                shutil.rmtree(folder / downloads, ignore_errors=True)
    return command_in(folder, program)


def command_in(folder: Path, program: str) -> list[str]:
    """Find emulator and Python in the folder."""
    emulator = shutil.which(program) or next(iter(map(str, folder.glob(f"emulator/usr/bin/{program}"))), None)
    pythons = sorted(path for path in folder.glob("root/usr/bin/python3.*") if path.name[8:].isdigit())
    if emulator is None or not pythons:
        absent = "emulator" if emulator is None else "Python"
        message = f"{folder} has no {absent}; remove the folder, then run this again"
        raise LookupError(message)
    return [emulator, "-L", str(folder / "root"), str(pythons[-1])]


def say(text: str, code: int) -> int:
    """Print to standard error and return the exit code."""
    print(f"qemu: {text}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
