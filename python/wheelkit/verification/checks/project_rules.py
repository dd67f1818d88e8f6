"""What a project promises of its own distributions beyond the matrix: their dependencies, a meta without code, bounded ranges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelkit.fast_packaging import normalise
from wheelkit.text import shorten_list
from wheelkit.verification.checks.metadata import requirements
from wheelkit.verification.findings import finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.markers import Marker

    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Wheel


_CODE = (".py", ".pyc", ".pyx", ".so", ".pyd", ".dll", ".dylib")
# A name that no project gives an extra: what a marker says with it holds without any.
_NO_EXTRA = "wheelkit-asks-without-an-extra"


def dependencies(wheel: Wheel, contract: Contract) -> Iterator[Finding]:
    """Report what a wheel requires at run time beyond the names that the project allows it; extras are the user's own choice."""
    promise = contract.promise(wheel.distribution)
    if promise is None or promise.dependencies is None:
        return
    allowed = set(map(normalise, promise.dependencies))
    more = {normalise(one.name): str(one) for one in requirements(wheel) if not _by_extra(one.marker)}
    broken = [text for name, text in more.items() if name not in allowed]
    if broken:
        names = shorten_list(sorted(promise.dependencies)) if promise.dependencies else "none"
        yield finding(
            "WK715",
            what=f"it requires {shorten_list(broken)}; its dependencies are promised to be {names}",
            file=wheel.filename,
        )


def _by_extra(marker: Marker | None) -> bool:
    """Tell whether a requirement comes with an extra alone, whatever the system and interpreter."""
    return marker is not None and "extra" in str(marker) and not marker.evaluate({"extra": _NO_EXTRA})


def meta(wheel: Wheel, contract: Contract) -> Iterator[Finding]:
    """Report code in a meta distribution, whose users are promised its dependencies and nothing else."""
    promise = contract.promise(wheel.distribution)
    if promise is None or promise.kind.value != "meta":
        return
    code = [
        one.name
        for one in wheel.members
        if one.name.endswith(_CODE) or one.name.partition("/")[2].startswith("scripts/")
    ]
    if code:
        yield finding(
            "WK716",
            what=f"{wheel.distribution} is a meta distribution, and holds {shorten_list(code)}",
            file=wheel.filename,
        )


def bounded_ranges(wheel: Wheel, contract: Contract) -> Iterator[Finding]:
    """Report requirements on another distribution of the project that admit every later version of it."""
    if contract.promise(wheel.distribution) is None:
        return
    from wheelkit.versions.ranges import bounded

    for one in requirements(wheel):
        sibling = normalise(one.name)
        if (
            sibling != wheel.distribution
            and contract.promise(sibling)
            and not one.url
            and not bounded(str(one.specifier))
        ):
            what = f'it requires "{one}", which has no upper bound'
            yield finding("WK717", what=what, file=wheel.filename)
