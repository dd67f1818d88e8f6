"""What pip's environment variables say, as uv's own: uv reads none of pip's.

Projects, CI and companies set them for all builds: an index of their own, certificates, constraints. Here uv
builds and installs with them as pip would (pip's documentation, "Configuration"; uv's, "Environment
variables"). What is set for uv itself stays. An index with a password is passed on as a variable only.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def variables(environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables to add to uv's environment."""
    added: dict[str, str] = {}
    for pip, uv_names, convert in _ROWS:
        value = environ.get(pip, "").strip()
        if value and (converted := convert(value)):
            added = {**{name: converted for name in uv_names if not _is_set(name, environ)}, **added}
    return added


def options(environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Return the options for what uv has no variable for; an index that is set for uv itself stays."""
    if any(map(environ.get, _INDEXES)):
        return ()
    return ("--no-index",) if environ.get("PIP_NO_INDEX", "").strip().lower() in _TRUE else ()


_TRUE = frozenset({"1", "true", "yes", "on", "y", "t"})  # as pip reads a switch
_INDEXES = ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "UV_INDEX")
# Either of two names of one setting may be set.
_ALSO = {"UV_DEFAULT_INDEX": "UV_INDEX_URL", "UV_EXTRA_INDEX_URL": "UV_INDEX"}


def _is_set(name: str, environ: Mapping[str, str]) -> bool:
    return bool(environ.get(name) or environ.get(_ALSO.get(name, name)))


def _as_it_is(value: str) -> str:
    return value


def _places(value: str) -> str:
    """Return links and folders with uv's separator, without missing folders, which pip passes over."""
    words = value.split()
    return ",".join(word for word in words if "://" in word or Path(word).exists())


def _files(value: str) -> str:
    """Return constraint files, which both separate by spaces, by absolute paths: builds run elsewhere."""
    return " ".join(word if "://" in word else str(Path(word).absolute()) for word in value.split())


def _prerelease(value: str) -> str:
    return "allow" if value.lower() in _TRUE else ""


_ROWS: tuple[tuple[str, tuple[str, ...], Callable[[str], str]], ...] = (
    ("PIP_INDEX_URL", ("UV_DEFAULT_INDEX",), _as_it_is),
    ("PIP_EXTRA_INDEX_URL", ("UV_EXTRA_INDEX_URL",), _as_it_is),
    ("PIP_FIND_LINKS", ("UV_FIND_LINKS",), _places),
    ("PIP_CERT", ("SSL_CERT_FILE",), _as_it_is),
    ("PIP_TRUSTED_HOST", ("UV_INSECURE_HOST",), _as_it_is),
    ("PIP_PRE", ("UV_PRERELEASE",), _prerelease),
    # The constraints of builds alone come first: the others do not reach those then, as in pip.
    ("PIP_BUILD_CONSTRAINT", ("UV_BUILD_CONSTRAINT",), _files),
    ("PIP_CONSTRAINT", ("UV_CONSTRAINT", "UV_BUILD_CONSTRAINT"), _files),
)
