"""What most commands start from: the configuration and the family of the folder, the sdist or the project that was named."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wheelkit.config import Config
    from wheelkit.project.family import Family


class OpenProject(Struct, frozen=True, kw_only=True):
    """A configuration and the family that it describes."""

    config: Config
    family: Family
    chosen: tuple[str, ...] = ()
    """The members that were named; empty for all of the family."""


def open_project(sources: Sequence[Path] = (), config_file: Path | None = None) -> OpenProject:
    """Load the configuration and find the family.

    Members of the current folder's family may be named, by name or by folder: the family stays whole, for what they need to be built.
    Else the configuration is that of a single named folder, or that of the current one, or ``config_file``.
    """
    from wheelkit.project import family

    if sources and (found := _members(sources, config_file)) is not None:
        return found
    folder = sources[0] if len(sources) == 1 and sources[0].is_dir() else Path.cwd()
    loaded = load_config(folder.resolve(), config_file)
    is_root = len(sources) == 1 and sources[0].resolve() == loaded.root
    named = [] if is_root else [path.resolve() for path in sources]
    return OpenProject(config=loaded, family=family.discover(loaded, named))


def _members(sources: Sequence[Path], config_file: Path | None) -> OpenProject | None:
    """Open the current folder's family where all sources are members of it; None where it holds none, or they are something else."""
    from wheelkit.errors import ConfigError, ProjectError
    from wheelkit.project import family

    named = [path for path in sources if not path.exists()]
    try:
        loaded = load_config(Path.cwd(), config_file)
        whole = family.discover(loaded)
    except (ConfigError, ProjectError) as error:
        if named and isinstance(error, ConfigError):
            raise
        return None
    keys = family.named_members(whole, sources)
    return None if keys is None else OpenProject(config=loaded, family=whole, chosen=keys)


def load_config(folder: Path, config_file: Path | None) -> Config:
    """Load the configuration of a folder, or the file that was named with ``--config``."""
    from wheelkit import config, matrix
    from wheelkit.config.load import OWN_FILE

    validators = (matrix.validate,)
    if config_file is not None:
        return config.load_file(config_file.resolve(), root=folder, validators=validators)
    loaded = config.load(folder, validators=validators)
    ours = Path.cwd() / OWN_FILE
    if loaded.source is None and ours.is_file():
        # Somebody else's project, unpacked: it stays as it is, and the current folder says what is owed.
        return config.load_file(ours, root=folder, validators=validators)
    return loaded


def json_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--json``."""
    import click

    return click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")(function)


def config_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--config FILE``."""
    import click

    kind = click.Path(exists=True, dir_okay=False, path_type=Path)
    return click.option(
        "--config", "config_file", type=kind, help="Read this wheelkit.toml or pyproject.toml."
    )(function)


def out_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--out DIR``."""
    import click

    kind = click.Path(file_okay=True, path_type=Path)
    return click.option(
        "-o", "--out", type=kind, default=Path("dist"), show_default=True, help="Where finished files go."
    )(function)


def sources_argument(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``[PROJECT]...``: members of the family by name, folders and sdists."""
    import click

    return click.argument("sources", metavar="[PROJECT]...", nargs=-1, type=click.Path(path_type=Path))(
        function
    )
