"""The libraries that the binaries of a wheel need."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelkit.analysis.claims import runs, system_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelkit.matrix import System
    from wheelkit.wheel import Wheel


# Code that uses such a library handles its absence.
_OPTIONAL = frozenset({"weak", "delay"})


def needed_libraries(wheel: Wheel) -> Mapping[System, dict[str, list[str]]]:
    """Return the libraries that are needed on each system, with the binaries that need them."""
    needs: dict[System, dict[str, dict[str, None]]] = {}
    for binary, slice_ in wheel.slices():
        system = system_of(binary)
        if system is not None and runs(slice_):
            for library in slice_.needed:
                if library.how not in _OPTIONAL:
                    needs.setdefault(system, {}).setdefault(library.name, {})[binary.member] = None
    return {
        system: {name: list(members) for name, members in libraries.items()}
        for system, libraries in needs.items()
    }
