"""What one project says of itself, read from its folder or from its sdist without building or running anything."""

from __future__ import annotations

import re
import tomllib
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from wheelkit.config import normalise
from wheelkit.errors import OnlySettingsError, ProjectError
from wheelkit.project.poetry import specifier
from wheelkit.project.requirements import stated_metadata as stated_elsewhere
from wheelkit.project.setupfiles import cfg_facts, setup_facts

if TYPE_CHECKING:
    import tarfile
    from collections.abc import Iterable, Iterator, Mapping

    from wheelkit.project.requirements import StatedMetadata


class Kind(StrEnum):
    """What a distribution's wheels hold: native code, only Python, or nothing but dependencies."""

    NATIVE = "native"
    PURE = "pure"
    META = "meta"


class Distribution(Struct, frozen=True, kw_only=True):
    """One project of the family.

    ``source`` is its folder, or its sdist file. ``extras`` are the optional dependencies by the name of their extra. ``version`` and
    ``requires_python`` are None where only a build can tell them; ``stated`` is false where even the name is only the folder's, because
    no file states it.
    """

    name: str
    version: str | None
    kind: Kind
    source: Path
    backend: str = ""
    requires_python: str | None = None
    dependencies: tuple[str, ...] = ()
    extras: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    build_requires: tuple[str, ...] = ()
    limited_api: bool = False
    cibuildwheel: Mapping[str, Any] = field(default_factory=dict)
    stated: bool = True

    @property
    def key(self) -> str:
        """The normalised name, by which distributions are compared (PEP 503)."""
        return normalise(self.name)

    @property
    def from_sdist(self) -> bool:
        """Whether the project was given as an sdist file."""
        return self.source.is_file()


def read(source: Path) -> Distribution:
    """Read a project folder or an sdist; raise ProjectError with what is missing where it is neither."""
    if not source.exists():
        raise ProjectError(f"{source} does not exist", hint="give a project folder or an sdist (.tar.gz)")
    if source.is_dir():
        return _read(_FolderFiles(source), source)
    if source.name.endswith(".tar.gz"):
        return _read(_SdistFiles(source), source)
    raise ProjectError(
        f"{source} is neither a project folder nor an sdist (.tar.gz)", hint="give one of the two"
    )


