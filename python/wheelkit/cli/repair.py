"""``wheelkit repair``: run auditwheel, delocate or delvewheel, with one exclude list for all platforms."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click
from msgspec import to_builtins
from msgspec.structs import replace

from wheelkit import matrix, plan
from wheelkit.cli.options import (
    PATH,
    config_option,
    current_folder,
    json_option,
    load_config,
    out_option,
    verbose_option,
)
from wheelkit.cli.output import completed, note, result, result_json
from wheelkit.cli.progress import TerminalProgress
from wheelkit.config.exclude import may_match, system_library
from wheelkit.errors import UsageError, WheelError
from wheelkit.machine.workspace import open_workspace
from wheelkit.matrix import System, Target
from wheelkit.repair.commands import RepairRecipe
from wheelkit.repair.run import Repaired, repair
from wheelkit.text import size
from wheelkit.wheel.names import parse_file_name

if TYPE_CHECKING:
    from pathlib import Path

    from wheelkit.config import Config


@click.command("repair")
@click.argument("files", metavar="WHEEL...", nargs=-1, required=True, type=PATH)
@click.option("--target", help="The oldest system to support, for example manylinux_2_28_x86_64.")
@click.option(
    "--exclude",
    "excludes",
    multiple=True,
    metavar="PATTERN",
    help="Do not graft this library; its provider brings it. Repeatable.",
)
@click.option(
    "--lib-path", "lib_paths", multiple=True, type=PATH, help="Search for libraries in this folder too."
)
@out_option
@config_option
@verbose_option
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
    """Graft external libraries into wheels, except for excluded ones, and retag the wheels for a target."""
    loaded = load_config(current_folder(), config_file)
    _require_no_system_library(excludes)
    forced = _parse_target(target) if target else None
    if forced is not None:
        for path in files:
            _require_platform(path, forced)
    repaired: list[Repaired] = []
    with open_workspace(TerminalProgress(verbose=verbose), "repair") as workspace:
        for path in files:
            chosen = forced or _target_of(path, loaded)
            extra = tuple(pattern for pattern in excludes if may_match(pattern, chosen.system))
            patterns = (*plan.exclude_patterns(loaded.exclude, chosen.system), *extra)
            recipe = RepairRecipe(target=chosen, patterns=patterns, lib_paths=lib_paths)
            wheel = repair(path, recipe, out, workspace.run)
            unmatched = _reported(wheel.unmatched, extra, loaded, chosen.system)
            repaired.append(replace(wheel, unmatched=unmatched))
            completed(f"{wheel.path} is written")
    if as_json:
        result_json({"schema": 1, "wheels": [_to_json(wheel) for wheel in repaired]})
    else:
        for wheel in repaired:
            _show(wheel)


def _require_no_system_library(patterns: tuple[str, ...]) -> None:
    for pattern in patterns:
        if problem := system_library(pattern):
            raise UsageError(
                f'the exclude pattern "{pattern}" {problem}',
                hint="wheelkit inspect lists the libraries that a wheel needs",
            )


def _reported(
    unmatched: tuple[str, ...], extra: tuple[str, ...], loaded: Config, system: System
) -> tuple[str, ...]:
    """Return the unmatched patterns that are worth a message.

    A shipped list is broad on purpose: it counts as matched as soon as one of its patterns is.
    """
    quiet: set[str] = set()
    for provider in loaded.exclude:
        patterns = set(plan.exclude_patterns([provider], system))
        if provider.shipped and not patterns <= set(unmatched):
            quiet |= patterns
    return tuple(pattern for pattern in unmatched if pattern in extra or pattern not in quiet)


def _parse_target(tag: str) -> Target:
    try:
        target = Target.parse(tag)
    except ValueError as error:
        raise UsageError(str(error), hint=f"common targets: {', '.join(matrix.COMMON_TARGETS)}") from error
    if target.system not in matrix.DESKTOP:
        raise UsageError(
            f"{tag}: wheelkit repairs wheels for Linux, macOS and Windows",
            hint="cibuildwheel repairs the wheels of other systems as it builds them",
        )
    return target


def _platforms(path: Path) -> tuple[str, ...]:
    try:
        return parse_file_name(path.name).platforms
    except ValueError as error:
        raise WheelError(
            f"{path}: not a valid wheel file name: {error}",
            hint="expected name-version[-build]-python-abi-platform.whl",
        ) from error


def _require_platform(path: Path, target: Target) -> None:
    """Raise UsageError for a wheel of another system or architecture, which no repair changes."""
    platforms = _platforms(path)
    if any(_may_become(platform, target) for platform in platforms):
        return
    raise UsageError(
        f"--target {target}: {path.name} is for {'.'.join(platforms)}, and a repair cannot change that",
        hint="leave out --target: the wheel's own tag and the matrix decide, or name a target of its system",
    )


def _may_become(platform: str, target: Target) -> bool:
    """Return whether a repair for the target can serve a wheel with the platform tag."""
    if platform == "any":
        return True
    same_arch = platform == target.tag or platform.endswith(f"_{target.arch}")
    universal = "universal2" in {platform.rpartition("_")[2], target.arch}
    return _system(platform) is target.system and (same_arch or universal)


def _target_of(path: Path, loaded: Config) -> Target:
    """Choose the promised target of the wheel's system and architecture, else the one that its tag names."""
    platforms = _platforms(path)
    promised = [Target.parse(tag) for tag in loaded.matrix.targets or ()]
    for platform in platforms:
        for target in promised:
            if platform == target.tag or _same_platform(platform, target):
                return target
    for platform in platforms:
        with suppress(ValueError):
            return _parse_target(Target.parse(platform).tag)
    if all(platform.startswith("linux_") for platform in platforms):
        arch = platforms[0].removeprefix("linux_")
        common = (target for target in map(Target.parse, matrix.COMMON_TARGETS) if target.arch == arch)
        return next(common, None) or _parse_target(f"manylinux_2_28_{arch}")
    tag = ".".join(platforms)
    raise UsageError(
        f"{path.name}: its platform tag {tag} does not name a target", hint="give it with --target"
    )


def _same_platform(platform: str, target: Target) -> bool:
    """Return whether a platform tag has the system, the architecture and the C library of a target."""
    same_libc = target.libc in platform or platform.startswith("linux_")
    return platform.endswith(f"_{target.arch}") and target.system is _system(platform) and same_libc


def _system(platform: str) -> System:
    if platform.startswith("macosx"):
        return System.MACOS
    return System.WINDOWS if platform.startswith("win") else System.LINUX


def _to_json(wheel: Repaired) -> dict[str, Any]:
    document: dict[str, Any] = to_builtins(wheel, enc_hook=str)
    del document["originals"]  # where they were on this machine
    return {"file": document.pop("path"), **document}


def _show(wheel: Repaired) -> None:
    for label, names in (("grafted", wheel.grafted), ("excluded", wheel.excluded)):
        if names:
            note(f"{label}: {', '.join(names)}")
    for pattern in wheel.unmatched:
        note(f'WK504  the exclude pattern "{pattern}" matches no library that {wheel.path.name} needs')
    if wheel.unchanged:
        note(f"{wheel.path.name}: nothing to repair, the bytes are unchanged")
    for member in wheel.unsigned:
        note(f"{member}: the repair replaced its signature by an ad hoc one; sign it again if it needs yours")
    result(f"{wheel.path}   {size(wheel.path.stat().st_size)}")
