"""TODO."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

from wheelkit.matrix import System, Target, build_identifier
from wheelkit.plan.host import selects
from wheelkit.plan.model import HostSettings, Pairs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from wheelkit.matrix import Interpreter, Target
    from wheelkit.project.read import Distribution


def option(key: str) -> str:
    """Spell a key of ``[tool.cibuildwheel]`` as its environment variable: ``test-command`` -> ``CIBW_TEST_COMMAND``."""
    return "CIBW_" + key.replace("-", "_").upper()


# Options to which the matrix only adds: what the user set for them still counts.
_JOINED = frozenset({"config-settings", "container-engine", "enable", "environment"})


class UserOptions:
    """What the user has set for cibuildwheel on one system: in the environment, its platform table, and its general one."""

    def __init__(self, distribution: Distribution, system: System, environ: Mapping[str, str]) -> None:
        table = distribution.cibuildwheel
        platform = table.get(system.value)
        self._tables: tuple[Mapping[str, Any], ...] = (platform if isinstance(platform, dict) else {}, table)
        self._system = system
        self._environ = environ

    def _variables(self, key: str) -> tuple[str, str]:
        name = option(key)
        return f"{name}_{self._system.value.upper()}", name

    def has(self, key: str) -> bool:
        """Tell whether the user has set the option anywhere."""
        return any(name in self._environ for name in self._variables(key)) or any(
            key in table for table in self._tables
        )

    def text(self, key: str) -> str | None:
        """Give the option's value as cibuildwheel's environment spells it, or None."""
        for name in self._variables(key):
            if name in self._environ:
                return self._environ[name]
        for table in self._tables:
            if key in table:
                value = table[key]
                return " ".join(map(str, value)) if isinstance(value, list) else str(value)
        return None

    def engine(self) -> str:
        """Give the user's container engine with its options, in the words of the environment variable; empty where none is set."""
        if option("container-engine") in self._environ:
            return self._environ[option("container-engine")]
        for table in self._tables:
            value = table.get("container-engine")
            if isinstance(value, dict):
                arguments = shlex.join(map(str, value.get("create-args", ())))
                mount = "; disable_host_mount: true" if value.get("disable-host-mount") else ""
                return f"{value.get('name', 'docker')}{f'; create_args: {arguments}' if arguments else ''}{mount}"
            if value:
                return str(value)
        return ""

    def environment(self) -> str:
        """Give the user's environment for the build in the ``NAME="value"`` words of the environment variable."""
        for name in self._variables("environment"):
            if name in self._environ:
                return self._environ[name]
        for table in self._tables:
            value = table.get("environment")
            if isinstance(value, dict):
                return " ".join(f'{name}="{one}"' for name, one in value.items())
            if value:
                return str(value)
        return ""

    def config_settings(self) -> str:
        """Give the user's config settings in the ``key=value`` words of the environment variable."""
        for table in self._tables:
            value = table.get("config-settings")
            if isinstance(value, dict):
                words = [
                    (key, one)
                    for key, many in value.items()
                    for one in (many if isinstance(many, list) else [many])
                ]
                return " ".join(shlex.quote(f"{key}={one}") for key, one in words)
        return self.text("config-settings") or ""

    def overridden(self, dictated: Iterable[str]) -> tuple[str, ...]:
        """Name the keys of the user's own configuration for which ``dictated`` environment variables take over."""
        taken = set(dictated)
        keys = {key for table in self._tables for key in table} - _JOINED
        return tuple(sorted(key for key in keys if taken.intersection(self._variables(key))))


# Commands for cibuildwheel's container, as a rule: they install what only that has, or need root.
_COMMANDS = ("before-all", "before-build", "test-command")
_VARIABLE = re.compile(r"\$(?:(?P<plain>\w+)|\{(?P<braced>\w+)\})")


