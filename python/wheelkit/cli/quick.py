"""Command lines of nothing but a command, paths and plain options, which need no command line library.

To load click takes longer than to prove a small wheel. Whatever is not surely such a line is click's to read, to complain of and to help
with; the options are told once, for both.
"""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


# Command -> the module with its FLAGS and what it does for paths and options: ``quickly``, which gives None where click is to be asked.
_MODULES = {"verify-matrix": "wheelkit.cli.proving", "smoke": "wheelkit.cli.trying"}
# click completes words of a shell where this is set.
_COMPLETION = "_WHEELKIT_COMPLETE"
# What click expands on Windows, where no shell does.
_EXPANDED = frozenset("*?[~$%")


class Flag(Struct, frozen=True, kw_only=True):
    """An option: the word that sets it, the parameter that it sets, and its line in --help.

    It has no value where ``metavar`` is empty; else each that is given, and the parameter is all of them.
    """

    word: str
    field: str
    help: str
    metavar: str = ""


def run(words: Sequence[str]) -> int | None:
    """Run a command line and give the exit code; None where click has to read it, before anything is done."""
    if not words or words[0] not in _MODULES or _COMPLETION in os.environ:
        return None
    module = import_module(_MODULES[words[0]])
    found = read(words[1:], module.FLAGS)
    if found is None:
        return None
    code: int | None = module.quickly(*found)
    return code


def read(words: Iterable[str], flags: Iterable[Flag]) -> tuple[tuple[Path, ...], dict[str, Any]] | None:
    """Tell paths that are there, and options, apart; None where a word is anything else."""
    options = {flag.word: flag for flag in flags}
    paths: list[Path] = []
    found: dict[str, Any] = {}
    rest = iter(words)
    for word in rest:
        option = options.get(word)
        if option is None:
            if not _is_plain(word) or not os.access(word, os.R_OK):
                return None
            paths.append(Path(word))
        elif not option.metavar:
            found[option.field] = True
        elif _is_plain(value := next(rest, "")):
            found[option.field] = (*found.get(option.field, ()), value)
        else:
            return None
    return tuple(paths), found


def _is_plain(word: str) -> bool:
    return bool(word) and not word.startswith("-") and _EXPANDED.isdisjoint(word)
