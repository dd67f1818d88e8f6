"""Options that several commands share, and the project that a command works on."""

from __future__ import annotations

from os.path import lexists
from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec import Struct
from msgspec.structs import replace

from wheelkit.cli.output import configured_in
from wheelkit.errors import ConfigError, ProjectError, UsageError
from wheelkit.inputs import resolved

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheelkit.config import Config
    from wheelkit.project.family import Family


PATH = click.Path(path_type=Path)
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
config_option = click.option(
    "--config",
    "config_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Read the configuration from this wheelkit.toml or pyproject.toml.",
)
out_option = click.option(
    "-o",
    "--out",
    type=PATH,
    callback=lambda _context, _option, folder: default_out() if folder is None else folder,
    help="The folder for finished files.  [default: dist, in the project's folder]",
)
python_option = click.option(
    "--python",
    "interpreters",
    multiple=True,
    metavar="TAG",
    help="Run smoke tests on this interpreter only, such as cp312; repeatable.",
)
verbose_option = click.option(
    "-v", "--verbose", is_flag=True, help="Print every command that runs, and all that it prints."
)
quiet_option = click.option("-q", "--quiet", is_flag=True, help="Print only results and what fails.")
tag_option = click.option(
    "--tag", metavar="TAG", help="Take only the members of the family that this release tag names."
)
wait_option = click.option(
    "--wait",
    metavar="MINUTES",
    type=click.FloatRange(min=0, max=24 * 60),
    default=0.0,
    help="Wait this long for siblings that another run is publishing.",
)
sources_argument = click.argument("sources", metavar="[PROJECT]...", nargs=-1, type=PATH)


_PROJECT_FILES = ("wheelkit.toml", "pyproject.toml", "setup.py", "setup.cfg")


def current_root() -> Path | None:
    """Return the folder of the project that the current folder is in, None outside of any.

    The search reads files only where some folder above has one of the names.
    """
    here = Path.cwd()
    if not any(lexists(folder / name) for folder in (here, *here.parents) for name in _PROJECT_FILES):
        return None
    from wheelkit.project.root import project_root

    return project_root(here) or (here if lexists(here / "setup.cfg") else None)


def current_folder() -> Path:
    """Return the folder of the project that the current folder is in, else the current folder."""
    return current_root() or Path.cwd()


def default_out() -> Path:
    """Return the folder for finished files, as short as it can be written in the current folder."""
    folder = current_folder()
    return Path("dist") if folder == Path.cwd() else folder / "dist"


class OpenProject(Struct, frozen=True, kw_only=True):
    """A configuration and the family that it describes.

    ``chosen`` holds the keys of the members that the command line names; empty means the whole family.
    """

    config: Config
    family: Family
    chosen: tuple[str, ...] = ()


def open_project(
    sources: Sequence[Path] = (), config_file: Path | None = None, tag: str | None = None
) -> OpenProject:
    """Load the configuration and find the family.

    ``sources`` may name members of the current project's family, by name or folder. Otherwise the
    configuration is that of the one folder named, of the current project, or ``config_file``. ``tag`` chooses
    the members that it names.
    """
    from wheelkit.project import family

    if tag is not None:
        return _open_tagged(sources, config_file, tag)
    if sources and (project := _open_members(sources, config_file)) is not None:
        return project
    folder = sources[0] if len(sources) == 1 and sources[0].is_dir() else current_folder()
    loaded = load_config(resolved(folder), config_file)
    paths = [resolved(path) for path in sources]
    return OpenProject(config=loaded, family=family.discover(loaded, [] if paths == [loaded.root] else paths))


def _open_tagged(sources: Sequence[Path], config_file: Path | None, tag: str) -> OpenProject:
    from wheelkit.versions.tag_names import members_of_tag

    if sources:
        raise UsageError("--tag and PROJECT both say what to build", hint="give one of them")
    project = open_project((), config_file)
    return replace(project, chosen=members_of_tag(project.config, project.family, tag))


def _open_members(sources: Sequence[Path], config_file: Path | None) -> OpenProject | None:
    """Open the current project's family if all sources are its members, else return None."""
    from wheelkit.project import family

    try:
        loaded = load_config(current_folder(), config_file)
        whole = family.discover(loaded)
    except ProjectError:
        return None
    except ConfigError:
        if all(path.exists() for path in sources):
            return None
        raise
    keys = family.named_members(whole, sources)
    return None if keys is None else OpenProject(config=loaded, family=whole, chosen=keys)


def load_config(folder: Path, config_file: Path | None) -> Config:
    """Load the configuration of a folder, or the file given with ``--config``."""
    from wheelkit.config.load import PROJECT_FILE

    loaded = _load_config(folder, config_file)
    if loaded.source is not None and loaded.source.name != PROJECT_FILE:
        configured_in(loaded.source.name)
    return loaded


def _load_config(folder: Path, config_file: Path | None) -> Config:
    from wheelkit import config, matrix
    from wheelkit.config.load import OWN_FILE

    validators = (matrix.validate,)
    if config_file is not None:
        return config.load_file(config_file.absolute(), root=folder, validators=validators)
    loaded = config.load(folder, validators=validators)
    own_file = current_folder() / OWN_FILE
    if loaded.source is None and lexists(own_file):
        # An unpacked sdist of another project stays as it is: the current project configures it.
        return config.load_file(own_file, root=folder, validators=validators)
    return loaded