class _FolderFiles:
    """The text files at the top of a project folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def holds_code(self) -> bool:
        """Tell whether a folder below holds Python of this project, not of another one further down, its tests or its documentation."""
        return any(_is_code(name) for name in self._names(self._folder, ""))

    def holds_sources(self) -> bool:
        """Tell whether a folder below holds what a compiler makes an extension of, tests and documentation aside."""
        return any(_is_source(name) for name in self._names(self._folder, ""))

    def _names(self, folder: Path, prefix: str) -> Iterator[str]:
        for path in sorted(folder.iterdir()):
            if not path.is_dir():
                yield f"{prefix}{path.name}"
            elif (
                path.name not in NOT_CODE
                and not path.name.startswith(".")
                and not (path / "pyproject.toml").is_file()
            ):
                yield from self._names(path, f"{prefix}{path.name}/")

    def text(self, name: str) -> str | None:
        path = self._folder / name
        try:
            # Only TOML has to be UTF-8; an old setup.py may say otherwise in its first line, and what is looked for is ASCII.
            return path.read_text(
                encoding="utf-8", errors="strict" if path.suffix == ".toml" else "surrogateescape"
            )
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None
        except UnicodeDecodeError as error:
            raise ProjectError(
                f"{path} is not UTF-8: {error.reason} at byte {error.start}", hint="save it as UTF-8"
            ) from error
        except OSError as error:
            raise ProjectError(
                f"{path} cannot be read: {error.strerror}", hint="check its permissions"
            ) from error


class _SdistFiles:
    """The text files at the top of an sdist, read once."""

    _WANTED = frozenset({"pyproject.toml", "PKG-INFO", "setup.py", "setup.cfg", "meson.build"})
    _LARGEST = 4 * 1024 * 1024

    def __init__(self, path: Path) -> None:
        import tarfile
        import zlib

        self._code = self._sources = False
        try:
            with tarfile.open(path, "r:gz") as archive:
                self._texts = dict(self._wanted(archive))
        except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
            raise ProjectError(
                f"{path} cannot be read as an sdist: {error}", hint="build or download it again"
            ) from error
        if "PKG-INFO" not in self._texts:
            raise ProjectError(
                f"{path} holds no PKG-INFO, so it is no sdist", hint="make one with: python -m build --sdist"
            )

    def _wanted(self, archive: tarfile.TarFile) -> Iterator[tuple[str, str]]:
        for member in archive:
            parts = PurePosixPath(member.name).parts
            inside = "/".join(parts[1:])
            name = "" if NOT_CODE.intersection(parts) else inside
            self._code = self._code or _is_code(name)
            self._sources = self._sources or _is_source(name)
            if inside in self._WANTED and member.isfile() and member.size <= self._LARGEST:
                stream = archive.extractfile(member)
                if stream is not None:
                    yield inside, stream.read().decode("utf-8", errors="replace")

    def holds_code(self) -> bool:
        """Tell whether the archive holds Python that is no test and no documentation."""
        return self._code

    def holds_sources(self) -> bool:
        """Tell whether the archive holds what a compiler makes an extension of."""
        return self._sources

    def text(self, name: str) -> str | None:
        return self._texts.get(name)


_Files = _FolderFiles | _SdistFiles
# Folders whose Python is not what a wheel holds, and files at the top that only serve the build and the developer.
NOT_CODE = frozenset(
    {
        "tests",
        "test",
        "docs",
        "doc",
        "examples",
        "benchmarks",
        "bench",
        "scripts",
        "tools",
        "ci",
        "build",
        "dist",
        "venv",
    }
)
_TOP_FILES = frozenset({"setup.py", "conftest.py", "noxfile.py", "tasks.py", "fabfile.py", "hatch_build.py"})


def _is_code(name: str) -> bool:
    return name.endswith((".py", ".pyx", ".c", ".cpp", ".rs", ".so", ".pyd")) and name not in _TOP_FILES


def _is_source(name: str) -> bool:
    return name.endswith((".pyx", ".c", ".cc", ".cpp", ".cxx", ".rs"))


def _read(files: _Files, source: Path) -> Distribution:
    pyproject = _pyproject(files, source)
    setup_py, setup_cfg = files.text("setup.py"), files.text("setup.cfg")
    if not pyproject and setup_py is None and setup_cfg is None:
        raise _nothing_to_build(source, empty=files.text("pyproject.toml") is not None)
    project: dict[str, Any] = _table(pyproject, "project")
    tools: dict[str, Any] = _table(pyproject, "tool")
    build = _table(pyproject, "build-system")
    described = pyproject.keys() & {"project", "build-system"} or tools.keys() & _OF_BACKENDS
    if setup_py is None and setup_cfg is None and not described:
        raise _only_settings(source)
    facts = _poetry(tools) | _stated(project) | _pkg_info(files.text("PKG-INFO"))
    backend = str(build.get("build-backend", "setuptools.build_meta:__legacy__")).split(":")[0]
    beside = setup_facts(setup_py) | cfg_facts(setup_cfg)
    name = facts.get("name") or beside.get("name")
    elsewhere = tuple(one for one in stated_elsewhere(pyproject, files.text) if one.published)
    meson = files.text("meson.build")
    kind = _kind(backend, tools, meson, (setup_py or "") + (setup_cfg or ""))
    if kind is None and (
        _table(tools, "cibuildwheel")
        or _compiling_hook(tools)
        or (_own_build_code(build, tools) and files.holds_sources())
    ):
        kind = Kind.NATIVE  # nobody configures cibuildwheel for pure Python, and what a build hook compiles may be fetched by it
    dependencies = (*_list(project, "dependencies"), *(one.requirement for one in elsewhere if not one.extra))
    extras = _extras(project, elsewhere)
    return Distribution(
        name=name or source.name.removesuffix(".tar.gz"),
        stated=bool(name),
        version=facts.get("version") or _meson_version(backend, meson, files),
        kind=kind or (Kind.META if (dependencies or extras) and not files.holds_code() else Kind.PURE),
        source=source,
        backend=backend,
        requires_python=facts.get("requires_python")
        or (beside.get("requires_python") if _open("requires-python", project) else None),
        dependencies=dependencies,
        extras=extras,
        build_requires=_list(build, "requires"),
        limited_api=_limited_api(backend, tools, setup_py or "", setup_cfg or ""),
        cibuildwheel=_table(tools, "cibuildwheel"),
    )


_OF_BACKENDS = frozenset({"flit", "hatch", "pdm", "poetry", "setuptools"})


def _only_settings(source: Path) -> ProjectError:
    below = [path.relative_to(source).as_posix() for path in projects_below(source)]
    message = f"{source / 'pyproject.toml'} describes no project: it has no [project] and no [build-system]"
    if below:
        return OnlySettingsError(
            message,
            hint=f"projects lie below it, in {', '.join(below)}; to name them to wheelkit:  wheelkit init",
        )
    return OnlySettingsError(
        message, hint="give it a [project] table, or run wheelkit in the project's folder"
    )


_DEPTH = 3
# What is written once for all members, or is somebody else's.
_NO_MEMBERS = frozenset({"node_modules", "vendor", "third_party", "subprojects", "templates", "fixtures"})


def projects_below(folder: Path, depth: int = _DEPTH) -> Iterator[Path]:
    """Find the projects in the folders of one that is none itself, in the order of their names; what lies in a project is its own."""
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if (
            not path.is_dir()
            or path.is_symlink()
            or path.name in NOT_CODE | _NO_MEMBERS
            or path.name.startswith(".")
        ):
            continue
        if (path / "pyproject.toml").is_file() or (path / "setup.py").is_file():
            yield path
        elif depth > 1:
            yield from projects_below(path, depth - 1)


def _nothing_to_build(source: Path, *, empty: bool) -> ProjectError:
    if empty:
        return ProjectError(
            f"{source / 'pyproject.toml'} says nothing", hint="give it a [project] table, or remove it"
        )
    message = f"{source} holds no pyproject.toml (nor setup.py), so there is nothing to build"
    return ProjectError(message, hint="run wheelkit in the project's folder, or name the folder or sdist")


def _extras(project: Mapping[str, Any], elsewhere: Iterable[StatedMetadata]) -> dict[str, tuple[str, ...]]:
    optional = _table(project, "optional-dependencies")
    found = {name: _list(optional, name) for name in optional}
    for one in elsewhere:
        if one.extra:
            found[one.extra] = (*found.get(one.extra, ()), one.requirement)
    return found


def _table(parent: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = parent.get(key)
    return value if isinstance(value, dict) else {}


def _list(parent: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Give a list of texts; what is none is left to the backend to complain about."""
    value = parent.get(key)
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _pyproject(files: _Files, source: Path) -> dict[str, Any]:
    text = files.text("pyproject.toml")
    if text and text.startswith("\ufeff"):
        raise ProjectError(
            f"{source / 'pyproject.toml'} begins with a byte order mark", hint="save it as UTF-8 without one"
        )
    try:
        return tomllib.loads(text or "")
    except (ValueError, RecursionError) as error:
        raise ProjectError(
            f"{source / 'pyproject.toml'} is no valid TOML: {error}", hint="mend that line"
        ) from error


