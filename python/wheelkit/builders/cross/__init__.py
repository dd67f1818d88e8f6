"""Cross builds (preview): all targets of a limited-API project on one machine, compiled with zig."""

from wheelkit.builders.cross.limits import require_supported
from wheelkit.builders.cross.run import build_all

__all__ = ["build_all", "require_supported"]
