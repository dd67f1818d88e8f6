"""Attestations beside the files of a dist folder (PEP 740): which file they are for, and with which bytes.

Their signatures are verified by the index during the upload, and by ``verify-matrix --from-index``
afterwards.
"""

from __future__ import annotations

import json
from base64 import b64decode
from typing import TYPE_CHECKING

from wheelkit.publish.model import parse_name
from wheelkit.text import shorten_list

if TYPE_CHECKING:
    from pathlib import Path


def attestation_files(path: Path) -> tuple[Path, ...]:
    """Return the attestations of a file, which are named after it: ``FILE.publish.attestation``."""
    return tuple(sorted(file for file in path.parent.glob(f"{path.name}.*.attestation") if file.is_file()))


def attestation_problem(path: Path, file: str, sha256: str) -> str:
    """Return what is wrong with a file's attestation; empty where it is for this file with these bytes."""
    try:
        document = json.loads(path.read_bytes())
        statement = json.loads(b64decode(document["envelope"]["statement"], validate=True))
        subjects = {
            str(subject["name"]): str(subject["digest"]["sha256"]) for subject in statement["subject"]
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return f"{path.name} is not an attestation (PEP 740)"
    digests = [digest for name, digest in subjects.items() if _same_file(name, file)]
    if not digests:
        return f"{path.name} is for {shorten_list(subjects) or 'no file'}"
    if sha256 not in digests:
        return f"{path.name} is for other bytes: sha256 {digests[0][:12]}…, but the file has {sha256[:12]}…"
    return ""


def _same_file(name: str, file: str) -> bool:
    """Compare file names as indexes do: parsed, since a name can be spelled in several ways."""
    parsed = parse_name(name)
    return name == file or (parsed is not None and parsed == parse_name(file))
