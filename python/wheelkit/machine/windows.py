"""How programs are found and started on Windows, where a batch file is no program of its own."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from wheelkit.command_lines import batch_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


_ENDINGS = ".COM;.EXE;.BAT;.CMD"
_BATCH = (".bat", ".cmd")


def find_program(name: str, environment: Mapping[str, str], cwd: Path | None = None) -> str | None:
    """Return the file that a name starts, in the first folder of PATH that has it with an ending of PATHEXT.

    As on other systems, and unlike CreateProcess, the current folder does not count, and PATH is the started
    program's own. A name with a folder is relative to ``cwd``.
    """
    endings = [ending for ending in environment.get("PATHEXT", _ENDINGS).lower().split(";") if ending]
    names = [name] if name.lower().endswith(tuple(endings)) else [name + ending for ending in endings]
    if re.search(r"[/\\:]", name):
        folders = [cwd or Path()]
    else:
        entries = (entry.strip('"') for entry in environment.get("PATH", "").split(os.pathsep))
        folders = [Path(entry) for entry in entries if entry]
    files = (folder / file for folder in folders for file in names)
    return next((str(file) for file in files if file.is_file()), None)


def arguments(argv: Sequence[str], environment: Mapping[str, str], cwd: Path | None) -> Sequence[str] | str:
    """Return a command with the path of its program, or for a batch file, cmd.exe's command line.

    CreateProcess would hand a batch file to cmd.exe as well, but quoted for a program, so ``&`` in an
    argument could start another. Raises FileNotFoundError, and CommandLineError for what cannot be passed on.
    """
    program = find_program(argv[0], environment, cwd)
    if program is None:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), argv[0])
    command = (program, *argv[1:])
    if not program.lower().endswith(_BATCH):
        return command
    shell = environment.get("COMSPEC", "cmd.exe")
    return f'"{shell}" /d /e:on /v:off /s /c "{batch_line(command)}"'
