"""How binaries begin."""

from __future__ import annotations

# The first bytes of ELF, PE, Mach-O and fat Mach-O files.
_MAGIC = (
    b"\x7fELF",
    b"MZ",
    *(bytes.fromhex(magic) for magic in ("feedface", "feedfacf", "cefaedfe", "cffaedfe", "cafebabe", "cafebabf")),
)


def is_binary(begin: bytes | memoryview) -> bool:
    """Tell whether a file's first bytes are those of a binary."""
    return bytes(begin[:4]).startswith(_MAGIC)
