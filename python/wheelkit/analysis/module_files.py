"""Files that Python imports as extension modules, and which interpreters look for their suffixes.

The suffixes are those of CPython's Python/dynload_shlib.c and dynload_win.c, as each version lists them in
importlib.machinery.EXTENSION_SUFFIXES; a test asks the interpreters.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct

from wheelkit.analysis.reach import FIRST_ABI3T

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wheelkit.matrix import Interpreter
    from wheelkit.wheel import Binary, Wheel


_FILE = re.compile(
    r"""(?P<module>[^.]+)\.
    (?:(?P<stable>abi3t?)(?:-(?P<abi_triplet>[\w-]+))?\.so
      |cpython-(?P<unix>3\d+t?)(?P<flags>[dmu]*)(?:-(?P<triplet>[\w-]+))?\.so
      |cp(?P<windows>3\d+t?)-(?P<platform>win\w+)\.pyd
      |pypy(?P<pypy>3\d+)-[\w-]+\.(?:so|pyd)
      |(?P<graalpy>graalpy[\w-]*)\.(?:so|pyd|dylib)
      |(?P<nobody>(?:abi3t?|cpython-3\d+t?)[\w-]*\.(?:pyd|dylib|dll)|cp3\d+t?-win\w+\.(?:so|dll))
      |(?P<plain>so|pyd))""",
    re.VERBOSE,
)
# Where installers put the files of these folders (binary distribution format).
_SCHEME = re.compile(r"[^/]+\.data/(?:purelib|platlib)/")
# Release builds of 3.8 and later look for no suffix of debug builds; those before have flags of their own.
_SAME_FLAGS_SINCE = 8
# Suffixes have had a triplet since 3.5, and have told musl from glibc since 3.11.
_TRIPLETS_SINCE, _MUSL_SINCE = 5, 11

# The processors in the triplets of CPython's configure, by their names in platform tags.
_PROCESSORS: Mapping[str, str] = {
    "i686": "i386", "ppc64le": "powerpc64le", "ppc64": "powerpc64", "armv7l": "arm", "armv6l": "arm",
    "armv8l": "arm",
}  # fmt: skip
_LINUX = re.compile(r"(?P<libc>manylinux|musllinux|linux)(?:1|2010|2014|_\d+_\d+)?_(?P<arch>[a-z]\w*)")
_IOS = re.compile(r"ios_\d+_\d+_(?:arm64|x86_64)_(?P<sdk>iphoneos|iphonesimulator)")
_ANDROID: Mapping[str, str] = {
    "arm64_v8a": "aarch64-linux-android", "armeabi_v7a": "arm-linux-androideabi",
    "x86_64": "x86_64-linux-android", "x86": "i686-linux-android",
}  # fmt: skip
_ANDROID_TAG = re.compile(r"android_\d+_(?P<abi>\w+)")


class ModuleFile(Struct, frozen=True, kw_only=True):
    """A file with the name of an extension module.

    ``folder`` is where it is installed. ``kind`` is ``plain`` (.so), ``abi3``, ``abi3t``, ``cpython``,
    ``pypy``, ``graalpy`` or ``nobody``; only CPython's and PyPy's have a ``version``, such as ``314t``.
    """

    binary: Binary
    folder: str
    stem: str
    kind: str
    version: str = ""
    debug: bool = False
    triplet: str = ""

    @property
    def module(self) -> str:
        """The last part of the module's name: a package's own module is named like its folder."""
        return self.folder.rpartition("/")[2] if self.stem == "__init__" else self.stem

    @property
    def key(self) -> tuple[str, str]:
        """What all files of one module share."""
        return self.folder, self.stem

    @property
    def importable(self) -> bool:
        """Whether an import statement can name it."""
        parts = [part for part in self.folder.split("/") if part]
        return all(part.isidentifier() for part in (*parts, self.stem))

    def entry_points(self) -> tuple[str, str]:
        """Return the names of PyInit_ and PyModExport_ that CPython looks for (PEP 489, PEP 793)."""
        if self.module.isascii():
            return f"PyInit_{self.module}", f"PyModExport_{self.module}"
        encoded = self.module.encode("punycode").decode().replace("-", "_")
        return f"PyInitU_{encoded}", f"PyModExportU_{encoded}"

    def has_entry_point(self) -> bool:
        """Return whether the file exports an entry point that CPython looks for, on every architecture."""
        wanted = set(self.entry_points())
        return all(wanted.intersection(slice_.exports) for slice_ in self.binary.slices)

    def imported_by(self, interpreter: Interpreter) -> bool:
        """Return whether an interpreter, on the platform of the file, takes its suffix for its own."""
        if self.kind == "cpython":
            return f"cp{self.version}" == interpreter.tag and not self.debug
        if self.kind == "pypy":
            return f"pp{self.version}" == interpreter.tag
        if interpreter.implementation != "cp" or self.kind == "plain":
            return self.kind in {"plain", "abi3"}
        recent = interpreter.version[1] >= FIRST_ABI3T
        if self.kind == "abi3":
            # Free-threaded 3.13 and 3.14 look for it, and crash on the layout of objects that they find.
            return not interpreter.free_threaded and (recent or not self.triplet)
        return self.kind == "abi3t" and recent

    def named_for_another(self, platforms: tuple[str, ...]) -> bool:
        """Return whether the platform in the name is none of the wheel's; False where those are not known."""
        wanted = [_triplets(platform.lower(), self.version) for platform in platforms]
        return (
            bool(self.triplet)
            and None not in wanted
            and not any(self.triplet in one for one in wanted if one)
        )


