"""Explain why an index refused an upload. The texts to look for are data, since indexes change theirs."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.errors import IndexRefusedError
from wheelkit.hints import NEW_VERSION, REBUILD
from wheelkit.publish.twine import Outcome
from wheelkit.text import lines_of

if TYPE_CHECKING:
    from wheelkit.publish.index import Index
    from wheelkit.publish.twine import UploadResult


class _Refusal(Struct, frozen=True, kw_only=True):
    """A kind of refusal: the pattern of its text, or its HTTP status; what happened, and what to do.

    ``minted`` is what to do if the token was minted by trusted publishing, where that is something else.
    """

    pattern: str
    what: str
    fix: str
    status: int = 0
    minted: str = ""


# What ``refusal_error`` fills in: the index's upload address, and the file.
_UPLOAD_URL, _FILE = "@UPLOAD@", "@FILE@"
_BUMP = f"release a new version:  {REBUILD}"
# The first match wins. The texts are those of the public indexes' upload interface, of devpi and of twine.
_REFUSALS = (
    _Refusal(pattern=r"[Aa]ttestation",
             what="the index does not accept the file's attestations",
             fix="publish by trusted publishing from the workflow that signed them\n"
                 "or move the .attestation files out of the dist folder"),
    _Refusal(pattern=r"already exists|409 ",
             what="the index has a file of this name with other bytes, or these bytes under another name",
             fix=f"a published file cannot be replaced; {_BUMP}"),
    _Refusal(pattern=r"(previously|already) been used|previously used by a file",
             what="a file of this name was deleted from the index; its name can never be used again",
             fix=_BUMP),
    _Refusal(pattern=r"older than \d+ days",
             what="the release on the index is too old for new files",
             fix=_BUMP),
    _Refusal(pattern=r"Invalid or non-existent authentication|Invalid API Token(?!.*project)|Token is expired"
                     r"|401 ",
             what="the index does not accept the credentials: they are wrong, expired, or for another index",
             fix="set TWINE_PASSWORD to an API token of this index\ntestpypi and pypi have separate tokens",
             minted="run the same command again: it gets another token, and continues",
             status=403),
    _Refusal(pattern=r"isn't allowed to upload|is not allowed to upload|project-scoped token"
                     r"|not valid for project|OIDC scoped token",
             what="the credentials are not valid for this project",
             fix="use a token whose scope includes every distribution of the family\n"
                 "or register the trusted publisher for this project as well",
             minted="register the trusted publisher for this project as well"),
    _Refusal(pattern=r"local version|use of local",
             what="the index does not accept versions with a local part (+…)",
             fix=f"release a version without one:  {NEW_VERSION}"),
    _Refusal(pattern=r"too similar|is not allowed|isn't allowed|name .* (prohibited|reserved)|conflict with",
             what="the index does not allow this project's name",
             fix="choose another name, or ask the index's administrators"),
    _Refusal(pattern=r"Project size too large",
             what="the project as a whole exceeds the index's size limit",
             fix="delete old releases, or ask for a higher limit"),
    _Refusal(pattern=r"File too large|413 ",
             what="the file exceeds the index's size limit",
             fix=f"make it smaller (`wheelkit inspect dist/{_FILE}` shows its largest parts)\n"
                 "or ask the index for a higher limit, then run the same command again"),
    _Refusal(pattern=r"unsupported platform tag",
             what="the index does not accept this platform tag",
             fix=f"repair it, so that its tag names the systems it runs on:  wheelkit repair dist/{_FILE}"),
    _Refusal(pattern=r"Only one sdist",
             what="the index has another sdist of this version",
             fix=_BUMP),
    _Refusal(pattern=r"digest supplied does not match",
             what="the file was damaged or changed during the upload",
             fix="run the same command again; if it fails again, build again"),
    _Refusal(pattern=r"new project registration|New user registration|temporarily disabled|Read.only mode",
             what="the index accepts no uploads at the moment",
             fix="check the index's status page, and run the same command again later"),
    _Refusal(pattern=r"direct dependency",
             what="the index does not accept requirements with a URL",
             fix="require the distribution by name and a range of versions, and build again"),
    _Refusal(pattern=r"not a valid classifier|classifier .* has been deprecated",
             what="the index does not know a classifier, or it was deprecated",
             fix="correct [project] classifiers, by the list that python -m trove_classifiers prints"),
    _Refusal(pattern=r"License-File .* does not exist",
             what="a license file that the metadata names is not where the index looks for it",
             fix="check [project] license-files, and build again with a current build backend"),
    _Refusal(pattern=r"Start filename for|should contain the normalized project name|is invalid, should be"
                     r"|Version in filename|Invalid (source distribution|wheel) filename",
             what="the file name does not agree with the metadata, or is not normalized",
             fix="build again with a current build backend, and never rename files"),
    _Refusal(pattern=r"Invalid distribution file|invalid entry points|does not contain the required",
             what="the index cannot read the file as a wheel or sdist",
             fix=f"verify it:  wheelkit verify-matrix dist/{_FILE}"),
    _Refusal(pattern=r"description failed to render|[Ii]nvalid value for|InvalidDistribution|[Mm]etadata",
             what="the index does not accept the metadata",
             fix="correct the field in pyproject.toml and build again\n"
                 f"if the index has files of this version, bump it first:  {REBUILD}"),
    _Refusal(pattern=r"NonInteractive|could not determine credentials|Credential not found",
             what="no credentials were found by trusted publishing, in the environment, .pypirc or the"
                  " keyring",
             fix=f"set TWINE_PASSWORD to an API token, or store one:  keyring set {_UPLOAD_URL} __token__"),
    _Refusal(pattern=r"RedirectDetected",
             what="the index redirects the upload, and credentials are never sent to another address",
             fix="correct the upload address, including its final slash"),
)  # fmt: skip


def refusal_error(index: Index, result: UploadResult, *, minted: bool = False) -> IndexRefusedError | None:
    """Return the error for an upload that was refused, by the index or for a known reason; otherwise None.

    Where the token was minted, no fix asks for another one.
    """
    refusal = _find(result)
    if refusal is None and result.outcome is not Outcome.REFUSED:
        return None
    fix = ((minted and refusal.minted) or refusal.fix) if refusal else ""
    return IndexRefusedError(
        f"{index} refused {result.current or 'the upload'}",
        detail=lines_of(filter(None, [refusal.what if refusal else "", result.message])),
        hint=fix.replace(_UPLOAD_URL, index.upload).replace(_FILE, shlex.quote(result.current))
        or "fix this, then run the same command again",
    )


def _find(result: UploadResult) -> _Refusal | None:
    text = f"{result.status} {result.message}"
    by_text = (refusal for refusal in _REFUSALS if re.search(refusal.pattern, text))
    by_status = (refusal for refusal in _REFUSALS if refusal.status and refusal.status == result.status)
    return next(by_text, None) or next(by_status, None)
