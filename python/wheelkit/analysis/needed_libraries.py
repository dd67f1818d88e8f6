"""Which libraries the binaries of a wheel cannot do without."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelkit.analysis.claims import runs, system_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelkit.matrix import System
    from wheelkit.wheel import Wheel


def needed_libraries(wheel: Wheel) -> Mapping[System, dict[str, list[str]]]:
    """Map each system's needed libraries, as they are named, to the binaries that must have them."""
    needs: dict[System, dict[str, list[str]]] = {}
    for binary, part in wheel.slices():
        system = system_of(binary)
        if system is None or not runs(part):
            continue
        for library in part.needed:
            # A delay-loaded or weak library is one that the code is ready to miss.
            if library.how not in {"weak", "delay"}:
                members = needs.setdefault(system, {}).setdefault(library.name, [])
                if binary.member not in members:
                    members.append(binary.member)
    return needs
