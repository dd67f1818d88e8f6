"""The command line: it solves, and hands what it found to the adapters that are installed."""

from importlib.metadata import entry_points

import click
from orrery import solve
from rich.console import Console

ADAPTERS = {found.name: found for found in entry_points(group="orrery.adapters")}


@click.group()
def main() -> None:
    """Solve Kepler's equation."""


@main.command("solve")
@click.argument("m", type=float)
@click.argument("e", type=float)
def solve_command(m: float, e: float) -> None:
    """Print the eccentric anomaly for a mean anomaly M and an eccentricity E."""
    Console().print(f"[bold]{solve(m, e):.12f}[/]")


@main.command()
@click.argument("form", type=click.Choice(list(ADAPTERS)))
@click.argument("m", type=float)
@click.argument("e", type=float)
def write(form: str, m: float, e: float) -> None:
    """Print the solution in the form of one of the installed adapters."""
    click.echo(ADAPTERS[form].load()([(m, e)]), nl=False)
