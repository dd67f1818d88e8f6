"""Poetry's version constraints, such as ``^1.2``, ``~1.2``, ``1.2.*`` and ``*``.

They are described in poetry's documentation, under "Dependency specification".
"""

from __future__ import annotations

import re

from wheelkit.text import dotted

_CLAUSE = re.compile(
    r"(?P<operator>\^|~=|~|===|==|=|!=|<=|>=|<|>)?\s*(?P<version>v?\d[^\s,|^~<>=!*]*(?:\.\*)?|\*)(?:\s*,\s*|\s+|$)"
)
_RELEASE = re.compile(r"v?(?:\d+!)?(?P<release>\d+(?:\.\d+)*)")


def specifier(constraint: str) -> str | None:
    """Return a constraint as version specifiers (PEP 440); None for alternatives (``||``) or if invalid."""
    text, clauses = constraint.strip(), list[str]()
    position = 0
    while position < len(text):
        match = _CLAUSE.match(text, position)
        if match is None:
            return None
        clauses.append(_clause(match["operator"] or "", match["version"]))
        position = match.end()
    return ",".join(filter(None, clauses)) if text else None


def _clause(operator: str, version: str) -> str:
    if version == "*":
        return ""
    if operator not in {"^", "~"}:
        return f"{operator if operator not in {'', '='} else '=='}{version}"
    match = _RELEASE.match(version)
    release = [int(part) for part in match["release"].split(".")] if match else [0]
    # ~1.2 allows patches, ~1 minor versions; ^ allows whatever keeps the first part that is not zero.
    index = min(1, len(release) - 1)
    if operator == "^":
        index = next((index for index, part in enumerate(release) if part), len(release) - 1)
    return f">={version},<{dotted((*release[:index], release[index] + 1))}"
