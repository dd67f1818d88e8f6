"""Where a planet is on its ellipse."""

from orrery._core import solve

__all__ = ["solve"]
