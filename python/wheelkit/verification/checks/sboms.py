"""SBOMs in .dist-info/sboms: whether they can be used, are true, and name what the wheel contains."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheelkit.text import first_and_count, plural, shorten_list
from wheelkit.verification.findings import finding
from wheelkit.wheel.library_names import is_graft, plain_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wheelkit.analysis.components import Recognised
    from wheelkit.analysis.sboms import Sbom, SbomComponent
    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Finding
    from wheelkit.wheel import Wheel


# A folder of the build machine as Cargo's package identifiers have it.
_BUILD_PATH = re.compile(rb"file:///[^\"#?\s]+")


def readable(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report SBOMs that are neither CycloneDX nor SPDX, or contradict their schema."""
    if not wheel.sboms:
        return
    from wheelkit.analysis.sboms import read_sboms

    for sbom in read_sboms(wheel):
        if sbom.problem:
            yield finding("WK154", f"{sbom.member} cannot be used: {sbom.problem}", member=sbom.member)


def build_paths(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report SBOMs with a path of the machine that built the wheel."""
    for member, contents in wheel.sboms.items():
        paths = list(
            dict.fromkeys(match[0].decode("utf-8", "replace") for match in _BUILD_PATH.finditer(contents))
        )
        if paths:
            yield finding("WK156", f"{member} contains {first_and_count(paths)}", member=member)


def true(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report what SBOMs say of files and versions, and the files contradict."""
    if not wheel.sboms:
        return
    from wheelkit.analysis.sboms import read_sboms

    sboms = read_sboms(wheel)
    for sbom in sboms:
        yield from _untrue_files(wheel, sbom)
    components = [component for sbom in sboms for component in sbom.components]
    for found in _recognised(wheel, sboms):
        named = [one for one in components if found.library.calls(one.name) and one.version]
        if named and found.version and not any(_agrees(one, found) for one in named):
            versions = shorten_list(dict.fromkeys(one.version for one in named))
            says = f"{found.member} contains {found.library.name} {found.version}"
            yield finding("WK155", f"{says}, but the SBOM says {versions}", member=found.member)


def _untrue_files(wheel: Wheel, sbom: Sbom) -> Iterator[Finding]:
    """Compare the files of wheelkit's SBOM; those of other tools may be files of the sources."""
    from wheelkit.analysis.sboms import hex_digest

    if not sbom.own:
        return
    digests = {member.name: hex_digest(member.digest) for member in wheel.members}
    for component in sbom.components:
        absent = [name for name in component.files if name not in digests]
        if absent:
            what = f"{sbom.member} says that {component.name} is in {shorten_list(absent)}, not in the wheel"
            yield finding("WK155", what, member=sbom.member)
        elif len(component.files) == 1 and component.digests:
            (name,) = component.files
            if digests[name] and digests[name] not in component.digests:
                what = f"{name} is not the file that {sbom.member} names: its sha256 differs"
                yield finding("WK155", what, member=name)


def complete(wheel: Wheel, _: Contract) -> Iterator[Finding]:
    """Report grafted libraries that no SBOM names, and known libraries that wheelkit's does not name."""
    grafts = [binary.member for binary in wheel.binaries if is_graft(binary.member)]
    if not grafts and not wheel.sboms:
        return
    from wheelkit.analysis.named_libraries import unnamed_grafts, unnamed_libraries
    from wheelkit.analysis.sboms import read_sboms

    sboms = read_sboms(wheel) if wheel.sboms else ()
    by_wheelkit = any(sbom.own for sbom in sboms)
    unnamed = unnamed_grafts(wheel, sboms)
    if unnamed:
        count = f"{len(unnamed)} of {plural(len(grafts), 'grafted library', 'grafted libraries')}"
        what = f"no SBOM names {count}: {shorten_list(map(plain_name, unnamed))}"
        yield finding("WK157" if by_wheelkit else "WK158", what, member=unnamed[0])
    for found in unnamed_libraries(_recognised(wheel, sboms), sboms) if by_wheelkit else ():
        version = f" {found.version}" if found.version else ""
        what = f"{found.member} contains {found.library.name}{version}, which no SBOM names"
        declared = f'{{ name = "{found.library.name}", version = "{found.version or "VERSION"}" }}'
        fix = f"declare it: components = [{declared}] in [tool.wheelkit.distribution.{wheel.distribution}]"
        yield finding("WK157", what, fix=fix, member=found.member)


def _recognised(wheel: Wheel, sboms: Sequence[Sbom]) -> list[Recognised]:
    """Search the binaries for the libraries that SBOMs name, and for all others if wheelkit wrote one."""
    from wheelkit.analysis.components import known_libraries, recognise
    from wheelkit.wheel.contents import read_binaries

    names = [component.name for sbom in sboms for component in sbom.components]
    by_wheelkit = any(sbom.own for sbom in sboms)
    among = [library for library in known_libraries() if by_wheelkit or any(map(library.calls, names))]
    if not among:
        return []
    return [one for member, contents in read_binaries(wheel) for one in recognise(member, contents, among)]


def _agrees(component: SbomComponent, found: Recognised) -> bool:
    from wheelkit.analysis.components import is_version

    return is_version(component.version, found.version)
