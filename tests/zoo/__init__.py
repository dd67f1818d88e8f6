"""A zoo of malformed and lying wheels, each made from a good one by a few lines, with the code of the finding that must catch it.

`python tests/zoo` runs the command on each, as a user would, and prints what it took.
"""

from importlib import import_module

from zoo.drafts import INFO, LINUX, MACOS, PURE, SO, WINDOWS, ZOO, Draft, good, so, write_herd
from zoo.visits import run, visit

__all__ = ["INFO", "LINUX", "MACOS", "PURE", "SO", "WINDOWS", "ZOO", "Draft", "good", "run", "so", "visit", "write_herd"]

# Importing a group puts its animals into ZOO; they stand there in the order of their codes, not of the modules' names.
for _group in ("archive", "record", "names", "platform_tag", "abi", "libraries", "size", "metadata"):
    import_module(f"zoo.{_group}")
