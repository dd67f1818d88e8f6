"""The release toolkit for Python projects with a native core."""

from __future__ import annotations

from wheelkit._version import __version__

__all__ = ["__version__"]
