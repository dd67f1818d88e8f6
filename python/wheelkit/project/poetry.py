"""Poetry's language of versions: ``^1.2``, ``~1.2``, ``1.2.*``, ``*`` (poetry's documentation, "Dependency specification")."""

from __future__ import annotations

import re

_CLAUSE = re.compile(
    r"(?P<operator>\^|~=|~|===|==|=|!=|<=|>=|<|>)?\s*(?P<version>v?\d[^\s,|^~<>=!*]*(?:\.\*)?|\*)(?:\s*,\s*|\s+|$)"
)
_RELEASE = re.compile(r"v?(?:\d+!)?(?P<release>\d+(?:\.\d+)*)")


def specifier(constraint: str) -> str | None:
    """Write a constraint as version specifiers (PEP 440); None for alternatives (``||``) and for what is no constraint."""
    text, found = constraint.strip(), list[str]()
    position = 0
    while position < len(text):
        clause = _CLAUSE.match(text, position)
        if clause is None:
            return None
        found.append(_clause(clause["operator"] or "", clause["version"]))
        position = clause.end()
    return ",".join(filter(None, found)) if text else None


def _clause(operator: str, version: str) -> str:
    if version == "*":
        return ""
    if operator not in {"^", "~"}:
        return f"{operator if operator not in {'', '='} else '=='}{version}"
    match = _RELEASE.match(version)
    release = [int(part) for part in match["release"].split(".")] if match else [0]
    return f">={version},<{'.'.join(map(str, _caret(release) if operator == '^' else _tilde(release)))}"


def _caret(release: list[int]) -> list[int]:
    """Leave the first part that is not zero as it is: the first version that may break."""
    index = next((index for index, part in enumerate(release) if part), len(release) - 1)
    return [*release[:index], release[index] + 1]


def _tilde(release: list[int]) -> list[int]:
    return [release[0] + 1] if len(release) == 1 else [release[0], release[1] + 1]
