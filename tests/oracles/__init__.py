"""Facts about binaries as other parsers read them, named like the fields of `wheelkit._core.Slice`."""

from typing import Any

# What only ELF files have.
NOT_ELF: dict[str, Any] = {
    "definitions": [],
    "page_size": 0,
    "alignment": 0,
    "tls_bytes": 0,
    "isa": 0,
    "faults": [],
}
