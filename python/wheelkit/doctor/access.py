"""The way to the index, and the credentials that an upload would use: named, never shown."""

from __future__ import annotations

import sys
import tempfile
from configparser import ConfigParser, Error
from pathlib import Path
from typing import TYPE_CHECKING

from wheelkit.doctor.model import fine, missing, warning
from wheelkit.errors import MissingToolError
from wheelkit.machine.process import Command, find_tool, query

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wheelkit.doctor.model import CheckLine


TOPIC = "index"
_ASK_SECONDS = 20.0
# What twine reads (its documentation, "Environment variables"), and what tells it that a CI vouches for the workflow.
_VARIABLES = ("TWINE_PASSWORD", "TWINE_USERNAME", "TWINE_CERT", "TWINE_REPOSITORY", "TWINE_REPOSITORY_URL")
_OIDC = ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "PYPI_ID_TOKEN")
_OTHERS_MAY_READ = 0o077


def index() -> CheckLine:
    """Ask the index that uv is configured for about one distribution that every index has."""
    try:
        uv = find_tool("uv")
    except MissingToolError:
        return warning(TOPIC, "reachable", "not asked: uv is missing", "pip install uv")
    with tempfile.TemporaryDirectory() as folder:
        ask = (
            "pip",
            "install",
            "--dry-run",
            "--refresh",
            "--no-deps",
            "--quiet",
            "--target",
            folder,
            "--python",
            sys.executable,
            "packaging",
        )
        done = query(Command(argv=(uv, *ask)), timeout=_ASK_SECONDS)
    if done.returncode == 0:
        return fine(TOPIC, "reachable", "the configured index answers")
    said = next(
        (line.strip() for line in reversed(done.output.splitlines()) if line.strip()),
        f"no answer in {_ASK_SECONDS:.0f} seconds",
    )
    return missing(
        TOPIC,
        "reachable",
        _without_address(said),
        "check the network, the proxy and uv's index settings: uv pip install --dry-run packaging",
    )


def _without_address(text: str) -> str:
    """Drop what may carry a password: the user part of an address."""
    import re

    return re.sub(r"://[^/@\s]*@", "://***@", text)


def credentials(environ: Mapping[str, str]) -> Iterable[CheckLine]:
    """Tell which credentials an upload would find, by their names only."""
    found = [name for name in (*_VARIABLES, *_OIDC) if environ.get(name)]
    home = Path(environ.get("HOME") or environ.get("USERPROFILE") or "~").expanduser()
    sections, trouble = _pypirc(home / ".pypirc")
    if trouble is not None:
        yield trouble
    named = [*(f"${name}" for name in found), *(f"~/.pypirc [{name}]" for name in sections)]
    if any(name in found for name in _OIDC):
        named.append("trusted publishing")
    yield fine(
        TOPIC,
        "credentials",
        ", ".join(named) if named else "none here; the release workflow publishes by trusted publishing",
    )


def _pypirc(path: Path) -> tuple[list[str], CheckLine | None]:
    if not path.is_file():
        return [], None
    parser = ConfigParser(interpolation=None)
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (Error, OSError, UnicodeDecodeError):
        # The parser's own words would show the line, and with it a password.
        return [], warning(
            TOPIC, ".pypirc", f"{path} cannot be read, so twine would refuse it", f"mend or remove {path}"
        )
    sections = [name for name in parser.sections() if parser.has_option(name, "password")]
    if sections and sys.platform != "win32" and path.stat().st_mode & _OTHERS_MAY_READ:
        return sections, warning(
            TOPIC, ".pypirc", f"{path} holds passwords, and others may read it", f"chmod 600 {path}"
        )
    return sections, None
