"""The script that runs inside an environment: it imports modules and loads entry points, and reports each."""

from __future__ import annotations

from ast import literal_eval
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from msgspec import MsgspecError, Struct, convert

from wheelkit.smoke.model import Failure

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from wheelkit.machine.process import Completed
    from wheelkit.smoke.model import Package


_MARK = "wheelkit-probe "
_TRACEBACK_LINES = 12

# Runs on any Python from 3.8 on, with -I: neither the current folder nor user packages are on its path. It
# imports next to nothing, so that a module under test cannot rely on it for an import that it forgot.
SCRIPT = r"""
import os, sys
def load(name):
    __import__(name)  # unlike importlib, leaves Python's own frames out of the traceback
    return sys.modules[name]
def report(**line):
    sys.stdout.write("\n" + MARK + ascii(line) + "\n"); sys.stdout.flush()
def library(error):  # for ctypes or cffi, although it is named like an extension module
    path = getattr(error, "path", None)
    if not path or "module export function" not in str(error):
        return False
    with open(path, "rb") as file:
        data = file.read()
    return b"PyInit" not in data and b"PyModExport" not in data
home = os.path.realpath(sys.prefix) + os.sep
words = iter(sys.argv[1:])
sys.argv = sys.argv[:1]
for kind, name, target in zip(words, words, words):
    check = kind + " " + name
    report(started=check)
    try:
        if kind == "import":
            module = load(name)
            file = getattr(module, "__file__", None)
            files = [file] if file else list(getattr(module, "__path__", []))
            outside = [file for file in files if not os.path.realpath(file).startswith(home)]
            if name.partition(".")[0] in getattr(sys, "stdlib_module_names", ()) and (outside or not files):
                report(check=check, kind="shadowed", error="a standard library module has the same name")
            elif outside:
                report(check=check, kind="outside", error="found outside the environment: " + outside[0])
        else:
            value = load(target.split(":")[0].strip())
            for part in target.partition("[")[0].strip().partition(":")[2].split("."):
                value = getattr(value, part.strip()) if part.strip() else value
    except BaseException as error:
        if not library(error):
            import traceback
            exception, lines = type(error).__name__, traceback.format_exc()
            report(check=check, kind="raised", exception=exception, error=str(error), traceback=lines)
    report(ended=check)
""".replace("MARK", repr(_MARK))


class ProbeCheck(NamedTuple):
    """A module to import or an entry point to load, as the script takes it: three arguments."""

    kind: str
    name: str
    target: str = ""


class FailureKind(StrEnum):
    """How a check of the probe fails."""

    RAISED = "raised"
    CRASHED = "crashed"
    SHADOWED = "shadowed"
    OUTSIDE = "outside"


class ProbeFailure(Struct, frozen=True, kw_only=True):
    """A failed check: its name, the error, and the type and traceback of the exception, if there is one."""

    check: str
    kind: FailureKind = FailureKind.RAISED
    exception: str = ""
    error: str
    traceback: str = ""

    def failure(self) -> Failure:
        """Return the failure without an explanation."""
        lines = self.traceback.strip().splitlines()[-_TRACEBACK_LINES:]
        what = f"{self.exception}: {self.error}" if self.exception else self.error
        return Failure(check=self.check, what=what, detail="\n".join(lines))


def probe_checks(packages: Iterable[Package]) -> list[ProbeCheck]:
    """List what to check: every module and extension, and every entry point that needs no extra."""
    checks: list[ProbeCheck] = []
    for package in packages:
        checks += [ProbeCheck("import", module) for module in package.modules_to_import]
        checks += [
            ProbeCheck("entry point", f"{group}:{name}", target)
            for group, name, target in package.entry_points
            if "[" not in target
        ]
    return checks


def parse_report(completed: Completed) -> Iterator[ProbeFailure]:
    """Return the reported failures, and the check in which the script ended before it was done."""
    running = "the probe"
    for line in completed.output.splitlines():
        if not line.startswith(_MARK):
            continue
        report = _parse_line(line)
        if isinstance(report, ProbeFailure):
            yield report
        else:
            # A module may end Python with status 0 too, and the checks behind it never run.
            running = report.get("started", "")
    if completed.returncode != 0 or running:
        yield ProbeFailure(
            check=running or "the probe",
            kind=FailureKind.CRASHED,
            error="timed out" if completed.timed_out else _crash(completed),
            traceback=completed.output,
        )


def _crash(completed: Completed) -> str:
    if completed.cut_off:
        return f"Python {completed.ending}"
    return f"ended Python with exit status {completed.returncode}"


def _parse_line(line: str) -> ProbeFailure | dict[str, str]:
    """Return what the script reported; a module under test may print a line that looks like a report."""
    try:
        report = literal_eval(line.removeprefix(_MARK))
        if len(report) == 1:
            return convert(report, dict[str, str])
        return convert(report, ProbeFailure)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError, MsgspecError):
        return ProbeFailure(check="the probe", error="a module prints lines of the form that the probe uses")


def import_error(check: str, completed: Completed) -> ProbeFailure | None:
    """Return the failed import that ended a program, read from its last line; None for other errors."""
    exception, _, error = completed.output.rstrip().rpartition("\n")[2].partition(": ")
    if exception not in {"ImportError", "ModuleNotFoundError"}:
        return None
    return ProbeFailure(check=check, exception=exception, error=error, traceback=completed.output)
