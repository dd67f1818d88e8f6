"""The ratio of two gears."""

from torque._core import ratio

__all__ = ["ratio"]
