"""Plugin of pytest: run the tests that a JSON file names, in its order.

Loaded with ``-p mutation.selection``; ``WHEELKIT_MUTATION_TESTS`` is the file: the names to run and the
seconds that each may take, then all names that are known. Tests of other names run too: a change may rename
the rows of a table. A test that takes longer fails by its name, so that it can be tried again without the
change.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep the chosen tests and those that are not known."""
    limits, known = json.loads(Path(os.environ["WHEELKIT_MUTATION_TESTS"]).read_text())
    places = {name: place for place, name in enumerate(limits)}
    unknown = {item.nodeid for item in items}.difference(known)
    kept = [item for item in items if item.nodeid in places or item.nodeid in unknown]
    items[:] = sorted(kept, key=lambda item: places.get(item.nodeid, len(places)))
    for item in kept:
        if item.nodeid in limits:
            item.add_marker(pytest.mark.timeout(limits[item.nodeid]), append=False)
