"""The builds that cibuildwheel offers, by its own names, and the selectors that choose among them."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from wheelkit.errors import MissingToolError
from wheelkit.inputs import read_text, toml_table
from wheelkit.matrix.targets import System

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wheelkit.matrix.interpreters import Interpreter
    from wheelkit.matrix.targets import Target


_IDENTIFIER = re.compile(r'\bidentifier = "([^"\\]+)"')
_SECTION = re.compile(r"^\[(\w+)\]", re.MULTILINE)
# Pyodide's ABI of a year belongs to one Python (PEP 783): 2026 to 3.14, 2025 to 3.13.
_PYODIDE_YEAR_OF_PYTHON_3 = 2012
_LONGEST = 1000


def build_identifier(interpreter: Interpreter, target: Target) -> str:
    """Return cibuildwheel's name of the build: ``cp311-manylinux_x86_64``."""
    return f"{interpreter.tag}-{target.build_suffix}"


@cache
def offered_builds() -> Mapping[System, tuple[str, ...]]:
    """Return the build identifiers that the installed cibuildwheel offers, in its order.

    Raises MissingToolError if cibuildwheel is not installed.
    """
    return identifiers_in(_resource("build-platforms.toml"))


@cache
def default_images() -> Mapping[str, str]:
    """Return the images of the installed cibuildwheel by their options: ``manylinux-x86_64-image``.

    Raises MissingToolError if cibuildwheel is not installed.
    """
    settings = toml_table(_resource("defaults.toml"))["tool"]["cibuildwheel"]
    return {key: value for key, value in settings.items() if key.endswith("-image")}


def _resource(name: str) -> str:
    """Read one of the files that cibuildwheel brings; raise MissingToolError if it is not installed."""
    spec = find_spec("cibuildwheel")
    if spec is None or spec.origin is None:
        raise MissingToolError("cibuildwheel is not installed", hint="pip install cibuildwheel")
    return read_text(Path(spec.origin).parent / "resources" / name)


def identifiers_in(table: str) -> Mapping[System, tuple[str, ...]]:
    """Return the identifiers of each system in the text of cibuildwheel's build-platforms.toml.

    The table is written by a program, one row a line, so that two patterns read it in a sixtieth of the 13 ms
    that the TOML parser takes. Any other layout goes to the parser.
    """
    names = _SECTION.split(table)[1:]
    sections = dict(zip(names[::2], names[1::2], strict=True))
    found = {system: tuple(_IDENTIFIER.findall(sections.get(system.value, ""))) for system in System}
    if all(found.values()) and sum(map(len, found.values())) == table.count("identifier"):
        return found
    parsed = toml_table(table)
    rows = {system: parsed.get(system.value, {}).get("python_configurations", ()) for system in System}
    return {system: tuple(row["identifier"] for row in listed) for system, listed in rows.items()}


@cache
def offered_interpreters(target: Target) -> tuple[str, ...]:
    """Return the tags of the interpreters that the installed cibuildwheel builds for on a target.

    There are none for a target that cibuildwheel does not know, such as one for loongarch64. Raises
    MissingToolError if cibuildwheel is not installed.
    """
    builds = (identifier.partition("-") for identifier in offered_builds()[target.system])
    return tuple(tag for tag, _, suffix in builds if suffix == target.build_suffix and _fits(tag, target))


def _fits(tag: str, target: Target) -> bool:
    """Return whether the builds of an interpreter are for a target's ABI; all but Pyodide's are for any."""
    if target.system is not System.PYODIDE:
        return True
    return target.version == (_PYODIDE_YEAR_OF_PYTHON_3 + int(tag[3:]), 0)


def selects(selector: str, identifier: str) -> bool:
    """Return whether one of the patterns in a selector, separated by spaces, matches a build identifier.

    As cibuildwheel does (its selector.py): fnmatch over patterns whose braces, as in ``cp31{1,2}-*``, bracex
    expands. Raises ValueError for a pattern that is too long or has
    too many alternatives.
    """
    return any(fnmatch(identifier, glob) for pattern in selector.split() for glob in _expanded(pattern))


def selects_cell(selector: str, interpreter: Interpreter, target: Target) -> bool:
    """Return whether a selector matches a cell, by its build identifier or by its whole target.

    cibuildwheel's names have no version of the system; ``cp39-manylinux_2_17_x86_64``, with the target as the
    matrix spells it, tells two such targets apart.
    """
    identifier = build_identifier(interpreter, target)
    whole = (pattern for pattern in selector.split() if pattern.endswith(f"-{target.tag}"))
    return selects(selector, identifier) or any(
        selects(pattern, f"{interpreter.tag}-{target.tag}") for pattern in whole
    )


@cache
def _expanded(pattern: str) -> Iterable[str]:
    if len(pattern) > _LONGEST:
        raise ValueError("it is too long")
    if "{" not in pattern and "\\" not in pattern:
        return (pattern,)
    import bracex  # only few selectors have braces

    try:
        return tuple(bracex.expand(pattern))
    except bracex.ExpansionLimitException as error:
        raise ValueError("its braces stand for too many patterns") from error
    except RecursionError as error:
        raise ValueError("its braces are nested too deeply") from error
