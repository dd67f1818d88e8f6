"""What a wheel installs at all, and what of it should have stayed where it was built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelkit.checks.catalogue import found
from wheelkit.checks.words import some

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.checks.contract import Contract
    from wheelkit.report.model import Finding
    from wheelkit.wheel import Wheel

_META = "meta"


def nothing(wheel: Wheel, contract: Contract) -> Iterator[Finding]:
    """Report a wheel without any file beside its metadata, unless what it requires is all that it is for."""
    if wheel.shallow or any(not one.directory and not one.name.startswith(f"{wheel.dist_info}/") for one in wheel.members):
        return
    promise = contract.promise(wheel.distribution)
    meta = bool(wheel.metadata.all("Requires-Dist")) and (promise is None or promise.kind.value == _META)
    if not meta:
        yield found("WK218", what="it installs nothing: there is no module, no script and no data file in it", file=wheel.filename)


def compiled(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report bytecode beside the source that it was made from; bytecode alone is how some projects ship."""
    names = {one.name for one in wheel.members}
    left = [name for name in names if name.endswith(".pyc") and _source(name) in names]
    if left:
        what = f"{some(sorted(left))} {'is' if len(left) == 1 else 'are'} compiled from sources that are in the wheel too"
        yield found("WK219", what=what, file=wheel.filename, member=min(left))


def _source(name: str) -> str:
    """Name the source of a compiled file: ``a/__pycache__/b.cpython-312.opt-1.pyc`` is of ``a/b.py`` (PEP 3147)."""
    folder, _, file = name.rpartition("/")
    parent = folder.removesuffix("__pycache__")
    return f"{parent}{file.partition('.')[0]}.py" if parent != folder else name[:-1]
