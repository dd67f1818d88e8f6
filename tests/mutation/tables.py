"""Mutants of the tables in ``wheelkit/data``: rows and items dropped, values changed, severities swapped."""

from __future__ import annotations

import re
from collections.abc import Iterator

from mutation.mutants import Mutant

# Prose for people: how a rule is worded decides nothing.
PROSE = {"title", "why", "fix", "rule", "source", "meson", "setuptools", "cmake", "cibuildwheel", "version"}
SEVERITIES = ("error", "warning", "note")
HEADER = re.compile(r"^\[+([^\]\n]+)\]+.*\n", re.MULTILINE)
ENTRY = re.compile(r'^([\w-]+) = (\[[^\]]*\]|"""[\s\S]*?"""|.*)', re.MULTILINE)
ITEM = re.compile(r'"[^"\n]*"(?:,[ ]?|(?=\s*\]))')


def table_mutants(file: str, source: bytes) -> list[Mutant]:
    """Return all mutants of a table (TOML) in the order of their lines."""
    text = source.decode()
    headers = list(HEADER.finditer(text))
    mutants = []
    for index, header in enumerate(headers):
        end = headers[index + 1].start() if index + 1 < len(headers) else len(text)
        row = re.split(r"\.", header[1])[-1].strip('"')
        changes = [("dropped row", header.start(), end, ""), *changed_entries(text, header.end(), end)]
        for kind, start, stop, new in changes:
            line = text.count("\n", 0, start) + 1
            mutants.append(
                Mutant(
                    file=file,
                    kind=kind,
                    start=len(text[:start].encode()),
                    end=len(text[:stop].encode()),
                    new=new,
                    first=line,
                    last=line,
                    row=row,
                )
            )
    return mutants


def changed_entries(text: str, start: int, end: int) -> Iterator[tuple[str, int, int, str]]:
    """Yield the kind, the place and the new text of each change of a row."""
    for entry in ENTRY.finditer(text, start, end):
        key, value, at = entry[1], entry[2], entry.start(2)
        if key in PROSE:
            continue
        if key == "severity":
            for other in SEVERITIES:
                if other != value.strip('"'):
                    yield "severity", at, entry.end(2), f'"{other}"'
        elif value.startswith("["):
            uncommented = re.sub(r"#[^\n]*", lambda comment: " " * len(comment[0]), value)
            for item in ITEM.finditer(uncommented):
                yield "dropped item", at + item.start(), at + item.end(), ""
            for number in re.finditer(
                r"\b\d+\b", re.sub(r'"[^"]*"', lambda found: "_" * len(found[0]), uncommented)
            ):
                yield "number", at + number.start(), at + number.end(), str(int(number[0]) + 1)
        else:
            yield from changed_value(value, at)


def changed_value(value: str, at: int) -> Iterator[tuple[str, int, int, str]]:
    """Yield the changes of a single value."""
    if found := re.match(r'"([^"]*)"', value):
        middle = at + 1 + len(found[1]) // 2
        yield "value", middle, middle, "x"
    elif found := re.match(r"true|false", value):
        yield "flag", at, at + found.end(), "false" if found[0] == "true" else "true"
    elif found := re.match(r"\d{4}-\d\d-(\d\d)", value):
        yield "date", at + found.start(1), at + found.end(1), f"{int(found[1]) % 28 + 1:02}"
    elif found := re.match(r"\d+", value):
        yield "number", at, at + found.end(), str(int(found[0]) + 1)
