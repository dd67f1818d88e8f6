"""Faults that the fake index produces: for which requests, and of which kind."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """A fault of an upload, before or after the index keeps the file, or of a listing (``LOOK_...``)."""

    BROKEN_BEFORE = "503 before the commit"
    BROKEN_AFTER = "503 after the commit"
    CUT_BEFORE = "connection cut before the commit"
    CUT_AFTER = "connection cut after the commit"
    BUSY = "429"
    SLOW = "slow answer"
    LOOK_BROKEN = "listing answers 503"
    LOOK_CUT = "listing cut"
    LOOK_STALE = "listing from before the last upload"


LOOKS = frozenset({Kind.LOOK_BROKEN, Kind.LOOK_CUT, Kind.LOOK_STALE})


@dataclass(frozen=True, kw_only=True)
class Fault:
    """A fault: its kind, the number (from 1) of the first request that it affects, and how many in a row."""

    kind: Kind
    at: int = 1
    times: int = 1


class Faults:
    """The planned faults; uploads and listings are counted separately."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._faults = tuple(faults)
        self._uploads = self._looks = 0
        self._lock = threading.Lock()
        self.met: list[Kind] = []

    def upload(self) -> Kind | None:
        """Count an upload; returns its fault."""
        with self._lock:
            self._uploads += 1
            return self._due(self._uploads, looks=False)

    def look(self) -> Kind | None:
        """Count a listing; returns its fault."""
        with self._lock:
            self._looks += 1
            return self._due(self._looks, looks=True)

    def _due(self, number: int, *, looks: bool) -> Kind | None:
        for fault in self._faults:
            if (fault.kind in LOOKS) == looks and fault.at <= number < fault.at + fault.times:
                self.met.append(fault.kind)
                return fault.kind
        return None


def random_faults(seed: int, count: int = 2, span: int = 12) -> Faults:
    """Return ``count`` random faults within the first ``span`` requests."""
    draw = random.Random(seed)  # noqa: S311 - not for cryptography
    kinds = list(Kind)
    return Faults(
        Fault(kind=draw.choice(kinds), at=draw.randint(1, span), times=draw.randint(1, 3))
        for _ in range(count)
    )
