"""Create a project or a family, or configure wheelkit in an existing one; no file is ever overwritten."""

from __future__ import annotations

from wheelkit.init.adopt import FileChange, adopt, diff, write
from wheelkit.init.create import create, is_project, name_of
from wheelkit.init.members import adopt_members, members

__all__ = [
    "FileChange",
    "adopt",
    "adopt_members",
    "create",
    "diff",
    "is_project",
    "members",
    "name_of",
    "write",
]
