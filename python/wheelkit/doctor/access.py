"""The index, and the credentials that an upload would use: named, never shown."""

from __future__ import annotations

import re
import sys
from configparser import ConfigParser, Error
from pathlib import Path
from typing import TYPE_CHECKING

from wheelkit.doctor.model import fine, missing, warning
from wheelkit.errors import MissingToolError
from wheelkit.inputs import read_text
from wheelkit.machine.process import Command, find_tool, query
from wheelkit.machine.scratch import temporary_folder

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wheelkit.doctor.model import CheckLine


TOPIC = "index"
_INSTALL = ("pip", "install", "--dry-run", "--refresh", "--no-deps", "--quiet")
_INSTALL_SECONDS = 20.0
# What twine reads (its documentation, "Environment variables"), and the tokens of trusted publishing.
_VARIABLES = ("TWINE_PASSWORD", "TWINE_USERNAME", "TWINE_CERT", "TWINE_REPOSITORY", "TWINE_REPOSITORY_URL")
_OIDC_VARIABLES = ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "PYPI_ID_TOKEN")
_READABLE_BY_OTHERS = 0o077


def index() -> CheckLine:
    """Check that uv can resolve a distribution from the index it is configured for."""
    try:
        uv = find_tool("uv")
    except MissingToolError:
        return warning(TOPIC, "index", "not checked: uv is missing", "pip install uv")
    with temporary_folder("wheelkit-") as folder:
        argv = (uv, *_INSTALL, "--target", str(folder), "--python", sys.executable, "packaging")
        completed = query(Command(argv=argv), timeout=_INSTALL_SECONDS)
    if completed.returncode == 0:
        return fine(TOPIC, "index", "reachable")
    lines = completed.output.strip().splitlines()
    reason = _reason(lines[-1]) if lines and not completed.cut_off else f"uv {completed.ending}"
    fix = "check the network, the proxy and uv's index settings: uv pip install --dry-run packaging"
    return missing(TOPIC, "index", f"unreachable: {reason}", fix)


def _reason(line: str) -> str:
    """Return the reason that a line of uv's output gives, without the credentials of a URL."""
    reason = re.sub(r"^\s*(?:error|caused by): *", "", line, flags=re.IGNORECASE)
    return re.sub(r"://[^/@\s]*@", "://***@", reason)


def credentials(environ: Mapping[str, str]) -> Iterable[CheckLine]:
    """List the credentials that an upload would find, by name only."""
    home = Path(environ.get("HOME") or environ.get("USERPROFILE") or "~").expanduser()
    sections, problem = _read_pypirc(home / ".pypirc")
    if problem is not None:
        yield problem
    names = [f"${name}" for name in (*_VARIABLES, *_OIDC_VARIABLES) if environ.get(name)]
    names += [f"~/.pypirc [{section}]" for section in sections]
    if any(environ.get(name) for name in _OIDC_VARIABLES):
        names.append("trusted publishing")
    none = "none here; the release workflow uses trusted publishing"
    yield fine(TOPIC, "credentials", ", ".join(names) or none)


def _read_pypirc(path: Path) -> tuple[list[str], CheckLine | None]:
    """Return the sections with a password, and what is wrong with the file."""
    if not path.exists():
        return [], None
    parser = ConfigParser(interpolation=None)
    try:
        parser.read_string(read_text(path))
    except (Error, OSError, UnicodeDecodeError):
        # The parser's message would show the line, which may contain a password.
        return [], warning(TOPIC, ".pypirc", f"twine cannot read {path}", f"fix or remove {path}")
    sections = [name for name in parser.sections() if parser.has_option(name, "password")]
    if sections and sys.platform != "win32" and path.stat().st_mode & _READABLE_BY_OTHERS:
        detail = f"{path} contains passwords and is readable by other users"
        return sections, warning(TOPIC, ".pypirc", detail, f"chmod 600 {path}")
    return sections, None
