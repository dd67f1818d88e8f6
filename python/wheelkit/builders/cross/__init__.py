"""Cross builds (preview): all targets of a limited-API project on one machine, compiled with zig."""

from wheelkit.builders.cross.limits import require_supported
from wheelkit.builders.cross.run import build_all
from wheelkit.machine.compilers import find_zig

__all__ = ["build_all", "find_zig", "require_supported"]
