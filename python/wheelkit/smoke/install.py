"""Fresh environments that hold the family's own files and, from one index or folder, nothing but third parties.

The files are given with path and sha256, to uv as constraints, which hold wherever a name comes up: a higher version under a sibling's
name on an index is never looked at. Settings of the user and the site, which could add indexes, are left out.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from msgspec import Struct

from wheelkit.machine.process import Command

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from wheelkit.smoke.model import Case


_SCRIPTS = "Scripts" if sys.platform == "win32" else "bin"
_EXE = ".exe" if sys.platform == "win32" else ""
# What may steer an installer or an interpreter; certificates, caches and time limits are harmless and stay.
_STEERING = ("UV_", "PIP_", "PYTHON", "VIRTUAL_ENV", "CONDA_", "PIPX_", "__PYVENV")
_HARMLESS = frozenset(
    {
        "UV_CACHE_DIR",
        "UV_HTTP_TIMEOUT",
        "UV_NATIVE_TLS",
        "UV_SYSTEM_CERTS",
        "UV_LINK_MODE",
        "PIP_CERT",
        "PIP_CACHE_DIR",
        "PIP_DEFAULT_TIMEOUT",
    }
)
_INDEX_VARIABLES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")
INSTALL_SECONDS = 900.0


class Source(Struct, frozen=True, kw_only=True):
    """Where third parties come from: ``index`` (empty: the installer's own default), or folders alone, or what is cached.

    ``sdists`` allows building those that have no wheel.
    """

    index: str = ""
    find_links: tuple[Path, ...] = ()
    offline: bool = False
    sdists: bool = False

    @property
    def local(self) -> bool:
        """Whether nobody is asked for them."""
        return self.offline or bool(self.find_links)

    @property
    def secrets(self) -> tuple[str, ...]:
        """What of the index's address must not be shown."""
        password = urlsplit(self.index).password
        return (password,) if password else ()


def configured_index(environ: Mapping[str, str] = os.environ) -> str:
    """Give the one index that the user's environment names as the default; extra ones do not count."""
    return next(
        (
            environ[name].split("=", 1)[-1] if "=http" in environ[name] else environ[name]
            for name in _INDEX_VARIABLES
            if environ.get(name)
        ),
        "",
    )


def variables_to_unset(environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Name the variables that no program of a smoke test may see."""
    return tuple(name for name in environ if name.startswith(_STEERING) and name not in _HARMLESS)


class InstallTarget(Struct, frozen=True, kw_only=True):
    """The folder of one case: its environment, an empty folder to run in, and the constraints."""

    folder: Path

    @property
    def env(self) -> Path:
        """The environment."""
        return self.folder / "env"

    @property
    def work(self) -> Path:
        """An empty folder, away from any source."""
        return self.folder / "work"

    @property
    def constraints(self) -> Path:
        """The file that ties the family's names to its files."""
        return self.folder / "constraints.txt"

    def prepare(self, case: Case) -> None:
        """Make the folders and write the constraints."""
        self.work.mkdir(parents=True, exist_ok=True)
        self.constraints.write_text(
            "".join(f"{one.pinned()}\n" for one in case.packages.values()), encoding="utf-8"
        )

    def python(self) -> str:
        """Give the path of the environment's interpreter."""
        return str(self.env / _SCRIPTS / f"python{_EXE}")

    def script(self, name: str, folder: Path | None = None) -> str:
        """Give the path of a script of the environment, or of a folder of tools."""
        return str((folder or self.env / _SCRIPTS) / f"{name}{_EXE}")

    def command(self, *argv: str, timeout: float) -> Command:
        """Run something as a user of the environment would, in the empty folder."""
        env = {"VIRTUAL_ENV": str(self.env), "PYTHONNOUSERSITE": "1"}
        scripts = str(self.env / _SCRIPTS)
        return Command(
            argv=argv,
            cwd=self.work,
            env=env,
            unset=variables_to_unset(),
            prefix_path=(scripts,),
            timeout=timeout,
        )


def uv_commands(uv: str, case: Case, place: InstallTarget, source: Source) -> tuple[Command, ...]:
    """Build the two commands that make an environment with uv."""
    options = ("--python", place.python(), "--constraints", str(place.constraints), *_uv_source(source))
    make = (uv, "venv", "--quiet", "--no-project", "--python", str(case.python.path), str(place.env))
    install = (uv, "pip", "install", *options, *case.wanted)
    return (_uv(make, place), _uv(install, place))


def tool_commands(uv: str, case: Case, place: InstallTarget, source: Source) -> tuple[Command, ...]:
    """Build the command that installs a distribution as a tool, with uv's folders of tools inside the case's own."""
    options = (
        "--python",
        str(case.python.path),
        "--constraints",
        str(place.constraints),
        *_uv_source(source),
    )
    return (_uv((uv, "tool", "install", *options, *case.wanted), place),)


def tool_environment(place: InstallTarget) -> dict[str, str]:
    """Give the folders in which uv keeps the case's tool."""
    return {"UV_TOOL_DIR": str(place.env), "UV_TOOL_BIN_DIR": str(place.folder / "tools")}


def pip_commands(case: Case, place: InstallTarget, source: Source) -> tuple[Command, ...]:
    """Build the two commands that make the same environment with venv and pip.

    The files are requirements themselves: pip before 24 refuses a constraint with an address where somebody asks for an extra.
    """
    make = (str(case.python.path), "-m", "venv", str(place.env))
    files = tuple(case.packages[key].pinned(extras) for key, extras in case.needed.items())
    install = (
        place.python(),
        "-m",
        "pip",
        "install",
        "--no-input",
        "--progress-bar=off",
        *_pip_source(source),
        *files,
    )
    env = {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_RETRIES": "1"}
    return tuple(
        Command(argv=argv, cwd=place.work, env=env, unset=variables_to_unset(), timeout=INSTALL_SECONDS)
        for argv in (make, install)
    )


def _uv(argv: tuple[str, ...], place: InstallTarget) -> Command:
    env = {
        "UV_NO_CONFIG": "1",
        "UV_NO_PROGRESS": "1",
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_HTTP_RETRIES": "1",
        **tool_environment(place),
    }
    return Command(argv=argv, cwd=place.work, env=env, unset=variables_to_unset(), timeout=INSTALL_SECONDS)


def _uv_source(source: Source) -> tuple[str, ...]:
    words = () if source.sdists else ("--no-build",)
    if source.find_links:
        return (
            *words,
            "--no-index",
            *(word for path in source.find_links for word in ("--find-links", str(path))),
        )
    if source.offline:
        return (*words, "--offline")
    return (*words, "--default-index", source.index) if source.index else words


def _pip_source(source: Source) -> tuple[str, ...]:
    words = () if source.sdists else ("--only-binary", ":all:")
    if source.find_links or source.offline:
        return (
            *words,
            "--no-index",
            *(word for path in source.find_links for word in ("--find-links", str(path))),
        )
    return (*words, "--index-url", source.index) if source.index else words
