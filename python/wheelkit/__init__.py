"""The release toolkit for Python projects with a native core."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    __version__: str

__all__ = ["__version__"]


def __getattr__(name: str) -> str:
    """Give ``__version__``, which the core was compiled with, only when somebody asks."""
    if name == "__version__":
        from wheelkit import _core

        return _core.__version__
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
