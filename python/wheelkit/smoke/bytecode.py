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
from typing import TYPE_CHECKING

from msgspec import Struct, field

from wheelkit.config import normalise

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from wheelkit.machine.interpreters import Python
    from wheelkit.smoke.shelf import BytecodeStore, CompiledFile


_CACHE = "__pycache__"
_HEADER = 16
_INFO = ".dist-info"
# By how much a file system's clock may be behind.
_SLACK = 2 * 10**9


class _Identity(Struct, frozen=True):
    """Which file this is; with size and time, lest an inode that was freed has come to mean another one."""

    device: int
    inode: int
    size: int
    written: int


class _Kept(Struct, frozen=True, kw_only=True):
    """What a source was compiled to, in a file that nothing writes to; ``sources`` is the digest of its third party, empty for others."""

    source: _Identity
    compiled: str
    sources: str = ""


class Bytecode(Struct, frozen=True, kw_only=True):
    """The compiled files of one run, by the interpreter and the path below site-packages, in a folder on the environments' disk.

    What distributions outside the ``family`` were compiled to comes from the ``shelf`` and goes there.
    """

    folder: Path
    family: frozenset[str] = frozenset()
    shelf: BytecodeStore | None = None
    _kept: dict[str, dict[str, _Kept]] = field(default_factory=dict)
    _met: dict[tuple[str, str], dict[str, str]] = field(default_factory=dict)
    _recalled: dict[tuple[str, str], int] = field(default_factory=dict)
    _began: int = field(default_factory=time.time_ns)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def learn(self, python: Python, site: Path) -> None:
        """Keep what an interpreter has compiled below a site-packages folder."""
        interpreter, base = _interpreter(python), str(site)
        owners: dict[str, str] | None = None
        with self._lock:
            known = self._kept.setdefault(interpreter, {})
            for path in _compiled(base):
                if path not in known:
                    owners = self._owners(interpreter, site) if owners is None else owners
                    with suppress(
                        OSError
                    ):  # where links are not to be had, each environment compiles for itself
                        source = _source(path)
                        compiled = f"{self.folder}/{interpreter}-{len(known)}"
                        identity = _identity(f"{base}/{source}")
                        os.link(f"{base}/{path}", compiled)
                        known[path] = _Kept(
                            source=identity, compiled=compiled, sources=owners.get(source, "")
                        )

    def teach(self, python: Python, site: Path) -> None:
        """Put what is known beside the sources that it was compiled from, for the same interpreter."""
        interpreter, base = _interpreter(python), str(site)
        with self._lock:
            self._recall(interpreter, site)
            known = [*self._kept.get(interpreter, {}).items()]
        made = set[str]()
        for path, kept in known:
            with suppress(OSError):
                if _identity(f"{base}/{_source(path)}") == kept.source:
                    folder = os.path.dirname(path)  # noqa: PTH120 - this runs for every module in every environment
                    if folder not in made:
                        made.add(folder)
                        os.makedirs(f"{base}/{folder}", exist_ok=True)  # noqa: PTH103 - as above
                    os.link(kept.compiled, f"{base}/{path}")

    def remember(self) -> None:
        """Put on the shelf what third parties were compiled to, where there is more of it than before."""
        if self.shelf is None:
            return
        from wheelkit.smoke.shelf import CompiledFile

        known: dict[tuple[str, str], dict[str, CompiledFile]] = {}
        for interpreter, compiled in self._kept.items():
            for path, kept in compiled.items():
                # A source that is younger than this run is the installer's copy, and will never be the same file again.
                if kept.sources and kept.source.written < self._began - _SLACK:
                    one = CompiledFile(file=kept.compiled, written=kept.source.written, size=kept.source.size)
                    known.setdefault((interpreter, kept.sources), {})[path] = one
        grown = {key: found for key, found in known.items() if len(found) > self._recalled.get(key, 0)}
        for (interpreter, sources), found in grown.items():
            self.shelf.save(
                interpreter, sources, {path: one for path, one in found.items() if _compiled_from(one)}
            )
        if grown:
            self.shelf.shrink()

    def _recall(self, interpreter: str, site: Path) -> None:
        """Take from the shelf what third parties that are met for the first time were compiled to."""
        if self.shelf is None:
            return
        known = self._kept.setdefault(interpreter, {})
        for sources in dict.fromkeys(self._owners(interpreter, site).values()):
            if (interpreter, sources) in self._recalled:
                continue
            found = 0
            for path, one in self.shelf.load(interpreter, sources).items():
                with suppress(OSError):
                    identity = _identity(f"{site}/{_source(path)}")
                    if path not in known and (identity.written, identity.size) == (one.written, one.size):
                        compiled = self._near(one.file, f"{interpreter}-{len(known)}")
                        known[path] = _Kept(source=identity, compiled=compiled, sources=sources)
                        found += 1
            self._recalled[interpreter, sources] = found

    def _near(self, file: str, name: str) -> str:
        """Give a file of the shelf itself, or where that is on another disk than the environments, which cannot link it, a copy."""
        if _identity(file).device == _identity(str(self.folder)).device:
            return file
        from shutil import copyfile

        return str(copyfile(file, self.folder / name))

    def _owners(self, interpreter: str, site: Path) -> dict[str, str]:
        """Map the sources of third parties to the digest of what RECORD says of all the distribution's sources."""
        owners: dict[str, str] = {}
        for name in os.listdir(site):  # noqa: PTH208 - names are enough
            if name.endswith(_INFO) and normalise(name.partition("-")[0]) not in self.family:
                if (interpreter, name) not in self._met:
                    rows = tuple(_rows(site / name / "RECORD"))
                    digest = sha256("\n".join(sorted(rows)).encode()).hexdigest()
                    self._met[interpreter, name] = {row.partition(",")[0]: digest for row in rows}
                owners |= self._met[interpreter, name]
        return owners


