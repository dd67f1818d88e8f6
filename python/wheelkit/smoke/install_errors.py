"""Explains why an installer failed to create an environment."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheelkit.errors import MissingToolError
from wheelkit.smoke.model import Failure

if TYPE_CHECKING:
    from wheelkit.machine.process import Completed
    from wheelkit.smoke.install import Source


_OTHER_SOURCES = "or take third-party packages from a folder or the cache:  --find-links DIR  or  --offline"
_DETAIL_LINES = 14
# The messages of uv, then those of pip.
_NO_CONNECTION = re.compile(
    r"error sending request|dns error|tcp connect error|client error \(Connect\)|"
    r"Failed to establish a new connection|Temporary failure in name resolution|"
    r"ConnectTimeoutError|Connection refused"
)
_HTTP_ERROR = re.compile(
    r"HTTP status (?:server|client) error \((?P<status>[^)]*)\)(?: for url \((?P<url>[^)\s]+)\))?|"
    r"index URL \((?P<index>[^)\s]+)\) could not be queried "
    r"due to a lack of valid authentication credentials \((?P<denied>[^)]*)\)"
)
_UNAUTHORIZED = ("401", "403")
_URL = re.compile(
    r"for url \((?P<url>[^)\s]+)\)|Failed to fetch: `?(?P<fetch>[^\s`]+)|Looking in indexes: (?P<pip>[^\s,]+)"
)
_ONLY_SDIST = re.compile(
    r"Wheels are required for `(?P<uv>[^`]+)`|(?P<other>[\w.-]+)(?:[=<>!~]=?[\w.]+)? has no usable wheels"
)
_NOT_FOUND = re.compile(
    r"Because (?P<uv>[\w.-]+) was not found in "
    r"(?:the package registry|the cache|the provided package locations)|"
    r"No matching distribution found for (?P<pip>[\w.-]+)"
)
_WRONG_HASH = re.compile(r"[Hh]ash mismatch|DO NOT MATCH THE HASHES")
_REQUIRED_BY = re.compile(r"(?P<parent>[\w.-]+)(?:\[[\w,-]+\])?==\S+ depends on (?P<name>[\w.-]+)")


def explain_install_error(completed: Completed, requirements: str, source: Source) -> Failure:
    """Explain why installing ``requirements`` from a source failed.

    Raises MissingToolError if the index or the network is at fault, not the wheels.
    """
    text = re.sub(r"\s+", " ", completed.output)
    detail = "\n".join(completed.output.strip().splitlines()[-_DETAIL_LINES:])
    if not completed.cut_off and (network := _network_error(text)):
        what, fix = network
        raise MissingToolError(what, detail=detail, hint=fix)
    what, fix = _explain(completed, text, requirements, source)
    return Failure(check="installing", what=what, detail=detail, fix=fix)


def _explain(completed: Completed, text: str, requirements: str, source: Source) -> tuple[str, str]:
    """Return what happened and the fix."""
    if completed.timed_out:
        return (
            f"installing {requirements} timed out",
            "the log shows what it waited for; the index may be slow",
        )
    if completed.cut_off or not text.strip():
        return f"installing {requirements} {completed.ending}", completed.advice
    if _WRONG_HASH.search(text):
        return (
            f"a file changed while {requirements} was being installed",
            "run it again when nothing writes to the dist folder",
        )
    if match := _ONLY_SDIST.search(text):
        return (
            f"{_with_parent(match['uv'] or match['other'], text)} has no wheel that fits here, only an sdist",
            "require a version that has wheels, or allow building it:  wheelkit smoke @DIST@ --build-sdists",
        )
    if match := _NOT_FOUND.search(text):
        return _not_found(match, text, source)
    return (
        f"the requirements of {requirements} cannot be satisfied together",
        "the lines above say which of them conflict",
    )


def _network_error(text: str) -> tuple[str, str] | None:
    """Return what happened and the fix if the index or the network is at fault."""
    if _NO_CONNECTION.search(text):
        match = _URL.search(text)
        url = (match["url"] or match["fetch"] or match["pip"]) if match else "the index"
        return f"{url} is unreachable", f"check the network, {_OTHER_SOURCES}"
    match = _HTTP_ERROR.search(text)
    if match is None:
        return None
    status = match["status"] or match["denied"]
    what = f"{match['url'] or match['index'] or 'the index'} answered {status}"
    if status.startswith(_UNAUTHORIZED):
        return what, "give credentials:  --index https://USER:TOKEN@…   or a line for the host in ~/.netrc"
    return what, f"try again later, {_OTHER_SOURCES}"


def _not_found(match: re.Match[str], text: str, source: Source) -> tuple[str, str]:
    package = _with_parent(match["uv"] or match["pip"], text)
    if source.find_links:
        return f"{package} is not in the folders of --find-links", "put its wheel there"
    if source.offline:
        return (
            f"{package} is not in uv's cache, and --offline uses nothing else",
            "run it once without --offline, or give --find-links DIR",
        )
    fix = "correct the name in dependencies, or name the index that has it:  --index URL"
    if match["pip"]:
        fix += "\nif it has only an sdist:  --build-sdists"
    return f"{package} is not on the index", fix


def _with_parent(name: str, text: str) -> str:
    """Write a package's name with the package that requires it, if the installer says so."""
    for match in _REQUIRED_BY.finditer(text):
        if match["name"].lower() == name.lower():
            return f"{name}, which {match['parent']} requires,"
    return name