def _stated(project: Mapping[str, Any]) -> dict[str, str]:
    wanted = {"name": "name", "version": "version", "requires-python": "requires_python"}
    return {ours: project[theirs] for theirs, ours in wanted.items() if isinstance(project.get(theirs), str)}


def _open(field: str, project: Mapping[str, Any]) -> bool:
    """Tell whether a field may stand elsewhere than in ``[project]``: where there is no such table, or it says so."""
    return not project or field in _list(project, "dynamic")


def _poetry(tools: Mapping[str, Any]) -> dict[str, str]:
    """Read what poetry's own table says, where [project] does not; a version that comes from git is none yet."""
    table = _table(tools, "poetry")
    python = _table(table, "dependencies").get("python")
    found = {"name": table.get("name"), "version": table.get("version")}
    if _table(tools, "poetry-dynamic-versioning").get("enable") is True:
        del found["version"]
    found["requires_python"] = specifier(python) if isinstance(python, str) else None
    return {key: value for key, value in found.items() if isinstance(value, str) and value}


def _pkg_info(text: str | None) -> dict[str, str]:
    if text is None:
        return {}
    from email.parser import HeaderParser

    headers = HeaderParser().parsestr(text)
    wanted = {"Name": "name", "Version": "version", "Requires-Python": "requires_python"}
    return {ours: value for theirs, ours in wanted.items() if (value := headers.get(theirs))}


