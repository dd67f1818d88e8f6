"""Look at the machine, the project, the way to the index, and what a release needs."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from msgspec import Struct, field

from wheelkit.doctor import access, machine, project, tools

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from pathlib import Path

    from wheelkit.config import Config
    from wheelkit.doctor.model import CheckLine
    from wheelkit.errors import WheelkitError
    from wheelkit.project.family import Family


class DoctorContext(Struct, frozen=True, kw_only=True):
    """What is looked at: the folder, its project where it has one (else ``trouble`` says why not), the time, and the environment."""

    folder: Path
    now: datetime
    config: Config | None = None
    family: Family | None = None
    trouble: WheelkitError | None = None
    online: bool = True
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)


def run_checks(patient: DoctorContext) -> tuple[CheckLine, ...]:
    """Look at everything, in the order in which a build needs it."""
    return tuple(_lines(patient))


def _lines(patient: DoctorContext) -> Iterable[CheckLine]:
    yield tools.python()
    yield from _for_native(patient) if patient.family is None or patient.family.native else tools.for_pure()
    yield machine.disk(patient.folder)
    yield machine.clock(patient.folder, patient.now)
    if patient.online:
        yield access.index()
    yield from access.credentials(patient.environ)
    yield from project.checkout(patient.folder)
    yield from project.project(patient.config, patient.family, patient.trouble)
    if patient.config is not None and patient.family is not None:
        yield from project.release(patient.config, patient.family, patient.now.date())


def _for_native(patient: DoctorContext) -> Iterable[CheckLine]:
    """Look at what only the building of native distributions needs."""
    yield tools.compiler(patient.environ)
    yield from tools.programs(_backends(patient))
    yield from machine.containers(patient.environ)
    yield from machine.signing()


def _backends(patient: DoctorContext) -> frozenset[str]:
    return frozenset(item.backend for item in patient.family.distributions) if patient.family else frozenset()
