"""Small sdists from a table of their members."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

MESON = '[build-system]\nbuild-backend = "mesonpy"\n[project]\nname = "momentum"\ndynamic = ["version"]\n'
PKG_INFO = "Metadata-Version: 2.4\nName: Mo.mentum\nVersion: 1.2\nRequires-Python: >=3.11\n"


def sdist(path: Path, members: dict[str, bytes]) -> Path:
    """Write an sdist with these members; returns its path."""
    with tarfile.open(path, "w:gz") as archive:
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path
