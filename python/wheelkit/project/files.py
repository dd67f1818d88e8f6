"""The files of a project, from its folder or from its sdist."""

from __future__ import annotations

import tarfile
import zlib
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from wheelkit.errors import ProjectError
from wheelkit.inputs import read_text
from wheelkit.limits import KB, MB
from wheelkit.tar_archives import open_tar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from wheelkit.tar_archives import OpenTar

# Folders whose Python is not part of a wheel, and files at the top that only serve the build and the
# developer.
NOT_CODE = frozenset({
    "tests", "test", "docs", "doc", "examples", "benchmarks", "bench", "scripts", "tools", "ci", "build",
    "dist", "venv",
})  # fmt: skip
_TOP_FILES = frozenset({"setup.py", "conftest.py", "noxfile.py", "tasks.py", "fabfile.py", "hatch_build.py"})
_CODE = (".py", ".pyx", ".c", ".cpp", ".rs", ".so", ".pyd")
_COMPILED = (
    ".pyx", ".c", ".cc", ".cpp", ".cxx", ".c++", ".m", ".mm", ".cu", ".rs", ".go", ".zig", ".sip",
    ".f", ".f90", ".f95", ".f03", ".for", ".pyf",
)  # fmt: skip
# Folders of sources that a project hands out or tries, but does not compile for itself.
_NOT_COMPILED = NOT_CODE | {"vendor", "_vendor", "templates", "fixtures", "testing", "testdata", "test_data"}
_IN_SDIST = frozenset({
    "pyproject.toml", "PKG-INFO", "setup.py", "setup.cfg", "meson.build", "CMakeLists.txt", "SConstruct",
})  # fmt: skip
# Modules that a build script may import are near the top, and small.
_MODULE_DEPTH, _MODULE, _MODULES = 2, 256 * KB, 4 * MB


class ProjectFiles(Struct, frozen=True, kw_only=True):
    """What a project folder or an sdist offers its backend.

    ``document`` is pyproject.toml. ``read`` returns the text of a file by its path in the project, or None.
    ``has_sources`` returns whether the project has sources for a compiler.
    """

    document: Mapping[str, Any]
    read: Callable[[str], str | None]
    has_sources: Callable[[], bool] = lambda: False

    def table(self, *keys: str) -> dict[str, Any]:
        """Return a table of pyproject.toml; empty where it is missing or something else."""
        value: Any = self.document
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return value if isinstance(value, dict) else {}

    @property
    def backend(self) -> str:
        """The module of the build backend, without its object; empty where none is named."""
        return str(self.table("build-system").get("build-backend") or "").split(":")[0]

    @property
    def setup(self) -> str:
        """The text of setup.py and setup.cfg."""
        return (self.read("setup.py") or "") + (self.read("setup.cfg") or "")


class FolderFiles:
    """The files of a project folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def has_code(self) -> bool:
        """Return whether a folder has code, apart from nested projects, tests and documentation."""
        return any(map(_is_code, self._names(self._folder, "")))

    def has_sources(self) -> bool:
        """Return whether a folder has sources for a compiler, apart from tests and what is handed out."""
        return any(map(_is_source, self._names(self._folder, "")))

    def _names(self, folder: Path, prefix: str) -> Iterator[str]:
        for path in sorted(folder.iterdir()):
            if not path.is_dir():
                yield f"{prefix}{path.name}"
            elif not (
                path.name in NOT_CODE or path.name.startswith(".") or (path / "pyproject.toml").is_file()
            ):
                yield from self._names(path, f"{prefix}{path.name}/")

    def text(self, name: str) -> str | None:
        """Return the text of a file, or None if it does not exist.

        Only TOML has to be UTF-8. An old setup.py may declare another encoding, and what is looked for there
        is ASCII.
        """
        path = self._folder / name
        errors = "strict" if path.suffix == ".toml" else "surrogateescape"
        try:
            return read_text(path, errors=errors)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None
        except UnicodeDecodeError as error:
            message = f"{path} is not UTF-8: {error.reason} at byte {error.start}"
            raise ProjectError(message, hint="save it as UTF-8") from error
        except OSError as error:
            raise ProjectError(
                f"{path} cannot be read: {error.strerror}", hint="check its permissions"
            ) from error


class SdistFiles:
    """The files of an sdist, read once: texts of those near the top."""

    def __init__(self, path: Path) -> None:
        self._code = self._sources = False
        self._modules = 0
        try:
            with open_tar(path) as archive:
                self._texts = dict(self._read(archive))
        except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
            message = f"{path} cannot be read as an sdist: {error}"
            raise ProjectError(message, hint="build or download it again") from error
        if "PKG-INFO" not in self._texts:
            raise ProjectError(
                f"{path} has no PKG-INFO, so it is not an sdist",
                hint="make one with: python -m build --sdist",
            )

    def _read(self, archive: OpenTar) -> Iterator[tuple[str, str]]:
        for member in archive.members():
            parts = PurePosixPath(member.name).parts
            inside = "/".join(parts[1:])
            if not NOT_CODE.intersection(parts):
                self._code = self._code or _is_code(inside)
                self._sources = self._sources or _is_source(inside)
            text = archive.text(member) if member.isfile() and self._is_read(inside, member.size) else None
            if text is not None:
                yield inside, text.decode("utf-8", errors="replace")

    def _is_read(self, name: str, size: int) -> bool:
        """Return whether the text of a member is read: of a build file, or a module near the top."""
        if name in _IN_SDIST:
            return True
        if not name.endswith(".py") or name.count("/") >= _MODULE_DEPTH or size > _MODULE:
            return False
        self._modules += size
        return self._modules <= _MODULES

    def has_code(self) -> bool:
        """Return whether the archive has code apart from tests and documentation."""
        return self._code

    def has_sources(self) -> bool:
        """Return whether the archive has sources for a compiler, apart from tests and what is handed out."""
        return self._sources

    def text(self, name: str) -> str | None:
        """Return the text of a file near the top, or None if it does not exist."""
        return self._texts.get(name)


def _is_code(name: str) -> bool:
    return name.endswith(_CODE) and name not in _TOP_FILES


def _is_source(name: str) -> bool:
    folders = PurePosixPath(name).parts[:-1]
    return name.lower().endswith(_COMPILED) and not _NOT_COMPILED.intersection(folders)
