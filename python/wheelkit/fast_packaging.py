"""Fast path for simple versions, specifiers, requirements and METADATA, without packaging and email.

Importing ``email`` takes 12 ms and ``packaging.metadata`` 35 ms, where one small wheel takes 60 ms. For text
that is not surely simple all return None or False: callers ask the standard parser. Tests hold both equal.
"""

from __future__ import annotations

import operator as op
from functools import cache, lru_cache
from typing import TYPE_CHECKING

from wheelkit import limits

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Mapping, Sequence

    from packaging.requirements import Requirement


# No version is longer, and int() refuses thousands of digits.
_LONGEST = 100
# The operators of version specifiers, the longer ones first; "===" is left to packaging.
_COMPARE = {">=": op.ge, "<=": op.le, "!=": op.ne, "==": op.eq, ">": op.gt, "<": op.lt}
_OPERATORS = ("~=", *_COMPARE)
_WITH_WILDCARD = ("!=", "==")
# The variables of environment markers (PEP 508), less the deprecated spellings.
_VARIABLES = frozenset({
    "extra", "implementation_name", "implementation_version", "os_name", "platform_machine",
    "platform_python_implementation", "platform_release", "platform_system", "platform_version",
    "python_full_version", "python_version", "sys_platform",
})  # fmt: skip
_MARKER_OPERATORS = frozenset({"==", "!=", "<", "<=", ">", ">="})
_BOOLEANS = frozenset({"and", "or"})
# An operand in an expression; no word of a text is this.
OPERAND = " "
_JOINTS = str.maketrans("._-", "aaa")


def normalise(name: str) -> str:
    """Normalize a name (PEP 503): lower case, one dash for each run of ``-``, ``_`` and ``.``."""
    name = name.lower().replace("_", "-").replace(".", "-")
    while "--" in name:
        name = name.replace("--", "-")
    return name


def is_name(text: str) -> bool:
    """Return whether this is a valid name of a distribution or an extra (core metadata, "Name")."""
    return text.isascii() and text[:1].isalnum() and text[-1].isalnum() and text.translate(_JOINTS).isalnum()


def release(text: str) -> tuple[int, ...] | None:
    """Return the numbers of a version that is only a normalized release, such as ``1.26.0``; else None."""
    parts = text.split(".")
    if len(text) > _LONGEST or not all(map(_is_number, parts)):
        return None
    return tuple(map(int, parts))


def _is_number(text: str) -> bool:
    return text.isdigit() and text.isascii() and (text[0] != "0" or text == "0")


def admits(required: str, version: tuple[int, ...]) -> bool:
    """Return whether a ``Requires-Python`` admits a release of Python; raise ValueError if it is invalid."""
    clauses = specifiers(required)
    if clauses is None:
        return _packaging_admits(required, ".".join(map(str, version)))
    return all(_holds(clause, version) for clause in clauses)


@cache
def _packaging_admits(required: str, version: str) -> bool:
    from packaging.specifiers import SpecifierSet

    if len(required) > limits.VALUE:
        raise ValueError("it is too long")
    return SpecifierSet(required).contains(version)


Clause = tuple[str, tuple[int, ...], bool]


@cache
def specifiers(text: str) -> tuple[Clause, ...] | None:
    """Return operator, release and wildcard of specifiers like ``>=3.9, !=3.10.*``; None if not simple."""
    if not text:
        return ()
    clauses = [_clause(part.strip(" ")) for part in text.split(",")]
    return None if None in clauses else tuple(clause for clause in clauses if clause is not None)


def _clause(text: str) -> Clause | None:
    operator = next((operator for operator in _OPERATORS if text.startswith(operator)), "")
    version = text.removeprefix(operator).strip(" ")
    wildcard = operator in _WITH_WILDCARD and version.endswith(".*")
    numbers = release(version.removesuffix(".*") if wildcard else version)
    if not operator or numbers is None or (operator == "~=" and len(numbers) == 1):
        return None
    return operator, numbers, wildcard


