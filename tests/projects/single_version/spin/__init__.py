"""Whole turns in an angle."""

from spin._core import turns

__all__ = ["turns"]