def module_files(wheel: Wheel) -> list[ModuleFile]:
    """Return the binaries that export an entry point and are named like extension modules.

    A suffix that no Python looks for can be a library's, unless the entry point is named like the file.
    """
    files = [file for binary in wheel.binaries if binary.extension and (file := module_file(binary))]
    return [file for file in files if file.kind != "nobody" or file.has_entry_point()]


def module_file(binary: Binary) -> ModuleFile | None:
    """Read the name of a binary as that of an extension module; None if it is another name."""
    match = _FILE.fullmatch(binary.name)
    if match is None:
        return None
    kind, version = _kind(match)
    flags, triplet = match["flags"] or "", match["triplet"] or match["abi_triplet"] or match["platform"] or ""
    minor = int(version[1:].rstrip("t") or 0) if kind == "cpython" else 0
    if match["unix"] and minor >= _TRIPLETS_SINCE and not triplet:
        kind = "nobody"
    return ModuleFile(
        binary=binary,
        folder=_SCHEME.sub("", binary.member, count=1).rpartition("/")[0],
        stem=match["module"],
        kind=kind,
        version=version,
        debug="d" in flags and minor >= _SAME_FLAGS_SINCE,
        triplet=triplet,
    )


def _kind(match: re.Match[str]) -> tuple[str, str]:
    if version := match["unix"] or match["windows"]:
        return "cpython", version
    if match["pypy"]:
        return "pypy", match["pypy"]
    return match["stable"] or next(kind for kind in ("graalpy", "nobody", "plain") if match[kind]), ""


def named_as_module(name: str) -> bool:
    """Return whether a file's name is that of an extension module, and of no library."""
    match = _FILE.fullmatch(name)
    return match is not None and (name.endswith(".pyd") or not (match["plain"] or match["nobody"]))


def modules(files: list[ModuleFile]) -> Iterator[list[ModuleFile]]:
    """Group the files that are the same module for different interpreters."""
    groups: dict[tuple[str, str], list[ModuleFile]] = {}
    for file in files:
        groups.setdefault(file.key, []).append(file)
    yield from groups.values()


def _triplets(platform: str, version: str) -> frozenset[str] | None:
    """Return the platforms that suffixes name on the system of a tag; None for an unknown tag."""
    if platform.startswith("win"):
        return frozenset({platform})
    if platform.startswith("macosx"):
        return frozenset({"darwin"})
    if match := _IOS.fullmatch(platform):
        return frozenset({match["sdk"]})
    if (match := _ANDROID_TAG.fullmatch(platform)) and match["abi"] in _ANDROID:
        return frozenset({_ANDROID[match["abi"]]})
    if match := _LINUX.fullmatch(platform):
        return frozenset(_linux_triplets(match["libc"], match["arch"], version))
    return None


def _linux_triplets(libc: str, arch: str, version: str) -> Iterator[str]:
    processor = _PROCESSORS.get(arch, arch)
    ending = "eabihf" if processor == "arm" else ""
    old = bool(version) and int(version[1:].rstrip("t")) < _MUSL_SINCE
    if libc != "musllinux" or old:
        yield f"{processor}-linux-gnu{ending}"
    if libc != "manylinux":
        yield f"{processor}-linux-musl{ending}"
