"""Runs auditwheel or delocate for another machine's wheels.

Usage: ``python -m wheelkit.repair.foreign auditwheel ARCH LIBC …`` or ``… delocate …``.
"""

from __future__ import annotations

import sys
from unittest.mock import patch

# delocate's functions for Mach-O files, in its module tools; repairwheel has the same, by name and contract.
_DELOCATE_FUNCTIONS = (
    "_delete_rpaths", "_get_install_ids", "_get_install_names", "_get_rpaths", "add_rpath", "get_archs",
    "replace_signature", "set_install_id", "set_install_name", "validate_signature",
)  # fmt: skip


def run_auditwheel(arch: str, libc: str, *arguments: str) -> int:
    """Run auditwheel as if on a machine with the given architecture and libc, "manylinux" or "musllinux".

    It reads binaries of every architecture, but offers as ``--plat`` only the tags of its own machine.
    """
    from auditwheel.libc import Libc

    detected = Libc.MUSL if libc == "musllinux" else Libc.GLIBC
    with (
        patch("platform.machine", return_value=arch),
        patch.object(Libc, "detect", return_value=detected),
        patch.object(sys, "argv", ["auditwheel", *arguments]),
    ):
        from auditwheel.main import main

        return main() or 0


def run_delocate(*arguments: str) -> int:
    """Run delocate-wheel without Xcode."""
    replace_delocate_functions()
    from delocate.cmd import delocate_wheel

    with patch.object(sys, "argv", ["delocate-wheel", *arguments]):
        delocate_wheel.main()
    return 0


def replace_delocate_functions() -> None:
    """Replace delocate's functions for Mach-O files by those of repairwheel, wherever they are imported.

    delocate's own call otool, install_name_tool, lipo and codesign. Those of repairwheel are written in
    Python; they sign edited files again, ad hoc, as Apple's processors require.
    """
    from delocate import delocating, libsana, tools
    from repairwheel.macos import machotools

    for module in (tools, delocating, libsana):
        for name in _DELOCATE_FUNCTIONS:
            if hasattr(module, name):
                setattr(module, name, getattr(machotools, name))


if __name__ == "__main__":
    tool, *arguments = sys.argv[1:]
    sys.exit(run_auditwheel(*arguments) if tool == "auditwheel" else run_delocate(*arguments))
