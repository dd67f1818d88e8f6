"""What the host builder takes from ``[tool.cibuildwheel]``, so that it builds what CI builds, and what of it no host can follow."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from wheelkit.matrix import System, build_identifier
from wheelkit.plan.cibuildwheel import option
from wheelkit.plan.selectors import selects

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from wheelkit.matrix import Interpreter, Target
    from wheelkit.project import Distribution


# Commands for cibuildwheel's container, as a rule: they install what only that has, or need root.
_COMMANDS = ("before-all", "before-build", "test-command")
_VARIABLE = re.compile(r"\$(?:(?P<plain>\w+)|\{(?P<braced>\w+)\})")

Pairs = tuple[tuple[str, str], ...]


class HostSettings(Struct, frozen=True, kw_only=True):
    """What one build gets: the backend's config settings in their order (a key may stand twice), and variables for the environment."""

    config_settings: Pairs = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        """Tell whether anything is set."""
        return bool(self.config_settings or self.environment)

    @property
    def words(self) -> tuple[str, ...]:
        """The config settings as options of ``uv build``."""
        return tuple(word for key, value in self.config_settings for word in ("--config-setting", f"{key}={value}"))


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
        names = {name for one in identifiers for name, value in self._pairs("environment", one) if _asks_shell(value)}
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
            ("none", table[key]) for table in self._tables if key in table and (table is self._tables[0] or key not in self._tables[0])
        )
        for row in self._overrides:
            if key in row and _selected(row.get("select", ()), identifier):
                inherit = row.get("inherit")
                yield str(inherit.get(key, "none")) if isinstance(inherit, dict) else "none", row[key]


def _read(value: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - as people write it: a table, or words
    """Take names and values from a table or from ``NAME=value`` words."""
    if isinstance(value, dict):
        yield from ((str(name), str(one)) for name, many in value.items() for one in (many if isinstance(many, list) else [many]))
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
    words = select.split() if isinstance(select, str) else [str(one) for one in select] if isinstance(select, list) else []
    return any(selects(word, identifier) for word in words)
