"""Version ranges in requirements: finds a range, tests it, and moves it to another version."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from wheelkit.project.poetry import specifier
from wheelkit.versions.bump import format_release, next_upper, parse
from wheelkit.versions.model import Span

if TYPE_CHECKING:
    from packaging.version import Version


# Dependency specifiers (PEP 508): name, extras, then the range, in brackets or not, up to a marker.
_REQUIREMENT = re.compile(
    r"(?P<head>\s*[A-Za-z0-9][\w.-]*\s*(?:\[[^\]]*\])?\s*\(?)(?P<range>[^;()@]*?)(?P<tail>\s*\)?\s*(?:;.*)?)",
    re.DOTALL,
)
_CLAUSE = re.compile(r"(?P<operator>===|~=|==|!=|<=|>=|<|>)(?P<gap>\s*)(?P<version>[^\s,]+)")
# Poetry has in addition: a caret, a tilde or a version alone, and alternatives.
_POETRY_CLAUSE = re.compile(r"(?P<operator>(?:\^|~(?!=)|=(?!=))?\s*)(?P<version>\d[^\s,|]*|\*)")
_ALTERNATIVE = re.compile(r"\|\|?")
_LOWER, _UPPER = frozenset({">=", ">"}), frozenset({"<", "<="})
_BOUNDING = frozenset({"<", "<=", "==", "===", "~="})
_NEXT_MAJOR, _NEXT_MINOR, _EXACT = "next-major", "next-minor", "exact"


def range_in(requirement: str) -> Span | None:
    """Return the position of the range in a requirement, which may be empty; None for a direct reference."""
    match = _REQUIREMENT.fullmatch(requirement)
    return Span(start=match.start("range"), end=match.end("range")) if match else None


def bounded(text: str, *, poetry: bool = False) -> bool:
    """Return whether a range excludes some later versions; with alternatives, whether each of them does."""
    return all(
        any(clause["operator"] in _BOUNDING for clause in _CLAUSE.finditer(part or ""))
        for part in _alternatives(text, poetry=poetry)
    )


def valid(text: str, *, poetry: bool = False) -> bool:
    """Return whether a text is a version range."""
    return all(_parse(part) is not None for part in _alternatives(text, poetry=poetry))


def admits(text: str, version: str, *, poetry: bool = False) -> bool:
    """Return whether a range allows a version, pre-releases included; an invalid range allows none."""
    ranges = map(_parse, _alternatives(text, poetry=poetry))
    return any(parsed is not None and parsed.contains(version, prereleases=True) for parsed in ranges)


def _alternatives(text: str, *, poetry: bool) -> list[str | None]:
    """Return version specifiers (PEP 440), for poetry one for each alternative; None for an invalid one."""
    return [specifier(part) for part in _ALTERNATIVE.split(text)] if poetry else [text]


def _parse(text: str | None) -> SpecifierSet | None:
    try:
        return None if text is None else SpecifierSet(text)
    except InvalidSpecifier:
        return None


def closed(text: str, version: str, *, poetry: bool = False) -> str:
    """Return an open range with an upper bound; without a lower bound, it begins at the version."""
    text = "" if poetry and text.strip() == "*" else text.strip()
    clauses = list(_CLAUSE.finditer(text))
    new = parse(parse(version).public)
    if not {clause["operator"] for clause in clauses} & _LOWER:
        return moved(text, version, _default_policy(new))
    return f"{text},<{_upper(new, _default_policy(new), _parts(clauses))}"


def moved(text: str, version: str, policy: str | None = None, *, poetry: bool = False) -> str:
    """Return a range for a new version of the sibling, with its spaces, its order and its number of parts.

    ``policy`` is ``next-minor``, ``next-major`` or ``exact``. With None the range keeps its shape: an open
    one stays open, and one without a lower bound gets none. Exclusions (``!=``) stay. A local part of the
    version is dropped, because only ``==`` may have one.
    """
    new = parse(parse(version).public)
    if poetry and (clause := _POETRY_CLAUSE.fullmatch(text.strip())):
        if policy is None:
            return _moved_constraint(text, clause, new)
        text = ""
    if policy is None and not bounded(text):
        return _CLAUSE.sub(lambda clause: _moved_lower(clause, new), text)
    clauses = list(_CLAUSE.finditer(text))
    operators = {clause["operator"] for clause in clauses}
    if policy == _EXACT:
        return f"=={new}"
    if policy is None and operators & {"==", "===", "~="}:
        return _CLAUSE.sub(lambda clause: _moved_pin(clause, new), text)
    policy = policy or _policy_of(clauses) or _default_policy(new)
    if not operators & (_LOWER | _UPPER):
        kept = [text.strip()] if operators == {"!="} else []
        return ",".join([f">={_lower(new, '0.0.0')}", f"<{_upper(new, policy, 3)}", *kept])
    result = _CLAUSE.sub(lambda clause: _moved_bound(clause, new, policy), text)
    return result if operators & _UPPER else f"{result},<{_upper(new, policy, _parts(clauses))}"


def _default_policy(version: Version) -> str:
    """Return where incompatible changes come: below 1.0 in minor versions (Semantic Versioning)."""
    return _NEXT_MAJOR if version.major else _NEXT_MINOR


def _policy_of(clauses: list[re.Match[str]]) -> str | None:
    """Return the policy by which a range was written; None if there is none."""
    lower = next((clause["version"] for clause in clauses if clause["operator"] in _LOWER), None)
    upper = next((clause["version"] for clause in clauses if clause["operator"] == "<"), None)
    if lower is None or upper is None:
        return None
    end = (*parse(upper).release, 0, 0)[:3]
    policies = (_NEXT_MINOR, _NEXT_MAJOR)
    return next((policy for policy in policies if next_upper(parse(lower), policy) == end), None)


def _parts(clauses: list[re.Match[str]]) -> int:
    """Return the number of parts of the longest lower bound."""
    return max(len(parse(clause["version"]).release) for clause in clauses if clause["operator"] in _LOWER)


def _moved_bound(clause: re.Match[str], new: Version, policy: str) -> str:
    if clause["operator"] in _UPPER:
        return f"<{clause['gap']}{_upper(new, policy, len(parse(clause['version']).release))}"
    return _moved_lower(clause, new)


def _moved_lower(clause: re.Match[str], new: Version) -> str:
    return f">={clause['gap']}{_lower(new, clause['version'])}" if clause["operator"] in _LOWER else clause[0]


def _moved_constraint(text: str, clause: re.Match[str], new: Version) -> str:
    """Move a constraint that poetry alone knows; one that allows everything stays."""
    if clause["version"] == "*":
        return text
    return clause["operator"] + _poetry_version(clause["operator"].strip(), clause["version"], new)


def _moved_pin(clause: re.Match[str], new: Version) -> str:
    operator, old = clause["operator"], clause["version"]
    if operator == "~=":
        version = _compatible(new, old)
    elif operator in {"==", "==="}:
        version = _wildcard(new, old) if old.endswith(".*") else str(new)
    else:
        return clause[0]
    return f"{operator}{clause['gap']}{version}"


def _poetry_version(operator: str, old: str, new: Version) -> str:
    """Write a version for poetry, with the old number of parts where that decides what the range allows."""
    if old.endswith(".*"):
        return _wildcard(new, old)
    if operator == "~":
        return _compatible(new, old)
    return _lower(new, old) if operator == "^" else str(new)


def _wildcard(new: Version, old: str) -> str:
    parts = old.count(".")
    return format_release(new, (*new.release, 0, 0)[:parts], parts) + ".*"


def _compatible(new: Version, old: str) -> str:
    """Write the version of a compatible release clause, whose number of parts decides what it allows."""
    parts = len(parse(old).release)
    suffix = "" if any(new.release[parts:]) else str(new).removeprefix(new.base_version)
    return format_release(new, (*new.release, 0, 0)[:parts], parts) + suffix


def _lower(new: Version, old: str) -> str:
    """Write a version with the old one's number of parts if that drops only zeros."""
    if str(new) != new.base_version:
        return str(new)
    parts = len(parse(old).release)
    release = (*new.release, *(0,) * (parts - len(new.release)))
    return format_release(new, release, len(release) if any(release[parts:]) else parts)


def _upper(new: Version, policy: str, parts: int) -> str:
    """Write the upper bound with this number of parts, or as many as it needs."""
    return format_release(new, next_upper(new, policy), parts)
