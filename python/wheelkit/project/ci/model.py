"""A run of cibuildwheel in the project's own CI, and what could not be read of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelkit.matrix import System


class Hosted(Struct, frozen=True, kw_only=True):
    """A machine that CI runs a job on; ``arch`` is spelled as cibuildwheel spells it there."""

    system: System
    arch: str


class Run(Struct, frozen=True, kw_only=True):
    """One run of cibuildwheel.

    ``environ`` are the variables that it sees, ``unknown`` the names of those that only a run can tell.
    ``system`` is what it builds for. ``only``, ``archs`` and ``enable`` are its options, ``config_file`` is
    relative to the repository; they are empty where they are not given.
    """

    workflow: str
    job: str
    system: System
    machine: Hosted
    environ: Mapping[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    only: str = ""
    archs: str = ""
    enable: str = ""
    config_file: str = ""


class OwnCi(Struct, frozen=True, kw_only=True):
    """What the project's own CI does for a release: runs of cibuildwheel, and what could not be told.

    ``incomplete`` are sentences about runs that cannot be evaluated, ``broken`` are about files that cannot
    be read, and ``workflows`` are the files with the runs.
    """

    runs: tuple[Run, ...] = ()
    incomplete: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    workflows: tuple[str, ...] = ()
