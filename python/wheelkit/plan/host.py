"""What the host builder takes from ``[tool.cibuildwheel]``, and what it leaves out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheelkit.matrix import System, build_identifier
from wheelkit.plan.model import HostSettings
from wheelkit.plan.options import CibuildwheelOptions

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from wheelkit.matrix import Interpreter, Target
    from wheelkit.project.read import Distribution

# Commands that usually need cibuildwheel's container: they install packages there, or need root.
_COMMANDS = ("before-all", "before-build", "test-command")
_VARIABLE = re.compile(r"\$(?:(?P<plain>\w+)|\{(?P<braced>\w+)\})")


class HostOptions:
    """The cibuildwheel options of a distribution that apply to builds on this Linux host."""

    def __init__(self, distribution: Distribution, environ: Mapping[str, str]) -> None:
        self._options = CibuildwheelOptions(distribution, System.LINUX, environ)
        self._environ = environ

    def settings(self, interpreters: Iterable[Interpreter], target: Target) -> dict[str, HostSettings]:
        """Return the settings of each interpreter's build by tag, without those that have none."""
        builds = {interpreter.tag: build_identifier(interpreter, target) for interpreter in interpreters}
        settings = {tag: self._for_build(identifier) for tag, identifier in builds.items()}
        return {tag: found for tag, found in settings.items() if found}

    def left_out(self, interpreters: Iterable[Interpreter], target: Target) -> tuple[str, ...]:
        """Return the options of these builds that only cibuildwheel's container follows."""
        identifiers = [build_identifier(interpreter, target) for interpreter in interpreters]
        commands = [key for key in _COMMANDS if any(self._options.value(key, build) for build in identifiers)]
        pairs = (pair for build in identifiers for pair in self._options.pairs("environment", build))
        computed = {name for name, value in pairs if _runs_command(value)}
        return (*commands, *(f"environment {name}" for name in sorted(computed)))

    def _for_build(self, identifier: str) -> HostSettings:
        variables: dict[str, str] = {}
        for name, value in self._options.pairs("environment", identifier):
            if not _runs_command(value):
                variables[name] = _expand(value, {**self._environ, **variables})
        settings = self._options.pairs("config-settings", identifier)
        return HostSettings(config_settings=settings, environment=variables)


def _expand(value: str, variables: Mapping[str, str]) -> str:
    """Replace ``$NAME`` and ``${NAME}`` as a shell does; unknown variables are empty."""
    return _VARIABLE.sub(lambda match: variables.get(match["plain"] or match["braced"], ""), value)


def _runs_command(value: str) -> bool:
    return "$(" in value or "`" in value
