"""The build cache as commands use it: options, opening, and the table of what is cached."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wheelkit.builders import preview
from wheelkit.builders.cache import lookup, store
from wheelkit.builders.kinds import LearntKinds
from wheelkit.cli.output import age, columns, note
from wheelkit.errors import OutputError
from wheelkit.machine import folders
from wheelkit.machine.git import Repository
from wheelkit.machine.process import find_tool
from wheelkit.machine.progress import Progress
from wheelkit.plan.compiler_cache import CompilerCache

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheelkit.builders.preview import CacheStatus
    from wheelkit.config import Config
    from wheelkit.machine.git import PendingStatus
    from wheelkit.plan import Plan
    from wheelkit.project.family import Family


cache_option = click.option("--no-cache", is_flag=True, help="Build everything; do not use the build cache.")


def times_of(plan: Plan) -> store.Times:
    """Return the saved durations of a project's build steps."""
    return store.Times(store=lookup.open_store(note), project=str(plan.family.root))


def learnt_kinds(config: Config) -> LearntKinds:
    """Return the kinds that earlier builds have learnt; none if caching is off."""
    return LearntKinds(config=config, store=lookup.open_store(note) if folders.cache_enabled() else None)


def require_compiler_cache() -> CompilerCache:
    """Find sccache and create its folder; raises MissingToolError or OutputError."""
    folder = folders.cache_folder() / folders.COMPILED_FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError.of(error, folder) from error
    return CompilerCache(program=Path(find_tool("sccache")), folder=folder)


def start_git_status(family: Family) -> PendingStatus | None:
    """Start git on the family's folder, so that it runs while the plan is made; None if caching is off."""
    return Repository(folder=family.root).start_status() if folders.cache_enabled() else None


def open_cache(plan: Plan, git_status: PendingStatus | None = None, *, no_cache: bool) -> lookup.Cache | None:
    """Open the user's cache for a plan; None if the option or the environment turns it off."""
    if no_cache or not folders.cache_enabled():
        return None
    return lookup.open_cache(plan, lookup.open_store(note), git_status)


def cache_statuses(plan: Plan, git_status: PendingStatus | None = None) -> tuple[CacheStatus, ...]:
    """Return what a build would find in the cache; empty if caching is off."""
    cache = open_cache(plan, git_status, no_cache=False)
    if cache is None:
        return ()
    return tuple(preview.cache_statuses(plan, cache, Progress()))


def table(statuses: Sequence[CacheStatus]) -> str:
    """Render what is cached, and why the rest is not."""
    if not statuses:
        return ""
    now = time.time()
    rows = [("distribution", "target", "cache")]
    for status in statuses:
        text = status.why or f"cached, built {age(now - status.built)}, {status.seconds:.1f} s saved"
        rows.append((status.unit.distribution.name, status.unit.target_name, text))
    return columns(rows)


def to_json(statuses: Sequence[CacheStatus]) -> list[dict[str, Any]]:
    """Convert what is cached to plain data."""
    return [
        {
            "distribution": status.unit.distribution.name,
            "target": status.unit.target_name,
            "cached": not status.why,
            "why": status.why,
            "seconds": status.seconds,
        }
        for status in statuses
    ]
