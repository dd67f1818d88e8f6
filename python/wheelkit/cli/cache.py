"""How commands open the build cache, and how they tell of it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wheelkit.cli.output import age, columns, note
from wheelkit.machine import folders

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from wheelkit.builders.cache.lookup import Cache
    from wheelkit.builders.cache.times import Times
    from wheelkit.builders.preview import CacheStatus
    from wheelkit.machine.git import PendingStatus
    from wheelkit.plan import Plan
    from wheelkit.plan.compiler_cache import CompilerCache
    from wheelkit.project.family import Family


def cache_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add ``--no-cache``."""
    return click.option("--no-cache", is_flag=True, help="Build all of it, whatever was built before.")(
        function
    )


def times_of(plan: Plan) -> Times:
    """Give the memory of how long the steps of a plan's project took."""
    from wheelkit.builders.cache import lookup, times

    return times.Times(store=lookup.open_store(note), project=str(plan.family.root))


def require_compiler_cache() -> CompilerCache:
    """Find sccache, and make the folder in which it keeps objects; raises MissingToolError or OutputError."""
    from wheelkit.errors import OutputError
    from wheelkit.machine.process import find_tool
    from wheelkit.plan.compiler_cache import CompilerCache

    folder = folders.cache_folder() / folders.COMPILED_FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError.of(error, folder) from error
    return CompilerCache(program=Path(find_tool("sccache")), folder=folder)


def ask_git(family: Family) -> PendingStatus | None:
    """Start asking git about the family's folder, for the cache: it answers while the plan is made. None where there is to be no cache."""
    from wheelkit.machine.git import Repository

    return Repository(folder=family.root).start_status() if folders.cache_enabled() else None


def open_cache(plan: Plan, asking: PendingStatus | None = None, *, no_cache: bool) -> Cache | None:
    """Open the user's cache for a plan, unless the option or the environment says no."""
    if no_cache or not folders.cache_enabled():
        return None
    from wheelkit.builders.cache import lookup

    return lookup.open_cache(plan, lookup.open_store(note), asking)


def cache_statuses(plan: Plan, asking: PendingStatus | None = None) -> tuple[CacheStatus, ...]:
    """Look ahead: what a build would find in the cache; empty where there is to be none."""
    cache = open_cache(plan, asking, no_cache=False)
    if cache is None:
        return ()
    from wheelkit.builders.preview import cache_statuses
    from wheelkit.machine.progress import SilentProgress

    return tuple(cache_statuses(plan, cache, SilentProgress()))


def table(found: Sequence[CacheStatus]) -> str:
    """Render for people what is cached and why something is not."""
    if not found:
        return ""
    now = time.time()
    rows = [("distribution", "target", "cache")]
    rows += [
        (
            one.unit.distribution.name,
            one.unit.target,
            one.why or f"cached, built {age(now - one.built)}, {one.seconds:.1f} s saved",
        )
        for one in found
    ]
    return columns(rows)


def to_json(found: Sequence[CacheStatus]) -> list[dict[str, Any]]:
    """Turn what is cached into plain data."""
    return [
        {
            "distribution": one.unit.distribution.name,
            "target": one.unit.target,
            "cached": not one.why,
            "why": one.why,
            "seconds": one.seconds,
        }
        for one in found
    ]
