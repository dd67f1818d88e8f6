"""Replaces the files of a dist folder by others while a release is published from it."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path


def by_rename(path: Path, data: bytes) -> None:
    """Put another file in a file's place, as build tools and editors do."""
    draft = path.with_name(f".{path.name}.draft")
    draft.write_bytes(data)
    draft.replace(path)


def in_place(path: Path, data: bytes) -> None:
    """Write other bytes into the same file, which changes hard links and open files too."""
    path.write_bytes(data)


def by_link(path: Path, data: bytes) -> None:
    """Replace a file by a link to another one."""
    other = path.with_name(f".{path.name}.other")
    other.write_bytes(data)
    path.unlink(missing_ok=True)
    path.symlink_to(other)


def by_removal(path: Path, data: bytes) -> None:  # noqa: ARG001 - the signature of all ways
    """Remove a file."""
    path.unlink(missing_ok=True)


Way = Callable[[Path, bytes], None]
WAYS: tuple[Way, ...] = (by_rename, in_place, by_link, by_removal)


def swap(dist: Path, others: Mapping[str, bytes], way: Way) -> None:
    """Replace each file of that name."""
    for name, data in others.items():
        way(dist / name, data)


@contextmanager
def swapping(dist: Path, others: Mapping[str, bytes], seed: int) -> Iterator[None]:
    """Replace files and put them back at random moments, for the time of a ``with`` block."""
    rng = random.Random(seed)  # noqa: S311 - repeatable, not secret
    originals = {name: (dist / name).read_bytes() for name in others}
    stop = threading.Event()

    def work() -> None:
        while not stop.wait(rng.uniform(0.0, 0.02)):
            name = rng.choice(sorted(others))
            contents = rng.choice((others, originals, originals, originals))
            with suppress(OSError):
                rng.choice((by_rename, in_place))(dist / name, contents[name])

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
        swap(dist, originals, by_rename)
