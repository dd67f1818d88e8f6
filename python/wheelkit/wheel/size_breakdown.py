"""Break the size of a wheel down into code, data, debug information, symbol tables and other files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from wheelkit.wheel.model import Wheel


class SizeBreakdown(Struct, frozen=True, kw_only=True):
    """Unpacked bytes by purpose; they add up to the size of all members.

    ``symbols`` are symbol tables that could be stripped; ``headers`` is the rest of binaries: headers,
    relocations, signatures, padding.
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
    parts = [part for _, part in wheel.slices()]
    code, data, debug, symbols = (
        sum(getattr(part, name) for part in parts)
        for name in ("code_bytes", "data_bytes", "debug_bytes", "symbol_bytes")
    )
    binaries = {binary.member for binary in wheel.binaries}
    native = sum(member.size for member in wheel.members if member.name in binaries)
    python = sum(member.size for member in wheel.members if member.name.endswith((".py", ".pyi")))
    everything = sum(member.size for member in wheel.members)
    # Where sections overlap, as in some fat files, the parts add up to more than the whole.
    headers = max(native - code - data - debug - symbols, 0)
    return SizeBreakdown(
        code=code,
        data=data,
        debug=debug,
        symbols=symbols,
        headers=headers,
        python=python,
        other=everything - native - python,
    )
