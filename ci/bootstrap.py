#!/usr/bin/env python3
"""Set wheelkit up in a fresh checkout, then build and verify its wheel or run all checks.

    python3 ci/bootstrap.py build      set up, build wheelkit's own native wheel with wheelkit, and verify it
    python3 ci/bootstrap.py test       set up, then run lints, C tests with sanitizers, fuzzing, Python tests

Needs Python 3.11 or newer with its headers, and a C compiler; everything else goes into .venv. ``test`` also
installs the Debian packages that the container tests and the sanitizers need, when run by root on Debian.

Exit codes: 0 fine, 1 a step failed, 2 wrong usage, 3 something is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
OLDEST = (3, 11)
NO_IMAGE = 3
DEBIAN_PACKAGES = ("gcc", "g++", "clang", "libclang-rt-dev", "git", "make", "gfortran", "chromium")
# Needed as well when Debian's own Python runs this.
DEBIAN_PYTHON_PACKAGES = ("python3-dev", "python3-venv")


def main() -> int:
    """Parse the command line and run one of the two jobs."""
    parser = argparse.ArgumentParser(
        description="Set wheelkit up in .venv and run its main job or its tests."
    )
    jobs = parser.add_subparsers(dest="job", required=True)
    jobs.add_parser("build", help="build wheelkit's own native wheel with wheelkit and verify it")
    test = jobs.add_parser("test", help="lints, C tests, fuzzing, Python tests")
    test.add_argument("--quick", action="store_true", help="only lints and tests/unit")
    test.add_argument(
        "pytest", nargs="*", help="arguments for pytest, after --: -- -n1 tests/unit/test_matrix.py"
    )
    options = parser.parse_args()
    if sys.version_info < OLDEST:
        running = sys.version.split()[0]
        say(f"this is Python {running}; wheelkit needs 3.11 or newer: run it as python3.11 ci/bootstrap.py …")
        return 3
    if options.job == "build":
        return build()
    return run_tests(options.pytest, quick=options.quick)


def build() -> int:
    """Install wheelkit, build its own wheel with it, and verify the result."""
    require_toolchain()
    environment()
    install_wheelkit()
    wheelkit = [str(PYTHON), "-m", "wheelkit"]
    image = offline_image()
    code = call("Building wheelkit with wheelkit", [*wheelkit, "build", "--native"], env=image)
    if code == NO_IMAGE and not image:
        say("no container can be used here, so the host builder takes over")
        code = call("Building wheelkit with wheelkit", [*wheelkit, "build", "--native", "--builder", "host"])
    return code or call("Verifying it", [*wheelkit, "verify-matrix", "dist", "--native"])


def run_tests(arguments: list[str], *, quick: bool) -> int:
    """Run all checks of the repository; pytest comes last, so that its summary ends the output."""
    if not quick:
        debian_packages()
    require_toolchain()
    environment()
    image = {} if quick else offline_image(make=True)
    uv_install("Installing the development tools", "--group", "dev")
    install_wheelkit()
    steps = [*lints(), *([] if quick else c_tests())]
    for title, command in steps:
        if code := call(title, command):
            say(f"{title}: exit status {code}")
            return 1
    named = any((ROOT / argument.partition("::")[0]).exists() for argument in arguments)
    where = [] if named else ["tests/unit"] if quick else ["tests"]
    workers = [] if any(argument.startswith("-n") for argument in arguments) else ["-n", "2"]
    left_out = [] if quick or image else ["-m", "not container and not slow"]
    if left_out and os.environ.get("CI"):
        stop("CI has to run the container tests, and the test image cannot be made here", 1)
    return call(
        "Running the tests",
        [str(PYTHON), "-m", "pytest", *workers, *left_out, *arguments, *where],
        env=image,
    )


def lints() -> list[tuple[str, list[str]]]:
    """List the static checks: style, types, floors."""
    return [
        ("Linting", [tool("ruff"), "check", "."]),
        ("Checking the format", [tool("ruff"), "format", "--check", "."]),
        ("Checking the C format", [tool("clang-format"), "--dry-run", "--Werror", *c_files()]),
        ("Checking types", [tool("mypy")]),
        ("Checking the floors", [tool("lint-imports"), "--no-logo"]),
    ]


def c_files() -> list[str]:
    """List the C sources and headers, without generated ones."""
    folders = (ROOT / "include", ROOT / "src", ROOT / "tests" / "c")
    return sorted(str(path) for folder in folders for path in folder.rglob("*.[ch]*"))


def c_tests() -> list[tuple[str, list[str]]]:
    """Return the C checks: builds with -Werror by gcc and clang, tests under ASan and UBSan, fuzzing."""
    return [("Testing the C core", ["sh", str(ROOT / "ci" / "c-tests.sh")])]


def require_toolchain() -> None:
    """Exit with 3 unless there are a C compiler and Python's headers, which an extension module needs."""
    compilers = (os.environ.get("CC", "").split(" ")[0], "cc", "gcc", "clang")
    if os.name != "nt" and not any(name and shutil.which(name) for name in compilers):
        stop(
            "no C compiler was found (looked for $CC, cc, gcc, clang)\n"
            "   Debian, Ubuntu:  apt install gcc libc6-dev\n   Fedora:          dnf install gcc\n"
            "   macOS:           xcode-select --install",
            3,
        )
    header = Path(sysconfig.get_path("include"), "Python.h")
    if not header.is_file():
        version = "{}.{}".format(*sys.version_info)
        stop(
            f"the headers of Python {version} were not found ({header})\n"
            "   Debian, Ubuntu:  apt install python3-dev\n   Fedora:          dnf install python3-devel",
            3,
        )


