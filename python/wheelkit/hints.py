"""Commands that several messages propose. Tests run each of them on the project for which it is printed."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

# Whether files state the version, and are changed and committed, or git tags give it.
NEW_VERSION = "wheelkit version bump patch --commit"
REBUILD = f"{NEW_VERSION} && wheelkit build"
_TAGS_AT_ONCE = 3


def push_tags(remote: str, names: Sequence[str]) -> str:
    """Return the command that pushes tags: GitHub starts no workflow for more than three at once."""
    groups = (names[start : start + _TAGS_AT_ONCE] for start in range(0, len(names), _TAGS_AT_ONCE))
    return " && ".join(f"git push {shlex.join([remote, *group])}" for group in groups)
