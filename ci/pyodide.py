#!/usr/bin/env python3
"""Pyodide, CPython 3.14 for WebAssembly, for node on this machine: npm's package, pinned by sha256.

    python3 ci/pyodide.py            unpack it unless it is there, and print its folder

Needs npm; node runs it. The package (6 MB) is unpacked into a folder (--folder, by default in the user's
cache), and nothing is installed.

Exit codes: 0 fine, 1 a step failed, 2 wrong usage, 3 something is missing.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import sys
from pathlib import Path

from debian import ERRORS, call, kept, problem_of, to_fill

PACKAGE = "pyodide@314.0.8"
SHA256 = "9a52704e0ae5b07aaacb8e4fed9f1658e8024694a078695ea45ac79dee4cefcb"
MISSING = 3


def main() -> int:
    """Parse the command line, make the folder, and print it."""
    parser = argparse.ArgumentParser(description="Unpack Pyodide for node.")
    parser.add_argument(
        "--folder", type=Path, default=kept("pyodide"), help="where it is kept (default: %(default)s)"
    )
    folder: Path = parser.parse_args().folder.absolute()
    if problem := missing():
        return say(problem, MISSING)
    try:
        prepare(folder)
    except ERRORS as error:
        return say(problem_of(error, folder), 1)
    print(folder / "package")
    return 0


def missing() -> str:
    """Return what this machine lacks, or an empty string."""
    programs = [name for name in ("node", "npm") if shutil.which(name) is None]
    return f"{' and '.join(programs)} not found: apt install nodejs npm" if programs else ""


def prepare(folder: Path) -> None:
    """Fill the folder unless it is complete; raises LookupError for another package than the pinned one."""
    with to_fill(folder) as empty:
        if empty:
            call(["npm", "pack", "--silent", PACKAGE], folder)
            (archive,) = folder.glob("*.tgz")
            if hashlib.sha256(archive.read_bytes()).hexdigest() != SHA256:
                message = f"npm's {PACKAGE} is not the pinned file: its sha256 differs"
                raise LookupError(message)
            call(["tar", "--extract", "--file", str(archive)], folder)
            archive.unlink()


def say(text: str, code: int) -> int:
    """Print to standard error and return the exit code."""
    print(f"pyodide: {text}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
