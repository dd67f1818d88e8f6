"""Run all checks of the machine, the project, the index, and what a release needs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from msgspec import Struct, field

from wheelkit.doctor import access, emulators, machine, project, tools

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    from wheelkit.config import Config
    from wheelkit.doctor.model import CheckLine
    from wheelkit.errors import WheelkitError
    from wheelkit.project.family import Family


class DoctorContext(Struct, frozen=True, kw_only=True):
    """What is checked: a folder, its configuration and family (or the error that says why it has none)."""

    folder: Path
    now: datetime
    config: Config | None = None
    family: Family | None = None
    trouble: WheelkitError | None = None
    online: bool = True
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)


def run_checks(context: DoctorContext) -> Iterable[CheckLine]:
    """Run all checks, in the order in which a build needs what they check."""
    family = context.family
    yield tools.python()
    if family is None or family.native:
        yield tools.compiler(context.environ)
        yield tools.headers()
        backends = frozenset(member.backend for member in family.distributions) if family else None
        yield from tools.programs(backends)
        yield from machine.containers(context.environ)
        yield from machine.signing()
        yield from emulators.emulators(context.config, context.environ)
    else:
        yield from tools.for_pure()
    yield machine.disk(context.folder)
    yield machine.clock(context.folder, context.now)
    if context.online:
        yield access.index()
    yield from access.credentials(context.environ)
    members = context.family.distributions if context.family else ()
    yield from project.checkout(context.folder, [member.source for member in members])
    yield from project.project(context.config, family, context.trouble)
    if context.config is not None and family is not None:
        yield from project.release(context.config, family, context.now.date())
