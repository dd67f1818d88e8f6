"""The values of a smoke test: the wheels under test, the cases that are planned, and their results."""

from __future__ import annotations

import shlex
from enum import StrEnum
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from packaging.requirements import Requirement

    from wheelkit.machine.interpreters import Python
    from wheelkit.matrix import Interpreter
    from wheelkit.plan.model import Tests
    from wheelkit.wheel.model import RecordRow


FAMILY = "the family"
"""The label of the case that installs all distributions together."""


class Package(Struct, frozen=True, kw_only=True):
    """A wheel in the dist folder, as its own metadata describes it.

    ``modules`` are the importable names at its top levels and ``extensions`` its extension modules, both
    dotted; ``imports`` are the modules that the project's settings name instead of those, None without such a
    setting. ``scripts`` are the names of its console scripts; ``entry_points`` are all other entry points as
    (group, name, target).
    """

    path: Path
    sha256: str
    key: str
    name: str
    version: str
    requires: tuple[Requirement, ...] = ()
    extras: tuple[str, ...] = ()
    requires_python: str = ""
    record: tuple[RecordRow, ...] = ()
    modules: tuple[str, ...] = ()
    extensions: tuple[str, ...] = ()
    scripts: tuple[str, ...] = ()
    entry_points: tuple[tuple[str, str, str], ...] = ()
    imports: tuple[str, ...] | None = None

    @property
    def modules_to_import(self) -> tuple[str, ...]:
        """The modules that the smoke test imports, without duplicates."""
        if self.imports is not None:
            return self.imports
        return tuple(dict.fromkeys((*self.modules, *self.extensions)))

    @property
    def is_pure(self) -> bool:
        """Whether the wheel installs on every system."""
        return self.path.name.endswith("-any.whl")

    @property
    def is_meta(self) -> bool:
        """Whether the wheel contains nothing to import."""
        return not self.modules and not self.extensions

    def pinned(self, extras: Sequence[str] = ()) -> str:
        """Return the requirement that only this file satisfies, by path and sha256."""
        return f"{with_extras(self.name, extras)} @ {self.path.as_uri()}#sha256={self.sha256}"


def with_extras(name: str, extras: Sequence[str]) -> str:
    """Write a requirement's name with its extras: ``name[a,b]``."""
    return f"{name}[{','.join(extras)}]" if extras else name


class InstallMode(StrEnum):
    """How a case is installed: into a virtual environment, with ``uv tool install``, or with test tools."""

    ENVIRONMENT = "environment"
    TOOL = "tool"
    TESTS = "tests"


_MODES = {InstallMode.TOOL: " as a tool", InstallMode.TESTS: " with its tests"}


class ProjectTests(Struct, frozen=True, kw_only=True):
    """The tests of a distribution: its folder, what cibuildwheel reads of them, and their variables."""

    project: Path
    tests: Tests
    variables: Mapping[str, str]


class Case(Struct, frozen=True, kw_only=True):
    """One fresh environment: what is installed into it and what is checked there.

    ``distribution`` is the key of the distribution under test, None for the whole family. ``requirements``
    are the names, with extras, that are installed. ``packages`` maps the keys of all members to the wheel
    that fits the interpreter, ``needed`` the keys of the members that get installed to the extras that are
    asked of them. The modules, scripts and entry points of the ``checked`` members are tried, and the
    configured ``commands`` run, or the project's own ``tests``. ``problem`` says why the case cannot run,
    empty if it can, and ``missing`` is the key of the sibling that it lacks.
    """

    distribution: str | None
    mode: InstallMode
    python: Python
    requirements: tuple[str, ...]
    packages: Mapping[str, Package]
    needed: Mapping[str, tuple[str, ...]]
    checked: tuple[str, ...]
    commands: tuple[str, ...] = ()
    problem: str = ""
    missing: str = ""
    tests: ProjectTests | None = None

    @property
    def test_requirements(self) -> tuple[str, ...]:
        """What the project's tests need besides the distribution."""
        return self.tests.tests.requires if self.tests else ()

    @property
    def interpreter(self) -> Interpreter:
        """The interpreter that the case runs on."""
        return self.python.interpreter

    @property
    def label(self) -> str:
        """The distribution's key, or "the family"."""
        return FAMILY if self.distribution is None else self.distribution

    @property
    def title(self) -> str:
        """One line that identifies the case."""
        mode = _MODES.get(self.mode, "")
        platform = f", {self.python.runtime}" if self.python.runtime else ""
        return f"{self.label}{mode} on {self.interpreter}{platform}"


class Failure(Struct, frozen=True, kw_only=True):
    """A failed check: its name, what happened, the lines of output that show it, and how to fix it."""

    check: str
    what: str
    detail: str = ""
    fix: str = ""


def located(fix: str, dist: Path, wheel: str) -> str:
    """Return a fix with the user's dist folder in place of ``@DIST@``, and of ``@WHEEL@`` a wheel in it.

    The files that were tried may be copies in a folder that is gone by then.
    """
    paths = {"@DIST@": shlex.quote(str(dist)), "@WHEEL@": shlex.quote(str(dist / wheel))}
    for sign, path in paths.items():
        fix = fix.replace(sign, path)
    return fix


class CaseResult(Struct, frozen=True, kw_only=True):
    """The result of one case; it passed if there are no failures.

    ``checks`` counts the checks that ran. ``log`` is kept for failed cases only, ``kept`` is the
    environment's folder with ``--keep``.
    """

    case: Case
    failures: tuple[Failure, ...] = ()
    checks: int = 0
    seconds: float = 0.0
    log: Path | None = None
    kept: Path | None = None

    @property
    def ok(self) -> bool:
        """Whether every check passed."""
        return not self.failures


class NotRun(Struct, frozen=True, kw_only=True):
    """A wheel that was not tried: its file name, the reason, and the command that changes it.

    It is ``missing`` something if an emulator would run it that, or whose interpreter, is not installed.
    """

    file: str
    what: str
    fix: str = ""
    missing: bool = False


class SmokeResult(Struct, frozen=True, kw_only=True):
    """The result of a smoke test.

    ``skipped`` are the tags of promised interpreters that are not installed here, ``not_run`` the wheels for
    other platforms that were not tried, ``notes`` remarks for the user, ``order`` the keys of the
    distributions in dependency order.
    """

    results: tuple[CaseResult, ...]
    skipped: tuple[str, ...] = ()
    not_run: tuple[NotRun, ...] = ()
    notes: tuple[str, ...] = ()
    order: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every case passed."""
        return all(result.ok for result in self.results)
