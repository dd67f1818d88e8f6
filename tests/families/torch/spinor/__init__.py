"""Two questions to torch, asked from C; torch itself loads its libraries."""

import torch  # noqa: F401 - its libraries have to be in the process first

from spinor._core import element_size, is_device

__all__ = ["element_size", "is_device"]
