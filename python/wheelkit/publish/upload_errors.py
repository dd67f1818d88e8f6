"""Puts an index's refusal into what happened and what to do next; the words to look for are data, since indexes change theirs."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.errors import IndexRefusedError

if TYPE_CHECKING:
    from wheelkit.publish.index import Index
    from wheelkit.publish.twine import TwineRun


class _UploadError(Struct, frozen=True, kw_only=True):
    """One kind of refusal: the words that tell it, its status (0: any), what happened, and what to do."""

    pattern: str
    what: str
    fix: str
    status: int = 0


# First match wins; the words are those of the public indexes' upload interface, of devpi and of twine.
_KNOWN = (
    _UploadError(
        pattern=r"[Aa]ttestation",
        what="the index does not accept the attestations that go with the file",
        fix="publish from the very workflow that signed them, by trusted publishing\nor move the .attestation files out of the dist folder",
    ),
    _UploadError(
        pattern=r"already exists|409 ",
        what="the index has a file of this name already, with other bytes, or these bytes under another name",
        fix="a published file can never be replaced; release a new version:  wheelkit version bump patch",
    ),
    _UploadError(
        pattern=r"(previously|already) been used",
        what="a file of this name was on the index once and was deleted; its name can never be used again",
        fix="release a new version:  wheelkit version bump patch",
    ),
    _UploadError(
        pattern=r"older than \d+ days",
        what="the release on the index is too old to take another file",
        fix="release a new version:  wheelkit version bump patch",
    ),
    _UploadError(
        pattern=r"Invalid or non-existent authentication|Invalid API Token(?!.*project)|Token is expired|401 ",
        what="the index does not accept the credentials: the token is wrong, has expired, or is for another index",
        fix="make a new API token on this very index, and set TWINE_PASSWORD\ntestpypi and pypi have different tokens",
        status=403,
    ),
    _UploadError(
        pattern=r"isn't allowed to upload|is not allowed to upload|project-scoped token|not valid for project|OIDC scoped token",
        what="the credentials do not reach as far as this project",
        fix="use a token whose scope holds every distribution of the family\nor register the trusted publisher for this project as well",
        status=403,
    ),
    _UploadError(
        pattern=r"local version|use of local",
        what="the index takes no version with a local part (+…)",
        fix="release a version without one:  wheelkit version set",
    ),
    _UploadError(
        pattern=r"too similar|is not allowed|isn't allowed|name .* (prohibited|reserved)|conflict with",
        what="the index does not allow this project's name",
        fix="choose another name, or ask the index's administrators",
    ),
    _UploadError(
        pattern=r"Project size too large",
        what="the project as a whole is over the index's limit",
        fix="delete old releases, or ask for a higher limit",
    ),
    _UploadError(
        pattern=r"File too large|413 ",
        what="the file is over the index's size limit",
        fix="make it smaller (wheelkit inspect shows what weighs)\nor ask the index for a higher limit before the release",
    ),
    _UploadError(
        pattern=r"unsupported platform tag",
        what="the index does not take this platform tag",
        fix="repair the wheel, so that it says on which systems it runs:  wheelkit repair",
    ),
    _UploadError(
        pattern=r"Only one sdist",
        what="the index has another sdist of this version",
        fix="release a new version:  wheelkit version bump patch",
    ),
    _UploadError(
        pattern=r"digest supplied does not match",
        what="the file arrived damaged, or was changed while it was uploaded",
        fix="run the same command again; if it stays, build again",
    ),
    _UploadError(
        pattern=r"new project registration|New user registration|temporarily disabled|Read.only mode",
        what="the index takes no uploads for the moment",
        fix="look at the index's status page, and run the same command again later",
    ),
    _UploadError(
        pattern=r"description failed to render|invalid value for|Invalid value for|InvalidDistribution|[Mm]etadata",
        what="the index does not accept the metadata",
        fix="correct that field in pyproject.toml, and build again; where the index has files of this version, bump it first",
    ),
    _UploadError(
        pattern=r"NonInteractive|could not determine credentials|Credential not found",
        what="no credentials were found: not by trusted publishing, nor in the environment, .pypirc or the keyring",
        fix="set TWINE_PASSWORD to an API token, or store it:  keyring set UPLOAD-URL __token__",
    ),
    _UploadError(
        pattern=r"RedirectDetected",
        what="the index sends the upload on to another address, which is never followed with credentials",
        fix="check the upload address; it has to be exact to the last slash",
    ),
)


def known_errors(upload: TwineRun) -> bool:
    """Tell whether the words of an upload are those of a refusal that is known."""
    return _known(upload) is not None


def _known(upload: TwineRun) -> _UploadError | None:
    found = next((one for one in _KNOWN if re.search(one.pattern, f"{upload.status} {upload.words}")), None)
    return found or next((one for one in _KNOWN if one.status and one.status == upload.status), None)


def translate(index: Index, upload: TwineRun, standing: str) -> IndexRefusedError:
    """Make the error for an upload that was refused; ``standing`` says what is on the index by now."""
    refusal = _known(upload)
    what = refusal.what if refusal else ""
    return IndexRefusedError(
        f"{index} refuses {upload.underway or 'the upload'}",
        detail="\n".join(filter(None, [what, upload.words, standing])),
        hint=refusal.fix if refusal else "mend that, then run the same command again",
    )
