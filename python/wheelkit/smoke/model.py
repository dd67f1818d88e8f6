"""The values of a smoke test: the wheels, the cases that are run, and how each of them went."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from wheelkit.machine.interpreters import Python
    from wheelkit.matrix import Interpreter
    from wheelkit.wheel.model import RecordRow


FAMILY = "the family"
"""The label of the case that installs all distributions together."""


class Dependency(Struct, frozen=True, kw_only=True):
    """What a wheel requires: the name and its extras, and the environment marker as packaging writes it, empty for none."""

    name: str
    extras: tuple[str, ...] = ()
    marker: str = ""


class Package(Struct, frozen=True, kw_only=True):
    """One wheel of the dist, as its own metadata describes it.

    ``record`` are the rows of RECORD, ``modules`` what can be imported at its top levels, ``extensions`` its extension modules;
    ``scripts`` are console scripts, each with the module that it starts from, and ``entries`` the other entry points, as
    ``group:name = target``. ``imports`` are the modules that the project wants imported instead of those; None where it does not say.
    """

    path: Path
    sha256: str
    key: str
    name: str
    version: str
    requires: tuple[Dependency, ...] = ()
    extras: tuple[str, ...] = ()
    requires_python: str = ""
    record: tuple[RecordRow, ...] = ()
    modules: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    scripts: Mapping[str, str] = field(default_factory=dict)
    entries: tuple[tuple[str, str, str], ...] = ()
    imports: tuple[str, ...] | None = None

    @property
    def tried(self) -> tuple[str, ...]:
        """The modules that are imported, each once."""
        return (
            tuple(dict.fromkeys((*self.modules, *self.extensions))) if self.imports is None else self.imports
        )

    @property
    def meta(self) -> bool:
        """Whether the wheel holds nothing to import."""
        return not self.modules and not self.extensions

    def pinned(self, extras: Sequence[str] = ()) -> str:
        """Write the requirement that means this file and no other: path and sha256."""
        brackets = f"[{','.join(extras)}]" if extras else ""
        return f"{self.name}{brackets} @ {self.path.as_uri()}#sha256={self.sha256}"


class InstallMode(StrEnum):
    """How a case is installed."""

    ENVIRONMENT = "environment"
    TOOL = "tool"


class Case(Struct, frozen=True, kw_only=True):
    """One fresh environment: what is asked for, the family's files that may answer, and what has to work there.

    ``wanted`` are names with extras; ``packages`` all of the family that serves this interpreter, by name; ``needed`` those that come
    along, with their extras; ``checked`` those whose modules, scripts and entry points are tried; ``commands`` the configured ones.
    ``missing`` says why the case cannot run.
    """

    label: str
    how: InstallMode
    interpreter: Interpreter
    python: Python
    wanted: tuple[str, ...]
    packages: Mapping[str, Package]
    needed: Mapping[str, tuple[str, ...]]
    checked: tuple[str, ...]
    commands: tuple[str, ...] = ()
    missing: str = ""

    @property
    def title(self) -> str:
        """Name the case in a line of its own."""
        tool = " as a tool" if self.how is InstallMode.TOOL else ""
        return f"{self.label}{tool} on {self.interpreter}"

    @property
    def weight(self) -> int:
        """Count what there is to try: modules, entry points, commands, and scripts, which import most."""
        checked = (self.packages[key] for key in self.checked if key in self.packages)
        return len(self.commands) + sum(
            len(one.tried) + len(one.entries) + 5 * len(one.scripts) for one in checked
        )


class Failure(Struct, frozen=True, kw_only=True):
    """What went wrong: what was tried, what happened, the lines that show it, and what to do."""

    check: str
    what: str
    detail: str = ""
    fix: str = ""


class CaseResult(Struct, frozen=True, kw_only=True):
    """How one case went: no failure is fine. ``checks`` counts what was tried; ``kept`` is the environment where it stays."""

    case: Case
    failures: tuple[Failure, ...] = ()
    checks: int = 0
    seconds: float = 0.0
    log: Path | None = None
    kept: Path | None = None

    @property
    def ok(self) -> bool:
        """Whether all worked."""
        return not self.failures


class SmokeResult(Struct, frozen=True, kw_only=True):
    """The whole smoke test: every case, the interpreters that are promised but not here, and what the user should know."""

    outcomes: tuple[CaseResult, ...]
    skipped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    order: tuple[str, ...] = field(default=())

    @property
    def ok(self) -> bool:
        """Whether every case worked."""
        return all(outcome.ok for outcome in self.outcomes)
