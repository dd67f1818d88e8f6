"""``wheelkit inspect``: what is in a wheel: tags, binaries, needed libraries, symbol versions, sizes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wheelkit import wheel as wheels
from wheelkit.cli.context import json_option
from wheelkit.cli.screen import columns, result, result_json, size
from wheelkit.errors import UsageError

if TYPE_CHECKING:
    from wheelkit._core import Slice
    from wheelkit.wheel import Binary, Wheel

_BIGGEST = 5


@click.command("inspect")
@click.argument("files", metavar="WHEEL...", nargs=-1, required=True, type=click.Path(path_type=Path))
@json_option
def command(files: tuple[Path, ...], as_json: bool) -> None:
    """Show what is in a wheel, without judging it."""
    for path in files:
        if not path.is_file():
            raise UsageError(f"{path} is no file", hint="name wheels:  wheelkit inspect dist/*.whl")
    read = [wheels.read(path) for path in files]
    if as_json:
        result_json([facts(one) for one in read])
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
        "members": len(wheel.members),
        "unpacked": sum(member.size for member in wheel.members),
        "binaries": [_binary_facts(binary, part) for binary, part in wheel.parts()],
    }


def _binary_facts(binary: Binary, part: Slice) -> dict[str, Any]:
    return {
        "member": binary.member,
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
    unpacked = sum(member.size for member in wheel.members)
    title = f"{wheel.filename}   {size(wheel.size)}, {size(unpacked)} unpacked, {len(wheel.members)} files"
    rows = [
        ("distribution", f"{wheel.distribution} {wheel.version}"),
        ("tags", ", ".join(sorted(map(str, wheel.tags)))),
        ("python", wheel.metadata.get("Requires-Python") or "not stated"),
    ]
    return "\n\n".join(filter(None, [f"{title}\n{columns(rows)}", _binaries(wheel), _biggest(wheel)]))


def _binaries(wheel: Wheel) -> str:
    parts = list(wheel.parts())
    if not parts:
        return "  no native code"
    blocks = [_binary(binary, part) for binary, part in parts]
    return "\n".join(blocks)


def _binary(binary: Binary, part: Slice) -> str:
    sizes = ((part.code_bytes, "code"), (part.data_bytes, "data"), (part.debug_bytes, "debug"), (part.symbol_bytes, "symbols"))
    weight = ", ".join(f"{size(count)} {label}" for count, label in sizes if count)
    rows = [("needs", ", ".join(library.name for library in part.needed) or "nothing")]
    if part.versions:
        rows.append(("versions", ", ".join(sorted({version.version for version in part.versions}))))
    if part.rpaths:
        rows.append(("looks in", ", ".join(rpath.path for rpath in part.rpaths)))
    if part.min_os:
        rows.append(("needs system", part.min_os))
    rows.append(("weight", weight))
    return f"  {binary.member}  ({part.arch}, {part.kind})\n{columns(rows, indent=4)}"


def _biggest(wheel: Wheel) -> str:
    largest = sorted(wheel.members, key=lambda member: member.size, reverse=True)[:_BIGGEST]
    return "  biggest files\n" + columns([(size(member.size), member.name) for member in largest], indent=4)
