"""What one environment compiled, handed on to the next: most of the time of a first import is the compiler's.

Installers link the files of their cache into every environment. A source that is the very same file in two environments has the same
bytecode for the same interpreter; what is only a copy is compiled again.
"""

from __future__ import annotations

import os
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

_CACHE = "__pycache__"


@dataclass(frozen=True, kw_only=True, slots=True)
class _Kept:
    """A source and what it was compiled to, both held by hard links, so that the inode cannot come to mean another file."""

    source: Path
    compiled: Path


@dataclass(frozen=True, kw_only=True, slots=True)
class Bytecode:
    """The compiled files of one run, by the interpreter and the path below site-packages, in a folder on the environments' disk."""

    folder: Path
    _kept: dict[tuple[Path, str], _Kept] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def learn(self, python: Path, site: Path) -> None:
        """Keep what an interpreter has compiled below a site-packages folder."""
        for cache in (Path(folder) for folder, _, _ in os.walk(site) if folder.endswith(_CACHE)):
            for compiled in cache.glob("*.pyc"):
                source = cache.parent / f"{compiled.name.partition('.')[0]}.py"
                key = (python, str(compiled.relative_to(site)))
                with self._lock, suppress(OSError):  # where links are not to be had, each environment compiles for itself
                    if key not in self._kept:
                        self._kept[key] = self._keep(source, compiled)

    def _keep(self, source: Path, compiled: Path) -> _Kept:
        stem = str(self.folder / str(len(self._kept)))
        kept = _Kept(source=Path(f"{stem}.py"), compiled=Path(f"{stem}.pyc"))
        os.link(source, kept.source)
        os.link(compiled, kept.compiled)
        return kept

    def teach(self, python: Path, site: Path) -> None:
        """Put what is known beside the sources that it was compiled from, for the same interpreter."""
        with self._lock:
            known = [(path, kept) for (owner, path), kept in self._kept.items() if owner == python]
        for path, kept in known:
            compiled = site / path
            source = compiled.parent.parent / f"{compiled.name.partition('.')[0]}.py"
            with suppress(OSError):
                if source.samefile(kept.source):
                    compiled.parent.mkdir(exist_ok=True)
                    os.link(kept.compiled, compiled)
