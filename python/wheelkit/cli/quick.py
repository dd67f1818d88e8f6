"""Command lines of nothing but a command, paths and flags, which need no command line library.

To load click takes longer than to prove a small wheel. Whatever is not surely such a line is click's to read, to complain of and to help
with; the flags are told once, for both.
"""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# Command -> the module with its FLAGS and what it does for paths and flags: ``quickly``.
_MODULES = {"verify-matrix": "wheelkit.cli.proving"}
# click completes words of a shell where this is set.
_COMPLETION = "_WHEELKIT_COMPLETE"
# What click expands on Windows, where no shell does.
_EXPANDED = frozenset("*?[~$%")


class Flag(Struct, frozen=True, kw_only=True):
    """An option without a value: the word that sets it, the parameter that it sets, and its line in --help."""

    word: str
    field: str
    help: str


def run(words: Sequence[str]) -> int | None:
    """Run a command line and give the exit code; None where click has to read it, before anything is done."""
    if not words or words[0] not in _MODULES or _COMPLETION in os.environ:
        return None
    module = import_module(_MODULES[words[0]])
    found = read(words[1:], module.FLAGS)
    if found is None:
        return None
    code: int = module.quickly(*found)
    return code


def read(words: Iterable[str], flags: Iterable[Flag]) -> tuple[tuple[Path, ...], dict[str, bool]] | None:
    """Tell paths that are there, and flags, apart; None where a word is anything else."""
    fields = {flag.word: flag.field for flag in flags}
    paths: list[Path] = []
    found: dict[str, bool] = {}
    for word in words:
        if word in fields:
            found[fields[word]] = True
        elif word and not word.startswith("-") and _EXPANDED.isdisjoint(word) and os.access(word, os.R_OK):
            paths.append(Path(word))
        else:
            return None
    return tuple(paths), found
