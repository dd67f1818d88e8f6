"""Emulators and interpreters of other platforms, with which ``wheelkit smoke --emulate`` tries wheels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelkit.doctor.model import fine
from wheelkit.machine.emulators import emulator_for, python_hint, why_not
from wheelkit.machine.facts import detect, own_target
from wheelkit.machine.foreign_interpreters import foreign_executables
from wheelkit.matrix import matrix_of
from wheelkit.text import shorten_list

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wheelkit.config import Config
    from wheelkit.doctor.model import CheckLine


TOPIC = "emulators"


def emulators(config: Config | None, environ: Mapping[str, str]) -> Iterable[CheckLine]:
    """List what can run each promised target that this machine does not run itself; nothing is started."""
    if config is None:
        return
    matrix = matrix_of(config, None)
    own = own_target(detect(environ, containers=False))
    executables = foreign_executables(matrix.interpreters, environ)
    versions = [
        interpreter.python for interpreter in matrix.interpreters if interpreter.implementation == "cp"
    ]
    for target in matrix.targets:
        if (target.system, target.libc, target.arch) == (own.system, own.libc, own.arch):
            continue
        emulator = emulator_for(target)
        if emulator is None:
            yield fine(TOPIC, target.tag, f"not tried here: {why_not(target)}")
            continue
        pythons = [str(executable.path) for executable in executables if emulator.runs(executable)]
        ways = [] if pythons else [python_hint(emulator, versions)]
        if emulator.program is None:
            ways.insert(0, emulator.install)
        if ways:
            what = f"no {emulator.name}" if emulator.program is None else "no interpreter"
            detail = f"{what} for {emulator.platform}; smoke --emulate needs it: {' && '.join(ways)}"
        else:
            detail = f"{emulator.program or emulator.name}, with {shorten_list(pythons)}"
        yield fine(TOPIC, target.tag, detail)
