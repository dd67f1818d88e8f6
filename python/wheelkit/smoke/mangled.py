"""Mangled C++ names (Itanium C++ ABI, 5.1): to whose namespace a symbol belongs, and so whose binary interface it is part of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

# The outermost namespaces of a provider's C++ interface; for others the provider's own name.
_NAMESPACES: Mapping[str, tuple[str, ...]] = {
    "torch": ("torch", "at", "c10", "caffe2"),
    "tensorflow": ("tensorflow", "tsl"),
    "onnxruntime": ("onnxruntime", "Ort"),
    "openvino": ("ov",),
    "pyarrow": ("arrow", "parquet"),
}
# _Z or, on macOS, __Z; then what is special about it (a vtable, a guard variable), and N for a nested name with its qualifiers.
_START = r"_{1,2}Z+(?:T[VTISHW]|G[VR])?N[rVKRO]*"
_NEW_STRING = "cxx11"


def belongs_to(symbol: str, provider: str) -> bool:
    """Tell whether a symbol is defined in a provider's namespace; one that only takes the provider's types is somebody else's."""
    spaces = "|".join(f"{len(name)}{name}" for name in _NAMESPACES.get(provider, (provider.replace("-", "_"),)))
    return re.match(f"{_START}(?:{spaces})(?![a-z_])", symbol) is not None


def has_new_string(symbol: str) -> bool:
    """Tell whether a symbol speaks of libstdc++'s strings and lists since GCC 5, which ``_GLIBCXX_USE_CXX11_ABI`` chooses."""
    return _NEW_STRING in symbol
