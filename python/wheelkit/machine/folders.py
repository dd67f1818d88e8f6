"""The cache folder and its limit, and which files in a project builds leave behind."""

from __future__ import annotations

import os
import re
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from wheelkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping


COMPILED_FOLDER = "compiled"
"""The subfolder in which a compiler cache keeps objects; the compiler cache limits its size."""
_DEFAULT_LIMIT = 2 * 1000**3
_UNITS = {"kB": 1000, "MB": 1000**2, "GB": 1000**3}


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the cache folder: ``WHEELKIT_CACHE_DIR``, else the one in the user's folder for caches."""
    if configured := environ.get("WHEELKIT_CACHE_DIR"):
        return Path(configured).absolute()
    from platformdirs import user_cache_path

    return user_cache_path("wheelkit", appauthor=False)


def cache_limit(environ: Mapping[str, str] = os.environ) -> int:
    """Return the cache's limit in bytes: ``WHEELKIT_CACHE_SIZE``, else 2 GB. Raises UsageError."""
    configured = environ.get("WHEELKIT_CACHE_SIZE", "").strip()
    if not configured:
        return _DEFAULT_LIMIT
    match = re.fullmatch(r"(\d+(?:\.\d+)?) ?(kB|MB|GB)", configured)
    if match is None:
        raise UsageError(
            f'WHEELKIT_CACHE_SIZE is "{configured}", which is not a size',
            hint='write it like "500 MB" or "5 GB"',
        )
    return int(float(match[1]) * _UNITS[match[2]])


def cache_enabled(environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether the cache is enabled; any text in ``WHEELKIT_NO_CACHE`` disables it."""
    return not environ.get("WHEELKIT_NO_CACHE")


# Folders at the top of a project, and folders anywhere in it. A folder named build that is deeper down may
# contain sources.
OUTPUTS = ("dist", "wheelhouse", "build")
LEFTOVERS = (".venv", "__pycache__", "*.egg-info")


def is_build_leftover(path: str) -> bool:
    """Return whether a build left a file, by its path in the project's folder."""
    *folders, _ = path.split("/")
    return folders[:1] in ([name] for name in OUTPUTS) or any(
        fnmatchcase(folder, name) for folder in folders for name in LEFTOVERS
    )
