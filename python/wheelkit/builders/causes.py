"""The cause of a failed build: the first error that a tool of the build prints, as one line, and what helps.

What each tool prints is a row of data/causes.toml. Errors that follow from the first one, and the lines in
which build tools repeat what a compiler has said, are no causes.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit import data
from wheelkit.builders.not_packed import find_not_packed
from wheelkit.errors import IndexUnavailableError, MissingToolError, ToolFailedError
from wheelkit.machine.compilers import compiler_errors
from wheelkit.machine.process import tool_error

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wheelkit.errors import WheelkitError
    from wheelkit.machine.process import Completed
    from wheelkit.project.read import Distribution


_COLOUR = re.compile(r"\x1b\[[\d;]*[A-Za-z]")
# Longer lines are command lines, in which no tool reports an error.
_LONGEST_LINE, _LONGEST_CAUSE = 2000, 300
_LINES_BEFORE, _LINES_SHOWN = 15, 12
# ninja prints the command of a failed step below this line, then what it printed.
_NINJA_FAILED = re.compile(r"^FAILED: .*\n", re.MULTILINE)
# setuptools echoes each command, and stops at the first that fails, unless an extension is optional.
_SETUPTOOLS_FAILED = re.compile(
    r"^error: [Cc]ommand '.+' (?:failed with|returned non-zero) exit ", re.MULTILINE
)
_SETUPTOOLS_COMMAND = re.compile(r"^\S+(?: \S+)* (?:-c \S+|-o \S+|/c|/DLL)(?: .*)?$", re.MULTILINE)
# How frontends and build tools tell that the build as a whole has failed.
_END = re.compile(
    r"error: (?:Failed to build|[Cc]ommand |subprocess-exited)|\s+(?:cause: |╰─▶ |├─▶ |\u00d7 )|hint: |"
    r"Traceback |ninja: build stopped|collect2: |\*\*\* |-- Configuring incomplete|.*maturin failed|"
    r"A full log can be found"
)
_TRACEBACK = re.compile(
    r"^(?P<indent>[ ]*)Traceback \(most recent call last\):\n(?P<frames>(?:(?P=indent)[ ]+.*\n|\s*\n)+)"
    r"(?P=indent)(?P<type>[A-Za-z_][\w.]*)(?:: (?P<text>.*))?$",
    re.MULTILINE,
)
_FRAME = re.compile(r'^\s*File "(?P<file>[^"]+)", line (?P<line>\d+)', re.MULTILINE)
# How backends run setup.py: its frames have no file name.
_SETUP_FRAME = re.compile(r'exec\(code, locals\(\)\).*\n(?:.*\^+\n)?\s*File "<string>", line (?P<line>\d+)')
# Exceptions that only repeat how a program ended.
_REPEATED = ("CalledProcessError", "CompileError", "LinkError", "ExecError", "BackendFailed", "SystemExit")
_MISSING_FILE = re.compile(
    r"No such file or directory: ['\"](?P<file>[^'\"]+)['\"]|^'?(?P<glob>[^'\s]+)'? doesn't match any files"
)
_NO_MODULE = re.compile(r"No module named ['\"](?P<module>[\w.]+)['\"]")


class Row(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One way in which a tool reports an error; see the head of data/causes.toml."""

    tool: str
    pattern: str
    cause: str
    hint: str = ""
    error: str = ""
    weak: bool = False


class Cause(Struct, frozen=True, kw_only=True):
    """The cause of a failure as one line, with the output around it; ``file`` is one that is missing."""

    tool: str
    text: str
    hint: str = ""
    error: str = ""
    detail: str = ""
    file: str = ""


@cache
def _rows() -> tuple[tuple[Row, re.Pattern[str]], ...]:
    from msgspec import convert

    rows = convert(data.table("causes.toml")["row"], tuple[Row, ...])
    return tuple((row, re.compile(row.pattern, re.MULTILINE)) for row in rows)


def find_cause(output: str) -> Cause | None:
    """Return the cause of a failed build from its output; None if no tool is known to report an error."""
    lines = _COLOUR.sub("", output).splitlines()
    text = "\n".join(line if len(line) <= _LONGEST_LINE else line[:_LONGEST_LINE] for line in lines) + "\n"
    for region in _regions(text):
        for weak in (False, True):
            candidates = [*_matches(region, weak=weak), *_exceptions(region, weak=weak)]
            if candidates:
                return min(candidates, key=lambda candidate: candidate[:2])[2]
    return None


def _regions(text: str) -> Iterator[str]:
    """Yield the parts of the output that have the cause, the likeliest first."""
    if failed := _NINJA_FAILED.search(text):
        yield text[failed.start() :]
    elif failed := _SETUPTOOLS_FAILED.search(text):
        commands = [match.end() for match in _SETUPTOOLS_COMMAND.finditer(text, 0, failed.start())]
        if commands:
            yield text[commands[-1] :]
    yield text


