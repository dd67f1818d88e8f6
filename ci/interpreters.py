#!/usr/bin/env python3
"""CPython 3.14 and 3.15 for tests on Linux: Debian's own packages, made to run from a folder.

    python3 ci/interpreters.py              print where they are, one a line: 3.15  /path/bin/python3.15
    python3 ci/interpreters.py --install    first unpack them, unless they are there
    python3 ci/interpreters.py --json       the same as a JSON object

The packages (35 MB) come from the mirror that apt is configured for, of the suite that has these versions.
Nothing is installed, and no root is needed. Each interpreter can compile extension modules and create
environments; uv and wheelkit find it if its folder is in PATH.

Exit codes: 0 fine, 1 a step failed, 2 wrong usage, 3 something is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from pathlib import Path

from debian import ERRORS, call, fetch, kept, problem_of, unpack

SUITE = "forky"
VERSIONS = ("3.14", "3.15")
PARTS = ("python{}-minimal", "libpython{}-minimal", "libpython{}-stdlib", "libpython{}-dev")
# What the interpreters and their standard library link.
LIBRARIES = (
    "libc6", "libgcc-s1", "libexpat1", "zlib1g", "libzstd1", "libssl3t64", "libbz2-1.0", "libffi8",
    "liblzma5", "libsqlite3-0", "libuuid1",
)  # fmt: skip
TOOLS = ("apt-get", "dpkg-deb", "patchelf")
COMPLETE = "complete"
MISSING = 3
LOADERS = {"x86_64": "lib64/ld-linux-x86-64.so.2", "aarch64": "lib/ld-linux-aarch64.so.1"}


def main() -> int:
    """Parse the command line, unpack the interpreters if asked to, and print where they are."""
    parser = argparse.ArgumentParser(description="Unpack CPython 3.14 and 3.15 from Debian's packages.")
    parser.add_argument(
        "--folder", type=Path, default=kept("interpreters"), help="where they are kept (default: %(default)s)"
    )
    parser.add_argument("--install", action="store_true", help="unpack them unless they are there")
    parser.add_argument("--json", action="store_true", help="print a JSON object")
    options = parser.parse_args()
    folder: Path = options.folder.absolute()
    if not (folder / COMPLETE).exists():
        if not options.install:
            return say("they are not here yet; run this with --install", MISSING)
        try:
            install(folder)
        except ERRORS as error:
            return say(problem_of(error, folder), MISSING if isinstance(error, LookupError) else 1)
    pythons = {version: str(folder / f"root/usr/bin/python{version}") for version in VERSIONS}
    print(json.dumps(pythons) if options.json else "\n".join(map("  ".join, pythons.items())))
    return 0


def install(folder: Path) -> None:
    """Fill the folder from the packages; raises LookupError if this machine lacks what that needs."""
    machine = os.uname().machine
    loader = LOADERS.get(machine)
    if loader is None:
        message = f"the loader of {machine} is not known here; known: {', '.join(LOADERS)}"
        raise LookupError(message)
    search = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)))
    missing = [name for name in TOOLS if shutil.which(name, path=search) is None]
    if missing:
        message = f"{' and '.join(missing)} not found: this needs Debian, or a system like it, and patchelf"
        raise LookupError(message)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    packages = [part.format(version) for version in VERSIONS for part in PARTS]
    archives = fetch(folder / "apt", [*packages, *LIBRARIES], suite=SUITE, alone=True)
    unpack(archives, folder / "root")
    for version in VERSIONS:
        make_prefix(folder / "root", version, loader, str(shutil.which("patchelf", path=search)))
    shutil.rmtree(folder / "apt")
    # What was unpacked, for whoever compares two machines.
    (folder / COMPLETE).write_text("\n".join(archive.name for archive in archives) + "\n")


def make_prefix(root: Path, version: str, loader: str, patchelf: str) -> None:
    """Make an interpreter run with the C library of its own suite, and let installers write beside it."""
    python = root / f"usr/bin/python{version}"
    libraries = next(root.glob("usr/lib/*-linux-*"))
    search = ("--force-rpath", "--set-rpath", str(libraries))
    call([patchelf, "--set-interpreter", str(root / loader), *search, str(python)])
    (root / f"usr/lib/python{version}/EXTERNALLY-MANAGED").unlink(missing_ok=True)
    # Compilers look for the processor's own pyconfig.h below the folder that they are given.
    (root / f"usr/include/python{version}/{libraries.name}").symlink_to(f"../{libraries.name}")
    call([str(python), "-c", "import ctypes, ssl, zlib, sysconfig"])


def say(text: str, code: int) -> int:
    """Print to standard error and return the exit code."""
    print(f"interpreters: {text}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
