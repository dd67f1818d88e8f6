"""A component of an SBOM, and what is known about a wheel before its binaries are read."""

from __future__ import annotations

import re
from collections.abc import Mapping  # noqa: TC003 - a field's type
from pathlib import Path  # noqa: TC003 - a field's type

from msgspec import Struct, field

# v1.3.1, R_2_6_4, openssl-3.0.16, boost-1.84.0
_TAG = re.compile(r"(?:[A-Za-z][A-Za-z\d_-]*[-_])?[vVR]?[-_]?(\d+(?:[._]\d+)+\w*)")


def version_of_tag(tag: str) -> str:
    """Return the version that a tag of a repository names; empty for branches and commits."""
    match = _TAG.fullmatch(tag)
    return match[1].replace("_", ".") if match else ""


class Component(Struct, frozen=True, kw_only=True):
    """Code of others in a wheel.

    ``license`` is an SPDX expression or a name. ``url`` is where its source was downloaded from and
    ``sha256`` the digest of that download; ``vcs`` is a repository with a revision, as pip writes it.
    ``files`` are the members that contain it, ``digest`` the sha256 of the only one where that is all of it.
    ``patterns`` are globs of members. ``origin`` says who names it: a file of the sources, the configuration,
    a package manager, or nobody (a file).
    """

    name: str
    version: str = ""
    license: str = ""
    purl: str = ""
    cpe: str = ""
    url: str = ""
    sha256: str = ""
    vcs: str = ""
    files: tuple[str, ...] = ()
    digest: str = ""
    patterns: tuple[str, ...] = ()
    origin: str = ""


class SbomSources(Struct, frozen=True, kw_only=True):
    """What decides about an SBOM besides the wheel.

    ``declared`` are the configuration's components, ``complete`` says that there are no others. ``found`` are
    those that files of the sources name. ``grafts`` maps the file names of grafted libraries to the files
    that they are copies of, where these are on this machine.
    """

    declared: tuple[Component, ...] = ()
    complete: bool = False
    found: tuple[Component, ...] = ()
    grafts: Mapping[str, Path] = field(default_factory=dict)
