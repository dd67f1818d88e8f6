"""METADATA as current build backends write it, which needs no parser to be found valid.

packaging's parser, and the email package that it stands on, take longer to load than a small wheel to prove. They judge whatever is
not written in the plain way; of what is plain here they say the same, which the tests hold against them for thousands of texts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelkit.plain import OPERAND, is_joined, is_name, is_requirement, release, specifiers, words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_VERSIONS = ("1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4")
# Field -> the version of the metadata that brought it, and whether it may stand there more than once (core metadata specification).
_FIELDS: dict[str, tuple[str, bool]] = {
    **dict.fromkeys(("metadata-version", "name", "version", "summary", "keywords", "home-page", "author", "author-email", "license"),
                    ("1.0", False)),
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
_MARKUPS = frozenset({"text/markdown", "text/x-rst", "text/plain", "text/markdown; charset=UTF-8", "text/x-rst; charset=UTF-8",
                      "text/plain; charset=UTF-8", "text/markdown; charset=UTF-8; variant=GFM"})  # fmt: skip
# The licences that most projects have, by their SPDX identifiers.
_LICENCES = frozenset({"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "BSL-1.0", "CC0-1.0", "GPL-2.0-or-later", "GPL-3.0-only",
                       "GPL-3.0-or-later", "ISC", "LGPL-2.1-or-later", "LGPL-3.0-only", "LGPL-3.0-or-later", "MIT", "MIT-0",
                       "MIT-CMU", "MPL-2.0", "PSF-2.0", "Unlicense", "Zlib"})  # fmt: skip
_JOINTS = frozenset({"AND", "OR"})
_OF_PATHS = str.maketrans("._-", "aaa")


def too_new(metadata: str) -> tuple[tuple[str, str], ...] | None:
    """Name the fields of METADATA that are newer than the version that it states, each with the version that brought it.

    Apart from these, packaging's strict parser finds nothing to complain of. Gives None where it has to be asked.
    """
    fields = _fields(metadata.replace("\r\n", "\n").partition("\n\n")[0])
    if fields is None or not fields.keys() >= _REQUIRED:
        return None
    stated = fields["metadata-version"][0]
    if stated not in _VERSIONS or not all(map(_plain, fields, fields.values())):
        return None
    newer = _VERSIONS[_VERSIONS.index(stated) + 1 :]
    return tuple((name, _FIELDS[name][0]) for name in fields if _FIELDS[name][0] in newer)


def _fields(head: str) -> dict[str, list[str]] | None:
    """Read the fields by lower-case name, each in one line but for free texts; None where a line is anything else."""
    fields: dict[str, list[str]] = {}
    name = ""
    for line in head.removesuffix("\n").split("\n"):
        # A blank at the end is packaging's to judge, as are control characters and whatever else may end a line.
        if not line or not line.expandtabs().isprintable():
            return None
        if line[0] in " \t":
            if name not in _FREE:
                return None
            continue
        name, colon, value = line.partition(":")
        name, value = name.lower(), value.removeprefix(" ")
        if not colon or name not in _FIELDS or value != value.strip():
            return None
        fields.setdefault(name, []).append(value)
    return fields


def _plain(name: str, values: Sequence[str]) -> bool:
    if len(values) > 1 and not _FIELDS[name][1]:
        return False
    judge = _JUDGES.get(name)
    return judge is None or judge(values)


def _each(judge: Callable[[str], object]) -> Callable[[Sequence[str]], bool]:
    return lambda values: all(map(judge, values))


def _labels_differ(values: Sequence[str]) -> bool:
    return len({value.partition(",")[0].strip() for value in values}) == len(values)


def _may_be_dynamic(value: str) -> bool:
    return value.lower() in _FIELDS.keys() - _REQUIRED or value.lower() == "description"


def _is_licence(expression: str) -> bool:
    return is_joined([OPERAND if word in _LICENCES else word for word in words(expression)], _JOINTS)


def _is_path(path: str) -> bool:
    return path.isascii() and ".." not in path and all(part != "." and part.translate(_OF_PATHS).isalnum() for part in path.split("/"))


# What packaging looks into; all other fields are free text, which may take several lines but for the summary.
_JUDGES: dict[str, Callable[[Sequence[str]], bool]] = {
    "name": _each(is_name),
    "version": _each(release),
    "requires-python": _each(lambda value: specifiers(value) is not None),
    "requires-dist": _each(is_requirement),
    "provides-extra": _each(is_name),
    "project-url": _labels_differ,
    "description-content-type": _MARKUPS.issuperset,
    "dynamic": _each(_may_be_dynamic),
    "license-expression": _each(_is_licence),
    "license-file": _each(_is_path),
}
_FREE = _FIELDS.keys() - _JUDGES.keys() - _REQUIRED - {"summary"}
