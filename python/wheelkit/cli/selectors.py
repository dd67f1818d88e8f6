"""The options that say what is built, which ``plan`` and ``build`` share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from msgspec import Struct

from wheelkit import plan as plans
from wheelkit.builders.units import Selection
from wheelkit.matrix import matrix_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from wheelkit.config import Config
    from wheelkit.project.family import Family


_OPTIONS = (
    click.option("--native", is_flag=True, help="The native wheels that this machine can build."),
    click.option("--pure", is_flag=True, help="The wheels of distributions without native code."),
    click.option("--sdist", is_flag=True, help="The sdists."),
    click.option(
        "--cross",
        is_flag=True,
        help="The wheels of every target, cross-built with zig (experimental); they are not tested.",
    ),
    click.option(
        "--target",
        "targets",
        multiple=True,
        metavar="TARGET",
        help="The native wheels for this target only; repeatable.",
    ),
    click.option(
        "--only",
        "identifiers",
        multiple=True,
        metavar="IDENTIFIER",
        help="The native wheels of this build only, by cibuildwheel's name; repeatable.",
    ),
    click.option(
        "--builder",
        type=click.Choice(["auto", plans.Builder.CIBUILDWHEEL.value, plans.Builder.HOST.value]),
        default="auto",
        show_default=True,
        help="The builder on Linux: cibuildwheel in a container, or the host's own tools.",
    ),
)


def selectors(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options to a command, which gets their values by the names of the fields of Selectors."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


class Selectors(Struct, frozen=True, kw_only=True):
    """What the command line selects."""

    native: bool
    pure: bool
    sdist: bool
    cross: bool
    targets: tuple[str, ...]
    identifiers: tuple[str, ...]
    builder: str

    def selection(self, names: tuple[str, ...]) -> Selection:
        """Return what is selected of the members ``names``; without a flag, everything."""
        native = self.native or self.cross or bool(self.targets or self.identifiers)
        everything = not (native or self.pure or self.sdist)
        return Selection(
            native=everything or native,
            pure=everything or self.pure,
            sdist=everything or self.sdist,
            names=frozenset(names),
        )

    def forced_builder(self, family: Family, config: Config) -> plans.Builder | None:
        """Return the builder that the options force, if any; raise if the family cannot be cross-built."""
        if not self.cross:
            return None if self.builder == "auto" else plans.Builder(self.builder)
        from wheelkit.builders.cross import require_supported

        targets = matrix_of(config, None).targets
        require_supported(
            family.native, [target for target in targets if not self.targets or target.tag in self.targets]
        )
        return plans.Builder.CROSS

    def words(self) -> str:
        """Return the options as one writes them behind ``wheelkit build``, with a space before each."""
        flags = ("native", "pure", "sdist", "cross")
        words = [f"--{name}" for name in flags if getattr(self, name)]
        words += [f"--target {target}" for target in self.targets]
        words += [f"--only {identifier}" for identifier in self.identifiers]
        return "".join(f" {word}" for word in words)
