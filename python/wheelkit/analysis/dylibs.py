"""Where dyld finds the libraries that the Mach-O files of a wheel need.

A name is a path: ``@loader_path`` is the folder of the file that needs the library, ``@executable_path`` that
of the program, which for a module is the interpreter, and ``@rpath`` each LC_RPATH of that file and of those
that loaded it. A library that was found by an ``@rpath`` name serves all of the process under that name
(dyld/Loader.cpp).
"""

from __future__ import annotations

from posixpath import basename, dirname, join, normpath
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.analysis.claims import arch_of
from wheelkit.analysis.installed import installed_path
from wheelkit.analysis.macos import MACOS_PLATFORMS, macos_slices

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from wheelkit._core import Slice
    from wheelkit.wheel import Binary, Wheel


_LOADER, _EXECUTABLE, _RPATH = "@loader_path", "@executable_path", "@rpath/"
# Without these, a file is not loaded; code handles the absence of weak and lazy libraries.
_NEEDED = frozenset({"required", "reexport", "upward"})


class Dylib(Struct, frozen=True, kw_only=True):
    """A Mach-O file of a wheel, in one architecture, and its path below site-packages."""

    binary: Binary
    slice_: Slice
    path: str

    @property
    def needed(self) -> Iterator[str]:
        """The names of the libraries without which it is not loaded."""
        return (library.name for library in self.slice_.needed if library.how in _NEEDED)

    @property
    def program(self) -> bool:
        """Whether it is started by itself."""
        return self.slice_.kind == "executable"


class LostDylib(Struct, frozen=True, kw_only=True):
    """A name that dyld does not find for some binaries, although the wheel has a library with its file name.

    ``certain`` tells whether this keeps a module from being imported, or nothing else in the wheel loads the
    library first.
    """

    name: str
    users: tuple[str, ...]
    certain: bool


class _Loaded(Struct, frozen=True, kw_only=True):
    file: Dylib
    by: _Loaded | None


class _Run(Struct, frozen=True, kw_only=True):
    """What loading one file loads, and the needs that were not found."""

    root: Dylib
    names: frozenset[str]
    paths: frozenset[str]
    lost: Sequence[tuple[Dylib, str]]


def lost_dylibs(wheel: Wheel) -> list[LostDylib]:
    """Return the libraries of a wheel that dyld does not find for some of its files, sorted by name."""
    by_arch: dict[str, dict[str, Dylib]] = {}
    for binary, slice_ in macos_slices(wheel):
        if slice_.os in MACOS_PLATFORMS:
            path = installed_path(binary.member)
            by_arch.setdefault(arch_of(slice_), {})[path] = Dylib(binary=binary, slice_=slice_, path=path)
    held = {basename(name) for name in wheel.held}
    found: dict[str, tuple[dict[str, None], list[bool]]] = {}
    for files in by_arch.values():
        for user, name, certain in _lost(_runs(files, held)):
            users, verdicts = found.setdefault(name, ({}, []))
            users[user.binary.member] = None
            verdicts.append(certain)
    return [
        LostDylib(name=name, users=tuple(users), certain=any(verdicts))
        for name, (users, verdicts) in sorted(found.items())
    ]


def _runs(files: Mapping[str, Dylib], held: set[str]) -> list[_Run]:
    """Load each module and program by itself, and then each library that none of them loads."""
    opened = [file for file in files.values() if file.binary.extension or file.program]
    runs = [_load(file, files, held) for file in opened]
    served = {path for run in runs for path in run.paths}
    return runs + [_load(file, files, held) for file in files.values() if file.path not in served]


def _lost(runs: Iterable[_Run]) -> Iterator[tuple[Dylib, str, bool]]:
    """Yield each file with a name that it did not find, and whether that matters for sure."""
    everywhere = [(run.root.path, run.names) for run in runs]
    for run in runs:
        for user, name in run.lost:
            elsewhere = any(name in names for root, names in everywhere if root != run.root.path)
            yield user, name, run.root.binary.extension and not elsewhere


def _load(root: Dylib, files: Mapping[str, Dylib], held: set[str]) -> _Run:
    """Load a file and what it needs, each file once."""
    loaded = [_Loaded(file=root, by=None)]
    names: set[str] = set()
    paths = {root.path}
    lost: list[tuple[Dylib, str]] = []
    for user in loaded:  # grows while it is walked
        for name in user.file.needed:
            if name.startswith("/") or name in names or basename(name) not in held:
                continue
            found = next((files[path] for path in _candidates(user, name) if path in files), None)
            if found is None:
                lost.append((user.file, name))
                continue
            names |= {name} if name.startswith(_RPATH) else set()
            if found.path not in paths:
                paths.add(found.path)
                loaded.append(_Loaded(file=found, by=user))
    return _Run(root=root, names=frozenset(names), paths=frozenset(paths), lost=lost)


def _candidates(user: _Loaded, name: str) -> Iterator[str]:
    """Yield the paths below site-packages where dyld looks for a name."""
    if not name.startswith(_RPATH):
        path = _expanded(user, user, name)
        if path is not None:
            yield path
        return
    loader: _Loaded | None = user
    while loader is not None:
        for rpath in loader.file.slice_.rpaths:
            folder = _expanded(loader, user, rpath.path)
            if folder is not None:
                yield normpath(join(folder, name.removeprefix(_RPATH)))
        loader = loader.by


def _expanded(file: _Loaded, user: _Loaded, path: str) -> str | None:
    """Return a path below site-packages; None where it is outside, or beside the interpreter."""
    start, _, rest = path.partition("/")
    if start == _LOADER:
        return normpath(join(dirname(file.file.path), rest))
    root = user
    while root.by is not None:
        root = root.by
    if start == _EXECUTABLE and root.file.program:
        return normpath(join(dirname(root.file.path), rest))
    return None
