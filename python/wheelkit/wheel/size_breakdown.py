"""Break the size of a wheel down into code, data, debug information, symbol tables and other files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from wheelkit.wheel.model import Wheel


class SizeBreakdown(Struct, frozen=True, kw_only=True):
    """Unpacked bytes by purpose, which add up to the size of all members.

    ``symbols`` are symbol tables that could be stripped; ``headers`` is the rest of binaries.
    """

    code: int
    data: int
    debug: int
    symbols: int
    headers: int
    python: int
    other: int

    @property
    def total(self) -> int:
        """The sum of all."""
        return sum(count for _, count in self.rows())

    def rows(self) -> tuple[tuple[str, int], ...]:
        """Return each purpose with its bytes."""
        return tuple((name, getattr(self, name)) for name in self.__struct_fields__)


def size_breakdown(wheel: Wheel) -> SizeBreakdown:
    """Add up the parts of every member."""
    slices = [slice_ for _, slice_ in wheel.slices()]
    sections = {
        "code": sum(slice_.code_bytes for slice_ in slices),
        "data": sum(slice_.data_bytes for slice_ in slices),
        "debug": sum(slice_.debug_bytes for slice_ in slices),
        "symbols": sum(slice_.symbol_bytes for slice_ in slices),
    }
    binaries = {binary.member for binary in wheel.binaries}
    native = sum(member.size for member in wheel.members if member.name in binaries)
    python = sum(member.size for member in wheel.members if member.name.endswith((".py", ".pyi")))
    other = sum(member.size for member in wheel.members) - native - python
    # Where sections overlap, as in some fat files, the parts add up to more than the whole.
    headers = max(native - sum(sections.values()), 0)
    return SizeBreakdown(**sections, headers=headers, python=python, other=other)