def _holds(clause: Clause, version: Sequence[int]) -> bool:
    """Compare releases as PEP 440 does: the shorter one is padded with zeros, a wildcard ends both."""
    operator, wanted, wildcard = clause
    if operator == "~=":
        return _holds((">=", wanted, False), version) and _holds(("==", wanted[:-1], True), version)
    length = len(wanted) if wildcard else max(len(wanted), len(version))
    own, other = (tuple(part[:length]) + (0,) * (length - len(part)) for part in (version, wanted))
    return bool(_COMPARE[operator](own, other))


def is_requirement(text: str) -> bool:
    """Return whether this is a simple requirement: ``name[extra] >=1.2,<2; os_name == "nt"``."""
    if not text.isprintable():
        return False
    named, semicolon, marker = text.partition(";")
    named = named.strip(" ")
    end = next((index for index, sign in enumerate(named) if sign in " [(<>=!~"), len(named))
    rest = named[end:].strip(" ")
    if rest.startswith("["):
        extras, bracket, rest = rest[1:].partition("]")
        rest = rest.strip(" ")
        if not bracket or not all(is_name(extra.strip(" ")) for extra in extras.split(",")):
            return False
    if rest.startswith("(") and rest.endswith(")"):
        rest = rest[1:-1].strip(" ")
    return is_name(named[:end]) and specifiers(rest) is not None and (not semicolon or _is_marker(marker))


# The wheels of one release have the same requirements, and packaging takes 0.1 ms for each.
@lru_cache(maxsize=256)
def parse_requirement(text: str) -> Requirement:
    """Parse a requirement (PEP 508) with packaging; raises ValueError for everything that is none.

    packaging's parser takes too long for nested parentheses and long texts, and may exhaust the stack.
    """
    from packaging.requirements import Requirement

    if text.count("(") > limits.PARENTHESES or len(text) > limits.VALUE:
        raise ValueError("it is too long, or has too many parentheses")
    try:
        return Requirement(text)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def marker_holds(requirement: Requirement, environment: Mapping[str, str]) -> bool:
    """Return whether a requirement applies in an environment; a marker that cannot be evaluated does."""
    try:
        return requirement.marker is None or requirement.marker.evaluate(dict(environment))
    except (ValueError, RecursionError):  # such as os_name ~= "nt", which installers fail on
        return True


def _is_marker(text: str) -> bool:
    """Return whether this is comparisons of variables with quoted strings, joined by ``and`` and ``or``."""
    expression: list[str] = []
    while quote := next((sign for sign in text if sign in "'\""), ""):
        before, _, text = text.partition(quote)
        value, closed, text = text.partition(quote)
        piece = words(before)
        quotable = value.isascii() and value.isprintable() and not set(value) & set("\\'\"")
        if not closed or not quotable or not _is_comparison(piece[-2:]):
            return False
        expression += (*piece[:-2], OPERAND)
    return is_joined([*expression, *words(text)], _BOOLEANS)


def words(text: str) -> list[str]:
    """Split an expression into its words; parentheses are words."""
    return text.replace("(", " ( ").replace(")", " ) ").split()


def is_joined(expression: Iterable[str], operators: Container[str]) -> bool:
    """Return whether words are ``OPERAND``s with ``operators`` between them, and parentheses in pairs."""
    depth, wanted = 0, True
    for word in expression:
        if wanted and word == "(":
            depth += 1
        elif not wanted and depth and word == ")":
            depth -= 1
        elif word == OPERAND if wanted else word in operators:
            wanted = not wanted
        else:
            return False
    return not depth and not wanted


def _is_comparison(pair: Sequence[str]) -> bool:
    variable, comparison = pair if len(pair) > 1 else ("", "")
    return variable in _VARIABLES and comparison in _MARKER_OPERATORS


