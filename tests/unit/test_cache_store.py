from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

import pytest

from wheelkit.builders.cache.digests import canonical
from wheelkit.builders.cache.entry import CacheEntry
from wheelkit.builders.cache.eviction import clear, evict
from wheelkit.builders.cache.store import Store, ValueKind
from wheelkit.manifest import BuiltFile

LABEL = "demo-any"
OLD = 1_000_000_000.0


class Notes(list[str]):
    """The messages to the user."""


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def store(tmp_path: Path, notes: Notes) -> Store:
    return Store(folder=tmp_path / "cache", limit=10_000, note=notes.append)


def digest(data: bytes) -> str:
    return sha256(data).hexdigest()


def put(store: Store, folder: Path, name: str, data: bytes, **parts: str) -> CacheEntry:
    """Keep one wheel of these bytes under the key of these parts."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(data)
    listing = canonical({"a.py": digest(name.encode())})
    entry = CacheEntry(
        key=digest(canonical(parts or {"name": name})),
        label=LABEL,
        parts=parts or {"name": name},
        listing=digest(listing),
        distribution="demo",
        version="1.0",
        source="0" * 64,
        tools={"uv": "1"},
        files=(
            BuiltFile(
                file=name,
                sha256=digest(data),
                size=len(data),
                kind="wheel",
                cells=("cp311",),
                tested=("cp311",),
            ),
        ),
        built=OLD,
        seconds=2.5,
        notes=("said",),
    )
    store.add(entry, {name: folder / name}, listing)
    return entry


def used(path: Path, seconds: float) -> None:
    os.utime(path, (OLD + seconds, OLD + seconds))


def entry_path(store: Store, entry: CacheEntry) -> Path:
    return store.base / "entries" / LABEL / f"{entry.key}.json"


def delivered(store: Store, entry: CacheEntry, folder: Path) -> dict[str, bytes] | None:
    hit = store.find(LABEL, entry.key)
    if hit is None:
        return None
    for one in hit.files:
        one.copy_to(folder / one.name)
    return {one.name: (folder / one.name).read_bytes() for one in hit.files}


def test_what_was_saved_comes_back_byte_for_byte_with_its_facts(store: Store, tmp_path: Path) -> None:
    entry = put(store, tmp_path / "built", "a.whl", b"wheel")
    hit = store.find(LABEL, entry.key)
    assert hit is not None
    assert hit.entry == entry
    assert delivered(store, entry, tmp_path) == {"a.whl": b"wheel"}
    assert store.find(LABEL, digest(b"another")) is None
    assert store.find("other-any", entry.key) is None


@pytest.mark.parametrize("damage", [b"whee1", b"whe", b"", b"wheels"])
def test_a_damaged_blob_is_never_given_and_is_reported_once(
    store: Store, notes: Notes, tmp_path: Path, damage: bytes
) -> None:
    entry = put(store, tmp_path / "built", "a.whl", b"wheel")
    store.blob(digest(b"wheel")).write_bytes(damage)
    assert delivered(store, entry, tmp_path) is None
    assert notes == ["a.whl is damaged in the cache and is built again"]
    assert delivered(store, entry, tmp_path) is None
    assert len(notes) == 1
    put(store, tmp_path / "built", "a.whl", b"wheel")
    assert delivered(store, entry, tmp_path) == {"a.whl": b"wheel"}


@pytest.mark.parametrize("length", [0, 1, 64, 65, 200])
def test_half_an_entry_is_not_used(store: Store, notes: Notes, tmp_path: Path, length: int) -> None:
    entry = put(store, tmp_path / "built", "a.whl", b"wheel")
    path = entry_path(store, entry)
    path.write_bytes(path.read_bytes()[:length])
    assert store.find(LABEL, entry.key) is None
    assert notes == [f"a damaged entry was removed from the cache: {LABEL}"]
    assert not path.exists()


def test_a_changed_entry_is_not_used(store: Store, tmp_path: Path) -> None:
    entry = put(store, tmp_path / "built", "a.whl", b"wheel")
    path = entry_path(store, entry)
    path.write_bytes(path.read_bytes().replace(b'"cp311"', b'"cp312"'))
    assert store.find(LABEL, entry.key) is None


def test_an_entry_without_its_blob_is_not_used(store: Store, tmp_path: Path) -> None:
    entry = put(store, tmp_path / "built", "a.whl", b"wheel")
    store.blob(digest(b"wheel")).unlink()
    assert store.find(LABEL, entry.key) is None
    assert not entry_path(store, entry).exists()


def test_a_file_that_changes_while_it_is_saved_is_not_saved(
    store: Store, notes: Notes, tmp_path: Path
) -> None:
    entry = put(store, tmp_path / "built", "a.whl", b"wheel")
    store.blob(digest(b"wheel")).unlink()
    (tmp_path / "built" / "a.whl").write_bytes(b"other")
    store.add(entry, {"a.whl": tmp_path / "built" / "a.whl"}, b"{}")
    assert "cannot be written" in notes[0]
    assert store.find(LABEL, entry.key) is None


def test_a_cache_that_cannot_be_written_is_only_reported(tmp_path: Path, notes: Notes) -> None:
    (tmp_path / "file").write_text("")
    store = Store(folder=tmp_path / "file", limit=1, note=notes.append)
    entry = put(store, tmp_path / "built", "a.whl", b"wheel")
    assert notes == [f"the cache {tmp_path / 'file'} cannot be written: Not a directory"]
    assert store.find(LABEL, entry.key) is None


def test_what_was_not_used_for_longest_goes_first(store: Store, tmp_path: Path) -> None:
    entries = [put(store, tmp_path / "built", f"{number}.whl", bytes([number]) * 3000) for number in range(4)]
    for number, entry in enumerate(entries):
        used(entry_path(store, entry), number)
    assert store.find(LABEL, entries[0].key) is not None  # used now
    freed = evict(store)
    assert [delivered(store, entry, tmp_path) is not None for entry in entries] == [True, False, False, True]
    assert freed > 6000
    assert sum(path.stat().st_size for path in store.base.rglob("*") if path.is_file()) <= store.limit


def test_a_cache_within_its_limit_loses_nothing(store: Store, tmp_path: Path) -> None:
    entries = [put(store, tmp_path / "built", f"{number}.whl", bytes([number]) * 1000) for number in range(3)]
    assert evict(store) == 0
    assert all(delivered(store, entry, tmp_path) for entry in entries)


def test_bytes_that_another_entry_needs_stay(store: Store, tmp_path: Path) -> None:
    old = put(store, tmp_path / "built", "a.whl", b"x" * 6000, n="1")
    new = put(store, tmp_path / "built", "a.whl", b"x" * 6000, n="2")
    used(entry_path(store, old), 0)
    used(entry_path(store, new), 1)
    small = Store(folder=store.folder, limit=7000)
    evict(small)
    assert delivered(store, old, tmp_path) is None
    assert delivered(store, new, tmp_path) == {"a.whl": b"x" * 6000}


def test_a_reader_keeps_what_is_evicted_under_it(store: Store, tmp_path: Path) -> None:
    entry = put(store, tmp_path / "built", "a.whl", b"wheel")
    hit = store.find(LABEL, entry.key)
    assert hit is not None
    clear(store)
    hit.files[0].copy_to(tmp_path / "copy.whl")
    assert (tmp_path / "copy.whl").read_bytes() == b"wheel"


def test_unfinished_files_of_the_killed_go_when_they_are_old(store: Store, tmp_path: Path) -> None:
    put(store, tmp_path / "built", "a.whl", b"wheel")
    folder = store.blob(digest(b"wheel")).parent
    for name, seconds in ((".tmp-old", 0.0), (".tmp-new", None)):
        (folder / name).write_bytes(b"half")
        if seconds is not None:
            used(folder / name, seconds)
    evict(store)
    assert sorted(path.name for path in folder.iterdir() if path.name.startswith(".tmp")) == [".tmp-new"]


def test_clearing_takes_the_cache_and_nothing_beside_it(store: Store, tmp_path: Path) -> None:
    put(store, tmp_path / "built", "a.whl", b"wheel")
    for name in ("venv", "v2 of my thesis", "v3"):
        (store.folder / name).mkdir()
        (store.folder / name / "mine").write_text("")
    files, size = clear(store)
    assert files == 3
    assert size > 5
    assert sorted(path.name for path in store.folder.iterdir()) == ["v2 of my thesis", "v3", "venv"]


def test_small_values_are_saved_and_verified(store: Store) -> None:
    store.save_value(ValueKind.ANSWER, "name", "said")
    assert store.load_value(ValueKind.ANSWER, "name") == "said"
    path = store.base / "answers" / "name"
    path.write_bytes(path.read_bytes() + b"!")
    assert store.load_value(ValueKind.ANSWER, "name") is None
    assert store.load_value(ValueKind.ANSWER, "other") is None
