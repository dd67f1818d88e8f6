"""The options that a project sets for cibuildwheel, as cibuildwheel's own reader reads them.

cibuildwheel reads variables (``CIBW_X_LINUX``, then ``CIBW_X``), ``[[tool.cibuildwheel.overrides]]``, the
table of the platform and ``[tool.cibuildwheel]``, the strongest first, and ``inherit`` joins them
(https://cibuildwheel.pypa.io/en/stable/options/). Its reader is in its package but not documented, so
pyproject.toml admits one major version, and tests hold this module against cibuildwheel's own way from a file
to its options. It takes 0.1 s to load, so it is asked only where a project or the environment sets an option.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from copy import deepcopy
from functools import cache, cached_property
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from wheelkit.errors import ConfigError
from wheelkit.matrix import selects
from wheelkit.plan.model import Tests

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from cibuildwheel.options import BuildOptions, Options

    from wheelkit.matrix import System
    from wheelkit.plan.model import Pairs
    from wheelkit.project.read import Distribution

_PREFIX = "CIBW_"
INHERIT = "CIBW_INHERIT"
# Options of a whole run, which cibuildwheel reads without a build identifier: overrides do not reach them.
_OF_THE_RUN = frozenset({"build", "skip", "archs", "enable", "test-skip"})
# What the matrix and the exclude list decide; wheelkit only adds to all other options.
_DECIDED = ("archs", "build", "repair-wheel-command", "skip")


def variable(key: str, system: System | None = None) -> str:
    """Return the environment variable of an option: ``test-command`` -> ``CIBW_TEST_COMMAND``."""
    suffix = f"_{system.value.upper()}" if system else ""
    return _PREFIX + key.replace("-", "_").upper() + suffix


class BuildSettings(Struct, frozen=True, kw_only=True):
    """What cibuildwheel reads for one build; ``tests`` is None if ``test-skip`` names the build.

    ``image`` and ``engine`` are empty where the user chooses none. ``engine`` is spelled as in its variable,
    ``config_settings`` as ``key=value`` words that are quoted for a shell. ``environment`` holds unevaluated
    assignments in order.
    """

    before_all: str = ""
    before_build: str = ""
    config_settings: str = ""
    environment: Pairs = ()
    image: str = ""
    engine: str = ""
    hides_host: bool = False
    tests: Tests | None = field(default_factory=Tests)


class Selection(Struct, frozen=True, kw_only=True):
    """What decides which builds cibuildwheel makes, as it reads them: selectors, groups, ``archs``."""

    build: str = "*"
    skip: str = ""
    enabled: frozenset[str] = frozenset()
    archs: str = "auto"


class _CommandError(Exception):
    """An assignment runs a command."""


def _refuse(_command: list[str], _environment: dict[str, str]) -> str:
    raise _CommandError


class CibuildwheelOptions:
    """The cibuildwheel options of one distribution on one system."""

    def __init__(self, distribution: Distribution, system: System, environ: Mapping[str, str]) -> None:
        self._distribution = distribution
        self._system = system
        self._environ = environ
        self._table = distribution.cibuildwheel
        self._settings: dict[str, BuildSettings] = {}

    def build(self, identifier: str) -> BuildSettings:
        """Return what cibuildwheel reads for a build. Raises ConfigError for what it rejects."""
        if not self.any_set:
            return BuildSettings()
        if identifier not in self._settings:
            with _cibuildwheel_errors(self._distribution):
                self._settings[identifier] = self._read(identifier)
        return self._settings[identifier]

    def builds(self, identifiers: Iterable[str]) -> tuple[BuildSettings, ...]:
        """Return what cibuildwheel reads for several builds, each result once."""
        found: list[BuildSettings] = []
        for identifier in identifiers:
            settings = self.build(identifier)
            if settings not in found:
                found.append(settings)
        return tuple(found)

    @cached_property
    def any_set(self) -> bool:
        """Whether the project or the environment sets any option."""
        return bool(self._table) or any(name.startswith(_PREFIX) for name in self._environ)

    def skips(self, identifier: str) -> bool:
        """Return whether the project's own ``skip`` leaves a build out."""
        if not self.any_set:
            return False
        with _cibuildwheel_errors(self._distribution):
            return selects(self._options.globals.build_selector.skip_config, identifier)

    @cached_property
    def enabled(self) -> frozenset[str]:
        """The groups of builds that the user enables."""
        if not self.any_set:
            return frozenset()
        with _cibuildwheel_errors(self._distribution):
            return frozenset(group.value for group in self._options.globals.build_selector.enable)

    @cached_property
    def selection(self) -> Selection:
        """What decides which builds cibuildwheel makes. Raises ConfigError for what it rejects."""
        if not self.any_set:
            return Selection()
        with _cibuildwheel_errors(self._distribution):
            from cibuildwheel.options import ListFormat

            selector, words = self._options.globals.build_selector, ListFormat(sep=" ")
            archs = self._options.reader.get("archs", option_format=words, ignore_empty=True)
        return Selection(
            build=selector.build_config, skip=selector.skip_config, enabled=self.enabled, archs=archs
        )

    def has(self, key: str, identifiers: Iterable[str]) -> bool:
        """Return whether the user sets an option for any of the builds."""
        return next(self.places(key, identifiers), None) is not None

    def places(self, key: str, identifiers: Iterable[str] = ()) -> Iterator[str]:
        """Yield where the user sets an option for any of the builds, in words, the weakest first."""
        platform = self._table.get(self._system.value)
        if any(_sets(table, key) for table in (self._table, platform)):
            yield key
        rows = self._table.get("overrides")
        for row in rows if isinstance(rows, list) and key not in _OF_THE_RUN else ():
            if _sets(row, key) and _is_selected(row.get("select"), identifiers):
                yield f'{key} of the override "{_words(row.get("select"))}"'
        for name in (variable(key), variable(key, self._system)):
            if _sets(self._environ, name):
                yield name

    def overridden(self, identifiers: Collection[str], *, skip: bool) -> tuple[str, ...]:
        """Return where the user sets what the matrix and the exclude list decide; ``skip`` included if so."""
        keys = (key for key in _DECIDED if key != "skip" or skip)
        return tuple(dict.fromkeys(place for key in keys for place in self.places(key, identifiers)))

    def evaluate(self, assignments: Pairs, environ: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
        """Return the variables that a shell would set, and the names of those for which it runs a command.

        An unknown variable is empty, and earlier assignments count. Raises ConfigError as ``build`` does.
        """
        if not assignments:
            return {}, []
        from cibuildwheel.bashlex_eval import evaluate

        variables: dict[str, str] = {}
        computed: list[str] = []
        with _cibuildwheel_errors(self._distribution):
            for name, value in assignments:
                try:
                    variables[name] = evaluate(value, {**environ, **variables}, _refuse)
                except _CommandError:
                    computed.append(name)
        return variables, computed

    def appended(self, key: str, words: str, variables: Mapping[str, str]) -> dict[str, str]:
        """Return the variables that add words to an option of all builds, behind the user's own values.

        ``variables`` are those that cibuildwheel gets besides.
        """
        name = variable(key, self._system)
        if own := self._environ.get(name):
            return {name: f"{own} {words}"}
        rules = {**self._rules(variables), f"{key}-{self._system.value}": "append"}
        return {name: words, INHERIT: _join_rules(rules)}

    def replaced(self, variables: Mapping[str, str]) -> dict[str, str]:
        """Return the variable that keeps the user's ``CIBW_INHERIT`` from joining others to ``variables``."""
        rules = self._rules({})
        kept = {key: rule for key, rule in rules.items() if variable(key) not in variables}
        return {} if kept == rules else {INHERIT: _join_rules(kept)}

    def _rules(self, variables: Mapping[str, str]) -> dict[str, str]:
        """Return the rules of joining by option. Raises ConfigError for those that cibuildwheel rejects."""
        text = {**self._environ, **variables}.get(INHERIT)
        if not text:
            return {}
        with _cibuildwheel_errors(self._distribution):
            from cibuildwheel.options import parse_inherit

            return {key: rule.name.lower() for key, rule in parse_inherit(text).items()}

    @cached_property
    def _options(self) -> Options:
        return _options(self._distribution, self._system, self._environ)

    def _read(self, identifier: str) -> BuildSettings:
        options = self._options.build_options(identifier)
        image, engine, hides_host = "", "", False
        if self._system.value == "linux":
            libc_arch = identifier.partition("-")[2]
            libc, _, arch = libc_arch.partition("_")
            images = {"manylinux": options.manylinux_images, "musllinux": options.musllinux_images}
            if self.has(f"{libc}-{arch}-image", [identifier]):
                image = (images.get(libc) or {}).get(arch, "")
            if self.has("container-engine", [identifier]):
                engine, hides_host = _engine(options), options.container_engine.disable_host_mount
        tested = self._options.globals.test_selector(identifier)
        return BuildSettings(
            before_all=options.before_all,
            before_build=options.before_build or "",
            config_settings=options.config_settings,
            environment=_assignments(options.environment),
            image=image,
            engine=engine,
            hides_host=hides_host,
            tests=_tests(options) if tested else None,
        )


def _tests(options: BuildOptions) -> Tests:
    return Tests(
        command=options.test_command or "",
        before=options.before_test or "",
        sources=tuple(options.test_sources),
        requires=tuple(options.test_requires),
        extras=options.test_extras,
        environment=_assignments(options.test_environment),
    )


def _assignments(environment: Any) -> Pairs:  # noqa: ANN401 - the classes of its assignments are not exported
    from cibuildwheel.environment import EnvironmentAssignmentBash as Assignment

    written = (one for one in environment.assignments if isinstance(one, Assignment))  # not passed on
    return tuple((assignment.name, assignment.value) for assignment in written)


def _engine(options: BuildOptions) -> str:
    engine = options.container_engine
    arguments = shlex.join(engine.create_args)
    mount = "; disable_host_mount: true" if engine.disable_host_mount else ""
    return f"{engine.name}{f'; create_args: {arguments}' if arguments else ''}{mount}"


def _join_rules(rules: Mapping[str, str]) -> str:
    """Return rules of joining as their variable spells them: ``environment-linux: append``."""
    return "; ".join(f"{key}: {rule}" for key, rule in rules.items())


def _options(distribution: Distribution, system: System, environ: Mapping[str, str]) -> Options:
    """Return cibuildwheel's own options of a project, read from its table and not from a file."""
    from cibuildwheel.options import CommandLineArguments, Options

    arguments = CommandLineArguments.defaults()
    arguments.package_dir = Path("/no such folder")
    # Files that cibuildwheel looks for in the unpacked sdist; here, that would be the current folder.
    elsewhere = {variable("dependency-versions", system): "pinned", "CIBW_PROJECT_REQUIRES_PYTHON": ">=3"}
    options = Options(system.value, arguments, {**environ, **elsewhere}, defaults=True)
    options.reader = _table_reader()(distribution.cibuildwheel, system, options.env)
    options.pyproject_toml = {"dependency-groups": distribution.dependency_groups}
    _ = options.globals  # read and kept before any build, as cibuildwheel does: no override reaches them
    return options


@cache
def _table_reader() -> Any:  # noqa: ANN401 - a class that exists once cibuildwheel is loaded
    from cibuildwheel.options import DISALLOWED_OPTIONS, OptionsReader
    from cibuildwheel.util import resources

    class TableReader(OptionsReader):
        """cibuildwheel's reader for a table that is in memory."""

        def __init__(self, table: Mapping[str, Any], system: System, env: Mapping[str, str]) -> None:
            self._table = deepcopy(dict(table))  # the reader takes keys out of overrides
            super().__init__(
                Path("pyproject.toml"), platform=system.value, env=env, disallow=DISALLOWED_OPTIONS
            )

        def _load_file(self, filename: Path) -> tuple[dict[str, Any], dict[str, Any]]:
            if filename == resources.DEFAULTS:
                return super()._load_file(filename)
            return self._table, self._table.get(self.platform, {})

    return TableReader


@contextmanager
def _cibuildwheel_errors(distribution: Distribution) -> Iterator[None]:
    """Raise ConfigError for whatever ends cibuildwheel's reader, and keep its warnings for its own run."""
    from cibuildwheel.errors import FatalError

    try:
        with redirect_stdout(StringIO()), redirect_stderr(StringIO()):
            yield
    except (Exception, FatalError) as error:  # it meets wrong types with errors of every kind
        problem = " ".join(str(error).split()) or type(error).__name__
        raise ConfigError(
            distribution.source,
            [f"[tool.cibuildwheel] or a {_PREFIX} variable: {problem}"],
            hint="cibuildwheel would stop there too (https://cibuildwheel.pypa.io/en/stable/options/)",
        ) from error


def _sets(layer: object, key: str) -> bool:
    """Return whether a layer sets an option; an image without a name counts for nothing."""
    is_image = key.lower().replace("_", "-").partition("-image")[1]
    return isinstance(layer, Mapping) and key in layer and bool(layer[key] or not is_image)


def _is_selected(select: object, identifiers: Iterable[str]) -> bool:
    with suppress(ValueError):  # braces that stand for too many patterns, which cibuildwheel rejects
        return any(selects(_words(select), identifier) for identifier in identifiers)
    return False


def _words(select: object) -> str:
    return " ".join(map(str, select)) if isinstance(select, list) else str(select or "")
