"""Find the file that configures a project, and read it into a Config or one error with all mistakes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from wheelkit.config.keys import ROOT
from wheelkit.config.model import Config
from wheelkit.config.problems import KeyPath, Problems
from wheelkit.errors import ConfigError
from wheelkit.inputs import read_bytes, toml_table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    Validator = Callable[[Config, Problems], None]


OWN_FILE = "wheelkit.toml"
PROJECT_FILE = "pyproject.toml"
_PROJECT_PREFIX = "tool.wheelkit"
# Before Python 3.14, only tomllib's message has the position.
_POSITION = re.compile(
    r"(?P<message>.*) \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)", re.DOTALL
)


def load(folder: Path, *, validators: Sequence[Validator] = ()) -> Config:
    """Read the configuration of the project in a folder; without one, return the defaults.

    ``validators`` get a draft and add further problems; in the draft, wrong values are missing, or empty
    inside a list. Raises ConfigError with all mistakes.
    """
    own = _read(folder / OWN_FILE)
    project = _read(folder / PROJECT_FILE)
    section = None if project is None else _section(folder / PROJECT_FILE, project)
    if own is not None and section is not None:
        problem = f"{OWN_FILE} and [{_PROJECT_PREFIX}] in {PROJECT_FILE} both configure this project"
        raise ConfigError(folder, [problem], hint="move all keys into one of them and delete the other")
    if own is not None:
        return _from_own_file(own, folder / OWN_FILE, folder, validators)
    if section is None:
        return parse({}, source=None, root=folder, validators=validators)
    source = folder / PROJECT_FILE
    return parse(section, source=source, root=folder, prefix=_PROJECT_PREFIX, validators=validators)


def load_file(path: Path, *, root: Path | None = None, validators: Sequence[Validator] = ()) -> Config:
    """Read the configuration from a pyproject.toml, or from any other file with the keys of wheelkit.toml.

    ``root`` is the project's folder, by default that of the file. Raises ConfigError, also if the file does
    not exist.
    """
    document = _read(path)
    folder = path.parent if root is None else root
    if document is None:
        raise ConfigError(path, ["the file does not exist"], hint="check the path given with --config")
    if path.name == PROJECT_FILE:
        section = _section(path, document)
        section = {} if section is None else section
        return parse(section, source=path, root=folder, prefix=_PROJECT_PREFIX, validators=validators)
    return _from_own_file(document, path, folder, validators)


def parse(
    document: object,
    *,
    source: Path | None,
    root: Path,
    prefix: str = "",
    validators: Sequence[Validator] = (),
) -> Config:
    """Convert the content of ``[tool.wheelkit]`` to a Config; raise ConfigError with all mistakes."""
    problems = Problems(prefix)
    config = _draft(document, KeyPath(problems=problems), source, root)
    return _validated(config, document, problems, validators)


def _from_own_file(
    document: dict[str, Any], source: Path, root: Path, validators: Sequence[Validator]
) -> Config:
    tool = document.get("tool")
    if not isinstance(tool, dict) or "wheelkit" not in tool:
        return parse(document, source=source, root=root, validators=validators)
    problems = Problems()
    problems.add("tool", f"keys are at the top level of this file: write [matrix], without {_PROJECT_PREFIX}")
    for part in ((), ("tool", "wheelkit")):
        table = tool["wheelkit"] if part else {key: value for key, value in document.items() if key != "tool"}
        config = _draft(table, KeyPath(problems=problems, parts=part), source, root)
    return _validated(config, document, problems, validators)


def _draft(document: object, place: KeyPath, source: Path | None, root: Path) -> Config:
    return Config(root=root, source=source, **(ROOT(document, place) or {}))


def _validated(
    config: Config, document: object, problems: Problems, validators: Sequence[Validator]
) -> Config:
    for validator in validators:
        validator(config, problems)
    if problems:
        raise ConfigError(config.label, problems.in_order(document))
    return config


def _section(path: Path, document: dict[str, Any]) -> Any:  # noqa: ANN401 - whatever TOML holds
    tool = document.get("tool", {})
    if not isinstance(tool, dict):
        raise ConfigError(path, ["tool: expected a table"])
    return tool.get("wheelkit")


def _read(path: Path) -> dict[str, Any] | None:
    """Parse a TOML file; return None if it does not exist."""
    try:
        data = read_bytes(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        if path.is_symlink():
            problem = "a link to a file that does not exist"
            raise ConfigError(path, [problem], hint="fix or delete the link") from error
        return None
    except IsADirectoryError as error:
        raise ConfigError(path, ["a folder, not a file"], hint="rename the folder") from error
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
        raise ConfigError(path, [problem], hint="check its permissions") from error
    return _parse_toml(path, _decode(path, data))


def _decode(path: Path, data: bytes) -> str:
    if data.startswith(b"\xef\xbb\xbf"):
        problem = "line 1: starts with a byte order mark"
        raise ConfigError(path, [problem], hint="save it as UTF-8 without one")
    try:
        # TOML's positions count both kinds of line end as one character.
        return data.decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problem = f"line {line}: not UTF-8, byte 0x{data[error.start]:02x} ({error.reason})"
        raise ConfigError(path, [problem], hint="save it as UTF-8") from error


def _parse_toml(path: Path, text: str) -> dict[str, Any]:
    try:
        return toml_table(text)
    except ValueError as error:  # a number of thousands of digits is no TOMLDecodeError
        raise ConfigError(path, [_syntax_problem(str(error), text)], hint="fix the TOML there") from error


def _syntax_problem(message: str, text: str) -> str:
    position = _POSITION.fullmatch(message)
    if position is None:
        return f"not valid TOML: {message}"
    line = position["line"] or text.count("\n") + 1
    column = position["column"] or len(text) - text.rfind("\n")
    return f"line {line}, column {column}: {position['message']}"
