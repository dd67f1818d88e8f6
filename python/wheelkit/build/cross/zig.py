"""Where zig is: the compiler and linker of cross builds, installed by an extra."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

from wheelkit.errors import MissingToolError


def find_zig() -> Path:
    """Find the zig of the distribution ziglang; raise MissingToolError with the way to install it."""
    spec = find_spec("ziglang")
    folder = Path(spec.origin).parent if spec and spec.origin else None
    program = folder / ("zig.exe" if os.name == "nt" else "zig") if folder else None
    if program is None or not program.is_file():
        raise MissingToolError("zig was not found, the compiler of cross builds", hint="pip install 'wheelkit[cross]'")
    return program


def zig_environment() -> dict[str, str]:
    """Give zig's settings: its compiled C libraries are kept between builds, since the first use of a target costs up to a minute."""
    if "ZIG_GLOBAL_CACHE_DIR" in os.environ:
        return {}
    from platformdirs import user_cache_path

    return {"ZIG_GLOBAL_CACHE_DIR": str(user_cache_path("wheelkit", appauthor=False) / "zig")}
