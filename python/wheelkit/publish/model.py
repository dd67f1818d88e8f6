"""What is to be published: the files of every distribution, in the order in which they may appear on an index."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from pathlib import Path

    from wheelkit.project import Kind


class ShippedFile(Struct, frozen=True, kw_only=True):
    """One file as the manifest describes it; ``attestations`` are the files that were signed for it."""

    path: Path
    sha256: str
    size: int
    builder: str = ""
    attestations: tuple[Path, ...] = ()

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name

    @property
    def is_wheel(self) -> bool:
        """Whether it is a wheel; else it is an sdist."""
        return self.name.endswith(".whl")


class Batch(Struct, frozen=True, kw_only=True):
    """The files of one distribution and version, wheels first; ``needs`` are the earlier ones of the family that it depends on."""

    distribution: str
    name: str
    version: str
    kind: Kind
    needs: tuple[str, ...]
    files: tuple[ShippedFile, ...]

    @property
    def wheels(self) -> tuple[ShippedFile, ...]:
        """The wheels."""
        return tuple(one for one in self.files if one.is_wheel)

    @property
    def sdists(self) -> tuple[ShippedFile, ...]:
        """The sdists."""
        return tuple(one for one in self.files if not one.is_wheel)


class Release(Struct, frozen=True, kw_only=True):
    """The whole family, each distribution after all that it needs and the meta last; ``commit`` is what it was built from."""

    batches: tuple[Batch, ...]
    commit: str
    dirty: bool
    created: str

    @property
    def files(self) -> tuple[ShippedFile, ...]:
        """Every file, in the order of upload."""
        return tuple(one for batch in self.batches for one in batch.files)

    @property
    def digest(self) -> str:
        """A name for these very bytes: the sha256 over all names and hashes."""
        lines = sorted(f"{one.sha256}  {one.name}\n" for one in self.files)
        return hashlib.sha256("".join(lines).encode()).hexdigest()