def _matches(text: str, *, weak: bool) -> Iterator[tuple[int, int, Cause]]:
    """Yield the first match of each row, with its place and the number of the row."""
    for number, (row, pattern) in enumerate(_rows()):
        if row.weak == weak and (match := pattern.search(text)):
            yield match.start(), number, _told(row, match)


def _told(row: Row, match: re.Match[str]) -> Cause:
    """Return the cause that a row tells from a match."""
    groups = {name: " ".join((value or "").split()) for name, value in match.groupdict().items()}
    groups["line"] = " ".join(match[0].split())
    if "chain" in groups:
        groups["last"] = groups["chain"].rpartition("Caused by: ")[2]
    text = row.cause.format_map(groups).removesuffix(": ").removesuffix(" ()")
    return Cause(
        tool=row.tool,
        text=text,
        hint=row.hint.format_map(groups),
        error=row.error,
        detail=_around(match.string, match.start()),
        file=groups.get("file", ""),
    )


def _around(text: str, start: int) -> str:
    """Return the lines of the output at a place, up to where the end of the build is told.

    Of a compiler's error, they begin with the line before, or with Cython's view of the code.
    """
    before = text[:start].splitlines()[-_LINES_BEFORE:]
    lines = text[start:].split("\n", _LINES_SHOWN)[:_LINES_SHOWN]
    ends = (number for number, line in enumerate(lines) if number and _END.match(line))
    shown = lines[: next(ends, len(lines))]
    return compiler_errors("\n".join([*before, *shown])) or "\n".join(shown).rstrip()


def _exceptions(text: str, *, weak: bool) -> Iterator[tuple[int, int, Cause]]:
    """Yield the exceptions of Python with which setup.py, a hook or a generator ended."""
    for match in _TRACEBACK.finditer(text):
        name = match["type"].rpartition(".")[2]
        if (name in _REPEATED) is not weak:
            continue
        said = f"{name}: {match['text']}" if match["text"] else name
        place = _place(match["frames"])
        file = _MISSING_FILE.search(match["text"] or "")
        module = _NO_MODULE.search(match["text"] or "")
        yield (
            match.start(),
            len(_rows()),
            Cause(
                tool="Python",
                text=f"{place}: {said}" if place else said,
                hint=f"add what provides {module['module']} to build-system.requires" if module else "",
                detail=said,
                file=(file["file"] or file["glob"]) if file else "",
            ),
        )


def _place(frames: str) -> str:
    """Return the last place in the project's own code; empty where there is none."""
    own = [
        f"{frame['file']}:{frame['line']}"
        for frame in _FRAME.finditer(frames)
        if not re.search(r"site-packages|[\\/]lib[\\/]python3|^<", frame["file"])
    ]
    if own:
        return own[-1]
    setup = _SETUP_FRAME.search(frames)
    return f"setup.py:{setup['line']}" if setup else ""


def failed_build(
    completed: Completed, task: str, distribution: Distribution, sdist: Path | None
) -> WheelkitError:
    """Return the error for a failed build; its first line has the cause where the output names one.

    Takes and returns what ``explain`` does.
    """
    explained = explain(completed, task, distribution, sdist)
    return explained or tool_error(completed, task)


def explain(
    completed: Completed, task: str, distribution: Distribution, sdist: Path | None
) -> WheelkitError | None:
    """Return the error for a failed build, by its cause; None where the output names none.

    ``task`` completes "... failed", and ``sdist`` is what was built, if it was an sdist. The error is
    MissingToolError for a program that is missing here, IndexUnavailableError without a network, else
    ToolFailedError.
    """
    cause = None if completed.timed_out else find_cause(completed.output)
    if cause is None:
        return None
    text, hint = _without_scratch(cause.text, distribution), cause.hint or completed.advice
    if cause.file and (missing := find_not_packed(cause.file, distribution, sdist)):
        text = f"{missing.file} is in the project's folder but not in the sdist ({text})"
        hint = missing.hint
    message = f"{task} failed: {text[:_LONGEST_CAUSE]}"
    if not cause.error:
        return ToolFailedError(message, detail=cause.detail, hint=hint, log=completed.log)
    log = f"full log: {completed.log}" if completed.log else ""
    error = MissingToolError if cause.error == "tool" else IndexUnavailableError
    return error(message, detail=cause.detail, hint="\n".join(filter(None, [hint, log])))


def _without_scratch(text: str, distribution: Distribution) -> str:
    """Return the text with paths relative to the sdist's top folder, not to a scratch folder."""
    name = re.sub(r"[-_.]+", "[-_.]+", distribution.name)
    text = re.sub(rf"[^\s'\"`(:]*[\\/]{name}-\d[^\s/\\]*[\\/]", "", text, flags=re.IGNORECASE)
    # Meson and ninja run in a folder below the top.
    above = re.match(r"(?:\.\./)+(?P<file>[^:\s]+):\d", text)
    if above and (distribution.source / above["file"]).is_file():
        text = text[above.start("file") :]
    return text
