"""Small families for the tests of versions, and checkouts of the example families."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from support.command import git_commit
from wheelkit import config
from wheelkit.config import Config
from wheelkit.project.family import discover
from wheelkit.versions import state
from wheelkit.versions.model import FamilyVersions

FAMILIES = Path(__file__).parents[1] / "families"
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


def checked_out(name: str, root: Path) -> Path:
    """Check an example family out, on its own and under git, without what builds left there."""
    shutil.copytree(
        FAMILIES / name,
        root,
        ignore=shutil.ignore_patterns("dist", "*.egg-info", "_built_with.py", "__pycache__"),
    )
    (root / ".gitignore").write_text("dist/\n*.egg-info/\n_built_with.py\n")
    git_commit(root)
    return root
