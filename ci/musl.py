#!/usr/bin/env python3
"""CPython 3.13 on musl that runs on this machine: Debian's musl, and Python's source from Debian.

    python3 ci/musl.py           build it unless it is there, and print its path (some minutes)

Needs apt-get and dpkg-deb (no root), gcc and make, on x86_64. The packages and sources come from the mirror
that apt is configured for, which checks their sha256. Everything is built in a folder (--folder, by default
in the user's cache), nothing installed. This Python has zlib, but neither ctypes, OpenSSL nor SQLite.

Exit codes: 0 fine, 1 a step failed, 2 wrong usage, 3 something is missing.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import sys
from pathlib import Path

from debian import ERRORS, call, fetch, fetch_source, kept, problem_of, to_fill, unpack

PACKAGES = ("musl", "musl-dev", "linux-libc-dev")
SUITE, SOURCE = "trixie", "python3.13"
TOOLS = ("apt-get", "dpkg-deb", "gcc", "make")
TRIPLET = "x86_64-linux-musl"
MISSING = 3
# A specs file makes gcc use another C library (its documentation, "Spec Files").
SPECS = """%rename cpp_options old_cpp_options
*cpp_options:
-nostdinc -isystem {include} -isystem {gcc}/include %(old_cpp_options)

*cc1:
%(cc1_cpu) -nostdinc -isystem {include} -isystem {gcc}/include

*link_libgcc:
-L{lib} -L{gcc}

*libgcc:
libgcc.a%s %:if-exists(libgcc_eh.a%s)

*startfile:
%{{!shared: {lib}/Scrt1.o}} {lib}/crti.o crtbeginS.o%s

*endfile:
crtendS.o%s {lib}/crtn.o

*link:
-dynamic-linker {loader} -rpath {lib} -nostdlib %{{shared:-shared}} %{{rdynamic:-export-dynamic}}

"""
COMPILER = """#!/bin/sh
case "$*" in
  *--print-multiarch*|*-print-multiarch*) echo {triplet} ;;
  *) exec gcc "$@" -specs {specs} ;;
esac
"""


def main() -> int:
    """Parse the command line, build the interpreter, and print its path."""
    parser = argparse.ArgumentParser(description="Build a Python that runs on musl.")
    parser.add_argument(
        "--folder", type=Path, default=kept("musl"), help="where it is kept (default: %(default)s)"
    )
    folder: Path = parser.parse_args().folder.absolute()
    if problem := missing():
        return say(problem, MISSING)
    try:
        prepare(folder)
    except ERRORS as error:
        return say(problem_of(error, folder), 1)
    print(folder / "python/bin/python3.13")
    return 0


def missing() -> str:
    """Return what this machine lacks, or an empty string."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return "this needs Linux on x86_64"
    programs = [name for name in TOOLS if shutil.which(name) is None]
    return f"{' and '.join(programs)} not found: this needs Debian with gcc and make" if programs else ""


def prepare(folder: Path) -> None:
    """Fill the folder unless it is complete."""
    with to_fill(folder) as empty:
        if empty:
            build(folder)


def build(folder: Path) -> None:
    """Fill the empty folder."""
    unpack(fetch(folder / "debs", PACKAGES, alone=True), folder / "root")
    compiler = make_compiler(folder)
    environ = {**os.environ, "CC": str(compiler)}
    jobs = f"-j{os.cpu_count() or 1}"
    zlib = unpacked_source(folder, "zlib")
    call(["./configure", "--static", f"--prefix={folder / 'zlib'}"], zlib, {**environ, "CFLAGS": "-O2 -fPIC"})
    call(["make", jobs, "libz.a"], zlib, environ)
    flags = {"ZLIB_CFLAGS": f"-I{zlib}", "ZLIB_LIBS": f"-L{zlib} -lz", "PKG_CONFIG": "false"}
    python = unpacked_source(folder, SOURCE)
    features = ("--disable-test-modules", "--with-ensurepip=no", "--without-doc-strings")
    call(["./configure", f"--prefix={folder / 'python'}", *features], python, {**environ, **flags})
    call(["make", jobs], python, environ)
    call(["make", "install"], python, environ)
    call([str(folder / "python/bin/python3.13"), "-c", "import hashlib, json, zlib"])
    for name in ("debs", "sources-zlib", f"sources-{SOURCE}"):
        shutil.rmtree(folder / name)
    shutil.rmtree(folder / "python/lib/python3.13/test", ignore_errors=True)


def make_compiler(folder: Path) -> Path:
    """Write the script that runs gcc with musl's headers and libraries, and says musl where it is asked."""
    root = folder / "root"
    lib, include = root / f"usr/lib/{TRIPLET}", root / f"usr/include/{TRIPLET}"
    # The kernel's own headers are the same for every C library.
    for name in ("linux", "asm-generic"):
        (include / name).symlink_to(root / "usr/include" / name)
    (include / "asm").symlink_to(root / "usr/include/x86_64-linux-gnu/asm")
    loader = root / "lib/ld-musl-x86_64.so.1"
    loader.unlink(missing_ok=True)
    loader.symlink_to(lib / "libc.so")
    gcc = Path(call(["gcc", "-print-file-name=libgcc.a"]).stdout.strip()).parent
    specs, compiler = folder / "musl.specs", folder / "musl-gcc"
    specs.write_text(SPECS.format(include=include, lib=lib, gcc=gcc, loader=loader))
    compiler.write_text(COMPILER.format(triplet=TRIPLET, specs=specs))
    compiler.chmod(0o755)
    return compiler


def unpacked_source(folder: Path, package: str) -> Path:
    """Download and unpack a source; returns its folder."""
    place = folder / f"sources-{package}"
    archive = fetch_source(place, package, suite=SUITE)
    call(["tar", "--extract", "--file", str(archive)], place)
    return next(path.parent for path in place.glob("*/configure"))


def say(text: str, code: int) -> int:
    """Print to standard error and return the exit code."""
    print(f"musl: {text}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
