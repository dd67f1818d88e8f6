"""Keeps the bytecode of third-party packages from one environment, and one smoke test, to the next.

Every environment imports its packages for the first time, and Python spends most of that time compiling them.
The cache saves a quarter of the processor time of a smoke test whose packages import click and rich, and two
fifths if they import numpy and pandas as well. The family's own modules are never cached.

A pack is a file with the .pyc files of one distribution for one interpreter, named by a digest of the lines
that RECORD has for its sources. A .pyc file is used only if its header has the time and size of the source
(PEP 552), which Python checks again. Installers that link files from their cache, as uv does, keep the time;
copies have a new one.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct, field

from wheelkit.machine.folders import BYTECODE_FOLDER, cache_enabled, cache_folder
from wheelkit.smoke.installed import installed_distributions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.machine.interpreters import Python
    from wheelkit.machine.workspace import Workspace


_LIMIT = 200 * 1000**2
_DIGEST_SIZE = 32
_HEADER_SIZE = 16
# File systems may date a file that is written now this many seconds back.
_CLOCK_SKEW = 2.0

Pack = dict[str, bytes]
"""The contents of .pyc files, by path below site-packages."""
Sources = dict[str, str]
"""The lines that RECORD has for a distribution's sources, by path below site-packages."""


class BytecodeCache(Struct, frozen=True, kw_only=True):
    """A folder of packs, at most ``limit`` bytes large; distributions of the ``family`` are left out."""

    folder: Path
    family: frozenset[str]
    limit: int = _LIMIT
    started: float = field(default_factory=time.time)
    _read: dict[Path, Pack] = field(default_factory=dict)

    def install(self, venv: Path, python: Python) -> None:
        """Write the cached bytecode beside the sources that it was compiled from."""
        for site, sources in self._third_parties(venv):
            for path, bytecode in self._read_pack(self._pack(python, sources)).items():
                target = site / path
                if _is_current(bytecode, _source_of(target)):
                    with suppress(OSError):
                        target.parent.mkdir(exist_ok=True)
                        target.write_bytes(bytecode)

    def collect(self, venv: Path, python: Python) -> None:
        """Add what an environment compiled to the cache."""
        for site, sources in self._third_parties(venv):
            pack = self._pack(python, sources)
            cached = self._read_pack(pack)
            compiled = {
                path: bytecode
                for path, bytecode in _compiled(site, sources)
                if cached.get(path) != bytecode and self._is_linked(_source_of(site / path))
            }
            if compiled:
                self._write_pack(pack, {**cached, **compiled})

    def _third_parties(self, venv: Path) -> Iterator[tuple[Path, Sources]]:
        """Return the site-packages folder and the sources of each distribution outside the family."""
        for key, distribution in installed_distributions(venv).items():
            if key not in self.family:
                lines = (distribution.read_text("RECORD") or "").splitlines()
                sources = {path: line for line in lines if _is_source(path := line.partition(",")[0])}
                yield Path(str(distribution.locate_file(""))), sources

    def _pack(self, python: Python, sources: Sources) -> Path:
        digest = sha256("\n".join(sorted(sources.values())).encode()).hexdigest()
        return self.folder / f"{python.interpreter}-{python.version}-{digest}.pack"

    def _is_linked(self, source: Path) -> bool:
        """Return whether a source is older than this run, so that later environments get the same file."""
        return source.stat().st_mtime < self.started - _CLOCK_SKEW

    def _read_pack(self, path: Path) -> Pack:
        """Return a pack, which is read only once in a run."""
        if path not in self._read:
            self._read[path] = _read_pack(path)
        return self._read[path]

    def _write_pack(self, path: Path, pack: Pack) -> None:
        """Write a pack; a cache that cannot be written is left as it is."""
        self._read[path] = pack
        data = msgspec.msgpack.encode(pack)
        with suppress(OSError):
            self.folder.mkdir(parents=True, exist_ok=True)
            draft = self.folder / f".tmp-{os.urandom(8).hex()}.pack"
            draft.write_bytes(sha256(data).digest() + data)
            draft.replace(path)
            self._evict()

    def _evict(self) -> None:
        """Remove the packs that were not used for longest until the rest is below the limit."""
        total = 0
        packs = ((path.stat(), path) for path in self.folder.glob("*.pack"))
        for status, path in sorted(packs, key=lambda pack: pack[0].st_mtime, reverse=True):
            total += status.st_size
            if total > self.limit:
                path.unlink(missing_ok=True)


def open_cache(family: frozenset[str], workspace: Workspace) -> BytecodeCache:
    """Return the cache in the user's cache folder; if the environment disables that, one for this run."""
    folder = cache_folder() / BYTECODE_FOLDER if cache_enabled() else workspace.new_folder("bytecode")
    return BytecodeCache(folder=folder, family=family)


def _read_pack(path: Path) -> Pack:
    """Read a pack and mark it as used; a damaged one is empty."""
    with suppress(OSError, msgspec.DecodeError):
        data = path.read_bytes()
        if sha256(data[_DIGEST_SIZE:]).digest() == data[:_DIGEST_SIZE]:
            os.utime(path)
            return msgspec.msgpack.decode(data[_DIGEST_SIZE:], type=Pack)
    return {}


def _compiled(site: Path, sources: Sources) -> Iterator[tuple[str, bytes]]:
    """Return the current .pyc files of a distribution, by path."""
    for folder in {path.rpartition("/")[0] for path in sources}:
        for file in (site / folder / "__pycache__").glob("*.pyc"):
            source = _source_of(file)
            if f"{folder}/{source.name}".lstrip("/") in sources and _is_current(
                bytecode := file.read_bytes(), source
            ):
                yield f"{folder}/__pycache__/{file.name}".lstrip("/"), bytecode


def _is_source(path: str) -> bool:
    return path.endswith(".py") and not path.startswith("/") and ".." not in path.split("/")


def _is_current(bytecode: bytes, source: Path) -> bool:
    """Return whether bytecode has a header with time and size (PEP 552), and they are those of the source."""
    try:
        status = source.stat()
    except OSError:
        return False
    numbers = (0, int(status.st_mtime), status.st_size)
    return bytecode[4:_HEADER_SIZE] == b"".join(
        (number & 0xFFFFFFFF).to_bytes(4, "little") for number in numbers
    )


def _source_of(bytecode: Path) -> Path:
    """Return the source of ``package/__pycache__/module.cpython-311.pyc``."""
    return bytecode.parent.parent / f"{bytecode.name.partition('.')[0]}.py"
