"""WebAssembly modules, which Pyodide loads as extension modules (WebAssembly core specification, 5.5).

They are rare and small, so they are read here instead of in the C core: what a module exports, and the
libraries that it needs (WebAssembly tool conventions, "Dynamic Linking").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelkit import _core

if TYPE_CHECKING:
    from collections.abc import Iterator


MAGIC = b"\0asm"
_HEADER = 8  # the magic number and the version
_CUSTOM, _EXPORTS, _CODE, _DATA = 0, 7, 10, 11
_DYNAMIC_LINKING, _NEEDED = b"dylink.0", 2
_LONGEST_NUMBER = 5  # bytes of a 32-bit number in LEB128
_NUMBERS = frozenset({
    "offset", "writable_executable", "debug_bytes", "symbol_bytes", "page_size", "alignment", "tls_bytes",
    "isa",
})  # fmt: skip
_LISTS = frozenset({
    "needed", "rpaths", "versions", "imports", "exports", "flags", "digests", "definitions", "faults",
})  # fmt: skip


class _Reader:
    """A bounded reader; raises IndexError or ValueError at what is damaged."""

    def __init__(self, data: memoryview) -> None:
        self._data, self._position = data, 0

    def __bool__(self) -> bool:
        return self._position < len(self._data)

    def number(self) -> int:
        """Read an unsigned number (LEB128)."""
        value = 0
        for index in range(_LONGEST_NUMBER):
            byte = self._data[self._position]
            self._position += 1
            value |= (byte & 0x7F) << 7 * index
            if byte < 0x80:  # noqa: PLR2004 - the bit that says that another byte follows
                return value
        raise ValueError("a number has too many bytes")

    def block(self) -> memoryview:
        """Read as many bytes as the number before them says."""
        size = self.number()
        end = self._position + size
        if end > len(self._data):
            raise IndexError("a block ends after the file")
        block = self._data[self._position : end]
        self._position = end
        return block

    def name(self) -> str:
        """Read a name."""
        return bytes(self.block()).decode("utf-8", errors="replace")


def scan_wasm(contents: bytes | memoryview) -> _core.Scan | None:
    """Return the scan of a WebAssembly module, None for other files; a damaged one has no exports."""
    view = memoryview(contents)
    if bytes(view[: len(MAGIC)]) != MAGIC:
        return None
    exports: list[str] = []
    needed: list[str] = []
    sizes = {_CODE: 0, _DATA: 0}
    try:
        for kind, section in _sections(view[_HEADER:]):
            sizes[kind] = len(section)
            if kind == _EXPORTS:
                exports += _exports(_Reader(section))
            elif kind == _CUSTOM:
                needed += _needed(_Reader(section))
    except (IndexError, ValueError):
        exports, needed = [], []
    facts = {
        **dict.fromkeys(_NUMBERS, 0),
        **dict.fromkeys(_LISTS, ()),
        "size": len(view),
        "arch": "wasm32",
        "bits": 32,
        "endian": "little",
        "kind": "shared",
        "code_bytes": sizes[_CODE],
        "data_bytes": sizes[_DATA],
        "exports": tuple(exports),
        "needed": tuple(_core.Library((name, "required")) for name in needed),
    }
    slice_ = _core.Slice(facts.get(field) for field in _core.Slice.__match_args__)
    return _core.Scan(("wasm", False, (slice_,)))


def _sections(data: memoryview) -> Iterator[tuple[int, memoryview]]:
    reader = _Reader(data)
    while reader:
        yield reader.number(), reader.block()


def _exports(section: _Reader) -> Iterator[str]:
    for _ in range(section.number()):
        yield section.name()
        section.number()  # the kind of what is exported
        section.number()  # its index


def _needed(section: _Reader) -> Iterator[str]:
    if section.name().encode() != _DYNAMIC_LINKING:
        return
    while section:
        kind, part = section.number(), _Reader(section.block())
        for _ in range(part.number()) if kind == _NEEDED else ():
            yield part.name()
