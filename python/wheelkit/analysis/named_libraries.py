"""Which libraries in a wheel its SBOMs name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheelkit.analysis.components import known_libraries
from wheelkit.wheel.library_names import is_graft, plain_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wheelkit.analysis.components import Recognised
    from wheelkit.analysis.sboms import Sbom, SbomComponent
    from wheelkit.wheel import Wheel


def unnamed_grafts(wheel: Wheel, sboms: Sequence[Sbom]) -> list[str]:
    """Return the grafted libraries that no SBOM names."""
    components = [component for sbom in sboms for component in sbom.components]
    return [
        binary.member
        for binary in wheel.binaries
        if is_graft(binary.member) and not any(names_file(one, binary.member) for one in components)
    ]


def names_file(component: SbomComponent, member: str) -> bool:
    """Return whether a component is a library file: by its path or by its name."""
    if member in component.files:
        return True
    if _stem(component.name) == _stem(plain_name(member)):
        return True
    return any(one.is_file(member) and one.calls(component.name) for one in known_libraries())


def _stem(name: str) -> str:
    """Return what the names of a library and of its packages have in common: libtiff5, libtiff.so.6: tiff."""
    stem = re.split(r"\.(?:so|dll|dylib)\b", name.lower(), maxsplit=1)[0].removeprefix("lib")
    return re.sub(r"[-_.\d]*$", "", stem) or stem


def unnamed_libraries(found: Sequence[Recognised], sboms: Sequence[Sbom]) -> Iterator[Recognised]:
    """Yield the recognised libraries that no SBOM names, each once."""
    components = [component for sbom in sboms for component in sbom.components]
    seen = set()
    for one in found:
        of_file = one.library.is_file(one.member) and any(one.member in item.files for item in components)
        if of_file or one.library.name in seen or any(one.library.calls(item.name) for item in components):
            continue
        seen.add(one.library.name)
        yield one
