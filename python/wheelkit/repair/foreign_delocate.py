"""Runs delocate where there is no Xcode: ``python -m wheelkit.repair.foreign_delocate …`` takes delocate-wheel's own arguments.

delocate reads and edits Mach-O files with otool, install_name_tool, lipo and codesign. repairwheel brings the same functions, written in
Python: they take the places of delocate's in this process, whose only work is delocate. What was edited is signed again, ad hoc, as
Apple's processors demand.
"""

from __future__ import annotations

# What delocate's functions for Mach-O files are called, in its module tools; repairwheel keeps their names and contracts.
_FUNCTIONS = (
    "_delete_rpaths",
    "_get_install_ids",
    "_get_install_names",
    "_get_rpaths",
    "add_rpath",
    "get_archs",
    "replace_signature",
    "set_install_id",
    "set_install_name",
    "validate_signature",
)


def exchange() -> None:
    """Put repairwheel's functions in the places of delocate's, wherever delocate has imported them."""
    from delocate import delocating, libsana, tools
    from repairwheel.macos import machotools

    for module in (tools, delocating, libsana):
        for name in _FUNCTIONS:
            if hasattr(module, name):
                setattr(module, name, getattr(machotools, name))


def main() -> None:
    """Run delocate-wheel's command line."""
    exchange()
    from delocate.cmd import delocate_wheel

    delocate_wheel.main()


if __name__ == "__main__":
    main()
