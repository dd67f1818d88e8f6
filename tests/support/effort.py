"""How many generated examples a test tries: few by default, more by WHEELKIT_TEST_EFFORT=10."""

from __future__ import annotations

import os


def examples(few: int) -> int:
    """Give ``few``, times the effort that was asked for."""
    return few * int(os.environ.get("WHEELKIT_TEST_EFFORT", "1"))
