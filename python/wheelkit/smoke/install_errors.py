"""Why an installer could not make an environment, in the user's words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.smoke.model import Failure

if TYPE_CHECKING:
    from wheelkit.machine.process import Completed
    from wheelkit.smoke.install import Source


_CHECK = "installing"
_ELSEWHERE = "or take third parties from a folder or the cache:  --find-links DIR  or  --offline"
_LINES = 14
# uv's words, then pip's.
_NO_NETWORK = re.compile(
    r"error sending request|dns error|tcp connect error|client error \(Connect\)|Failed to establish a new connection|"
    r"Temporary failure in name resolution|ConnectTimeoutError|Connection refused"
)
_ANSWERED = re.compile(
    r"HTTP status (?:server|client) error \((?P<status>[^)]*)\)(?: for url \((?P<url>[^)\s]+)\))?|"
    r"index URL \((?P<closed>[^)\s]+)\) could not be queried due to a lack of valid authentication credentials \((?P<denied>[^)]*)\)"
)
_DENIED = ("401", "403")
_ADDRESS = re.compile(
    r"for url \((?P<url>[^)\s]+)\)|Failed to fetch: `?(?P<fetch>[^\s`]+)|Looking in indexes: (?P<pip>[^\s,]+)"
)
_ONLY_SDIST = re.compile(
    r"Wheels are required for `(?P<uv>[^`]+)`|(?P<other>[\w.-]+)(?:[=<>!~]=?[\w.]+)? has no usable wheels"
)
_UNKNOWN = re.compile(
    r"Because (?P<uv>[\w.-]+) was not found in (?P<place>the package registry|the cache|the provided package locations)|"
    r"No matching distribution found for (?P<pip>[\w.-]+)"
)
_WRONG_HASH = re.compile(r"[Hh]ash mismatch|DO NOT MATCH THE HASHES")
_NEEDED_BY = re.compile(r"(?P<who>[\w.-]+)(?:\[[\w,-]+\])?==\S+ depends on (?P<what>[\w.-]+)")


class InstallError(Struct, frozen=True, kw_only=True):
    """A failure to install, and whether it is the network's: then a missing service and no fault of the wheels."""

    failure: Failure
    network: bool = False


def install_error(done: Completed, what: str, source: Source) -> InstallError:
    """Tell why installing ``what`` failed."""
    detail = "\n".join(done.output.strip().splitlines()[-_LINES:])
    text = re.sub(r"\s+", " ", done.output)
    if done.timed_out:
        return _refusal(f"installing {what} took too long", detail, "look at the log; the index may be slow")
    if _WRONG_HASH.search(text):
        return _refusal(
            f"a file changed while {what} was installed",
            detail,
            "run it again on a dist that nobody writes to",
        )
    if service := _silent_index(text, detail):
        return service
    if match := _ONLY_SDIST.search(text):
        name = match["uv"] or match["other"]
        fix = "require one that has wheels, or allow building it here:  wheelkit smoke --build-sdists"
        return _refusal(
            f"{name}{_needed_by(name, text)} has no wheel that fits here, only an sdist", detail, fix
        )
    if match := _UNKNOWN.search(text):
        return _unknown(match, text, detail, source)
    return _refusal(
        f"the requirements of {what} cannot be met together",
        detail,
        "the lines above say which exclude each other",
    )


def _silent_index(text: str, detail: str) -> InstallError | None:
    """Tell where it was the index's or the network's fault."""
    if _NO_NETWORK.search(text):
        address = _ADDRESS.search(text)
        where = (address["url"] or address["fetch"] or address["pip"]) if address else "the index"
        return _service(f"{where} cannot be reached", detail, f"check the network, {_ELSEWHERE}")
    match = _ANSWERED.search(text)
    return _answered(match, detail) if match else None


def _answered(match: re.Match[str], detail: str) -> InstallError:
    status = match["status"] or match["denied"]
    what = f"{match['url'] or match['closed'] or 'the index'} answered {status}"
    if status.startswith(_DENIED):
        return _service(
            what,
            detail,
            "it asks for credentials:  --index https://USER:TOKEN@…   or a line for it in ~/.netrc",
        )
    return _service(what, detail, f"run it again later, {_ELSEWHERE}")


def _unknown(match: re.Match[str], text: str, detail: str, source: Source) -> InstallError:
    name = match["uv"] or match["pip"]
    if source.find_links:
        where, fix = "in the folders of --find-links", "put its wheel there"
    elif source.offline:
        where, fix = (
            "in uv's cache, and --offline asks nobody else",
            "run it once without --offline, or give --find-links DIR",
        )
    else:
        where, fix = (
            "on the index",
            "correct the name in dependencies, or name the index that has it:  --index URL",
        )
        if match["pip"]:
            fix += "\nwhere it has only an sdist:  --build-sdists"
    return _refusal(f"{name}{_needed_by(name, text)} is not {where}", detail, fix)


def _needed_by(name: str, text: str) -> str:
    who = next(
        (match["who"] for match in _NEEDED_BY.finditer(text) if match["what"].lower() == name.lower()), ""
    )
    return f", which {who} needs," if who else ""


def _refusal(what: str, detail: str, fix: str) -> InstallError:
    return InstallError(failure=Failure(check=_CHECK, what=what, detail=detail, fix=fix))


def _service(what: str, detail: str, fix: str) -> InstallError:
    return InstallError(failure=Failure(check=_CHECK, what=what, detail=detail, fix=fix), network=True)
