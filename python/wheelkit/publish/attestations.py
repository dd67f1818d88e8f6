"""Attestations beside the files of a dist (PEP 740), as far as anybody can read them: which file they are about, and which bytes.

Whether their signatures hold is for the index to judge when it takes them, and for ``verify-matrix --from-index`` afterwards.
"""

from __future__ import annotations

import json
from base64 import b64decode
from typing import TYPE_CHECKING

from wheelkit.text import shorten_list

if TYPE_CHECKING:
    from pathlib import Path


_ENDING = ".attestation"


def attestation_files(path: Path) -> tuple[Path, ...]:
    """List the attestations of a file, which are named for it: ``FILE.publish.attestation``."""
    return tuple(sorted(one for one in path.parent.glob(f"{path.name}.*{_ENDING}") if one.is_file()))


def attestation_problem(path: Path, file: str, sha256: str) -> str:
    """Tell what is wrong with an attestation for a file, empty where it is about this very file."""
    try:
        document = json.loads(path.read_bytes())
        statement = json.loads(b64decode(document["envelope"]["statement"], validate=True))
        about = {str(one["name"]): str(one["digest"]["sha256"]) for one in statement["subject"]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return f"{path.name} is no attestation (PEP 740)"
    digests = [digest for name, digest in about.items() if _same_file(name, file)]
    if not digests:
        return f"{path.name} is about {shorten_list(about) or 'nothing'}"
    return (
        ""
        if sha256 in digests
        else f"{path.name} was signed for other bytes: sha256 {digests[0][:12]}…, and the file has {sha256[:12]}…"
    )


def _same_file(name: str, file: str) -> bool:
    """Compare names as the index does: by what they say, not by how they are spelled."""
    from packaging.utils import (
        InvalidSdistFilename,
        InvalidWheelFilename,
        parse_sdist_filename,
        parse_wheel_filename,
    )

    parse = parse_wheel_filename if file.endswith(".whl") else parse_sdist_filename
    try:
        return name == file or parse(name) == parse(file)
    except (InvalidSdistFilename, InvalidWheelFilename):
        return False
