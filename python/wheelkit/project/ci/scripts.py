"""Shell scripts of CI steps: the variables that they set, and their runs of cibuildwheel.

Scripts are read, never run: what a condition or another program decides is unknown.
"""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.project.ci.expressions import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from wheelkit.project.ci.expressions import Unknown

    Variables = Mapping[str, str | Unknown]

_CONTINUED = re.compile(r"[ \t]*[\\`^]\r?\n")
_ASSIGNMENT = re.compile(r"(?:\$env:)?(?P<name>[A-Za-z_]\w*)=(?P<value>.*)", re.DOTALL)
_POWERSHELL = re.compile(r"\$env:(\w+)\s*=\s*")
_VARIABLE = re.compile(r"\$(?:env:)?\{?([A-Za-z_]\w*)\}?|%([A-Za-z_]\w*)%")
_PROGRAM = re.compile(r"(?:.*[/\\])?cibuildwheel(?:\.exe)?(?:\[[\w,-]*\])?(?:(?:[=<>~!]=|@).*)?")
_LAUNCHERS = re.compile(
    r"(?:.*[/\\])?(?:python[\d.]*|py|pipx|uvx?|env|sudo|xvfb-run|poetry|pdm|hatch|nice)(?:\.exe)?"
)
_INSTALLING = frozenset({"install", "add", "download", "sync", "wheel", "upgrade"})
_OPENING, _CLOSING = frozenset({"if", "case", "for", "while", "until"}), frozenset({"fi", "esac", "done"})
_ENDS = frozenset({"&&", "||", ";", "|", "&", ";;"})
_FLAGS = frozenset({"--print-build-identifiers", "--allow-empty", "--debug-traceback", "--clean-cache"})
_ENV_FILE = re.compile(r"\$(?:env:)?\{?GITHUB_ENV\}?|%GITHUB_ENV%")
_PUBLISH = re.compile(
    r"\b(?:twine|uv|poetry|flit|hatch|pdm) (?:upload|publish)\b|\bwheelkit (?:publish|release)\b"
)
PRINTS = "--print-build-identifiers"


class Call(Struct, frozen=True, kw_only=True):
    """A run of cibuildwheel in a script: its options and arguments, and variables set for it."""

    options: Mapping[str, str]
    package: str = ""
    variables: Mapping[str, str | Unknown] = {}


class Script(Struct, frozen=True, kw_only=True):
    """What a script does: runs of cibuildwheel, and the variables that it sets for later steps."""

    calls: tuple[Call, ...] = ()
    exported: Mapping[str, str | Unknown] = {}


def publishes(text: str) -> bool:
    """Return whether a script uploads to an index."""
    return bool(_PUBLISH.search(text))


def read_script(text: str, variables: Variables) -> Script:
    """Read a script whose expressions are evaluated, with the variables that it sees."""
    own = dict(variables)
    calls: list[Call] = []
    exported: dict[str, str | Unknown] = {}
    depth = 0
    for words in _commands(_CONTINUED.sub(" ", text)):
        depth += (words[0] in _OPENING) - (words[0] in _CLOSING)
        if words[0] in {"then", "else", "do", "elif"}:
            words = words[1:] or [":"]  # noqa: PLW2901 - the command behind the word
        if (written := _to_env_file(words, own)) is not None:
            exported |= {name: UNKNOWN if depth > 0 else value for name, value in written.items()}
            continue
        assigned, rest = _assignments(words, own)
        if not rest:
            own |= {name: UNKNOWN if depth > 0 else value for name, value in assigned.items()}
        elif (call := _call(rest, assigned, own)) is not None:
            calls.append(call)
    return Script(calls=tuple(calls), exported=exported)


def _commands(text: str) -> Iterator[list[str]]:
    """Yield the words of each simple command, without quotes."""
    for line in text.splitlines():
        words: list[str] = []
        for word in _words(_POWERSHELL.sub(r"\1=", line)):
            if word in _ENDS:
                if words:
                    yield words
                words = []
            else:
                words.append(word)
        if words:
            yield words


