"""Environments of interpreters of other platforms.

Such an environment is an ordinary virtual environment, except that its ``bin/python`` is a shell script that
starts the interpreter under its emulator. The script serves whoever starts it: uv, which asks it for markers
and tags, the shebang lines of console scripts, and programs that start ``sys.executable``.
"""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from wheelkit.errors import OutputError
from wheelkit.inputs import read_bytes
from wheelkit.machine.emulators import windows_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.machine.emulators import Runtime
    from wheelkit.machine.interpreters import Python
    from wheelkit.smoke.environments import Environment


_SCRIPT = "#!/bin/sh\n"


def create(environment: Environment, python: Python, runtime: Runtime) -> None:
    """Create the environment of an interpreter that an emulator runs; raises OutputError."""
    executable = Path(environment.python)
    try:
        executable.parent.mkdir(parents=True)
        known_as = executable
        if runtime.format == "pe":
            # Children are started by Windows' own means, which do not know shell scripts.
            known_as = environment.venv / "Scripts" / "python.exe"
            known_as.parent.mkdir(exist_ok=True)
            shutil.copyfile(python.path, known_as)
            known_as.chmod(0o755)
            site_packages(environment).mkdir(parents=True)
        executable.write_text(launcher(runtime, known_as), encoding="utf-8")
        executable.chmod(0o755)
        (environment.venv / "pyvenv.cfg").write_text(_settings(python, runtime), encoding="utf-8")
    except OSError as error:
        raise OutputError.of(error, environment.venv) from error


def launcher(runtime: Runtime, executable: Path) -> str:
    """Return the script that starts an interpreter under its emulator, with the variables that it needs."""
    exports = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in runtime.env.items())
    return f'{_SCRIPT}{exports}exec {shlex.join(runtime.command(executable))} "$@"\n'


def site_packages(environment: Environment) -> Path:
    """Return the folder into which packages for Windows are installed: uv would take its path for a name."""
    return environment.venv / "Lib" / "site-packages"


def adopt_scripts(environment: Environment) -> None:
    """Move the console scripts of packages for Windows from where uv wrote them to the interpreter.

    Their first line is rewritten, as it names an interpreter that is not started by itself here. Raises
    OutputError.
    """
    try:
        for path in _scripts(site_packages(environment) / "bin"):
            _, _, body = read_bytes(path).partition(b"\n")
            script = Path(environment.python).with_name(path.name)
            script.write_bytes(os.fsencode(f"#!{environment.python}\n") + body)
            script.chmod(0o755)
    except OSError as error:
        raise OutputError.of(error, environment.venv) from error


def _scripts(folder: Path) -> Iterator[Path]:
    """Return the scripts of a folder that are Python's; there may be programs for Windows too."""
    for path in sorted(folder.glob("*")):
        if path.is_file() and read_bytes(path, most=None)[:2] == b"#!":
            yield path


def _settings(python: Python, runtime: Runtime) -> str:
    """Return pyvenv.cfg, by which an interpreter knows that it is in an environment (PEP 405)."""
    home = python.path.parent
    path = windows_path(home) if runtime.format == "pe" else str(home)
    return f"home = {path}\ninclude-system-site-packages = false\nversion = {python.version}\n"
