"""Which libraries macOS and Windows bring along; each Linux tag has a list of its own (auditwheel's policies)."""

from __future__ import annotations

from wheelkit.matrix import System

# The parts of glibc and musl, and the loaders, by the beginnings of their names.
_C_LIBRARIES = ("libc.", "libm.", "libpthread.", "libdl.", "librt.", "libutil.", "ld-linux", "ld-musl", "libc.musl", "ld64.", "linux-vdso.")
# Where macOS' libraries and frameworks stand (dyld's shared cache).
_MACOS_FOLDERS = ("/usr/lib/", "/System/Library/")


def everywhere(library: str, system: System) -> bool:
    """Tell whether every machine with the system and its C runtime has the library, so that no distribution provides it."""
    if system is System.MACOS:
        return of_macos(library)
    return of_windows(library) if system is System.WINDOWS else library.startswith(_C_LIBRARIES)


def of_macos(path: str) -> bool:
    """Tell whether an install name is one of the system's own libraries."""
    return path.startswith(_MACOS_FOLDERS)


def of_windows(name: str) -> bool:
    """Tell whether a DLL belongs to Windows or to every installation of CPython."""
    from wheelkit.data import windows

    lowered = name.lower()
    return lowered in windows.NAMES or (lowered.startswith(windows.API_SETS) and lowered.endswith(".dll"))