def _words(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars="&|;<>")
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        words = list(lexer)
    except ValueError:  # a quote that another line closes
        words = line.split()
    comment = next((number for number, word in enumerate(words) if word.startswith("#")), len(words))
    return words[:comment]


def _assignments(words: list[str], variables: Variables) -> tuple[dict[str, str | Unknown], list[str]]:
    """Split off the assignments before a command, and those of ``export`` and ``set``."""
    rest = words[1:] if words[0] in {"export", "set", "env"} else words
    assigned: dict[str, str | Unknown] = {}
    while rest and (match := _ASSIGNMENT.fullmatch(rest[0])):
        assigned[match["name"]] = substitute(match["value"], {**variables, **assigned})
        rest = rest[1:]
    return (assigned, rest) if assigned else ({}, words)


def substitute(text: str, variables: Variables) -> str | Unknown:
    """Replace the variables in a text; UNKNOWN if one of them is, or if a program makes a part of it."""
    values = []
    for match in _VARIABLE.finditer(text):
        value = variables.get(match[1] or match[2], UNKNOWN)
        if value is UNKNOWN:
            return UNKNOWN
        values.append(str(value))
    if "$(" in text or "`" in text:
        return UNKNOWN
    parts = iter(values)
    return _VARIABLE.sub(lambda _match: next(parts), text)


def _to_env_file(words: list[str], variables: Variables) -> dict[str, str | Unknown] | None:
    """Return the variables that a command writes for later steps; None if it writes none."""
    if not any(map(_ENV_FILE.search, words)):
        return None
    text = " ".join(word for word in words[1:] if word != ">>" and not _ENV_FILE.search(word))
    plain = re.fullmatch(r"\$\{?(\w+)\}?", text)
    if plain:
        value = variables.get(plain[1], UNKNOWN)
        return dict(env_file(value)) if isinstance(value, str) else {}
    match = _ASSIGNMENT.fullmatch(text)
    return {match["name"]: substitute(match["value"], variables)} if match else {}


def env_file(text: str) -> Iterator[tuple[str, str]]:
    """Yield the variables of a text in the format of ``$GITHUB_ENV``."""
    lines = iter(text.splitlines())
    for line in lines:
        name, several, mark = line.partition("<<")
        if several and "=" not in name:
            value: list[str] = []
            for inner in lines:
                if inner.strip() == mark.strip():
                    break
                value.append(inner)
            yield name.strip(), "\n".join(value)
        elif "=" in line:
            name, _, rest = line.partition("=")
            yield name.strip(), rest


def _call(words: list[str], assigned: Variables, variables: Variables) -> Call | None:
    """Return a command's run of cibuildwheel, None if it is another command."""
    places = [number for number, word in enumerate(words) if _PROGRAM.fullmatch(word)]
    if not places or not _INSTALLING.isdisjoint(words[: places[-1]]):
        return None
    place = places[-1]
    if place and words[place - 1] != "-m" and not _LAUNCHERS.fullmatch(words[0]):
        return None
    options, package = _options(words[place + 1 :])
    values = {name: substitute(value, variables) for name, value in {**options, "": package}.items()}
    texts = {name: "$" if value is UNKNOWN else str(value) for name, value in values.items()}
    return Call(package=texts.pop(""), options=texts, variables={**_own(variables), **assigned})


def _own(variables: Variables) -> dict[str, str | Unknown]:
    return dict(variables)


def _options(words: Iterable[str]) -> tuple[dict[str, str], str]:
    options: dict[str, str] = {}
    package = ""
    rest = iter(words)
    for word in rest:
        if word in {">", ">>", "2>", "<"}:
            next(rest, "")
        elif word in _FLAGS:
            options[word] = "1"
        elif word.startswith("--"):
            name, given, value = word.partition("=")
            value = value if given else next(rest, "")
            options[name] = f"{options[name]} {value}" if name == "--enable" and name in options else value
        else:
            package = word
    return options, package
