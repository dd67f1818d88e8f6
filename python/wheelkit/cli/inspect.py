"""``wheelkit inspect``: what is in a wheel, and what changed between two of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wheelkit import wheel as wheels
from wheelkit.cli.options import json_option
from wheelkit.cli.output import columns, result, result_json, size
from wheelkit.errors import UsageError
from wheelkit.text import plural, printable
from wheelkit.wheel.diff import diff_wheels
from wheelkit.wheel.size_breakdown import size_breakdown

if TYPE_CHECKING:
    from wheelkit._core import Slice
    from wheelkit.wheel import Binary, Wheel
    from wheelkit.wheel.diff import MemberChange, WheelDifference


_BIGGEST = 5
_CHANGED = 10
_PAIR = 2
SCHEMA = 1


@click.command("inspect")
@click.argument("files", metavar="WHEEL...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--each",
    is_flag=True,
    help="Show two wheels of one distribution one after the other instead of what changed.",
)
@json_option
def command(files: tuple[Path, ...], each: bool, as_json: bool) -> None:
    """Show what is in a wheel, without judging it.

    Of exactly two wheels of one distribution it shows what changed from the first to the second.
    """
    for path in files:
        if not path.is_file():
            raise UsageError(f"{path} is no file", hint="name wheels:  wheelkit inspect dist/*.whl")
    read = [wheels.read(path) for path in files]
    if len(read) == _PAIR and read[0].distribution == read[1].distribution and not each:
        _compare(read[0], read[1], as_json=as_json)
    elif as_json:
        result_json({"schema": SCHEMA, "wheels": [facts(one) for one in read]})
    else:
        result("\n\n".join(text(one) for one in read))


def facts(wheel: Wheel) -> dict[str, Any]:
    """Give a wheel's facts as plain data."""
    return {
        "file": wheel.filename,
        "size": wheel.size,
        "distribution": wheel.distribution,
        "version": wheel.version,
        "tags": sorted(map(str, wheel.tags)),
        "requires_python": wheel.metadata.get("Requires-Python"),
        "requirements": list(wheel.metadata.all("Requires-Dist")),
        "unpacked": sum(member.size for member in wheel.members),
        "weight": dict(size_breakdown(wheel).rows()),
        "members": [
            {"name": member.name, "size": member.size, "packed": member.packed, "digest": member.digest}
            for member in wheel.members
        ],
        "binaries": [_binary_facts(binary, part) for binary, part in wheel.slices()],
    }


def _binary_facts(binary: Binary, part: Slice) -> dict[str, Any]:
    return {
        "member": binary.member,
        "extension": binary.extension,
        "arch": part.arch,
        "kind": part.kind,
        "name": part.name,
        "needed": [library.name for library in part.needed],
        "rpaths": [rpath.path for rpath in part.rpaths],
        "versions": sorted({version.version for version in part.versions}),
        "min_os": part.min_os,
        "size": part.size,
        "code": part.code_bytes,
        "data": part.data_bytes,
        "debug": part.debug_bytes,
        "symbols": part.symbol_bytes,
    }


def text(wheel: Wheel) -> str:
    """Render a wheel's facts for people."""
    rows = [
        ("distribution", printable(f"{wheel.distribution} {wheel.version}")),
        *[("tag" if index == 0 else "", tag) for index, tag in enumerate(sorted(map(str, wheel.tags)))],
        ("python", printable(wheel.metadata.get("Requires-Python")) or "not stated"),
    ]
    return "\n\n".join(
        filter(None, [f"{_title(wheel)}\n{columns(rows)}", _binaries(wheel), _weight(wheel), _biggest(wheel)])
    )


def _title(wheel: Wheel) -> str:
    unpacked = sum(member.size for member in wheel.members)
    return f"{printable(wheel.filename)}\n  {size(wheel.size)}, {size(unpacked)} unpacked, {plural(len(wheel.members), 'file')}"


def _binaries(wheel: Wheel) -> str:
    parts = list(wheel.slices())
    if not parts:
        return "  no native code"
    return "\n".join(_binary(binary, part) for binary, part in parts)


