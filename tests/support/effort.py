"""The number of generated examples that a test tries; WHEELKIT_TEST_EFFORT=10 multiplies it by 10."""

from __future__ import annotations

import os


def examples(few: int) -> int:
    """Return ``few`` times WHEELKIT_TEST_EFFORT."""
    return few * int(os.environ.get("WHEELKIT_TEST_EFFORT", "1"))
