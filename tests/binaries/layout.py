"""A writer of bytes with marks, for the assemblers of tiny binaries."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

Order = Literal["little", "big"]


@dataclass(kw_only=True, slots=True)
class Layout:
    """A growing binary. `at` returns the offset of a mark, or zero while it is unknown."""

    order: Order
    wide: bool
    known: dict[str, int] = field(default_factory=dict)
    marks: dict[str, int] = field(default_factory=dict)
    data: bytearray = field(default_factory=bytearray)

    def mark(self, name: str) -> None:
        self.marks[name] = len(self.data)

    def at(self, name: str) -> int:
        return self.known.get(name, 0)

    def size(self, name: str) -> int:
        """Return the number of bytes from the mark `name` to the mark `name.end`."""
        return self.at(name + ".end") - self.at(name)

    def put(self, width: int, *values: int) -> None:
        mask = (1 << 8 * width) - 1
        self.data += b"".join([(value & mask).to_bytes(width, self.order) for value in values])

    def u8(self, *values: int) -> None:
        self.put(1, *values)

    def u16(self, *values: int) -> None:
        self.put(2, *values)

    def u32(self, *values: int) -> None:
        self.put(4, *values)

    def u64(self, *values: int) -> None:
        self.put(8, *values)

    def word(self, *values: int) -> None:
        self.put(8 if self.wide else 4, *values)

    def raw(self, data: bytes, size: int | None = None) -> None:
        self.data += data if size is None else data.ljust(size, b"\0")

    def align(self, to: int) -> None:
        self.data += bytes(-len(self.data) % to)

    def strings(self, table: str, texts: list[str]) -> None:
        """Write NUL-terminated strings, each marked `table:text`, after the empty string that comes first."""
        self.mark(table)
        self.u8(0)
        for text in texts:
            self.mark(f"{table}:{text}")
            self.raw(text.encode() + b"\0")
        self.mark(table + ".end")

    def string(self, table: str, text: str) -> int:
        """Return the offset of a string in its table."""
        return self.at(f"{table}:{text}") - self.at(table)


@dataclass(frozen=True, kw_only=True, slots=True)
class Binary:
    """A finished binary and its marks."""

    data: bytes
    marks: dict[str, int]
    order: Order

    def patched(self, mark: str, value: int, width: int, skip: int = 0) -> bytes:
        """Return the data with a field of `width` bytes, `skip` bytes after a mark, overwritten."""
        at = self.marks[mark] + skip
        return self.data[:at] + value.to_bytes(width, self.order) + self.data[at + width :]


def assemble(describe: Callable[[Layout], None], *, order: Order, wide: bool) -> Binary:
    """Describe the binary twice; the second time, all marks are known."""
    first = Layout(order=order, wide=wide)
    describe(first)
    second = Layout(order=order, wide=wide, known=first.marks)
    describe(second)
    if second.marks != first.marks:
        raise AssertionError("the layout of a binary must not depend on where its parts are")
    return Binary(data=bytes(second.data), marks=second.marks, order=order)
