"""Where the cache lies, how large it may grow, and whether it is wanted."""

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
"""The folder, in the cache's, of the objects that a compiler cache keeps; that one bounds it by itself."""
BYTECODE_FOLDER = "bytecode"
"""The folder, in the cache's, of what smoke tests keep of third parties; it bounds itself too."""
_DEFAULT_LIMIT = 2 * 1000**3
_UNITS = {"kB": 1000, "MB": 1000**2, "GB": 1000**3}


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """Name the cache's folder: ``WHEELKIT_CACHE_DIR``, else the user's own for caches."""
    if told := environ.get("WHEELKIT_CACHE_DIR"):
        return Path(told).absolute()
    from platformdirs import user_cache_path

    return user_cache_path("wheelkit", appauthor=False)


def cache_limit(environ: Mapping[str, str] = os.environ) -> int:
    """Give the most bytes that the cache may hold: ``WHEELKIT_CACHE_SIZE`` such as ``500 MB``, else 2 GB; raises UsageError."""
    told = environ.get("WHEELKIT_CACHE_SIZE", "").strip()
    if not told:
        return _DEFAULT_LIMIT
    match = re.fullmatch(r"(\d+(?:\.\d+)?) ?(kB|MB|GB)", told)
    if match is None:
        raise UsageError(
            f'WHEELKIT_CACHE_SIZE is "{told}", which is no size', hint='write it like "500 MB" or "5 GB"'
        )
    return int(float(match[1]) * _UNITS[match[2]])


def cache_enabled(environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether the environment allows the cache; any text in ``WHEELKIT_NO_CACHE`` turns it off."""
    return not environ.get("WHEELKIT_NO_CACHE")


# At the top of a project's folder, and anywhere in it. Deeper down a folder named build may well be a source.
OUTPUTS = ("dist", "wheelhouse", "build")
LEFTOVERS = (".venv", "__pycache__", "*.egg-info")


def is_build_leftover(path: str) -> bool:
    """Tell whether a file, by its path below a project's folder, is what a build left behind and no change of the project."""
    *folders, _ = path.split("/")
    return folders[:1] in ([name] for name in OUTPUTS) or any(
        fnmatchcase(folder, name) for folder in folders for name in LEFTOVERS
    )