def _binary(binary: Binary, part: Slice) -> str:
    rows = [("needs", printable(", ".join(library.name for library in part.needed)) or "nothing")]
    if part.versions:
        rows.append(
            ("versions", printable(", ".join(sorted({version.version for version in part.versions}))))
        )
    if part.rpaths:
        rows.append(("looks in", printable(", ".join(rpath.path for rpath in part.rpaths))))
    if part.min_os:
        rows.append(("needs system", part.min_os))
    return f"  {printable(binary.member)}  ({part.arch}, {part.kind})\n{columns(rows, indent=4)}"


def _weight(wheel: Wheel) -> str:
    """Show what the unpacked bytes are spent on."""
    spent = size_breakdown(wheel)
    labels = {
        "headers": "headers and relocations",
        "debug": "debug sections",
        "symbols": "symbol tables",
        "other": "other files",
        "python": "Python",
    }
    rows = [
        (labels.get(name, name), size(count).rjust(9), f"{count / max(spent.total, 1):4.0%}")
        for name, count in spent.rows()
        if count
    ]
    return "  unpacked bytes\n" + columns(rows, indent=4) if rows else ""


def _biggest(wheel: Wheel) -> str:
    largest = sorted(wheel.members, key=lambda member: member.size, reverse=True)[:_BIGGEST]
    rows = [
        (size(member.size).rjust(9), f"{size(member.packed).rjust(9)} packed", printable(member.name))
        for member in largest
    ]
    return "  biggest files\n" + columns(rows, indent=4)


def _compare(first: Wheel, second: Wheel, *, as_json: bool) -> None:
    found = diff_wheels(first, second)
    if as_json:
        result_json(
            {"schema": SCHEMA, "from": facts(first), "to": facts(second), "changes": _change_facts(found)}
        )
    else:
        result(_change_text(first, second, found))


def _change_facts(found: WheelDifference) -> dict[str, Any]:
    named = {
        "tags": found.tags,
        "needed": found.needed,
        "symbol_versions": found.symbol_versions,
        "requirements": found.requirements,
        "members": found.members,
    }
    changes: dict[str, Any] = {
        name: {"added": list(change.added), "removed": list(change.removed)} for name, change in named.items()
    }
    changed = [{"member": one.member, "before": one.before, "after": one.after} for one in found.changed]
    return changes | {"changed": changed, "unchanged": found.unchanged}


def _change_text(first: Wheel, second: Wheel, found: WheelDifference) -> str:
    head = columns([("from", _headline(first)), ("to", _headline(second))], indent=0)
    blocks = [head, _sizes(first, second)]
    for title, change in (
        ("tags", found.tags),
        ("needed libraries", found.needed),
        ("symbol versions", found.symbol_versions),
        ("requirements", found.requirements),
    ):
        if change:
            blocks.append(f"  {title}\n" + _signed(change))
    blocks.append(_files(found))
    return "\n\n".join(blocks)


def _headline(wheel: Wheel) -> str:
    return printable(wheel.filename)


def _sizes(first: Wheel, second: Wheel) -> str:
    rows = [("wheel", size(first.size), size(second.size), _grown(first.size, second.size))]
    for (name, before), (_, after) in zip(
        size_breakdown(first).rows(), size_breakdown(second).rows(), strict=True
    ):
        if before or after:
            rows.append((name, size(before), size(after), _grown(before, after)))
    return "  sizes\n" + columns(
        [(name, old.rjust(9), new.rjust(9), more.rjust(7)) for name, old, new, more in rows], indent=4
    )


def _grown(before: int, after: int) -> str:
    if before == after:
        return "same"
    return f"{(after - before) / before:+.0%}" if before else "new"


def _signed(change: MemberChange) -> str:
    signed = [
        *(f"    - {printable(one)}" for one in change.removed),
        *(f"    + {printable(one)}" for one in change.added),
    ]
    return "\n".join(signed)


def _files(found: WheelDifference) -> str:
    lines = []
    if found.members:
        lines.append(_signed(found.members))
    shown = found.changed[:_CHANGED]
    rows = [
        (f"~ {printable(one.member)}", size(one.before).rjust(9), size(one.after).rjust(9)) for one in shown
    ]
    if rows:
        lines.append(columns(rows, indent=4))
    more = len(found.changed) - len(shown)
    if more:
        lines.append(f"    and {more} more changed, told by --json")
    lines.append(f"    {plural(found.unchanged, 'file')} unchanged")
    return "  files\n" + "\n".join(lines)
