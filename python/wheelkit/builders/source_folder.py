"""The folder that a wheel is compiled in: an unpacked sdist, whose path stays out of the binaries."""

from __future__ import annotations

import os
import shlex
import tarfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


# setuptools replaces the interpreter's own options by CFLAGS, and adds CPPFLAGS; Meson takes them, too.
_VARIABLE = "CPPFLAGS"


def unpack_source(sdist: Path, folder: Path) -> Path:
    """Unpack an sdist into an empty folder and return its top folder, or the sdist if it has no such form.

    uv unpacks an sdist into a folder with a random name, which no option can name beforehand.
    """
    try:
        with tarfile.open(sdist, "r:gz") as archive:
            archive.extractall(folder, filter="data")
    except (tarfile.TarError, OSError, EOFError):
        return sdist
    tops = list(folder.iterdir())
    return tops[0] if len(tops) == 1 and tops[0].is_dir() else sdist


def map_away(source: Path, environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variable that makes GCC and clang write paths relative to the source folder.

    Debug information and ``__FILE__`` would have its path otherwise, and a build id depends on them.
    """
    if not source.is_dir():
        return {}
    options = [environ.get(_VARIABLE, ""), shlex.quote(f"-ffile-prefix-map={source}=.")]
    return {_VARIABLE: " ".join(filter(None, options))}
