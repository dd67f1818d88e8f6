"""Small families for the tests of versions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from wheelkit import config
from wheelkit.config import Config
from wheelkit.project.family import discover
from wheelkit.versions import state
from wheelkit.versions.model import FamilyVersions

if TYPE_CHECKING:
    from pathlib import Path


CORE = (
    '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
    '[project]\nname = "core"\nversion = "2.3.0"\n'
)
SCM = CORE.replace('version = "2.3.0"', 'dynamic = ["version"]\n[tool.hatch.version]\nsource = "vcs"')
CLI = CORE.replace("core", "cli").replace("2.3.0", "1.0.0") + 'dependencies = ["core>=2.3.0,<3.0.0"]\n'


def put(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode())
    return root


def opened(root: Path, document: dict[str, Any] | None = None) -> tuple[Config, FamilyVersions]:
    loaded = config.parse(document or {"distributions": ["*"]}, source=None, root=root)
    return loaded, state.read_versions(loaded, discover(loaded))
