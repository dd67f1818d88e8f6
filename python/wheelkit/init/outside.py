"""A dist script for sources outside of the project's folder, or what else can be done about them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit import data
from wheelkit.project.outside import outside_files
from wheelkit.text import plural, shorten_list

if TYPE_CHECKING:
    from pathlib import Path

    from wheelkit.project.read import Distribution


SCRIPT = "copy_outside.py"
_MESON = """in meson.build, call it, and take the copies where they are:
  fs = import('fs')
  outside = fs.exists('outside') ? 'outside' : '{up}'
  meson.add_dist_script(import('python').find_installation(), files('{script}'))
  sources = files(outside / '{first}')"""


class DistScript(Struct, frozen=True, kw_only=True):
    """The text of a dist script (empty: the backend has no place for one), and what to do besides."""

    text: str = ""
    notes: tuple[str, ...] = ()


def dist_script(project: Distribution, top: Path) -> DistScript | None:
    """Return the script that copies outside sources into the sdist; None for a project without any."""
    files = outside_files(project.source, top)
    if not files:
        return None
    folder = project.source.resolve()
    paths = [(folder / name).resolve() for name in files]
    root = next(one for one in folder.parents if all(path.is_relative_to(one) for path in paths))
    what = f"{plural(len(files), 'file')} outside of the project's folder, {shorten_list(files)}"
    move = f"or move pyproject.toml up to {root}"
    if project.backend != "mesonpy":
        ways = "copy them in a subclass of sdist (setuptools) or by force-include (hatchling)"
        return DistScript(notes=(f"the build names {what}: no sdist can hold them there; {ways}, {move}",))
    listed = "\n".join(f'    "{name}",' for name in files)
    text = data.text(f"templates/outside/{SCRIPT}.in").replace("@files@", listed)
    up = "/".join(part for part in files[0].split("/") if part == "..")
    lines = _MESON.format(up=up, script=SCRIPT, first=files[0].removeprefix(f"{up}/"))
    return DistScript(text=text, notes=(f"{SCRIPT} copies {what}, into the sdist, {move}", lines))
