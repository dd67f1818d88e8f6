#!/usr/bin/env python3
"""An aarch64 Python that runs on this machine: Debian's own arm64 packages under qemu's user-mode emulation.

    python3 ci/aarch64.py            unpack it unless it is there, and print its command, one word a line
    python3 ci/aarch64.py --json     the same as a JSON list
    python3 ci/aarch64.py --run -c 'import platform; print(platform.machine())'

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

from debian import ERRORS, fetch, kept, problem_of, unpack

PACKAGES = ("python3", "libpython3-stdlib")
EMULATOR_PACKAGE, EMULATOR = "qemu-user-static", "qemu-aarch64-static"
COMPLETE = "complete"
MISSING = 3


def main() -> int:
    """Parse the command line, make the folder, and print or run the command."""
    parser = argparse.ArgumentParser(description="Make an aarch64 Python that runs under emulation.")
    parser.add_argument(
        "--folder", type=Path, default=kept("aarch64"), help="where it is kept (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print the command as a JSON list")
    parser.add_argument(
        "--run", nargs=argparse.REMAINDER, metavar="ARG", help="start that Python with these arguments"
    )
    options = parser.parse_args()
    missing = [name for name in ("apt-get", "dpkg-deb") if shutil.which(name) is None]
    if missing:
        return say(f"{' and '.join(missing)} not found: this needs Debian or a system made from it", MISSING)
    try:
        command = prepare(options.folder)
    except ERRORS as error:
        return say(problem_of(error, options.folder), 1)
    if options.run is not None:
        return subprocess.run([*command, *options.run], check=False).returncode
    print(json.dumps(command) if options.json else "\n".join(command))
    return 0


def prepare(folder: Path) -> list[str]:
    """Fill the folder unless it is complete; returns the command that starts its Python."""
    if not (folder / COMPLETE).exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        unpack(fetch(folder / "arm64", PACKAGES, architecture="arm64"), folder / "root")
        if shutil.which(EMULATOR) is None:
            unpack(fetch(folder / "host", (EMULATOR_PACKAGE,), alone=True), folder / "emulator")
            for other in (folder / "emulator/usr/bin").iterdir():
                if other.name != EMULATOR:
                    other.unlink()  # there is one per processor, 5 MB each
        for downloads in ("arm64", "host"):
            shutil.rmtree(folder / downloads, ignore_errors=True)
        (folder / COMPLETE).touch()
    return command_in(folder)


def command_in(folder: Path) -> list[str]:
    """Find emulator and Python in the folder."""
    emulator = shutil.which(EMULATOR) or next(
        iter(map(str, folder.glob(f"emulator/usr/bin/{EMULATOR}"))), None
    )
    pythons = sorted(path for path in folder.glob("root/usr/bin/python3.*") if path.name[8:].isdigit())
    if emulator is None or not pythons:
        missing = "emulator" if emulator is None else "Python"
        message = f"{folder} has no {missing}; remove the folder, then run this again"
        raise LookupError(message)
    return [emulator, "-L", str(folder / "root"), str(pythons[-1])]


def say(text: str, code: int) -> int:
    """Print to standard error and return the exit code."""
    print(f"aarch64: {text}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
