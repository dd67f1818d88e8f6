"""Commands that several messages propose. Tests run each of them on the project for which it is printed."""

from __future__ import annotations

# Whether files state the version, and are changed and committed, or git tags give it.
NEW_VERSION = "wheelkit version bump patch --commit"
REBUILD = f"{NEW_VERSION} && wheelkit build"
