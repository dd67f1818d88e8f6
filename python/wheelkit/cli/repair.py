"""``wheelkit repair``: auditwheel, delocate or delvewheel by the wheel's platform, with one exclude list."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from msgspec.structs import replace

from wheelkit import config, matrix, plan
from wheelkit.cli.options import config_option, json_option
from wheelkit.cli.output import note, result, result_json, size
from wheelkit.cli.progress import TerminalProgress
from wheelkit.config.exclude import may_match, system_library
from wheelkit.errors import UsageError, WheelError
from wheelkit.matrix import System, Target
from wheelkit.wheel.names import parse_file_name

if TYPE_CHECKING:
    from wheelkit.config import Config
    from wheelkit.repair.run import Repaired
    from wheelkit.wheel import FileName


@click.command("repair")
@click.argument("files", metavar="WHEEL...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--target", help="The oldest system that it has to run on, for example manylinux_2_28_x86_64.")
@click.option(
    "--exclude",
    "excludes",
    multiple=True,
    metavar="PATTERN",
    help="Leave this library to its provider; repeatable.",
)
@click.option(
    "--lib-path",
    "lib_paths",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Look for libraries here too.",
)
@click.option(
    "-o",
    "--out",
    type=click.Path(path_type=Path),
    default=Path("dist"),
    show_default=True,
    help="Where it goes.",
)
@config_option
@click.option("-v", "--verbose", is_flag=True, help="Show every command that runs.")
@json_option
def command(
    files: tuple[Path, ...],
    target: str | None,
    excludes: tuple[str, ...],
    lib_paths: tuple[Path, ...],
    out: Path,
    config_file: Path | None,
    verbose: bool,
    as_json: bool,
) -> None:
    """Copy foreign libraries into wheels, leave the excluded ones out, and name the wheels for their target."""
    from wheelkit.machine.workspace import open_workspace
    from wheelkit.repair.lines import RepairRecipe
    from wheelkit.repair.run import repair

    folder = Path.cwd()
    validators = (matrix.validate,)
    loaded = (
        config.load_file(config_file, validators=validators)
        if config_file
        else config.load(folder, validators=validators)
    )
    _checked(excludes)
    wanted = _parsed(target) if target else None
    done: list[Repaired] = []
    with open_workspace(TerminalProgress(verbose=verbose), "repair") as shop:
        for path in files:
            chosen = wanted or _target_of(path, loaded)
            named = tuple(pattern for pattern in excludes if may_match(pattern, chosen.system))
            patterns = (*plan.exclude_patterns(loaded.exclude, chosen.system), *named)
            one = repair(
                path, RepairRecipe(target=chosen, patterns=patterns, lib_paths=lib_paths), out, shop.run
            )
            done.append(replace(one, unmatched=_unused(one.unmatched, named, loaded, chosen.system)))
    _show(done, as_json=as_json)


def _checked(excludes: tuple[str, ...]) -> tuple[str, ...]:
    """Refuse patterns that would leave out a part of the system, as the configuration does."""
    for pattern in excludes:
        if trouble := system_library(pattern):
            raise UsageError(
                f'the exclude pattern "{pattern}" {trouble}',
                hint="wheelkit inspect lists what the wheel needs",
            )
    return excludes


def _unused(
    unmatched: tuple[str, ...], named: tuple[str, ...], loaded: Config, system: System
) -> tuple[str, ...]:
    """Keep the patterns that ought to have meant something: shipped lists are broad on purpose, and judged as a whole."""
    silent: set[str] = set()
    for provider in loaded.exclude:
        own = plan.exclude_patterns([provider], system)
        if provider.shipped and not set(own) <= set(unmatched):
            silent.update(own)
    return tuple(pattern for pattern in unmatched if pattern in named or pattern not in silent)


def _parsed(tag: str) -> Target:
    try:
        return Target.parse(tag)
    except ValueError as error:
        raise UsageError(str(error), hint=f"common ones: {', '.join(matrix.COMMON_TARGETS)}") from error


def _target_of(path: Path, loaded: Config) -> Target:
    """Choose the target: the promised one of the wheel's own system and architecture, else what its tag says."""
    platforms = _name(path).platforms
    promised = [Target.parse(tag) for tag in loaded.matrix.targets or ()]
    for platform in platforms:
        for one in promised:
            same_libc = one.libc in platform or platform.startswith("linux_")
            if platform == one.tag or (
                platform.endswith(f"_{one.arch}") and one.system is _system(platform) and same_libc
            ):
                return one
    for platform in platforms:
        try:
            return Target.parse(platform)
        except ValueError:
            continue
    if all(platform.startswith("linux_") for platform in platforms):
        arch = platforms[0].removeprefix("linux_")
        common = [Target.parse(tag) for tag in matrix.COMMON_TARGETS]
        return next((one for one in common if one.arch == arch), None) or _parsed(f"manylinux_2_28_{arch}")
    raise UsageError(
        f"{path.name} has no platform tag that tells its target ({'.'.join(platforms)})",
        hint="name it with --target",
    )


def _name(path: Path) -> FileName:
    try:
        return parse_file_name(path.name)
    except ValueError as error:
        raise WheelError(
            f"{path} has no wheel's name: {error}", hint="name-version-python-abi-platform.whl"
        ) from error


def _system(platform: str) -> System:
    if platform.startswith("macosx"):
        return System.MACOS
    return System.WINDOWS if platform.startswith("win") else System.LINUX


def _show(done: list[Repaired], *, as_json: bool) -> None:
    if as_json:
        rows = [
            {
                "file": str(one.path),
                "grafted": list(one.grafted),
                "excluded": list(one.excluded),
                "unmatched": list(one.unmatched),
                "unchanged": one.unchanged,
                "unsigned": list(one.unsigned),
            }
            for one in done
        ]
        result_json({"schema": 1, "wheels": rows})
        return
    for one in done:
        for label, names in (("grafted", one.grafted), ("excluded", one.excluded)):
            if names:
                note(f"{label}: {', '.join(names)}")
        for pattern in one.unmatched:
            note(f'WK504  the exclude pattern "{pattern}" matches no library that {one.path.name} needs')
        if one.unchanged:
            note(f"{one.path.name}: nothing to repair, the same bytes")
        for member in one.unsigned:
            note(
                f"{member} was signed by an identity; repair changed it and signed it ad hoc, so sign it again where that matters"
            )
        result(f"{one.path}   {size(one.path.stat().st_size)}")
