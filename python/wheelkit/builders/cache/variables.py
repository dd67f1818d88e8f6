"""The environment variables and settings files that reach a build, as parts of cache keys.

Values are digested, because some are credentials, which must not be in the cache.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from wheelkit.builders.cache.digests import path_digest, text_digest
from wheelkit.inputs import read_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


# Compilers and linkers (GCC's and Clang's manuals, "Environment Variables"; MSVC's cl), Meson, CMake,
# setuptools, Cargo, pip, uv, pkg-config, cibuildwheel and the repair tools.
_NAMES = frozenset((
    "AR", "ARCHFLAGS", "AS", "CC", "CFLAGS", "CGO_CFLAGS", "CL", "_CL_", "CMAKE", "COMPILER_PATH",
    "CONTAINERS_CONF", "CONTAINER_HOST", "CPATH", "CPP", "CPPFLAGS", "CPLUS_INCLUDE_PATH", "CXX", "CXXFLAGS",
    "CXX_LD", "CC_LD", "CYTHONIZE_JOBS", "DEVELOPER_DIR", "DOCKER_CONTEXT", "DOCKER_DEFAULT_PLATFORM",
    "DOCKER_HOST", "DYLD_LIBRARY_PATH", "DYLD_FALLBACK_LIBRARY_PATH", "C_INCLUDE_PATH", "F77", "F90", "FC",
    "FCFLAGS", "FFLAGS", "GCC_EXEC_PREFIX", "INCLUDE", "IPHONEOS_DEPLOYMENT_TARGET", "LD", "LDFLAGS",
    "LDSHARED", "LDCXXSHARED", "LD_LIBRARY_PATH", "LD_RUN_PATH", "LIB", "LIBPATH", "LIBRARY_PATH", "LINK",
    "_LINK_", "MACOSX_DEPLOYMENT_TARGET", "NM", "NINJA", "OBJC", "OBJCFLAGS", "OBJC_INCLUDE_PATH",
    "PYTHONHOME", "PYTHONPATH", "RANLIB", "RC", "RUSTC", "RUSTC_WRAPPER", "RUSTFLAGS", "RUSTUP_TOOLCHAIN",
    "SDKROOT", "SOURCE_DATE_EPOCH", "STRIP", "VCToolsVersion", "VSCMD_ARG_TGT_ARCH",
    "WHEELKIT_COMPILER_CACHE", "ZERO_AR_DATE",
))  # fmt: skip
_PREFIXES = (
    "AUDITWHEEL_", "CARGO_", "CIBW_", "CMAKE_", "DELOCATE_", "DISTUTILS_", "HATCH_", "MATURIN_", "MESON",
    "PBR_", "PDM_BUILD_", "PIP_", "PKG_CONFIG", "POETRY_DYNAMIC_", "PYO3_", "PYTHON_BUILD_",
    "SCCACHE_", "SETUPTOOLS_", "SKBUILD_", "UV_", "VCPKG_", "VERSIONEER_", "WHEEL_",
)  # fmt: skip
# Where to publish, where to keep downloads and how verbose a tool is do not change a wheel.
_HARMLESS = re.compile(
    r"CIBW_(BUILD_VERBOSITY|CACHE_PATH|OUTPUT_DIR|PLATFORM|DEBUG_\w+)|"
    r"UV_(PUBLISH_\w+|CACHE_DIR|NO_PROGRESS|LINK_MODE|CONCURRENT_\w+)|"
    r"PIP_(CACHE_DIR|NO_CACHE_DIR|DISABLE_PIP_VERSION_CHECK|NO_COLOR|PROGRESS_BAR|QUIET|VERBOSE|LOG)|"
    r"PIP_(NO_INPUT|ROOT_USER_ACTION)|"
    r"CARGO_(HOME|TERM_\w+|TARGET_DIR)|HATCH_(QUIET|VERBOSE)|CIBW_TEST_\w+_NONE"
)
# cibuildwheel expands $NAME in its options, and passes variables that they name into its containers
# ("environment-pass").
_REFERENCE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)")
# Settings files of uv and pip in the folders for settings, and in the home folder.
_CONFIG_FILES = ("uv/uv.toml", "pip/pip.conf")
_HOME_FILES = (".pip/pip.conf", "pip/pip.ini", ".pydistutils.cfg", "Library/Application Support/pip/pip.conf")


def relevant_variables(environ: Mapping[str, str], options: Iterable[str] = ()) -> dict[str, str]:
    """Digest every variable that reaches a build, with the files that it names.

    ``options`` are the user's options, which may name further variables, as ``$NAME`` or as words.
    """
    names = {name for name in environ if name in _NAMES or name.startswith(_PREFIXES)}
    names = {name for name in names if not _HARMLESS.fullmatch(name)}
    texts = [*options, *(environ[name] for name in names if name.startswith("CIBW_"))]
    mentioned = {word for text in texts for word in (*_REFERENCE.findall(text), *text.split())}
    names |= {name for name in mentioned if name in environ and name != "PATH"}
    return {f"variable {name}": _value_digest(environ[name]) for name in sorted(names)}


def _value_digest(value: str) -> str:
    """Digest a value and the paths in it: the whole, words, options such as ``-I`` and lists like PATH."""
    digests = [text_digest(value)]
    for word in dict.fromkeys([value, *value.split(), *value.split(os.pathsep)]):
        is_option = word.startswith("-") and "=" in word
        path = word.partition("=")[2] if is_option else re.sub(r"^(-I|-L|-isystem|file:)", "", word)
        if os.sep in path and not path.startswith("http"):
            digests.append(path_digest(Path(path)))
    return text_digest(" ".join(digests))


def installer_settings(environ: Mapping[str, str], folder: Path, root: Path | None = None) -> dict[str, str]:
    """Digest the settings of uv and pip: the user's, the machine's, and those in the folder and above it.

    In a folder of the project at ``root``, they have the same names as in all others.
    """
    base = root if root and folder.is_relative_to(root) else folder
    home = Path(environ.get("HOME") or environ.get("USERPROFILE") or "/")
    config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    roaming = Path(environ.get("APPDATA") or config)
    folders = (folder, *folder.parents)
    bases = (config, roaming, Path("/etc"), Path("/etc/xdg"))
    paths = [base / name for base in bases for name in _CONFIG_FILES]
    paths += [home / name for name in _HOME_FILES]
    paths += [Path("/etc/pip.conf"), *(above / "uv.toml" for above in folders)]
    projects = (above / "pyproject.toml" for above in folders)
    paths += filter(_configures_uv, projects)
    return {
        f"settings {_portable_name(path, home, folder, base)}": path_digest(path)
        for path in dict.fromkeys(paths)
        if path.is_file()
    }


def _configures_uv(path: Path) -> bool:
    try:
        return b"tool.uv" in read_bytes(path)
    except OSError:
        return False


def _portable_name(path: Path, home: Path, folder: Path, base: Path) -> str:
    """Return a settings file's name that does not depend on the user or the project's folder."""
    if path.parent in (folder, *folder.parents) and path.parent not in {home, Path("/")}:
        return os.path.relpath(path, base)
    if path.is_relative_to(home) and home != Path("/"):
        return f"~/{path.relative_to(home).as_posix()}"
    return str(path)
