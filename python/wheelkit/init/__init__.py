"""Start a project or a family, or bring wheelkit into one that is there; nothing is ever overwritten."""

from __future__ import annotations

from wheelkit.init.adopt import adopt
from wheelkit.init.changes import Change, diff, write
from wheelkit.init.fresh import fresh, is_project, name_of
from wheelkit.init.members import adopt_members, members

__all__ = ["Change", "adopt", "adopt_members", "diff", "fresh", "is_project", "members", "name_of", "write"]
