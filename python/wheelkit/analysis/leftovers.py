"""Names of files that systems, editors, version control and tools leave behind, in wheels and in sdists."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


_FILES = frozenset({
    ".DS_Store", ".coverage", ".directory", ".git", "Desktop.ini", "Icon\r", "Thumbs.db", "desktop.ini",
    "ehthumbs.db",
})  # fmt: skip
_BEGINNINGS = ("._", ".#", ".nfs0", ".coverage.")
_ENDINGS = ("~", ".orig", ".rej", ".swo", ".swp")
_FOLDERS = r"""(?x)(?:^|/)(?:__MACOSX|\.AppleDouble|\.Spotlight-V100|\.Trashes|\.fseventsd|\.hypothesis|\.idea
    |\.ipynb_checkpoints|\.mypy_cache|\.pytest_cache|\.ruff_cache|\.vs|\.vscode)/"""
_VERSION_CONTROL = r"(?:^|/)(?:\.git|\.hg|\.svn|\.bzr|CVS|_darcs)/"
_CREDENTIALS = frozenset(
    {".git-credentials", ".netrc", ".pypirc", "_netrc", "id_dsa", "id_ecdsa", "id_ed25519", "id_rsa"}
)


# Nearly all names contain none of these, so nothing else is looked at.
_SUSPECT_ENDINGS = (*_ENDINGS, *_FILES, *_CREDENTIALS)
_SUSPECT_BEGINNINGS = (".", "__MACOSX", "CVS/", "_darcs/")
# JupyterLab's builder keeps the original beside each package.json that it changes.
_WANTED = ("/package.json.orig",)


def leftover_files(names: Iterable[str]) -> list[str]:
    """Return the files that nobody wants to ship: of the desktop, of an editor, of a tool's cache."""
    return [name for name in _suspects(names) if _is_leftover(name)]


def private_files(names: Iterable[str]) -> list[str]:
    """Return the files of version control, which hold the whole history, and files of credentials."""
    return [name for name in _suspects(names) if _is_private(name)]


def _suspects(names: Iterable[str]) -> list[str]:
    return [
        name
        for name in names
        if "/." in name
        or name.startswith(_SUSPECT_BEGINNINGS)
        or name.endswith(_SUSPECT_ENDINGS)
        or "/__MACOSX/" in name
        or "/CVS/" in name
        or "/_darcs/" in name
    ]


def _is_leftover(name: str) -> bool:
    file = name[name.rfind("/") + 1 :]
    if file in _FILES or file.startswith(_BEGINNINGS) or file.endswith(_ENDINGS):
        return not name.endswith(_WANTED)
    return re.search(_FOLDERS, name) is not None


def _is_private(name: str) -> bool:
    return name[name.rfind("/") + 1 :] in _CREDENTIALS or re.search(_VERSION_CONTROL, name) is not None
