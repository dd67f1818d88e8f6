"""Requirements between siblings: finding the range in a requirement's text, and moving it to another version of the sibling."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheelkit.project.poetry import specifier
from wheelkit.versions.bump import next_upper, parse

if TYPE_CHECKING:
    from packaging.version import Version

    from wheelkit.versions.model import Span


# Dependency specifiers (PEP 508): name, extras, then the range, in brackets or not, up to a marker.
_REQUIREMENT = re.compile(
    r"(?P<head>\s*[A-Za-z0-9][\w.-]*\s*(?:\[[^\]]*\])?\s*\(?)(?P<range>[^;()@]*?)(?P<tail>\s*\)?\s*(?:;.*)?)",
    re.DOTALL,
)
_CLAUSE = re.compile(r"(?P<operator>===|~=|==|!=|<=|>=|<|>)(?P<gap>\s*)(?P<version>[^\s,]+)")
# What poetry has beside them: a caret, a tilde, or a version alone; and alternatives.
_ALONE = re.compile(r"(?P<operator>(?:\^|~(?!=)|=(?!=))?\s*)(?P<version>\d[^\s,|]*|\*)")
_ALTERNATIVE = re.compile(r"\|\|?")
_LOWER, _UPPER = frozenset({">=", ">"}), frozenset({"<", "<="})
_BOUNDING = frozenset({"<", "<=", "==", "===", "~="})
EXACT = "exact"


def range_in(requirement: str) -> Span | None:
    """Find where the range stands in a requirement, empty where there is none; None where it names a file or address."""
    from wheelkit.versions.model import Span

    match = _REQUIREMENT.fullmatch(requirement)
    return Span(start=match.start("range"), end=match.end("range")) if match else None


def bounded(text: str, *, poetry: bool = False) -> bool:
    """Tell whether a range, also one in poetry's language, leaves out some later versions; ``||`` stands between alternatives there."""
    if poetry:
        return all(bounded(specifier(one) or "") for one in _ALTERNATIVE.split(text))
    return any(clause["operator"] in _BOUNDING for clause in _CLAUSE.finditer(text))


