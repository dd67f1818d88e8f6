"""Ask the installers about generated wheels, and compare their answers with what wheelkit says."""

from importlib import import_module

# Importing a group adds its oddities to ODDITIES.
for _group in ("odd_names", "odd_members", "odd_texts", "odd_archives"):
    import_module(f"installers.{_group}")
