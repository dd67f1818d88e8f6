"""What a project promises of its distributions besides the matrix: dependencies, meta, bounded ranges."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelkit.analysis.requirements import requirements
from wheelkit.fast_packaging import normalise
from wheelkit.text import shorten_list
from wheelkit.verification.findings import finding

if TYPE_CHECKING:
    from collections.abc import Iterator

    from packaging.markers import Marker

    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Wheel


_CODE = (".py", ".pyc", ".pyx", ".so", ".pyd", ".dll", ".dylib")
# No project names an extra like this, so a marker that is true with it needs no extra.
_NO_EXTRA = "wheelkit-no-extra"


def dependencies(wheel: Wheel, contract: Contract) -> Iterator[Finding]:
    """Report run-time requirements that the project does not allow; extras are up to the user."""
    promise = contract.promise(wheel.distribution)
    if promise is None or promise.dependencies is None:
        return
    allowed = set(map(normalise, promise.dependencies))
    required = {normalise(one.name): str(one) for one in requirements(wheel) if not _only_extra(one.marker)}
    extra = [text for name, text in required.items() if name not in allowed]
    if extra:
        names = shorten_list(sorted(promise.dependencies)) or "none"
        yield finding("WK715", f"the wheel requires {shorten_list(extra)}; allowed dependencies: {names}")


def _only_extra(marker: Marker | None) -> bool:
    """Return whether a requirement applies only with an extra, whatever the system and interpreter."""
    return marker is not None and "extra" in str(marker) and not marker.evaluate({"extra": _NO_EXTRA})


def meta(wheel: Wheel, contract: Contract) -> Iterator[Finding]:
    """Report code in a meta distribution, which promises its dependencies and nothing else."""
    promise = contract.promise(wheel.distribution)
    if promise is None or not promise.meta:
        return
    names = (member.name for member in wheel.members)
    code = [name for name in names if name.endswith(_CODE) or name.partition("/")[2].startswith("scripts/")]
    if code:
        what = f"{wheel.distribution} is a meta distribution, but contains {shorten_list(code)}"
        yield finding("WK716", what)


def bounded_ranges(wheel: Wheel, contract: Contract) -> Iterator[Finding]:
    """Report requirements on other distributions of the project that have no upper bound."""
    if contract.promise(wheel.distribution) is None:
        return
    from wheelkit.versions.ranges import bounded

    for requirement in requirements(wheel):
        name = normalise(requirement.name)
        sibling = name != wheel.distribution and contract.promise(name) is not None
        if sibling and not requirement.url and not bounded(str(requirement.specifier)):
            yield finding("WK717", f'the wheel requires "{requirement}", without an upper bound')
