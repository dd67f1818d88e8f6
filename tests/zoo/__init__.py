"""The zoo: wheels and sdists that readers may read differently, each one a variant of a valid one.

Installers are asked about each in the integration tests; their answers are recorded for the unit tests.
"""

from importlib import import_module

from zoo.sdists import SDISTS
from zoo.variants import VARIANTS, Variant

__all__ = ["SDISTS", "VARIANTS", "Variant"]

# Importing a group adds its variants to VARIANTS or SDISTS.
for _group in (
    "archive_ends", "archive_headers", "archive_streams", "archive_members",
    "texts", "records", "entry_points", "sdist_forms",
):  # fmt: skip
    import_module(f"zoo.{_group}")
