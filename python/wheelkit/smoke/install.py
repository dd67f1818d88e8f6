"""Builds the commands that install a case with uv, pip or ``uv tool``.

The family's wheels are given by path and sha256, to uv as constraints, which apply wherever a name comes up:
a higher version of a member on an index is never considered. All else comes from one index or folder.
Settings of the user and the system, which could add indexes, are ignored.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from wheelkit.errors import UsageError
from wheelkit.machine.process import Command
from wheelkit.machine.time_limits import ENVIRONMENT
from wheelkit.smoke.environments import variables_to_unset
from wheelkit.smoke.foreign_environments import site_packages

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from wheelkit.smoke.environments import Environment
    from wheelkit.smoke.model import Case


_INDEX_VARIABLES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")


class Source(Struct, frozen=True, kw_only=True):
    """Where third-party packages come from: one index, folders only, or uv's cache only.

    An empty ``index`` is the installer's default. ``sdists`` allows building packages that have no wheel.
    """

    index: str = ""
    find_links: tuple[Path, ...] = ()
    offline: bool = False
    sdists: bool = False

    @property
    def uses_index(self) -> bool:
        """Whether an index is queried."""
        return not self.offline and not self.find_links

    @property
    def secrets(self) -> tuple[str, ...]:
        """The parts of the index's URL that must not be shown."""
        parts = urlsplit(self.index)
        secret = parts.password or parts.username or ""  # some indexes take a token as user name
        return tuple(filter(None, dict.fromkeys((secret, unquote(secret)))))


def configured_index(environ: Mapping[str, str] = os.environ) -> str:
    """Return the default index that the environment sets for uv or pip, empty if none."""
    for name in _INDEX_VARIABLES:
        if url := environ.get(name):
            return url.split("=", 1)[-1] if "=http" in url else url  # uv takes NAME=URL
    return ""


def require_valid(index: str) -> str:
    """Return the address of an index; raise UsageError for one that cannot be taken apart."""
    try:
        _ = urlsplit(index).port
    except ValueError as error:
        raise UsageError(
            f"the address of the index for third-party packages is not valid: {str(error).lower()}",
            hint="correct it, as in  --index https://packages.example.org/simple/",
        ) from error
    return index


def uv_commands(uv: str, case: Case, environment: Environment, source: Source) -> tuple[Command, ...]:
    """Build the two commands that create an environment and install into it with uv."""
    create = (uv, "venv", "--quiet", "--no-project", "--python", str(case.python.path), str(environment.venv))
    options = _uv_options(environment.python, environment, source)
    install = (uv, "pip", "install", *options, *case.requirements, *case.test_requirements)
    return (_uv(create, environment), _uv(install, environment, source))


def foreign_commands(uv: str, case: Case, environment: Environment, source: Source) -> tuple[Command, ...]:
    """Build the command that installs into the environment of an interpreter of another platform.

    uv asks that interpreter, but takes paths of Windows for names, so it is told where to install for it.
    """
    options = _uv_options(environment.python, environment, source)
    if case.python.runtime is not None and case.python.runtime.format == "pe":
        options = ("--target", str(site_packages(environment)), *options)
    return (_uv((uv, "pip", "install", *options, *case.requirements), environment, source),)


def tool_commands(uv: str, case: Case, environment: Environment, source: Source) -> tuple[Command, ...]:
    """Build the command that installs a distribution as a tool, inside the case's own folder."""
    options = _uv_options(str(case.python.path), environment, source)
    return (_uv((uv, "tool", "install", *options, *case.requirements), environment, source),)


def pip_commands(case: Case, environment: Environment, source: Source) -> tuple[Command, ...]:
    """Build the two commands that create an environment with venv and install into it with pip."""
    create = (str(case.python.path), "-m", "venv", str(environment.venv))
    options = ("--no-input", "--progress-bar=off", *_pip_source(source))
    # Not constraints: pip before 24 rejects one with a URL if a requirement asks for an extra.
    wheels = tuple(case.packages[key].pinned(extras) for key, extras in case.needed.items())
    install = (environment.python, "-m", "pip", "install", *options, *wheels, *case.test_requirements)
    env = {"PIP_CONFIG_FILE": os.devnull, "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_RETRIES": "1"}
    index = _index_variable("PIP_INDEX_URL", source)
    return (_command(create, env, environment), _command(install, {**env, **index}, environment))


def _index_variable(name: str, source: Source) -> dict[str, str]:
    """Return the index as a variable: other users may read the arguments of a program, and so a password."""
    return {name: source.index} if source.index and source.uses_index else {}


def _uv(argv: tuple[str, ...], environment: Environment, source: Source | None = None) -> Command:
    env = {
        **({} if source is None else _index_variable("UV_DEFAULT_INDEX", source)),
        "UV_NO_CONFIG": "1",
        "UV_NO_PROGRESS": "1",
        "UV_PYTHON_DOWNLOADS": "never",
        "UV_HTTP_RETRIES": "1",
        "UV_TOOL_DIR": str(environment.venv),
        "UV_TOOL_BIN_DIR": str(environment.tools),
    }
    return _command(argv, env, environment)


def _command(argv: tuple[str, ...], env: Mapping[str, str], environment: Environment) -> Command:
    return Command(
        argv=argv, cwd=environment.work, env=env, unset=variables_to_unset(), timeout=ENVIRONMENT.seconds
    )


def _uv_options(python: str, environment: Environment, source: Source) -> tuple[str, ...]:
    build = () if source.sdists else ("--no-build",)
    options = ("--python", python, "--constraints", str(environment.constraints), *build)
    if source.find_links:
        return (*options, "--no-index", *_find_links(source))
    return (*options, "--offline") if source.offline else options


def _pip_source(source: Source) -> tuple[str, ...]:
    options = () if source.sdists else ("--only-binary", ":all:")
    if not source.uses_index:
        return (*options, "--no-index", *_find_links(source))
    return options


def _find_links(source: Source) -> tuple[str, ...]:
    return tuple(word for path in source.find_links for word in ("--find-links", str(path)))