def environment() -> None:
    """Make .venv and put uv into it."""
    if not PYTHON.exists():
        code = call("Making .venv", [sys.executable, "-m", "venv", str(VENV)])
        if code:
            shutil.rmtree(VENV, ignore_errors=True)
            stop("python -m venv failed; on Debian and Ubuntu: apt install python3-venv", 3)
    if not (BIN / "uv").exists() and not (BIN / "uv.exe").exists():
        require(call("Installing uv", [str(PYTHON), "-m", "pip", "install", "--quiet", "uv"]))


def install_wheelkit() -> None:
    """Build and install wheelkit as users get it, ignoring what uv has cached of this folder."""
    # Compile bytecode, as pip does: without it, each start of a program that may not write bytecode is slow.
    uv_install(
        "Installing wheelkit",
        "--compile-bytecode",
        "--reinstall-package",
        "wheelkit",
        "--refresh-package",
        "wheelkit",
        str(ROOT),
    )


def uv_install(title: str, *arguments: str) -> None:
    """Install into .venv with uv."""
    command = [tool("uv"), "pip", "install", "--quiet", "--python", str(PYTHON), *arguments]
    say(f"{title} …")
    done = subprocess.run(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, errors="replace", check=False)
    if done.returncode and "UnknownIssuer" in done.stderr and "UV_SYSTEM_CERTS" not in os.environ:
        say("uv does not know the issuer of this network's certificates; trying again with the system's")
        os.environ["UV_SYSTEM_CERTS"] = "1"
        done = subprocess.run(command, cwd=ROOT, check=False)
    elif done.stderr:
        print(done.stderr, end="", file=sys.stderr)
    require(done.returncode)


def debian_packages() -> None:
    """Install the compilers and sanitizer runtimes that the tests need, where that is possible."""
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        return
    listed = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${Status}\n"], capture_output=True, text=True, check=False
    )
    installed = {
        line.split()[0] for line in listed.stdout.splitlines() if line.endswith("install ok installed")
    }
    wanted = DEBIAN_PACKAGES + (DEBIAN_PYTHON_PACKAGES if sys.prefix == "/usr" else ())
    missing = [name for name in wanted if name not in installed]
    if missing:
        require(call("Updating the package list", ["apt-get", "-q", "update"], quiet=True))
        command = ["apt-get", "-q", "install", "--yes", "--no-install-recommends", *missing]
        require(call(f"Installing {' '.join(missing)}", command, quiet=True))


def offline_image(*, make: bool = False) -> dict[str, str]:
    """Return the variables with which cibuildwheel uses the test image, if it exists; ``make`` builds it."""
    flags = ["--install"] if make and hasattr(os, "geteuid") and os.geteuid() == 0 else []
    if not make:
        flags = ["--if-standing"]
    if sys.platform != "linux":
        return {}
    command = [sys.executable, str(ROOT / "ci" / "image.py"), "--json", *flags]
    if make:
        say("Making the test image")
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=None if make else subprocess.DEVNULL, check=False
    )
    if done.returncode != 0:
        if make:
            say("the test image cannot be made here, so the tests that need a container are left out")
        return {}
    values: dict[str, str] = json.loads(done.stdout)
    return values


def tool(name: str) -> str:
    """Return the path of a program in .venv."""
    return str(BIN / (f"{name}.exe" if os.name == "nt" else name))


def call(title: str, command: list[str], *, env: dict[str, str] | None = None, quiet: bool = False) -> int:
    """Run one step, with its title before and its time after; returns its exit status."""
    say(f"{title} …")
    started = time.monotonic()
    output = subprocess.DEVNULL if quiet else None
    path = os.pathsep.join([str(BIN), os.environ.get("PATH", os.defpath)])
    code = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PATH": path, **(env or {})}, stdout=output, check=False
    ).returncode
    say(f"{title}: {time.monotonic() - started:.1f} s")
    return code


def require(code: int) -> None:
    """Stop when a step of the set-up failed."""
    if code:
        stop("the set-up failed; the lines above say why", 1)


def stop(message: str, code: int) -> None:
    """Print why, and exit."""
    say(message)
    sys.exit(code)


def say(text: str) -> None:
    """Print a line to standard error at once, in order with the output of the steps."""
    print(f"-- {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
