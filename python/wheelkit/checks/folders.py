"""The folders at the top of a wheel that installers treat apart: ``.dist-info`` and ``.data``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelkit.checks.catalogue import found
from wheelkit.checks.words import some

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.checks.contract import Contract
    from wheelkit.report.model import Finding
    from wheelkit.wheel import Wheel

_DIST_INFO, _DATA = ".dist-info", ".data"
# The keys of an installation scheme that a wheel may fill (binary distribution format, "The .data directory").
_SCHEME = frozenset({"purelib", "platlib", "headers", "scripts", "data"})


def dist_info(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report more than one ``.dist-info`` folder: installers refuse the wheel, or take either."""
    folders = _tops(wheel, _DIST_INFO)
    if len(folders) > 1:
        yield found("WK209", what=f"it has {len(folders)} dist-info folders: {some(folders)}", file=wheel.filename, member=folders[0])


def data(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report a ``.data`` folder of another name than the wheel's, and folders in it that no installation scheme has."""
    wanted = wheel.dist_info.removesuffix(_DIST_INFO) + _DATA
    for folder in _tops(wheel, _DATA):
        if folder != wanted:
            what = f"{folder} is not named like {wheel.dist_info}; some installers spread it, others leave it where it is"
            yield found("WK210", what=what, fix=f"name it {wanted}", file=wheel.filename, member=folder)
            continue
        inside = (member.name.removeprefix(f"{folder}/") for member in wheel.members if member.name.startswith(f"{folder}/"))
        parts = dict.fromkeys(name.partition("/")[0] for name in inside if name)
        unknown = [part for part in parts if part not in _SCHEME]
        if unknown:
            what = f"{folder} holds {some(unknown)}; installers know {', '.join(sorted(_SCHEME))} only"
            yield found("WK210", what=what, file=wheel.filename, member=folder)


def _tops(wheel: Wheel, suffix: str) -> list[str]:
    tops = (member.name.partition("/") for member in wheel.members)
    return list(dict.fromkeys(top for top, slash, _ in tops if slash and top.lower().endswith(suffix)))
