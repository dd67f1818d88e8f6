"""Momentum of a mass at a speed."""

from momentum._core import of

__all__ = ["of"]