class HostOptions:
    """The options of a Linux build as cibuildwheel ranks them: variables, overrides, the platform's table, the general one.

    https://cibuildwheel.pypa.io/en/stable/options/ and, for overrides, /en/stable/configuration/.
    """

    def __init__(self, distribution: Distribution, environ: Mapping[str, str]) -> None:
        table = distribution.cibuildwheel
        platform = table.get(System.LINUX.value)
        self._tables: tuple[Mapping[str, Any], ...] = (platform if isinstance(platform, dict) else {}, table)
        rows = table.get("overrides")
        self._overrides = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
        self._environ = environ

    def settings(self, interpreters: Iterable[Interpreter], target: Target) -> dict[str, HostSettings]:
        """Give what is set for each interpreter's build, by tag; nothing for those of which nothing is said."""
        found = {one.tag: self._for_build(build_identifier(one, target)) for one in interpreters}
        return {tag: settings for tag, settings in found.items() if settings}

    def left_out(self, interpreters: Iterable[Interpreter], target: Target) -> tuple[str, ...]:
        """Name what is set for these builds, and followed in cibuildwheel's container alone."""
        identifiers = [build_identifier(one, target) for one in interpreters]
        keys = [key for key in _COMMANDS if any(self._said(key, one) for one in identifiers)]
        names = {
            name
            for one in identifiers
            for name, value in self._pairs("environment", one)
            if _asks_shell(value)
        }
        return (*keys, *(f"environment {name}" for name in sorted(names)))

    def _for_build(self, identifier: str) -> HostSettings:
        variables: dict[str, str] = {}
        for name, value in self._pairs("environment", identifier):
            if not _asks_shell(value):
                variables[name] = _filled(value, {**self._environ, **variables})
        return HostSettings(config_settings=self._pairs("config-settings", identifier), environment=variables)

    def _said(self, key: str, identifier: str) -> bool:
        return any(value not in ("", []) for _, value in [*self._layers(key, identifier)][-1:])

    def _pairs(self, key: str, identifier: str) -> Pairs:
        """Give an option of names and values, with what overrides append or prepend to it."""
        pairs: Pairs = ()
        for rule, value in self._layers(key, identifier):
            more = tuple(_read(value))
            pairs = (*pairs, *more) if rule == "append" else (*more, *pairs) if rule == "prepend" else more
        return pairs

    def _layers(self, key: str, identifier: str) -> Iterator[tuple[str, Any]]:
        """Walk all that is said of an option from the weakest to the strongest: how it joins what was said before, and the value."""
        for name in (f"{option(key)}_{System.LINUX.value.upper()}", option(key)):
            if name in self._environ:
                yield "none", self._environ[name]
                return
        yield from (
            ("none", table[key])
            for table in self._tables
            if key in table and (table is self._tables[0] or key not in self._tables[0])
        )
        for row in self._overrides:
            if key in row and _selected(row.get("select", ()), identifier):
                inherit = row.get("inherit")
                yield str(inherit.get(key, "none")) if isinstance(inherit, dict) else "none", row[key]


def _read(value: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - as people write it: a table, or words
    """Take names and values from a table or from ``NAME=value`` words."""
    if isinstance(value, dict):
        yield from (
            (str(name), str(one))
            for name, many in value.items()
            for one in (many if isinstance(many, list) else [many])
        )
        return
    try:
        words = shlex.split(" ".join(map(str, value)) if isinstance(value, list) else str(value))
    except ValueError:  # an open quote: cibuildwheel says it better
        return
    for word in words:
        name, _, text = word.partition("=")
        yield name, text


def _filled(value: str, known: Mapping[str, str]) -> str:
    """Put the variables that a value names in their places; unknown ones are empty, as in a shell."""
    return _VARIABLE.sub(lambda found: known.get(found["plain"] or found["braced"], ""), value)


def _asks_shell(value: str) -> bool:
    return "$(" in value or "`" in value


def _selected(select: object, identifier: str) -> bool:
    words = (
        select.split()
        if isinstance(select, str)
        else [str(one) for one in select]
        if isinstance(select, list)
        else []
    )
    return any(selects(word, identifier) for word in words)
