"""Binaries that the loader of their system refuses although they can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelkit.analysis.claims import runs
from wheelkit.text import first_and_count
from wheelkit.verification.findings import finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Wheel


def refused(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report binaries that break a rule of their loader; one finding for each rule."""
    members: dict[str, dict[str, None]] = {}
    for binary, slice_ in wheel.slices():
        if slice_.refusal is not None and runs(slice_):
            members.setdefault(slice_.refusal, {})[binary.member] = None
    for reason, users in members.items():
        what = f"{first_and_count(list(users))} is not loaded: {reason}"
        yield finding("WK350", what, member=next(iter(users)))
