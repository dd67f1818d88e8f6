"""What runs inside an environment: it imports modules and loads entry points, and says a line before and after each."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.smoke.model import Failure

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping

    from wheelkit.machine.process import Completed
    from wheelkit.smoke.install import InstallTarget
    from wheelkit.smoke.model import Package


_MARK = "wheelkit-probe "
_TRACE_LINES = 12

# Any Python from 3.8 on runs this, with -I: neither the current folder nor the user's own packages are on its path. It imports next to
# nothing by itself: what it had imported, a module under test could forget to.
SCRIPT = r"""
import os, sys
def load(name):
    __import__(name)  # which leaves Python's own frames out of the traceback
    return sys.modules[name]
def say(**what):
    sys.stdout.write("\n" + MARK + ascii(what) + "\n"); sys.stdout.flush()
home = os.path.realpath(sys.prefix) + os.sep
words = iter(sys.argv[1:])
sys.argv = sys.argv[:1]
for kind, name, target in zip(words, words, words):
    say(began=[kind, name])
    try:
        if kind == "import":
            module = load(name)
            places = [getattr(module, "__file__", None)] if getattr(module, "__file__", None) else list(getattr(module, "__path__", []))
            away = [place for place in places if not os.path.realpath(place).startswith(home)]
            builtin = not places
            if name.partition(".")[0] in getattr(sys, "stdlib_module_names", ()) and (builtin or away):
                say(failed=[kind, name], type="Shadowed", error="Python found its own standard module of that name first", trace="")
            elif away:
                say(failed=[kind, name], type="Elsewhere", error="it was found outside the environment: " + away[0], trace="")
        else:
            value = load(target.split(":")[0].strip())
            for part in target.partition("[")[0].strip().partition(":")[2].split("."):
                value = getattr(value, part.strip()) if part.strip() else value
    except BaseException as error:
        import traceback
        say(failed=[kind, name], type=type(error).__name__, error=str(error), trace=traceback.format_exc())
    say(ended=[kind, name])
""".replace("MARK", repr(_MARK))


class ProbeFailure(Struct, frozen=True, kw_only=True):
    """What the probe saw: the check, the exception's type and words, and its traceback."""

    check: str
    kind: str
    error: str
    trace: str


def probe_questions(packages: Iterable[Package], shown: Container[str] = ()) -> list[tuple[str, str, str]]:
    """List what is tried: every module that is not ``shown`` already, every extension, and every entry point that needs no extra."""
    asked: list[tuple[str, str, str]] = []
    for one in packages:
        asked += [("import", name, "") for name in one.tried if name not in shown]
        asked += [
            ("entry point", f"{group}:{name}", target)
            for group, name, target in one.entries
            if "[" not in target
        ]
    return asked


def probe_arguments(asked: Iterable[tuple[str, str, str]]) -> tuple[str, ...]:
    """Write the questions as the script's arguments, three for each."""
    return tuple(word for question in asked for word in question)


def parse_answers(done: Completed) -> Iterator[ProbeFailure]:
    """Read what failed; a probe that died or ran out of time names what it was at."""
    from ast import literal_eval

    began = ""
    for line in done.output.splitlines():
        if not line.startswith(_MARK):
            continue
        told = literal_eval(line.removeprefix(_MARK))
        if "began" in told:
            began = " ".join(told["began"])
        elif "ended" in told:
            began = ""
        else:
            yield ProbeFailure(
                check=" ".join(told["failed"]), kind=told["type"], error=told["error"], trace=told["trace"]
            )
    if done.returncode != 0:
        how = (
            "did not come to an end in time"
            if done.timed_out
            else f"ended Python itself, with exit status {done.returncode}"
        )
        yield ProbeFailure(check=began or "the probe", kind="Crash", error=how, trace=done.output)


def raised(check: str, done: Completed) -> ProbeFailure | None:
    """Read the failed import that ended a program, off the last line of what Python printed; None where it was something else."""
    last = done.output.rstrip().rpartition("\n")[2]
    kind, _, error = last.partition(": ")
    return (
        ProbeFailure(check=check, kind=kind, error=error, trace=done.output)
        if kind in {"ImportError", "ModuleNotFoundError"}
        else None
    )


def plain(trouble: ProbeFailure) -> Failure:
    """Tell of a trouble without further explanation."""
    words = (
        trouble.error
        if trouble.kind in {"Crash", "Elsewhere", "Shadowed"}
        else f"{trouble.kind}: {trouble.error}"
    )
    return Failure(
        check=trouble.check, what=words, detail="\n".join(trouble.trace.strip().splitlines()[-_TRACE_LINES:])
    )


# One program with plain words: the exit status of anything else need not be the first word's.
_PLAIN = re.compile(r"[\w.+-]+(?: +[\w./:=,@+-]+)*")


def run_results(commands: Iterable[str], scripts: Mapping[str, str], place: InstallTarget) -> dict[str, str]:
    """Choose those console scripts that commands which went well have started, each with the module that it imported."""
    words = {command.split()[0] for command in commands if _PLAIN.fullmatch(command.strip())}
    return {
        name: module
        for name, module in scripts.items()
        if name in words and _imports(Path(place.script(name)), module)
    }


def import_results(modules: Iterable[str]) -> frozenset[str]:
    """Name the modules with the packages that hold them; not those that a standard module may have stood in for."""
    names = (
        module.split(".") for module in modules if module.partition(".")[0] not in sys.stdlib_module_names
    )
    return frozenset(".".join(parts[: number + 1]) for parts in names for number in range(len(parts)))


def _imports(script: Path, module: str) -> bool:
    """Tell whether a script is the installer's own for this module; one of Windows cannot be read, and proves nothing."""
    try:
        return (
            re.search(rf"^from {re.escape(module)} import ", script.read_text(encoding="utf-8"), re.MULTILINE)
            is not None
        )
    except (OSError, ValueError):
        return False
