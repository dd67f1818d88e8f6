"""What ``wheelkit inspect`` shows of the components in a wheel: those in its SBOMs, and those in none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wheelkit.analysis.components import recognise
from wheelkit.analysis.named_libraries import unnamed_grafts, unnamed_libraries
from wheelkit.analysis.sboms import read_sboms
from wheelkit.cli.output import columns
from wheelkit.text import printable, shorten_list
from wheelkit.wheel.contents import read_binaries
from wheelkit.wheel.library_names import base_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.analysis.components import Recognised
    from wheelkit.analysis.sboms import Sbom
    from wheelkit.wheel import Wheel


_SHOWN = 20


def components_to_json(wheel: Wheel) -> dict[str, Any]:
    """Return the SBOMs with their components, and what no SBOM names, as plain values."""
    sboms = read_sboms(wheel)
    return {
        "sboms": [
            {
                "member": sbom.member,
                "problem": sbom.problem,
                "components": [
                    {"name": one.name, "version": one.version, "purl": one.purl, "files": list(one.files)}
                    for one in sbom.components
                ],
            }
            for sbom in sboms
        ],
        "in_no_sbom": [
            *(
                {"name": base_name(member), "version": "", "files": [member]}
                for member in unnamed_grafts(wheel, sboms)
            ),
            *(
                {"name": one.library.name, "version": one.version, "files": [one.member]}
                for one in _unnamed(wheel, sboms)
            ),
        ],
    }


def components_text(wheel: Wheel) -> str:
    """Render the components of each SBOM, and what no SBOM names; empty if there is neither."""
    sboms = read_sboms(wheel)
    blocks = [_sbom_text(sbom) for sbom in sboms]
    missing = list(_missing_rows(wheel, sboms))
    if missing:
        blocks.append("  in no SBOM\n" + columns(missing, indent=4))
    return "\n\n".join(blocks)


def _sbom_text(sbom: Sbom) -> str:
    title = f"  {printable(sbom.member)}"
    if sbom.problem:
        return f"{title}\n    {printable(sbom.problem)}"
    rows = [
        (printable(one.name), printable(one.version) or "no version", printable(_files(one.files)))
        for one in sbom.components[:_SHOWN]
    ]
    more = len(sbom.components) - len(rows)
    lines = [title, columns(rows, indent=4) if rows else "    no components"]
    return "\n".join([*lines, f"    and {more} more (--json lists all)"] if more else lines)


def _files(files: tuple[str, ...]) -> str:
    return f"in {shorten_list(map(base_name, files), 1)}" if files else ""


def _missing_rows(wheel: Wheel, sboms: tuple[Sbom, ...]) -> Iterator[tuple[str, str, str]]:
    for member in unnamed_grafts(wheel, sboms):
        yield printable(base_name(member)), "grafted", ""
    for one in _unnamed(wheel, sboms):
        yield (
            one.library.name,
            one.version or "recognised",
            printable(f"in {base_name(one.member)}, by its texts"),
        )


def _unnamed(wheel: Wheel, sboms: tuple[Sbom, ...]) -> Iterator[Recognised]:
    found = [one for member, contents in read_binaries(wheel) for one in recognise(member, contents)]
    yield from unnamed_libraries(found, sboms)