def valid(text: str, *, poetry: bool = False) -> bool:
    """Tell whether a text is a range at all."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    if poetry:
        return all(one is not None and valid(one) for one in map(specifier, _ALTERNATIVE.split(text)))
    try:
        SpecifierSet(text)
    except InvalidSpecifier:
        return False
    return True


def admits(text: str, version: str, *, poetry: bool = False) -> bool:
    """Tell whether a range admits a version, preliminary ones too; what is no range admits nothing."""
    from packaging.specifiers import InvalidSpecifier, SpecifierSet

    if poetry:
        plain = map(specifier, _ALTERNATIVE.split(text))
        return any(one is not None and admits(one, version) for one in plain)
    try:
        return SpecifierSet(text).contains(version, prereleases=True)
    except InvalidSpecifier:
        return False


def closed(text: str, version: str, *, poetry: bool = False) -> str:
    """Give an open range its missing end, and leave all else of it; a range without a beginning, or ``*``, begins at the version."""
    text = "" if poetry and text.strip() == "*" else text.strip()
    clauses = list(_CLAUSE.finditer(text))
    if not {clause["operator"] for clause in clauses} & _LOWER:
        return moved(text, version)
    new = parse(version)
    return f"{text},<{_cut(new, 'next-major' if new.major else 'next-minor', _parts(clauses))}"


def moved(text: str, version: str, policy: str | None = None, *, poetry: bool = False) -> str:
    """Move a range to a new version of the sibling; spaces, the order of the clauses and their number of parts stay.

    ``policy`` is ``next-minor``, ``next-major`` or ``exact``; with None the range keeps its own shape, and an
    open one is closed at the next major version (below 1.0: at the next minor one, where incompatible changes
    come). Exclusions (``!=``) stay. A local part of the version is left out, as no range but a pin may hold
    one.
    """
    new = parse(parse(version).public)
    if poetry and (alone := _ALONE.fullmatch(text.strip())):
        if policy is None and alone["version"] != "*":
            return alone["operator"] + _alone(alone["operator"].strip(), alone["version"], new)
        text = ""
    clauses = list(_CLAUSE.finditer(text))
    operators = {clause["operator"] for clause in clauses}
    if policy == EXACT:
        return f"=={new}"
    if policy is None and operators & {"==", "===", "~="}:
        return _CLAUSE.sub(lambda clause: _pinned(clause, new), text)
    policy = policy or _shape(clauses) or ("next-major" if new.major else "next-minor")
    if not operators & (_LOWER | _UPPER):
        return _closed(text if operators <= {"!="} else "", f">={_lower(new, '0.0.0')}", new, policy)
    result = _CLAUSE.sub(lambda clause: _shifted(clause, new, policy), text)
    return result if operators & _UPPER else _closed("", result, new, policy, _parts(clauses))


def _closed(kept: str, lower: str, new: Version, policy: str, parts: int = 3) -> str:
    upper = f"<{_cut(new, policy, parts)}"
    return ",".join(filter(None, [lower, upper, kept.strip()]))


def _parts(clauses: list[re.Match[str]]) -> int:
    return max(len(parse(clause["version"]).release) for clause in clauses if clause["operator"] in _LOWER)


def _shape(clauses: list[re.Match[str]]) -> str | None:
    """Recognise the policy that a range was written by."""
    lower = next((clause["version"] for clause in clauses if clause["operator"] in _LOWER), None)
    upper = next((clause["version"] for clause in clauses if clause["operator"] == "<"), None)
    if lower is None or upper is None:
        return None
    end = (*parse(upper).release, 0, 0)[:3]
    return next(
        (policy for policy in ("next-minor", "next-major") if next_upper(parse(lower), policy) == end), None
    )


def _shifted(clause: re.Match[str], new: Version, policy: str) -> str:
    operator, gap, old = clause["operator"], clause["gap"], clause["version"]
    if operator in _LOWER:
        return f">={gap}{_lower(new, old)}"
    if operator in _UPPER:
        return f"<{gap}{_cut(new, policy, len(parse(old).release))}"
    return clause[0]


def _pinned(clause: re.Match[str], new: Version) -> str:
    operator, gap, old = clause["operator"], clause["gap"], clause["version"]
    if operator in {"==", "==="} and old.endswith(".*"):
        return f"{operator}{gap}{_epoch(new)}{'.'.join(map(str, (*new.release, 0, 0)[: old.count('.')]))}.*"
    if operator in {"==", "==="}:
        return f"{operator}{gap}{new}"
    return f"{operator}{gap}{_compatible(new, len(parse(old).release))}" if operator == "~=" else clause[0]


def _alone(operator: str, old: str, new: Version) -> str:
    """Write a version behind a caret or a tilde, or alone, with as many parts as before where they decide what is admitted."""
    if old.endswith(".*"):
        return _epoch(new) + ".".join(map(str, (*new.release, 0, 0)[: old.count(".")])) + ".*"
    if operator == "~":
        return _compatible(new, len(parse(old).release))
    return _lower(new, old) if operator == "^" else str(new)


def _compatible(new: Version, parts: int) -> str:
    """Write the version of a compatible release clause, whose number of parts decides what it admits."""
    kept = (*new.release, 0, 0)[:parts]
    suffix = (
        ""
        if any(new.release[parts:])
        else str(new).removeprefix(_epoch(new) + ".".join(map(str, new.release)))
    )
    return _epoch(new) + ".".join(map(str, kept)) + suffix


def _lower(new: Version, old: str) -> str:
    """Write a version with the old one's number of parts, where that drops nothing but zeros."""
    release, parts = new.release, len(parse(old).release)
    if str(new) != f"{_epoch(new)}{'.'.join(map(str, release))}":
        return str(new)
    padded = (*release, *(0,) * (parts - len(release)))
    return _epoch(new) + ".".join(map(str, padded[:parts] if not any(padded[parts:]) else padded))


def _cut(new: Version, policy: str, parts: int) -> str:
    """Write the upper bound with as many parts as asked, or as it needs."""
    release = next_upper(new, policy)
    while len(release) > max(parts, 1) and release[-1] == 0:
        release = release[:-1]
    return _epoch(new) + ".".join(map(str, release))


def _epoch(version: Version) -> str:
    return f"{version.epoch}!" if version.epoch else ""
