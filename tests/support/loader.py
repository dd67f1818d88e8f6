"""The loader of this machine as an oracle: what it loads, refuses and looks for."""

import os
import platform
import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# Opens a library as CPython opens an extension module, and looks for its init function.
OPENER = r"""
#include <dlfcn.h>
#include <stdio.h>
int main(int count, char **arguments)
{
    (void)count;
    void *library = dlopen(arguments[1], RTLD_NOW);
    if (library == NULL) {
        printf("%s\n", dlerror());
        return 1;
    }
    if (dlsym(library, arguments[2]) == NULL) {
        printf("%s\n", dlerror());
        return 2;
    }
    fflush(stdout);
    _Exit(0);
}
"""
_CHECKED = re.compile(r"checking for version `(.*?)' in file (\S+) \[\d+\] required by file (\S+) \[")
_NEEDED = re.compile(r"file=(\S+) \[\d+\];\s+needed by (\S+) \[")
_FOUND = re.compile(r"calling init: (\S+)")


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What the loader did with a file. `refusal` is empty if it was loaded with its init function."""

    refusal: str
    versions: tuple[tuple[str, str], ...]
    """File name of the library and version, in the order in which they were compared."""
    needed: tuple[str, ...]
    """Names that were looked for, without those that were loaded before, such as libc.so.6."""
    loaded: tuple[str, ...]
    """Paths of what was loaded."""


def glibc_version() -> tuple[int, ...] | None:
    """Return the version of this machine's glibc; None if it has another C library."""
    name, version = platform.libc_ver()
    return tuple(map(int, version.split("."))) if name == "glibc" else None


def build(path: Path, source: str, options: Sequence[str] = (), compiler: Sequence[str] = ("cc",)) -> Path:
    """Compile C source to a file."""
    command = [*compiler, "-x", "c", "-", "-x", "none", *options, "-o", str(path)]
    subprocess.run(command, input=source, text=True, check=True, capture_output=True)
    return path


def build_opener(folder: Path) -> Path:
    """Compile the program; like an interpreter, it has loaded the mathematical library."""
    return build(folder / "opener", OPENER, ["-Wl,--no-as-needed", "-lm"])


def load(opener: Path, library: Path, symbol: str) -> Outcome:
    """Load a library in a process of its own."""
    environment = {"LD_DEBUG": "versions,files", "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [str(opener), str(library), symbol],
        env=environment,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=60,
        cwd=opener.parent,
    )
    own = str(library)
    versions = [
        (Path(file).name, version) for version, file, by in _CHECKED.findall(done.stderr) if by == own
    ]
    needed = [name for name, by in _NEEDED.findall(done.stderr) if by == own]
    assertion = next((line for line in done.stderr.splitlines() if "Assertion" in line), "")
    code = done.returncode
    refusal = "" if code == 0 else done.stdout.strip() or assertion or f"ended with {code}"
    return Outcome(
        refusal=refusal,
        versions=tuple(versions),
        needed=tuple(needed),
        loaded=tuple(_FOUND.findall(done.stderr)),
    )
