"""Values of TOML files by their keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wheelkit.errors import ProjectError
from wheelkit.inputs import toml_table
from wheelkit.versions import text_files
from wheelkit.versions.model import FileFormat, VersionLocation

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from wheelkit.versions.model import Key


def read_toml(path: Path) -> dict[str, Any]:
    """Parse a TOML file; empty if it does not exist. Raises ProjectError for invalid TOML."""
    text = text_files.read(path) or ""
    try:
        text.encode()  # fails if the file was not UTF-8
        return toml_table(text)
    except UnicodeEncodeError as error:
        raise ProjectError(f"{path} is not UTF-8", hint="save it as UTF-8") from error
    except ValueError as error:
        raise ProjectError(f"{path} is not valid TOML: {error}", hint="fix that line") from error


def value_at(document: Mapping[str, Any], *key: str) -> Any:  # noqa: ANN401 - whatever the file holds
    """Return the value of a key, through its tables; None if one of them is missing."""
    value: Any = document
    for part in key:
        value = value.get(part) if isinstance(value, dict) else None
    return value


def toml_location(path: Path, key: Key, text: str, form: FileFormat = FileFormat.PYTHON) -> VersionLocation:
    """Return the location of a version in a TOML file."""
    where = f"[{'.'.join(map(str, key[:-1]))}] {key[-1]}"
    return VersionLocation(path=path, where=where, text=text, at=key, form=form)


def first_version(path: Path, *keys: Key, form: FileFormat = FileFormat.PYTHON) -> VersionLocation | None:
    """Return the location of the first of these keys that holds a text; None if there is none."""
    document = read_toml(path)
    for key in keys:
        if isinstance(text := value_at(document, *map(str, key)), str):
            return toml_location(path, key, text, form)
    return None
