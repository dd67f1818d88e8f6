"""A project's own test commands, as cibuildwheel runs them: placeholders, the shell and test-sources."""

from __future__ import annotations

import re
import shutil
import sys
from typing import TYPE_CHECKING

from wheelkit.errors import OutputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def fill_in(line: str, project: Path, wheel: Path) -> str:
    """Return a line with the folder of the project and the wheel in place of its placeholders."""
    values = {"project": project, "package": project, "wheel": wheel, "python": "python", "pip": "pip"}
    return re.sub(r"\{(\w+)\}", lambda match: str(values.get(match[1], match[0])), line)


def shell(line: str) -> tuple[str, ...]:
    """Return the command that hands a line to the shell of the system."""
    return ("cmd", "/d", "/c", line) if sys.platform == "win32" else ("sh", "-c", line)


def copy_sources(names: Iterable[str], project: Path, folder: Path) -> None:
    """Copy the test-sources into the folder in which the tests run.

    Raises UsageError for a name that is not there, OutputError if the copy cannot be written.
    """
    for name in names:
        source, copy = project / name, folder / name
        try:
            copy.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, copy, dirs_exist_ok=True)
            else:
                shutil.copy(source, copy)
        except FileNotFoundError as error:
            raise UsageError(
                f"{source}, named in test-sources, does not exist", hint="correct [tool.cibuildwheel]"
            ) from error
        except OSError as error:
            raise OutputError.of(error, copy) from error
