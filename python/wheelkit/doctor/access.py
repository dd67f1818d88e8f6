"""The index, and the credentials that an upload would use: named, never shown."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

from wheelkit.doctor.model import fine, missing, warning
from wheelkit.errors import MissingToolError
from wheelkit.machine.process import Command, find_tool, query
from wheelkit.machine.scratch import temporary_folder
from wheelkit.publish.pypirc import read_pypirc

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
    sections, problem = _pypirc_sections(environ)
    if problem is not None:
        yield problem
    names = [f"${name}" for name in (*_VARIABLES, *_OIDC_VARIABLES) if environ.get(name)]
    names += [f"~/.pypirc [{section}]" for section in sections]
    if any(environ.get(name) for name in _OIDC_VARIABLES):
        names.append("trusted publishing")
    none = "none here; the release workflow uses trusted publishing"
    yield fine(TOPIC, "credentials", ", ".join(names) or none)


def _pypirc_sections(environ: Mapping[str, str]) -> tuple[list[str], CheckLine | None]:
    """Return the sections with a password, and what is wrong with the file."""
    found = read_pypirc(environ)
    if found.problem:
        return [], warning(TOPIC, ".pypirc", found.problem, f"fix or remove {found.path}")
    stated = (*found.sections.values(), *found.unlisted.values())
    sections = [section.name for section in stated if section.password]
    if sections and sys.platform != "win32" and found.path.stat().st_mode & _READABLE_BY_OTHERS:
        detail = f"{found.path} contains passwords and is readable by other users"
        return sections, warning(TOPIC, ".pypirc", detail, f"chmod 600 {found.path}")
    return sections, None