_VERSIONS = ("1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4")
# Field -> the version that introduced it, and whether it may be repeated (core metadata specification).
_FIELDS: dict[str, tuple[str, bool]] = {
    **dict.fromkeys(("metadata-version", "name", "version", "summary", "keywords"), ("1.0", False)),
    **dict.fromkeys(("home-page", "author", "author-email", "license"), ("1.0", False)),
    "platform": ("1.0", True),
    "classifier": ("1.1", True),
    "download-url": ("1.1", False),
    **dict.fromkeys(("maintainer", "maintainer-email", "requires-python"), ("1.2", False)),
    **dict.fromkeys(("requires-dist", "project-url"), ("1.2", True)),
    "description-content-type": ("2.1", False),
    "provides-extra": ("2.1", True),
    "dynamic": ("2.2", True),
    "license-expression": ("2.4", False),
    "license-file": ("2.4", True),
}  # fmt: skip
_REQUIRED = {"metadata-version", "name", "version"}
_MAY_BE_DYNAMIC = {*_FIELDS, "description"} - _REQUIRED
_MARKUPS = frozenset({
    "text/markdown", "text/x-rst", "text/plain", "text/markdown; charset=UTF-8", "text/x-rst; charset=UTF-8",
    "text/plain; charset=UTF-8", "text/markdown; charset=UTF-8; variant=GFM",
})  # fmt: skip
# The SPDX identifiers of the licenses that most projects have.
_LICENSES = frozenset({
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "GPL-2.0-or-later",
    "GPL-3.0-only", "GPL-3.0-or-later", "ISC", "LGPL-2.1-or-later", "LGPL-3.0-only", "LGPL-3.0-or-later",
    "MIT", "MIT-0", "MIT-CMU", "MPL-2.0", "PSF-2.0", "Unlicense", "Zlib",
})  # fmt: skip
_LICENSE_OPERATORS = frozenset({"AND", "OR"})


def too_new(metadata: str) -> tuple[tuple[str, str], ...] | None:
    """Return the fields of METADATA that are newer than its Metadata-Version, with their versions.

    Apart from these, packaging's strict parser accepts the text. None where packaging has to be asked.
    """
    fields = plain_headers(metadata)
    if fields is None or not _REQUIRED <= fields.keys() <= _FIELDS.keys():
        return None
    stated = fields["metadata-version"][0]
    if stated not in _VERSIONS or not all(map(_is_plain, fields, fields.values())):
        return None
    newer = _VERSIONS[_VERSIONS.index(stated) + 1 :]
    return tuple((name, _FIELDS[name][0]) for name in fields if _FIELDS[name][0] in newer)


def plain_headers(text: str) -> dict[str, list[str]] | None:
    """Return the header fields of METADATA, WHEEL or PKG-INFO, by lower-case name.

    None for anything but printable lines ``Name: value``: then the email parser has to be asked.
    """
    fields: dict[str, list[str]] = {}
    for line in text.replace("\r\n", "\n").partition("\n\n")[0].removesuffix("\n").split("\n"):
        name, colon, value = line.partition(":")
        # A blank at the end is for packaging to judge.
        if not colon or not is_name(name) or not line.isprintable() or value.endswith(" "):
            return None
        fields.setdefault(name.lower(), []).append(value.lstrip(" "))
    return fields


def _is_plain(name: str, values: Sequence[str]) -> bool:
    repeatable = _FIELDS[name][1]
    return (repeatable or len(values) == 1) and (name not in _VALIDATORS or _VALIDATORS[name](values))


def _each(is_valid: Callable[[str], object]) -> Callable[[Sequence[str]], bool]:
    return lambda values: all(map(is_valid, values))


def _is_license(text: str) -> bool:
    return is_joined((OPERAND if word in _LICENSES else word for word in words(text)), _LICENSE_OPERATORS)


def _is_path(path: str) -> bool:
    parts = path.split("/") if path.isascii() and ".." not in path else [""]
    return all(part != "." and part.translate(_JOINTS).isalnum() for part in parts)


# The fields that packaging validates; all others are free text.
_VALIDATORS: dict[str, Callable[[Sequence[str]], bool]] = {
    "name": _each(is_name),
    "version": _each(release),
    "requires-python": _each(lambda value: specifiers(value) is not None),
    "requires-dist": _each(is_requirement),
    "provides-extra": _each(is_name),
    "project-url": lambda urls: len({url.partition(",")[0].strip() for url in urls}) == len(urls),
    "description-content-type": _MARKUPS.issuperset,
    "dynamic": _each(lambda value: value.lower() in _MAY_BE_DYNAMIC),
    "license-expression": _each(_is_license),
    "license-file": _each(_is_path),
}
