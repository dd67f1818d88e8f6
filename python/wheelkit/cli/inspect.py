"""``wheelkit inspect``: what is in a wheel, and what changed between two of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from wheelkit import wheel as wheels
from wheelkit.cli.inspect_components import components_text, components_to_json
from wheelkit.cli.options import PATH, json_option
from wheelkit.cli.output import columns, result, result_json
from wheelkit.errors import UsageError
from wheelkit.text import plural, printable, size
from wheelkit.wheel.diff import diff_wheels
from wheelkit.wheel.size_breakdown import size_breakdown

if TYPE_CHECKING:
    from pathlib import Path

    from wheelkit._core import Slice
    from wheelkit.wheel import Binary, Wheel
    from wheelkit.wheel.diff import Change, WheelDifference


_SCHEMA = 1
_COMPARED = 2
_LARGEST_SHOWN = 5
_CHANGED_SHOWN = 10
_SIZE_WIDTH = 9
_SIZE_LABELS = {
    "headers": "headers and relocations",
    "debug": "debug sections",
    "symbols": "symbol tables",
    "other": "other files",
    "python": "Python",
}


@click.command("inspect")
@click.argument("files", metavar="WHEEL...", nargs=-1, required=True, type=PATH)
@click.option(
    "--each", is_flag=True, help="Show each of two wheels of one distribution, not what changed between them."
)
@json_option
def command(files: tuple[Path, ...], each: bool, as_json: bool) -> None:
    """Show what is in a wheel, without verifying it.

    For exactly two wheels of one distribution, show what changed from the first to the second.
    """
    for path in files:
        if not path.is_file():
            raise UsageError(f"{path} is not a file", hint="give wheels: wheelkit inspect dist/*.whl")
    read = [wheels.read(path) for path in files]
    same = len({wheel.distribution for wheel in read}) == 1
    if len(read) == _COMPARED and same and not each:
        _compare(*read, as_json=as_json)
    elif as_json:
        result_json({"schema": _SCHEMA, "wheels": [_wheel_to_json(wheel) for wheel in read]})
    else:
        result("\n\n".join(map(_wheel_text, read)))


def _wheel_to_json(wheel: Wheel) -> dict[str, Any]:
    return {
        "file": wheel.filename,
        "size": wheel.size,
        "distribution": wheel.distribution,
        "version": wheel.version,
        "tags": sorted(map(str, wheel.tags)),
        "requires_python": wheel.metadata.get("Requires-Python"),
        "requirements": list(wheel.metadata.all("Requires-Dist")),
        "unpacked": _unpacked_size(wheel),
        "weight": dict(size_breakdown(wheel).rows()),
        "members": [
            {"name": member.name, "size": member.size, "packed": member.packed, "digest": member.digest}
            for member in wheel.members
        ],
        **components_to_json(wheel),
        "binaries": [_binary_to_json(binary, slice_) for binary, slice_ in wheel.slices()],
    }


def _binary_to_json(binary: Binary, slice_: Slice) -> dict[str, Any]:
    return {
        "member": binary.member,
        "extension": binary.extension,
        "arch": slice_.arch,
        "kind": slice_.kind,
        "name": slice_.name,
        "needed": [library.name for library in slice_.needed],
        "rpaths": [rpath.path for rpath in slice_.rpaths],
        "versions": _symbol_versions(slice_),
        "min_os": slice_.min_os,
        "size": slice_.size,
        "code": slice_.code_bytes,
        "data": slice_.data_bytes,
        "debug": slice_.debug_bytes,
        "symbols": slice_.symbol_bytes,
    }


def _symbol_versions(slice_: Slice) -> list[str]:
    return sorted({version.version for version in slice_.versions})


def _unpacked_size(wheel: Wheel) -> int:
    return sum(member.size for member in wheel.members)


def _wheel_text(wheel: Wheel) -> str:
    tags = sorted(map(str, wheel.tags))
    rows = [
        ("distribution", printable(f"{wheel.distribution} {wheel.version}")),
        *(("" if index else "tag", tag) for index, tag in enumerate(tags)),
        ("python", printable(wheel.metadata.get("Requires-Python")) or "not stated"),
    ]
    sizes = f"{size(wheel.size)}, {size(_unpacked_size(wheel))} unpacked"
    title = f"{printable(wheel.filename)}\n  {sizes}, {plural(len(wheel.members), 'file')}"
    binaries = "\n".join(_binary(binary, slice_) for binary, slice_ in wheel.slices()) or "  no native code"
    blocks = [
        f"{title}\n{columns(rows)}",
        binaries,
        components_text(wheel),
        _breakdown(wheel),
        _largest(wheel),
    ]
    return "\n\n".join(filter(None, blocks))


def _binary(binary: Binary, slice_: Slice) -> str:
    rows = {
        "needs": ", ".join(library.name for library in slice_.needed) or "nothing",
        "versions": ", ".join(_symbol_versions(slice_)),
        "looks in": ", ".join(rpath.path for rpath in slice_.rpaths),
        "needs system": slice_.min_os or "",
    }
    table = columns([(label, printable(text)) for label, text in rows.items() if text], indent=4)
    return f"  {printable(binary.member)}  ({slice_.arch}, {slice_.kind})\n{table}"


def _breakdown(wheel: Wheel) -> str:
    """Render what the unpacked bytes are spent on."""
    spent = size_breakdown(wheel)
    rows = [
        (_SIZE_LABELS.get(name, name), _size(count), f"{count / max(spent.total, 1):4.0%}")
        for name, count in spent.rows()
        if count
    ]
    return "  unpacked bytes\n" + columns(rows, indent=4) if rows else ""


def _largest(wheel: Wheel) -> str:
    largest = sorted(wheel.members, key=lambda member: member.size, reverse=True)[:_LARGEST_SHOWN]
    rows = [
        (_size(member.size), f"{_size(member.packed)} packed", printable(member.name)) for member in largest
    ]
    return "  largest files\n" + columns(rows, indent=4)


def _size(count: int) -> str:
    return size(count).rjust(_SIZE_WIDTH)


def _compare(old: Wheel, new: Wheel, *, as_json: bool) -> None:
    difference = diff_wheels(old, new)
    if as_json:
        document = {"schema": _SCHEMA, "from": _wheel_to_json(old), "to": _wheel_to_json(new)}
        result_json(document | {"changes": difference})
    else:
        result(_changes_text(old, new, difference))


def _changes_text(old: Wheel, new: Wheel, difference: WheelDifference) -> str:
    names = [("from", printable(old.filename)), ("to", printable(new.filename))]
    changes = {
        "tags": difference.tags,
        "needed libraries": difference.needed,
        "symbol versions": difference.symbol_versions,
        "requirements": difference.requirements,
    }
    lists = [f"  {title}\n{_added_and_removed(change)}" for title, change in changes.items() if change]
    blocks = [columns(names, indent=0), _size_changes(old, new), *lists, _file_changes(difference)]
    return "\n\n".join(blocks)


def _size_changes(old: Wheel, new: Wheel) -> str:
    sizes = [("wheel", old.size, new.size)]
    parts = zip(size_breakdown(old).rows(), size_breakdown(new).rows(), strict=True)
    sizes += [(name, before, after) for (name, before), (_, after) in parts if before or after]
    rows = [
        (name, _size(before), _size(after), _growth(before, after).rjust(7)) for name, before, after in sizes
    ]
    return "  sizes\n" + columns(rows, indent=4)


def _growth(before: int, after: int) -> str:
    if before == after:
        return "same"
    return f"{(after - before) / before:+.0%}" if before else "new"


def _added_and_removed(change: Change) -> str:
    signed = [(("-", name) for name in change.removed), (("+", name) for name in change.added)]
    return "\n".join(f"    {sign} {printable(name)}" for names in signed for sign, name in names)


def _file_changes(difference: WheelDifference) -> str:
    changed = difference.changed
    rows = [
        (f"~ {printable(change.member)}", _size(change.before), _size(change.after))
        for change in changed[:_CHANGED_SHOWN]
    ]
    more = len(changed) - len(rows)
    lines = [
        _added_and_removed(difference.members),
        columns(rows, indent=4),
        f"    and {more} more changed (--json lists all)" if more else "",
        f"    {plural(difference.unchanged, 'file')} unchanged",
    ]
    return "\n".join(["  files", *filter(None, lines)])
