"""Values of TOML files by their place."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any

from wheelkit.errors import ProjectError
from wheelkit.versions import text_files
from wheelkit.versions.model import FileFormat, VersionLocation

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from wheelkit.versions.model import Key


def toml(path: Path) -> dict[str, Any]:
    """Parse a TOML file; empty where there is none, ProjectError where it is none."""
    text = text_files.read(path) or ""
    try:
        text.encode()  # what could not be read as UTF-8 cannot be written as such
        return tomllib.loads(text)
    except UnicodeEncodeError as error:
        raise ProjectError(f"{path} is not UTF-8", hint="save it as UTF-8") from error
    except (ValueError, RecursionError) as error:
        raise ProjectError(f"{path} is not valid TOML: {error}", hint="mend that line") from error


def at(document: Mapping[str, Any], *key: str) -> Any:  # noqa: ANN401 - whatever the file holds
    """Follow table names; None where one of them is missing."""
    value: Any = document
    for part in key:
        value = value.get(part) if isinstance(value, dict) else None
    return value


def toml_place(path: Path, key: Key, text: str, form: FileFormat = FileFormat.PYTHON) -> VersionLocation:
    """Make the place of a TOML file's value."""
    return VersionLocation(
        path=path, where=f"[{'.'.join(map(str, key[:-1]))}] {key[-1]}", text=text, at=key, form=form
    )
