from __future__ import annotations

from pathlib import Path

import pytest

from wheelkit.builders.cache.digests import canonical, text_digest
from wheelkit.builders.cache.entry import CacheEntry, KeyInputs
from wheelkit.builders.cache.lookup import rebuild_reason
from wheelkit.builders.cache.store import Store

LABEL = "demo-any"
PARTS = {"sources": "1", "tool uv": "0.9", "tool cc": "a" * 64, "variable CC": "1", "step 0 tests": "a"}
FILES = {"a.c": "1", "b.c": "1"}


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """Return a store with one build."""
    store = Store(folder=tmp_path, limit=10_000)
    listing = canonical(FILES)
    entry = CacheEntry(
        key="0" * 64,
        label=LABEL,
        parts=PARTS,
        listing=text_digest(listing.decode()),
        built=0.0,
        distribution="demo",
        version="1",
        source="",
        tools={},
        files=(),
        seconds=1.0,
    )
    store.add(entry, {}, listing)
    return store


@pytest.mark.parametrize(
    ("parts", "files", "reason"),
    [
        ({}, FILES, "its files are no longer in the cache"),
        ({"tool uv": "0.10"}, FILES, "uv 0.10 instead of 0.9"),
        ({"tool cc": "b" * 64}, FILES, "cc changed"),
        ({"variable CC": "2"}, FILES, "CC changed"),
        ({"step 0 tests": "b"}, FILES, "the tests changed"),
        ({"wheelkit": "2"}, FILES, "wheelkit changed"),
        ({"sibling core.whl": "2"}, FILES, "core.whl, which it needs, changed"),
        ({"sources": "2"}, {"a.c": "2", "c.c": "1"}, "a.c changed, c.c is new, b.c is gone"),
        (
            {"sources": "2", "variable CC": "2"},
            {"a.c": "2", "c.c": "1"},
            "a.c changed, c.c is new, b.c is gone and 1 more",
        ),
    ],
)
def test_a_reason_names_what_changed(
    store: Store, parts: dict[str, str], files: dict[str, str], reason: str
) -> None:
    assert rebuild_reason(LABEL, KeyInputs(parts={**PARTS, **parts}, files=files), store) == reason


def test_a_build_without_a_key_or_a_predecessor_says_so(store: Store) -> None:
    inputs = KeyInputs(parts=PARTS, files=FILES)
    assert rebuild_reason("other-any", inputs, store) == "never built before"
    unknown = KeyInputs(parts=PARTS, files=FILES, unknown="the digest of x is not known here")
    assert rebuild_reason(LABEL, unknown, store) == "the digest of x is not known here"
