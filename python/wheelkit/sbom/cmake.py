"""Downloads that CMake files declare (FetchContent, ExternalProject), read as text without running CMake."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from wheelkit.sbom.model import Component, version_of_tag

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


_COMMENT = re.compile(r'("(?:\\.|[^"\\])*")|#[^\n]*')
_DECLARED = re.compile(
    r"\b(?:FetchContent_Declare|ExternalProject_Add)\s*\(\s*(?P<name>[\w.+-]+)\s+(?P<body>[^()]*)\)",
    re.IGNORECASE,
)
_SET = re.compile(r'\bset\s*\(\s*(?P<name>\w+)\s+(?P<value>"[^"$]*"|[^\s"()$]+)', re.IGNORECASE)
_WORD = re.compile(r'"([^"]*)"|(\S+)')
_VARIABLE = re.compile(r"\$\{(\w+)\}")
_ARCHIVE = re.compile(r"(?:[-_/]|/v|-v)(\d+(?:\.\d+)+\w*)(?:\.tar\.\w+|\.zip|\.tgz)$")


def read_cmake(name: str, text: str) -> Iterator[Component]:
    """Yield what a CMake file downloads; a value with a variable that the file does not set is left out."""
    text = _COMMENT.sub(lambda match: match[1] or "", text)
    variables = {match["name"]: match["value"].strip('"') for match in _SET.finditer(text)}
    for match in _DECLARED.finditer(text):
        words = [_expanded(quoted or plain, variables) for quoted, plain in _WORD.findall(match["body"])]
        values = dict(pairwise(words))
        url, repository, revision = (values.get(key, "") for key in ("URL", "GIT_REPOSITORY", "GIT_TAG"))
        archive = _ARCHIVE.search(url)
        algorithm, _, digest = values.get("URL_HASH", "").partition("=")
        if url or repository:
            yield Component(
                name=match["name"],
                version=version_of_tag(revision) if repository else archive[1] if archive else "",
                url="" if repository else url,
                sha256=digest.lower() if algorithm.upper() == "SHA256" else "",
                vcs=f"git+{repository}@{revision}" if repository and revision else "",
                origin=name,
            )


def _expanded(word: str, variables: Mapping[str, str]) -> str:
    word = _VARIABLE.sub(lambda match: variables.get(match[1], match[0]), word)
    return "" if "$" in word else word
