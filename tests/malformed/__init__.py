"""Malformed wheels, each a valid one changed by a few lines, with the code of the finding that must catch it.

python tests/malformed      verify each of them as a user would, and print time and memory
"""

from importlib import import_module

from malformed.runs import run_cli, run_verify
from malformed.specs import (
    INFO,
    LINUX,
    MACOS,
    MALFORMED,
    PURE,
    SO,
    WINDOWS,
    WheelSpec,
    so,
    valid_wheel,
    write_valid_wheels,
)

__all__ = [
    "INFO",
    "LINUX",
    "MACOS",
    "MALFORMED",
    "PURE",
    "SO",
    "WINDOWS",
    "WheelSpec",
    "run_cli",
    "run_verify",
    "so",
    "valid_wheel",
    "write_valid_wheels",
]

# Importing a group adds its wheels to MALFORMED, in the order of their codes.
for _group in (
    "archive",
    "record",
    "sboms",
    "names",
    "installed",
    "platform_tag",
    "abi",
    "libraries",
    "size",
    "metadata",
):
    import_module(f"malformed.{_group}")
