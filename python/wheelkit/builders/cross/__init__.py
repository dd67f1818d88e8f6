"""Cross builds: all targets of a limited-API project from one machine, with zig as compiler and linker (preview)."""

from wheelkit.builders.cross.limits import require_supported
from wheelkit.builders.cross.run import build_all
from wheelkit.machine.compilers import find_zig

__all__ = ["build_all", "find_zig", "require_supported"]
