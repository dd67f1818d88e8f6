"""What one environment compiled, handed on to the next: most of the time of a first import is the compiler's.

Installers link the files of their cache into every environment. A source that is the very same file in two environments has the same
bytecode for the same interpreter; what is only a copy is compiled again. What third parties were compiled to is kept for later runs.
"""

from __future__ import annotations

import os
import threading
import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field

from wheelkit.config import normalise

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheelkit.machine import Python
    from wheelkit.smoke.shelf import Shelf

_CACHE = "__pycache__"
_HEADER = 16
# By how much a file system's clock may be behind.
_SLACK = 2 * 10**9


class _Kept(Struct, frozen=True, kw_only=True):
    """A source and what it was compiled to, both held by hard links, so that the inode cannot come to mean another file.

    ``status`` is the source's; ``sources`` is the digest of the third party that it belongs to, empty for others.
    """

    source: Path
    compiled: Path
    status: os.stat_result
    sources: str = ""


class Bytecode(Struct, frozen=True, kw_only=True):
    """The compiled files of one run, by the interpreter and the path below site-packages, in a folder on the environments' disk.

    What distributions outside the ``family`` were compiled to comes from the ``shelf`` and goes there.
    """

    folder: Path
    family: frozenset[str] = frozenset()
    shelf: Shelf | None = None
    _kept: dict[tuple[str, str], _Kept] = field(default_factory=dict)
    _recalled: dict[tuple[str, str], int] = field(default_factory=dict)
    _began: int = field(default_factory=time.time_ns)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def learn(self, python: Python, site: Path) -> None:
        """Keep what an interpreter has compiled below a site-packages folder."""
        interpreter, owners = _interpreter(python), None
        for compiled in _compiled(site):
            path = compiled.relative_to(site).as_posix()
            with self._lock, suppress(OSError):  # where links are not to be had, each environment compiles for itself
                if (interpreter, path) not in self._kept:
                    owners = owners if owners is not None else self._owners(site)
                    source = _source(compiled)
                    kept = self._keep(source, owners.get(source.relative_to(site).as_posix(), ""))
                    os.link(compiled, kept.compiled)
                    self._kept[interpreter, path] = kept

    def teach(self, python: Python, site: Path) -> None:
        """Put what is known beside the sources that it was compiled from, for the same interpreter."""
        interpreter, base = _interpreter(python), str(site)
        with self._lock:
            self._recall(interpreter, site)
            known = [(path, kept) for (owner, path), kept in self._kept.items() if owner == interpreter]
        for path, kept in known:
            folder, name = os.path.split(f"{base}/{path}")
            with suppress(OSError):  # os alone: this runs for every module in every environment
                if os.path.samestat(os.stat(f"{folder[: -len(_CACHE)]}{name.partition('.')[0]}.py"), kept.status):  # noqa: PTH116
                    with suppress(FileExistsError):
                        os.mkdir(folder)  # noqa: PTH102
                    os.link(kept.compiled, f"{folder}/{name}")

    def remember(self) -> None:
        """Put on the shelf what third parties were compiled to, where there is more of it than before."""
        if self.shelf is None:
            return
        from wheelkit.smoke.shelf import Compiled

        known: dict[tuple[str, str], dict[str, _Kept]] = {}
        for (interpreter, path), kept in self._kept.items():
            # A source that is younger than this run is the installer's copy, and will never be the same file again.
            if kept.sources and kept.status.st_mtime_ns < self._began - _SLACK:
                known.setdefault((interpreter, kept.sources), {})[path] = kept
        grown = {key: found for key, found in known.items() if len(found) > self._recalled.get(key, 0)}
        for (interpreter, sources), found in grown.items():
            read = {path: Compiled(kept.status.st_mtime_ns, kept.compiled.read_bytes()) for path, kept in found.items()}
            self.shelf.save(interpreter, sources, read)
        if grown:
            self.shelf.shrink()

    def _keep(self, source: Path, sources: str) -> _Kept:
        stem = str(self.folder / str(len(self._kept)))
        kept, compiled = Path(f"{stem}.py"), Path(f"{stem}.pyc")
        for left in (kept, compiled):
            left.unlink(missing_ok=True)
        os.link(source, kept)
        return _Kept(source=kept, compiled=compiled, status=kept.stat(), sources=sources)

    def _recall(self, interpreter: str, site: Path) -> None:
        """Take from the shelf what third parties that are met for the first time were compiled to."""
        if self.shelf is None:
            return
        for sources in dict.fromkeys(self._owners(site).values()):
            if (interpreter, sources) in self._recalled:
                continue
            pack = self.shelf.load(interpreter, sources)
            for path, one in pack.items():
                with suppress(OSError):
                    source = _source(site / path)
                    status = source.stat()
                    if (interpreter, path) not in self._kept and status.st_mtime_ns == one.written and _compiled_from(one.data, status):
                        kept = self._keep(source, sources)
                        kept.compiled.write_bytes(one.data)
                        self._kept[interpreter, path] = kept
            self._recalled[interpreter, sources] = sum(
                one == interpreter and kept.sources == sources for (one, _), kept in self._kept.items()
            )

    def _owners(self, site: Path) -> dict[str, str]:
        """Map the sources of third parties to the digest of what RECORD says of all the distribution's sources."""
        owners: dict[str, str] = {}
        for info in site.glob("*.dist-info"):
            if normalise(info.name.partition("-")[0]) not in self.family:
                rows = tuple(_rows(info / "RECORD"))
                digest = sha256("\n".join(sorted(rows)).encode()).hexdigest()
                owners.update((row.partition(",")[0], digest) for row in rows)
        return owners


def _rows(record: Path) -> Iterator[str]:
    """Give RECORD's rows of sources; scripts, which name their environment, lie outside and begin with two dots."""
    with suppress(OSError):
        for row in record.read_text(encoding="utf-8", errors="replace").splitlines():
            if row.partition(",")[0].endswith(".py") and not row.startswith("."):
                yield row


def _interpreter(python: Python) -> str:
    return f"{python.interpreter.tag}-{python.version}"


def _compiled(site: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(site):
        if folder.endswith(_CACHE):
            yield from (Path(folder, name) for name in names if name.endswith(".pyc"))


def _source(compiled: Path) -> Path:
    return compiled.parent.parent / f"{compiled.name.partition('.')[0]}.py"


def _compiled_from(data: bytes, status: os.stat_result) -> bool:
    """Tell whether bytecode was compiled from a source, as Python does: no flags, then the source's second and size (PEP 552)."""
    second, size = (value & 0xFFFFFFFF for value in (int(status.st_mtime), status.st_size))
    return data[4:_HEADER] == b"".join(number.to_bytes(4, "little") for number in (0, second, size))