# A comment up to its line's end, or a string, in which a # begins none.
_MESON_TEXT = re.compile(r"(?P<string>'''.*?'''|'(?:\\.|[^'\\\n])*')|#[^\n]*", re.DOTALL)
_MESON_VERSION = re.compile(
    r"\bproject\s*\((?:[^()]|\([^()]*\))*?\bversion\s*:\s*'(?P<version>[^']+)'", re.DOTALL
)
_MESON_VERSION_FILE = re.compile(
    r"\bproject\s*\((?:[^()]|\([^()]*\))*?\bversion\s*:\s*files\(\s*'(?P<file>[^']+)'\s*\)", re.DOTALL
)


def _meson_version(backend: str, meson: str | None, files: _Files) -> str | None:
    """Read the version of meson.build's project(), or the file that it names; meson-python takes it where [project] leaves it dynamic."""
    if backend != "mesonpy" or meson is None:
        return None
    code = _MESON_TEXT.sub(lambda found: found["string"] or "", meson)
    if match := _MESON_VERSION.search(code):
        return match["version"]
    named = _MESON_VERSION_FILE.search(code)
    return (files.text(named["file"]) or "").strip() or None if named else None


_NATIVE_BACKENDS = frozenset(
    {"mesonpy", "scikit_build_core.build", "maturin", "setuptools_rust", "py_build_cmake.build"}
)
# subdir() may lead to an extension; the argument of the same name only says where files go.
_NATIVE_MESON = re.compile(r"\bextension_module\b|\bsubdir\s*\(")
_NATIVE_SETUP = re.compile(
    r"\bExtension\s*\(|\bext_modules\b|\bcffi_modules\b|\brust_extensions\b|\bcythonize\b|\bCMakeExtension\b"
)


def _kind(backend: str, tools: Mapping[str, Any], meson: str | None, setup: str) -> Kind | None:
    """Tell from what the project builds whether it is native; the wheel itself is compared with it after the build."""
    if backend == "mesonpy":
        return Kind.NATIVE if meson is None or _NATIVE_MESON.search(meson) else None
    wheel = _table(_table(tools, "scikit-build"), "wheel")
    if backend == "scikit_build_core.build" and False in (wheel.get("platlib"), wheel.get("cmake")):
        return None
    if backend in _NATIVE_BACKENDS:
        return Kind.NATIVE
    extensions = _table(tools, "setuptools").get("ext-modules")
    return Kind.NATIVE if extensions or _NATIVE_SETUP.search(setup) else None


# Build hooks of hatchling's that compile, whatever they compile, where they are on by default.
_COMPILING_HOOKS = ("cython", "mypyc", "scikit-build")


def _compiling_hook(tools: Mapping[str, Any]) -> bool:
    build = _table(_table(tools, "hatch"), "build")
    hooks = {**_table(build, "hooks"), **_table(_table(_table(build, "targets"), "wheel"), "hooks")}
    return any(
        name in hooks and _table(hooks, name).get("enable-by-default") is not False
        for name in _COMPILING_HOOKS
    )


def _own_build_code(build: Mapping[str, Any], tools: Mapping[str, Any]) -> bool:
    """Tell whether code of the project takes part in its build, so that no file here says what that makes.

    A backend that lies in the project (PEP 517's backend-path), and the hooks of hatchling, poetry-core and pdm-backend.
    """
    hatch = _table(_table(tools, "hatch"), "build")
    hooks = {*_table(hatch, "hooks"), *_table(_table(_table(hatch, "targets"), "wheel"), "hooks")} - {
        "vcs",
        "version",
    }
    pdm = _table(_table(tools, "pdm"), "build")
    return bool(
        build.get("backend-path")
        or hooks
        or _table(tools, "poetry").get("build")
        or pdm.get("run-setuptools")
    )


def _limited_api(backend: str, tools: Mapping[str, Any], setup_py: str, setup_cfg: str) -> bool:
    """Tell whether the project says that it builds abi3 wheels; a wrong no costs time, never a wrong wheel."""
    if backend == "mesonpy":
        return _table(tools, "meson-python").get("limited-api") is True
    if backend == "scikit_build_core.build":
        return "py-api" in _table(_table(tools, "scikit-build"), "wheel")
    if backend == "maturin":
        return any("abi3" in feature for feature in _list(_table(tools, "maturin"), "features"))
    distutils = _table(_table(tools, "distutils"), "bdist_wheel")
    return "py-limited-api" in distutils or any("py_limited_api" in text for text in (setup_py, setup_cfg))
