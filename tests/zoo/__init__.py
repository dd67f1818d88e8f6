"""The zoo: wheels that readers may read differently, each one a variant of a valid one.

Installers are asked about each in the integration tests; outcomes.tsv has their answers for the unit tests.
"""

from importlib import import_module

from zoo.variants import VARIANTS, Variant

__all__ = ["VARIANTS", "Variant"]

# Importing a group adds its variants to VARIANTS.
for _group in (
    "archive_ends", "archive_headers", "archive_streams", "archive_members",
    "texts", "records", "entry_points",
):  # fmt: skip
    import_module(f"zoo.{_group}")
