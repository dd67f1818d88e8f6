"""What the host builder takes from the options of cibuildwheel, and what it leaves out."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from msgspec.structs import asdict

from wheelkit.plan.model import HostSettings, HostTests

if TYPE_CHECKING:
    from collections.abc import Mapping

    from wheelkit.plan.model import NativeStep, Pairs
    from wheelkit.plan.options import BuildSettings, CibuildwheelOptions

# Commands that need cibuildwheel's container, where they install packages as root, and what replaces commands
# and tools that the host builder chooses itself.
_LEFT_OUT = (
    "before-all",
    "before-build",
    "build-frontend",
    "dependency-versions",
    "repair-wheel-command",
)
_PLACEHOLDERS = ("{project}", "{package}")


def settings(
    step: NativeStep, options: CibuildwheelOptions, environ: Mapping[str, str]
) -> dict[str, HostSettings]:
    """Return the settings of each interpreter's build by tag, without those that have none."""
    found = {
        interpreter.tag: _settings(options.build(identifier), options, environ)
        for interpreter, identifier in zip(step.interpreters, step.identifiers, strict=True)
    }
    return {tag: build for tag, build in found.items() if build}


def project_tests(
    step: NativeStep, options: CibuildwheelOptions, environ: Mapping[str, str]
) -> dict[str, HostTests]:
    """Return the project's own tests by interpreter; those that are not in it get the usual ones.

    As in containers, a project that sets a test command for one of the builds decides about all of them.
    """
    decides = options.has("test-command", step.identifiers)
    found: dict[str, HostTests] = {}
    for interpreter, identifier in zip(step.interpreters, step.identifiers, strict=True):
        build = options.build(identifier)
        if build.tests is None:
            found[interpreter.tag] = HostTests()
        elif decides:
            variables = options.evaluate(build.environment, environ)[0]
            variables |= options.evaluate(build.tests.environment, {**environ, **variables})[0]
            found[interpreter.tag] = HostTests(**asdict(build.tests), variables=variables)
    return found


def left_out(step: NativeStep, options: CibuildwheelOptions) -> tuple[str, ...]:
    """Return where the user sets options of these builds that the host builder does not follow, in words."""
    if not options.any_set:
        return ()
    keys = (key for key in _LEFT_OUT if _is_set(key, step, options))
    places = [place for key in keys for place in options.places(key, step.identifiers)]
    builds = options.builds(step.identifiers)
    computed = {name for build in builds for name in options.evaluate(build.environment, {})[1]}
    in_tests = [build.tests.environment for build in builds if build.tests]
    tested = {name for pairs in in_tests for name in options.evaluate(pairs, {})[1]}
    located = {key for build in builds for key, value in _pairs(build) if _is_located(value)}
    return (
        *dict.fromkeys(places),
        *(f"environment {name}" for name in sorted(computed)),
        *(f"test-environment {name}" for name in sorted(tested)),
        *(f"config-settings {key}" for key in sorted(located)),
    )


def _is_set(key: str, step: NativeStep, options: CibuildwheelOptions) -> bool:
    """Return whether an option that the host builder leaves out has a value for any of the builds."""
    builds = options.builds(step.identifiers)
    values = {
        "before-all": [build.before_all for build in builds],
        "before-build": [build.before_build for build in builds],
    }
    return any(values[key]) if key in values else options.has(key, step.identifiers)


def _settings(build: BuildSettings, options: CibuildwheelOptions, environ: Mapping[str, str]) -> HostSettings:
    return HostSettings(
        config_settings=tuple((key, value) for key, value in _pairs(build) if not _is_located(value)),
        environment=options.evaluate(build.environment, environ)[0],
    )


def _pairs(build: BuildSettings) -> Pairs:
    words = (word.partition("=") for word in shlex.split(build.config_settings))
    return tuple((key, value) for key, _, value in words)


def _is_located(value: str) -> bool:
    """Return whether a config setting names the folder of the project, which uv unpacks by itself."""
    return any(placeholder in value for placeholder in _PLACEHOLDERS)
