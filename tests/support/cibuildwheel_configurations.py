"""Generated configurations of cibuildwheel: tables, overrides, rules of joining and variables."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

from msgspec import Struct

INTERPRETERS = ("cp311", "cp312", "cp313", "cp314", "cp314t", "pp311")
TARGETS = ("manylinux_2_17_x86_64", "manylinux_2_28_x86_64", "musllinux_1_2_x86_64")
_SELECTORS = (
    "*",
    "cp311-*",
    "cp31{2,3}-*",
    "*-musllinux*",
    "*-manylinux_x86_64",
    "pp*",
    "cp314t-*",
    "cp313-manylinux_x86_64",
    ["cp312*", "pp*"],
    "*-win*",
)
_VALUES: Mapping[str, tuple[Any, ...]] = {
    "build": ("*", "cp311-*", ["cp312-*", "cp313-*"]),
    "skip": ("", "pp*", ["*-musllinux*", "cp311-*"], "cp3{11,12}-*"),
    "archs": ("auto", ["x86_64", "aarch64"], "native"),
    "enable": (["pypy"], "pypy graalpy", [], "all"),
    "test-skip": ("", "pp*", ["cp311-*", "*-musllinux*"]),
    "test-command": ("pytest {project}", ["pytest -x", "echo 'a b'"], "", "false"),
    "before-test": ("pip install x", ["a", "b"], ""),
    "test-requires": (["pytest"], "pytest 'a b>=1'", []),
    "test-extras": (["a", "b"], "a", []),
    "test-groups": (["test"], "test fast", []),
    "test-sources": (["tests", "a b.txt"], "tests", []),
    "test-environment": ({"A": "1", "B": "$A x"}, 'C="$(nproc)"', {}, "A=1"),
    "environment": ({"A": "1", "B": "$A x"}, 'C="$HOME" D=2', {}, "A=$(echo hi)"),
    "environment-pass": (["HOME", "USER"], "HOME", []),
    "config-settings": ({"a": "1", "b": ["2", "3"]}, "a=2 'c=x y'", {}),
    "before-all": ("yum install -y zlib", ["a", "b"], ""),
    "before-build": ("make {project}", ["a", "b"], ""),
    "repair-wheel-command": ("cp {wheel} {dest_dir}", ["a", "b"], ""),
    "build-frontend": ("build[uv]", "pip", {"name": "build", "args": ["--no-isolation"]}),
    "build-verbosity": (1, -1, "3"),
    "dependency-versions": ("latest", "pinned", {"packages": ["a==1"]}),
    "container-engine": (
        "docker",
        "podman; create_args: --network=host '--env=A=b c'",
        {"name": "docker", "create-args": ["--volume", "/a b:/c"]},
        {"name": "podman", "disable-host-mount": True},
    ),
    "manylinux-x86_64-image": ("manylinux2014", "manylinux_2_34", "registry.example/own:1", ""),
    "musllinux-x86_64-image": ("musllinux_1_2", "registry.example/musl", ""),
    "manylinux-aarch64-image": ("manylinux2014",),
    "audit-command": ("", "true {abi3_wheel}"),
}
_MISTAKES: Mapping[str, tuple[Any, ...]] = {
    "enable": ("no-such-group",),
    "test-command": ({"a": "b"},),
    "test-requires": ("pytest 'open",),
    "test-groups": (["no-such-group"],),
    "environment": ("A=1 'open", "A=$(("),
    "build-frontend": ("no-such",),
    "container-engine": ("rkt",),
    "manylinux-x86_64-image": ("manylinux1",),
    "no-such-option": ("x",),
}
# cibuildwheel knows no joining of these.
_NEVER_JOINED = ("build-frontend", "container-engine", "dependency-versions", "build-verbosity")
_RULES = ("append", "prepend", "none")


class Configuration(Struct, frozen=True, kw_only=True):
    """A table [tool.cibuildwheel], the variables of the environment, and what is to be built."""

    table: dict[str, Any]
    environ: dict[str, str]
    targets: tuple[str, ...]
    interpreters: tuple[str, ...]
    limited_api: bool


def configuration(seed: int) -> Configuration:
    """Return the configuration that follows from a seed; one in twelve or so has a mistake."""
    return _Generator(seed).configuration()


class _Generator:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - not for secrets
        self.mistaken = self.chance(0.12)
        pool = sorted(_VALUES.keys() | (_MISTAKES.keys() if self.mistaken else set()))
        self.keys = self.random.sample(pool, self.random.choice((1, 2, 3, 5, 9)))

    def chance(self, share: float) -> bool:
        return self.random.random() < share

    def configuration(self) -> Configuration:
        table = self._table(0.5)
        for platform, share in (("linux", 0.4), ("windows", 0.1)):
            if self.chance(share):
                table[platform] = self._table(0.5)
        if rows := [self._override() for _ in range(self.random.choice((0, 0, 1, 1, 2, 3)))]:
            table["overrides"] = rows
        targets = self.random.sample(TARGETS, self.random.randint(1, len(TARGETS)))
        interpreters = self.random.sample(INTERPRETERS, self.random.randint(1, len(INTERPRETERS)))
        if "musllinux_1_2_x86_64" in targets:  # which has no PyPy
            interpreters = ["cp311", *set(interpreters) - {"cp311", "" if targets[1:] else "pp311"}]
        return Configuration(
            table=table,
            environ={"HOME": "/home/me", "USER": "a b", **self._variables()},
            targets=tuple(targets),
            interpreters=tuple(sorted(interpreters)),
            limited_api=self.chance(0.4),
        )

    def _value(self, key: str) -> Any:
        wrong = self.mistaken and self.chance(0.3)
        values = _MISTAKES.get(key, ()) if wrong or key not in _VALUES else ()
        return self.random.choice(values or _VALUES[key])

    def _override(self) -> dict[str, Any]:
        return {"select": self.random.choice(_SELECTORS), **self._table(0.6)}

    def _table(self, share: float) -> dict[str, Any]:
        table = {key: self._value(key) for key in self.keys if self.chance(share)}
        rules = {key: self._rule() for key, value in table.items() if self._may_join(key, value)}
        if not rules:
            return table
        return {**table, "inherit": _words(rules) if self.chance(0.2) else rules}

    def _may_join(self, key: str, value: object) -> bool:
        """Return whether a rule may be for a value: joined, an empty one would count for nothing."""
        joined = key not in _NEVER_JOINED or (self.mistaken and self.chance(0.3))
        return bool(value) and joined and not key.endswith("-image") and self.chance(0.3)

    def _rule(self) -> str:
        return self.random.choice(_RULES)

    def _variables(self) -> dict[str, str]:
        variables: dict[str, str] = {}
        rules: dict[str, str] = {}
        for key in self.keys:
            for name in (key, f"{key}-linux"):
                texts = [value for value in _VALUES.get(key, ()) if isinstance(value, str)]
                if texts and self.chance(0.12):
                    text = self.random.choice(texts)
                    variables["CIBW_" + name.upper().replace("-", "_")] = text
                    if self._may_join(key, text):
                        rules[name] = self._rule()
        return {**variables, "CIBW_INHERIT": _words(rules)} if rules else variables


def _words(rules: Mapping[str, str]) -> str:
    return "; ".join(f"{key}: {rule}" for key, rule in rules.items())
