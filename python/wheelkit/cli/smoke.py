"""``wheelkit smoke``: install the family from its built files in fresh environments, and run its checks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from wheelkit.cli.context import config_option, flag_option
from wheelkit.cli.trying import AS_JSON, BUILD_SDISTS, KEEP, OFFLINE, PIP, PYTHON, Wish, attempt


@click.command("smoke")
@click.argument("dist", type=click.Path(path_type=Path))
@click.option(
    "--from", "origin", metavar="INDEX", help="Take the family's files from this index, by the sha256 that DIST's manifests tell."
)
@flag_option(PYTHON)
@click.option("--index", metavar="URL", help="The one index that third parties come from, or the name of a configured one.")
@click.option(
    "--find-links", "folders", multiple=True, type=click.Path(exists=True, path_type=Path), help="Third parties from this folder alone."
)
@flag_option(OFFLINE)
@flag_option(BUILD_SDISTS)
@flag_option(PIP)
@click.option("--timeout", type=click.FloatRange(min=0.1), default=60.0, show_default=True, help="Seconds for one check.")
@click.option("--jobs", type=click.IntRange(min=1), help="Environments at a time; by default as many as the cores can serve.")
@flag_option(KEEP)
@click.option("-v", "--verbose", is_flag=True, help="Show every command that runs.")
@config_option
@flag_option(AS_JSON)
def command(dist: Path, **wishes: Any) -> int:  # noqa: ANN401 - one for each field of Wish
    """Install the wheels of DIST in fresh environments, as their users do, and try them there.

    The family comes from the files alone, by path and sha256; third parties from one index. Every distribution is installed by itself,
    then all of them together, and those with console scripts as tools; modules are imported, scripts answer --help, entry points load,
    and the configured commands run.
    """
    return attempt(Wish(dist=dist, **wishes))
