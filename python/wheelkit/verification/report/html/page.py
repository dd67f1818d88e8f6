"""Render the page from data/report: what is shown is decided here, how it looks there."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from wheelkit import __version__, data
from wheelkit.text import plural, printable, size
from wheelkit.verification.findings import finding_kinds
from wheelkit.verification.model import Cover, Severity
from wheelkit.verification.report.changes import cell_word, facts, oldest, row_size, title
from wheelkit.verification.report.groups import count, counted_files, grouped, remarks
from wheelkit.verification.report.html.family import picture
from wheelkit.verification.report.html.treemap import tiles

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from wheelkit.verification.comparison.model import Comparison
    from wheelkit.verification.contents import Part, WheelContents
    from wheelkit.verification.model import Report, Row
    from wheelkit.verification.report.groups import Group


# All maps of a page together, so that a page of 1,000 wheels stays below 5 MB.
_MOST_TILES, _TILES_OF_A_WHEEL, _FEWEST_TILES = 12_000, 40, 8
_ASPECT = 4.0
# Tiles that are smaller, in percent of the map, have no room for text.
_NARROWEST, _LOWEST = 7.0, 14.0
_MARKS = {
    Cover.WHEEL: "●",
    Cover.SDIST: "◐",
    Cover.MISSING: "○",
    Cover.ELSEWHERE: "·",
    Cover.UNPROMISED: "-",
}
_KINDS = {
    "code": "native code",
    "debug": "debug sections",
    "grafted": "grafted libraries",
    "python": "Python",
    "metadata": "metadata",
    "other": "other files",
}


class _Tile(Struct, frozen=True, kw_only=True):
    """One part in the map of a wheel: its place as a style, and what is shown of it."""

    style: str
    kind: str
    name: str
    size: str
    small: bool


def to_html(report: Report, contents: Sequence[WheelContents] = ()) -> str:
    """Return the whole page; ``contents`` are those of the wheels whose bytes were read.

    Every text from the files is escaped, by the templates, and made printable here.
    """
    from jinja2 import DictLoader, Environment, StrictUndefined

    templates = {"report.html": data.text("report/report.html")}
    environment = Environment(
        loader=DictLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["printable"] = printable
    return environment.get_template("report.html").render(_view(report, contents))


def _view(report: Report, contents: Sequence[WheelContents]) -> dict[str, Any]:
    groups = list(grouped(report))
    names = [f"{row.distribution} {row.version}".strip() for row in report.rows]
    shown = list(dict.fromkeys(names))
    return {
        "title": ", ".join(shown[:3]) + (f" and {len(shown) - 3} more" if len(shown) > 3 else ""),  # noqa: PLR2004 - as many as a heading holds
        "style": data.text("report/style.css"),
        "version": __version__,
        "ok": report.ok,
        "summary": _summary(report, groups),
        "remarks": list(remarks(report)),
        "releases": [_release(list(rows)) for _, rows in groupby(report.rows, key=_release_of)],
        "sections": list(_sections(report, groups)),
        "comparisons": list(map(_comparison, report.comparisons)),
        "picture": picture(contents),
        "wheels": list(_wheels(contents)),
        "kinds": _KINDS,
        "marks": [(_MARKS[cover], str(cover)) for cover in Cover],
    }


def _release_of(row: Row) -> tuple[str, str]:
    return row.distribution, row.version


def _summary(report: Report, groups: Sequence[Group]) -> str:
    counts = []
    for severity in Severity:
        items = [item for item in groups if item.finding.severity is severity and not item.finding.accepted]
        if items:
            counts.append(plural(count(items), severity))
    return f"{', '.join(counts) or 'no findings'} in {counted_files(report)}"


def _release(rows: Sequence[Row]) -> dict[str, Any]:
    return {
        "name": f"{rows[0].distribution} {rows[0].version}".rstrip(),
        "interpreters": [cell.interpreter for cell in rows[0].cells],
        "rows": [
            {
                "target": row.target,
                "served": row.served,
                "needs": row.needs,
                "size": size(row.size) if row.size else "",
                "codes": row.codes,
                "verdict": row.verdict,
                "cells": [
                    {"mark": _MARKS[cell.cover], "cover": str(cell.cover), "file": cell.file or ""}
                    for cell in row.cells
                ],
            }
            for row in rows
        ],
    }


def _sections(report: Report, groups: Sequence[Group]) -> Iterator[dict[str, Any]]:
    """Yield the findings by severity, the accepted ones last."""
    kinds = finding_kinds()
    titles = {Severity.ERROR: "Errors", Severity.WARNING: "Warnings", Severity.NOTE: "Notes"}
    parts = [
        (
            titles[severity],
            str(severity),
            [item for item in groups if item.finding.severity is severity and not item.finding.accepted],
        )
        for severity in Severity
    ]
    parts.append(("Accepted", "accepted", [item for item in groups if item.finding.accepted]))
    for name, style, items in parts:
        if items:
            yield {
                "title": name,
                "style": style,
                "count": count(items),
                "findings": [
                    {
                        "code": item.finding.code,
                        "what": item.finding.what,
                        "why": kinds[item.finding.code].why if item.finding.code in kinds else "",
                        "fix": item.finding.fix,
                        "accepted": item.finding.accepted,
                        "places": list(item.places()),
                        "open": report.fails(item.finding),
                    }
                    for item in items
                ],
            }


def _comparison(comparison: Comparison) -> dict[str, Any]:
    rows = comparison.rows
    return {
        "title": title(comparison),
        "interpreters": [cell.interpreter for cell in rows[0].cells] if rows else [],
        "rows": [
            {
                "platform": comparison.name(row.platform),
                "cells": [{"word": cell_word(cell), "change": str(cell.change)} for cell in row.cells],
                "oldest": oldest(row),
                "size": row_size(row),
            }
            for row in rows
        ],
        "facts": list(facts(comparison)),
    }


def _wheels(contents: Sequence[WheelContents]) -> Iterator[dict[str, Any]]:
    number = min(_TILES_OF_A_WHEEL, max(_FEWEST_TILES, _MOST_TILES // max(len(contents), 1)))
    for wheel in contents:
        yield {
            "file": wheel.file,
            "size": size(wheel.size),
            "unpacked": size(wheel.unpacked),
            "tiles": list(_tiles(wheel, number)),
            "components": [
                {
                    "name": f"{component.name} {component.version}".strip(),
                    "files": ", ".join(component.files),
                }
                for component in wheel.components
            ],
        }


def _tiles(wheel: WheelContents, number: int) -> Iterator[_Tile]:
    parts = _largest([part for part in wheel.parts if part.size], number)
    for part, tile in zip(parts, tiles([part.size for part in parts], _ASPECT), strict=True):
        style = f"left:{tile.left:.2f}%;top:{tile.top:.2f}%;width:{tile.width:.2f}%;height:{tile.height:.2f}%"
        small = tile.width < _NARROWEST or tile.height < _LOWEST
        yield _Tile(style=style, kind=part.kind, name=part.name, size=size(part.size), small=small)


def _largest(parts: Sequence[Part], number: int) -> list[Part]:
    """Return the largest parts, and all others as one, in the order of their sizes."""
    if len(parts) <= number:
        return list(parts)
    from wheelkit.verification.contents import Part

    rest = parts[number - 1 :]
    name = f"{len(rest)} smaller parts"
    total = Part(name=name, kind="other", size=sum(part.size for part in rest))
    return sorted([*parts[: number - 1], total], key=lambda part: -part.size)
