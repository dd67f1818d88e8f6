"""The options that a project sets for cibuildwheel, ranked as cibuildwheel ranks them.

From strongest to weakest: variables (``CIBW_X_LINUX``, then ``CIBW_X``), ``[[tool.cibuildwheel.overrides]]``,
the table of the platform, and ``[tool.cibuildwheel]`` (https://cibuildwheel.pypa.io/en/stable/options/ and
/en/stable/configuration/).
"""

from __future__ import annotations

import re
import shlex
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from wheelkit.matrix import selects

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from wheelkit.matrix import System
    from wheelkit.plan.model import Pairs
    from wheelkit.project.read import Distribution

# Options that the matrix only extends: the user's own values stay in force.
_EXTENDED = frozenset({"config-settings", "container-engine", "enable", "environment"})


def variable(key: str) -> str:
    """Return the environment variable of an option: ``test-command`` -> ``CIBW_TEST_COMMAND``."""
    return "CIBW_" + key.replace("-", "_").upper()


class CibuildwheelOptions:
    """The cibuildwheel options of one distribution on one system."""

    def __init__(self, distribution: Distribution, system: System, environ: Mapping[str, str]) -> None:
        table = distribution.cibuildwheel
        platform = table.get(system.value)
        self._tables: tuple[Mapping[str, Any], ...] = (platform if isinstance(platform, dict) else {}, table)
        overrides = table.get("overrides")
        rows = overrides if isinstance(overrides, list) else []
        self.overrides = [row for row in rows if isinstance(row, dict)]
        self._system = system
        self._environ = environ

    def _variables(self, key: str) -> tuple[str, str]:
        return f"{variable(key)}_{self._system.value.upper()}", variable(key)

    def layers(self, key: str, identifier: str = "") -> Iterator[tuple[str, Any]]:
        """Yield ``(inherit rule, value)`` for an option, the weakest first.

        Overrides count only for a build identifier. The rule is ``none`` (replace what came before),
        ``append`` or ``prepend``. A variable hides everything else.
        """
        for name in self._variables(key):
            if name in self._environ:
                yield "none", self._environ[name]
                return
        for table in self._tables:
            if key in table:
                yield "none", table[key]
                break
        for row in self.overrides:
            if identifier and key in row and _is_selected(row.get("select", ()), identifier):
                inherit = row.get("inherit")
                yield str(inherit.get(key, "none")) if isinstance(inherit, dict) else "none", row[key]

    def value(self, key: str, identifier: str = "") -> Any:  # noqa: ANN401 - whatever TOML holds
        """Return the strongest value of an option, or None where it is not set."""
        return next((value for _, value in reversed([*self.layers(key, identifier)])), None)

    def skips(self, identifier: str) -> bool:
        """Return whether the project's own ``skip`` leaves a build out."""
        return _is_selected(self.text("skip"), identifier)

    def has(self, key: str) -> bool:
        """Return whether the option is set anywhere but in an override."""
        return next(self.layers(key), None) is not None

    def text(self, key: str) -> str | None:
        """Return an option in the words of its environment variable, or None where it is not set."""
        value = self.value(key)
        return None if value is None else " ".join(map(str, value)) if isinstance(value, list) else str(value)

    def pairs(self, key: str, identifier: str = "") -> Pairs:
        """Return an option of names and values, such as ``environment``, with the overrides' additions."""
        pairs: Pairs = ()
        for rule, value in self.layers(key, identifier):
            more = tuple(_read_pairs(value))
            pairs = (*pairs, *more) if rule == "append" else (*more, *pairs) if rule == "prepend" else more
        return pairs

    def engine(self) -> str:
        """Return the container engine as its variable spells it, or an empty string if unset."""
        value = self.value("container-engine")
        if not isinstance(value, dict):
            return str(value or "")
        arguments = shlex.join(map(str, value.get("create-args", ())))
        mount = "; disable_host_mount: true" if value.get("disable-host-mount") else ""
        return f"{value.get('name', 'docker')}{f'; create_args: {arguments}' if arguments else ''}{mount}"

    @property
    def hides_host(self) -> bool:
        """Whether the user keeps cibuildwheel from mounting this machine's files in the container."""
        return bool(re.search(r"disable.host.mount: *(true|1|yes)", self.engine(), re.IGNORECASE))

    def environment(self) -> str:
        """Return the environment of the build in the ``NAME="value"`` words of its variable."""
        value = self.value("environment")
        if isinstance(value, dict):
            return " ".join(f'{name}="{text}"' for name, text in value.items())
        return str(value or "")

    def config_settings(self) -> str:
        """Return the config settings in the ``key=value`` words of their variable."""
        value = self.value("config-settings")
        if isinstance(value, dict):
            return " ".join(shlex.quote(f"{name}={text}") for name, text in _read_pairs(value))
        return self.text("config-settings") or ""

    def overridden(self, variables: Iterable[str]) -> tuple[str, ...]:
        """Return the keys of the project's own configuration that these variables replace, sorted."""
        set_by_wheelkit = set(variables)
        keys = {key for table in self._tables for key in table} - _EXTENDED
        return tuple(sorted(key for key in keys if set_by_wheelkit.intersection(self._variables(key))))


def _is_selected(select: object, identifier: str) -> bool:
    words = select.split() if isinstance(select, str) else select if isinstance(select, list) else []
    with suppress(ValueError):  # braces that stand for too many patterns, which cibuildwheel reports itself
        return selects(" ".join(map(str, words)), identifier)
    return False


def _read_pairs(value: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401 - a table, a list or words
    """Yield names and values from a table or from ``NAME=value`` words."""
    if isinstance(value, dict):
        for name, texts in value.items():
            yield from ((str(name), str(text)) for text in (texts if isinstance(texts, list) else [texts]))
        return
    try:
        words = shlex.split(" ".join(map(str, value)) if isinstance(value, list) else str(value))
    except ValueError:  # an open quote, which cibuildwheel reports itself
        return
    for word in words:
        name, _, text = word.partition("=")
        yield name, text
