"""A project's own tests, run against an installed wheel and away from the sources.

They are what ``[tool.cibuildwheel]`` says of tests (https://cibuildwheel.pypa.io/en/stable/options/#testing),
as cibuildwheel itself reads it, so that a project states them once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from wheelkit.errors import UsageError
from wheelkit.machine.project_tests import fill_in, shell
from wheelkit.matrix.builds import build_identifier
from wheelkit.plan.options import CibuildwheelOptions
from wheelkit.smoke.model import ProjectTests

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from wheelkit.machine.interpreters import Python
    from wheelkit.machine.process import Command
    from wheelkit.matrix import Target
    from wheelkit.project.family import Family
    from wheelkit.smoke.environments import Environment
    from wheelkit.smoke.model import Package

# A whole test suite takes longer than one check.
_SLOWER = 10


def find_tests(
    family: Family | None, pythons: Iterable[Python], target: Target, environ: Mapping[str, str]
) -> dict[tuple[str, str], ProjectTests]:
    """Return the tests of the family's members, by key and tag of the interpreter.

    Raises UsageError if no member has any, ConfigError for options that cibuildwheel rejects.
    """
    found: dict[tuple[str, str], ProjectTests] = {}
    interpreters = [python.interpreter for python in pythons]
    for member in family.distributions if family else ():
        options = CibuildwheelOptions(member, target.system, environ)
        for interpreter in interpreters:
            tests = options.build(build_identifier(interpreter, target)).tests
            if tests is not None and tests.command:
                variables, _ = options.evaluate(tests.environment, environ)
                found[member.key, interpreter.tag] = ProjectTests(
                    project=member.source, tests=tests, variables=variables
                )
    if not found:
        raise UsageError(
            "--tests: no distribution here has a test-command",
            hint='add one to pyproject.toml:  [tool.cibuildwheel] test-command = "pytest {project}/tests"',
        )
    return found


def commands(
    tests: ProjectTests, wheel: Package, environment: Environment, timeout: float
) -> Iterator[tuple[str, Command]]:
    """Yield the commands of tests with their lines, for the environment in which the wheel is installed."""
    for line in filter(None, (tests.tests.before, tests.tests.command)):
        command = environment.command(
            *shell(fill_in(line, tests.project, wheel.path)), timeout=timeout * _SLOWER
        )
        yield line, replace(command, env={**command.env, **tests.variables})
