"""Create a project or a family, or configure wheelkit in an existing one; no file is ever overwritten."""

from __future__ import annotations

from wheelkit.init.adopt import Evidence, FileChange, adopt, diff, dist_script_change, write
from wheelkit.init.create import create, is_project, name_of
from wheelkit.init.members import adopt_members, members
from wheelkit.init.today import IndexAccess, own_workflows

__all__ = [
    "Evidence",
    "FileChange",
    "IndexAccess",
    "adopt",
    "adopt_members",
    "create",
    "diff",
    "dist_script_change",
    "is_project",
    "members",
    "name_of",
    "own_workflows",
    "write",
]
