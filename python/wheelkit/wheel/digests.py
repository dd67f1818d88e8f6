"""Hashes of members, by the algorithms that RECORD may use.

hashlib loads OpenSSL, which takes longer than to read and hash a small wheel. Little data is left to Python's own sha256, as Python's
random module leaves it for the same reason.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


# sha256 or stronger (binary distribution format, "Recording installed projects").
HASHES = frozenset({"sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512", "blake2b", "blake2s"})
DEFAULT = "sha256"
# Python's own takes a millisecond for so many bytes, and four times as long as OpenSSL's.
LITTLE = 256 * 1024
# Where Python keeps it: since 3.12, and before.
_OWN = ("_sha2", "_sha256")


class Hash(Protocol):
    """What hashlib gives."""

    @property
    def name(self) -> str:
        """The algorithm."""

    def update(self, data: bytes | memoryview, /) -> None:
        """Take further bytes."""

    def digest(self) -> bytes:
        """Give the hash of all bytes so far."""


def new(algorithm: str) -> Hash:
    """Begin a hash; by sha256 where RECORD must not use the algorithm."""
    import hashlib

    found: Hash = getattr(hashlib, algorithm if algorithm in HASHES else DEFAULT)()
    return found


def new_for_little(algorithm: str) -> Hash:
    """Begin the same of no more than ``LITTLE`` bytes."""
    own = None if "hashlib" in sys.modules or (algorithm in HASHES and algorithm != DEFAULT) else _own()
    return new(algorithm) if own is None else own()


@cache
def _own() -> Callable[[], Hash] | None:
    for name in _OWN:
        try:
            found: Callable[[], Hash] = import_module(name).sha256
        except (ImportError, AttributeError):
            continue
        return found
    return None
