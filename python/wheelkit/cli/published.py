"""``wheelkit verify-matrix --from-index``: the same proof for what is published."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from wheelkit.publish.client import Client
from wheelkit.publish.index import resolve
from wheelkit.publish.published import Request, built_files, parse_release, verify_published

if TYPE_CHECKING:
    from collections.abc import Sequence

    from wheelkit.checks.contract import Contract
    from wheelkit.config import Config
    from wheelkit.report.model import Report


def report_of(release: str, to: str, paths: Sequence[Path], contract: Contract, config: Config, *, deep: bool) -> Report:
    """Prove a release as an index shows it; the manifests of the folders among ``paths`` tell what was built."""
    identity = parse_release(release)
    built = {name: digest for path in paths if path.is_dir() for name, digest in built_files(path, identity).items()}
    request = Request(identity=identity, index=resolve(to, config), built=built)
    if not deep:
        return verify_published(request, Client(), contract)
    with tempfile.TemporaryDirectory(prefix="wheelkit-") as name:
        return verify_published(request, Client(), contract, Path(name))
