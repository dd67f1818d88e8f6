"""What a wheel's bytes are spent on: code, data, debug information, symbol tables, and files that are no binaries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from wheelkit.wheel.model import Wheel


class SizeBreakdown(Struct, frozen=True, kw_only=True):
    """Unpacked bytes by purpose; together they are the sizes of all members.

    ``symbols`` are symbol tables that could be stripped, ``headers`` what binaries hold besides: headers, relocations, signatures, padding.
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
        """All of it."""
        return sum(count for _, count in self.rows())

    def rows(self) -> tuple[tuple[str, int], ...]:
        """Give each purpose with its bytes."""
        names = ("code", "data", "debug", "symbols", "headers", "python", "other")
        return tuple((name, getattr(self, name)) for name in names)


def size_breakdown(wheel: Wheel) -> SizeBreakdown:
    """Add up what every member is made of."""
    parts = [part for _, part in wheel.slices()]
    code, data, debug, symbols = (
        sum(getattr(part, name) for part in parts)
        for name in ("code_bytes", "data_bytes", "debug_bytes", "symbol_bytes")
    )
    binaries = {binary.member for binary in wheel.binaries}
    native = sum(member.size for member in wheel.members if member.name in binaries)
    python = sum(member.size for member in wheel.members if member.name.endswith((".py", ".pyi")))
    everything = sum(member.size for member in wheel.members)
    # Where sections overlap, as in some fat files, more is counted than there is.
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
