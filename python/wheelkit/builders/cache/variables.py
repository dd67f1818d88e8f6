"""The environment variables that reach a build, and what they name: a table, and how it is read.

Values enter the key as digests: some hold credentials, and the cache's entries are to be harmless.
"""

from __future__ import annotations

import os
import re
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


# Compilers and linkers (GCC's and Clang's manuals, "Environment Variables"; MSVC's cl), Meson, CMake, setuptools, Cargo, pip, uv,
# pkg-config, cibuildwheel and the repair tools.
_NAMES = frozenset((
    "AR", "ARCHFLAGS", "AS", "CC", "CFLAGS", "CGO_CFLAGS", "CL", "_CL_", "CMAKE", "COMPILER_PATH", "CONTAINERS_CONF", "CONTAINER_HOST",
    "CPATH", "CPP", "CPPFLAGS", "CPLUS_INCLUDE_PATH", "CXX", "CXXFLAGS", "CXX_LD", "CC_LD", "CYTHONIZE_JOBS", "DEVELOPER_DIR",
    "DOCKER_CONTEXT", "DOCKER_DEFAULT_PLATFORM", "DOCKER_HOST", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "C_INCLUDE_PATH",
    "F77", "F90", "FC", "FCFLAGS", "FFLAGS", "GCC_EXEC_PREFIX", "INCLUDE", "IPHONEOS_DEPLOYMENT_TARGET", "LD", "LDFLAGS", "LDSHARED",
    "LDCXXSHARED", "LD_LIBRARY_PATH", "LD_RUN_PATH", "LIB", "LIBPATH", "LIBRARY_PATH", "LINK", "_LINK_", "MACOSX_DEPLOYMENT_TARGET", "NM",
    "NINJA", "OBJC", "OBJCFLAGS", "OBJC_INCLUDE_PATH", "PYTHONHOME", "PYTHONPATH", "RANLIB", "RC", "RUSTC", "RUSTC_WRAPPER", "RUSTFLAGS",
    "RUSTUP_TOOLCHAIN", "SDKROOT", "SOURCE_DATE_EPOCH", "STRIP", "VCToolsVersion", "VSCMD_ARG_TGT_ARCH", "WHEELKIT_COMPILER_CACHE",
    "ZERO_AR_DATE",
))  # fmt: skip
_PREFIXES = (
    "AUDITWHEEL_", "CARGO_", "CIBW_", "CMAKE_", "DELOCATE_", "DISTUTILS_", "HATCH_", "MATURIN_", "MESON", "PBR_", "PIP_", "PKG_CONFIG",
    "PYO3_", "PYTHON_BUILD_", "SCCACHE_", "SETUPTOOLS_", "SKBUILD_", "UV_", "VCPKG_", "VERSIONEER_", "WHEEL_",
)  # fmt: skip
# Where to publish and where to keep downloads is no matter of the wheel's bytes, and how loud a tool is neither.
_HARMLESS = re.compile(
    r"CIBW_(BUILD_VERBOSITY|CACHE_PATH|OUTPUT_DIR|PLATFORM|DEBUG_\w+)|UV_(PUBLISH_\w+|CACHE_DIR|NO_PROGRESS|LINK_MODE|CONCURRENT_\w+)|"
    r"PIP_(CACHE_DIR|NO_CACHE_DIR|DISABLE_PIP_VERSION_CHECK|NO_COLOR|PROGRESS_BAR|QUIET|VERBOSE|LOG|NO_INPUT|ROOT_USER_ACTION)|"
    r"CARGO_(HOME|TERM_\w+|TARGET_DIR)|HATCH_(QUIET|VERBOSE)|CIBW_TEST_\w+_NONE"
)
# cibuildwheel replaces $NAME in its options, and hands these variables into its containers (cibuildwheel's "environment-pass").
_REFERENCE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")
_LARGEST = 1 << 26


def relevant_variables(environ: Mapping[str, str], texts: Iterable[str] = ()) -> dict[str, str]:
    """Digest every variable that reaches a build, with what its words name on the disk.

    ``texts`` are options of the user that may name further variables, as ``$NAME`` or plainly.
    """
    names = {
        name
        for name in environ
        if (name in _NAMES or name.startswith(_PREFIXES)) and not _HARMLESS.fullmatch(name)
    }
    spoken = [*texts, *(environ[name] for name in names if name.startswith("CIBW_"))]
    names |= {
        name
        for text in spoken
        for name in (*_REFERENCE.findall(text), *text.split())
        if name in environ and name != "PATH"
    }
    return {f"variable {name}": _digest(environ[name]) for name in sorted(names)}


def _digest(value: str) -> str:
    digest = sha256(value.encode(errors="surrogateescape"))
    words = dict.fromkeys([value, *value.split(), *value.split(os.pathsep)])
    for word in words:
        place = (
            word.partition("=")[2]
            if word.startswith("-") and "=" in word
            else re.sub(r"^(-I|-L|-isystem|file:)", "", word)
        )
        if os.sep in place and not place.startswith("http"):
            digest.update(variable_content(Path(place)).encode())
    return digest.hexdigest()


def variable_content(place: Path) -> str:
    """Digest a file's bytes, or the names, sizes and times of a folder's files; empty for what does not exist.

    The system's own folders count as nothing here: the package manager's records speak for them.
    """
    try:
        if place.is_file() and place.stat().st_size <= _LARGEST:
            return sha256(place.read_bytes()).hexdigest()
        if place.is_dir() and not place.is_relative_to("/usr"):
            return sha256("\n".join(_stamps(place)).encode(errors="surrogateescape")).hexdigest()
    except OSError:
        return "unreadable"
    return ""


def _stamps(folder: Path, depth: int = 3) -> Iterator[str]:
    for one in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if one.name == "__pycache__":
            continue  # to run a program writes there
        if one.is_dir(follow_symlinks=False) and depth:
            yield from _stamps(Path(one.path), depth - 1)
        else:
            status = one.stat(follow_symlinks=False)
            yield f"{one.path} {status.st_size} {status.st_mtime_ns}"


def installer_settings(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Digest the settings of uv and pip that lie in files: the user's, the machine's, and those above the current folder."""
    home = Path(environ.get("HOME") or environ.get("USERPROFILE") or "/")
    config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    roaming = Path(environ.get("APPDATA") or config)
    places = [
        *(
            base / name
            for base in dict.fromkeys((config, roaming, Path("/etc"), Path("/etc/xdg")))
            for name in ("uv/uv.toml", "pip/pip.conf")
        ),
        *(
            home / name
            for name in (
                ".pip/pip.conf",
                "pip/pip.ini",
                ".pydistutils.cfg",
                "Library/Application Support/pip/pip.conf",
            )
        ),
        Path("/etc/pip.conf"),
        *(above / "uv.toml" for above in (folder, *folder.parents)),
    ]
    found = {
        f"settings {_called(path, home, folder)}": variable_content(path) for path in places if path.is_file()
    }
    for above in (folder, *folder.parents):
        project = above / "pyproject.toml"
        if project.is_file() and b"tool.uv" in (data := project.read_bytes()):
            found[f"settings {_called(project, home, folder)}"] = sha256(data).hexdigest()
    return found


def _called(path: Path, home: Path, folder: Path) -> str:
    """Name a file so that the same project elsewhere, or another user, gives it the same name."""
    if path.parent in (folder, *folder.parents) and path.parent not in {home, Path("/")}:
        return os.path.relpath(path, folder)
    return (
        f"~/{path.relative_to(home).as_posix()}"
        if path.is_relative_to(home) and home != Path("/")
        else str(path)
    )
