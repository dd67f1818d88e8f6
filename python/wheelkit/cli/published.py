"""``wheelkit verify-matrix --from-index``: the same proof for what is published."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.publish.client import Client
from wheelkit.publish.index import resolve
from wheelkit.publish.provenance import Repository
from wheelkit.publish.published import Request, built_files, parse_release, verify_published

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheelkit.config import Config
    from wheelkit.verification.contract import Contract
    from wheelkit.verification.model import Report


class Wanted(Struct, frozen=True, kw_only=True):
    """What the command line asks of a published release: ``NAME==VERSION``, the index, how deep, and who may have signed it."""

    release: str
    index: str
    deep: bool
    repository: str | None = None


def report_of(wanted: Wanted, paths: Sequence[Path], contract: Contract, config: Config) -> Report:
    """Prove a release as an index shows it; the manifests of the folders among ``paths`` tell what was built."""
    identity = parse_release(wanted.release)
    built = {name: digest for path in paths if path.is_dir() for name, digest in built_files(path, identity).items()}
    repository = Repository.parse(wanted.repository) if wanted.repository else None
    request = Request(identity=identity, index=resolve(wanted.index, config), built=built, repository=repository)
    if not wanted.deep:
        return verify_published(request, Client(), contract)
    with tempfile.TemporaryDirectory(prefix="wheelkit-") as name:
        return verify_published(request, Client(), contract, Path(name))