def _rows(record: Path) -> Iterator[str]:
    """Give RECORD's rows of sources; scripts, which name their environment, lie outside and begin with two dots."""
    with suppress(OSError):
        for row in record.read_text(encoding="utf-8", errors="replace").splitlines():
            if row.partition(",")[0].endswith(".py") and not row.startswith("."):
                yield row


def _interpreter(python: Python) -> str:
    return f"{python.interpreter.tag}-{python.version}"


def _identity(file: str) -> _Identity:
    status = os.stat(file)  # noqa: PTH116 - this runs for every module in every environment
    return _Identity(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def _compiled(site: str, below: str = "") -> Iterator[str]:
    """Walk the compiled files below a site-packages folder, by their paths there."""
    with suppress(OSError), os.scandir(f"{site}/{below}") as entries:
        for entry in entries:
            if below.endswith(f"{_CACHE}/"):
                if entry.name.endswith(".pyc"):
                    yield below + entry.name
            elif not entry.name.endswith((".py", _INFO)) and entry.is_dir(follow_symlinks=False):
                yield from _compiled(site, f"{below}{entry.name}/")


def _source(compiled: str) -> str:
    """Name the source of ``package/__pycache__/module.cpython-311.pyc``."""
    folder, _, name = compiled.rpartition("/")
    return f"{folder[: -len(_CACHE)]}{name.partition('.')[0]}.py"


def _compiled_from(one: CompiledFile) -> bool:
    """Tell whether bytecode was compiled from a source, as Python does: no flags, then the source's second and size (PEP 552)."""
    try:
        with open(one.file, "rb") as stream:  # noqa: PTH123 - this runs for every module in every environment
            header = stream.read(_HEADER)
    except OSError:
        return False
    numbers = (0, one.written // 10**9, one.size)
    return header[4:] == b"".join((number & 0xFFFFFFFF).to_bytes(4, "little") for number in numbers)
