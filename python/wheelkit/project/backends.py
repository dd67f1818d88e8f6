"""The build backends that wheelkit knows, one value each: adding a backend touches this file only."""

from __future__ import annotations

import re
from enum import Enum, auto
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from wheelkit.project import meson
from wheelkit.project.build_code import mentions, setup_is_native

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from wheelkit.project.files import ProjectFiles


class VersionForm(Enum):
    """How a version is written in the files of a ``VersionSource``."""

    TEXT = auto()
    CARGO = auto()
    MESON = auto()
    NAMED_IN_SETUP = auto()  # in a file that setup.py reads


class CrossBuild(Enum):
    """How a backend is told to compile for another machine: not at all, or by what."""

    NONE = auto()
    MESON = auto()  # a cross file
    VARIABLES = auto()  # CC, LDSHARED and the like, as setuptools reads them
    CMAKE = auto()  # a toolchain file


class VersionSource(Struct, frozen=True, kw_only=True):
    """Where a backend takes the version from: version control, or the first of ``files`` that states one.

    ``pattern`` is the backend's regular expression with a group ``version`` or ``value``, ``variable`` the
    name to which a module assigns the version. Without them the kind of file decides.
    """

    files: tuple[str, ...] = ()
    pattern: str = ""
    variable: str = ""
    form: VersionForm = VersionForm.TEXT
    from_tags: bool = False


def _setup_limited_api(files: ProjectFiles) -> bool:
    wheel = files.table("tool", "distutils", "bdist_wheel")
    return "py-limited-api" in wheel or "py_limited_api" in files.setup


def _never(_files: ProjectFiles) -> bool:
    return False


def _always(_files: ProjectFiles) -> bool:
    return True


def _no_versions(_files: ProjectFiles, *, active: bool) -> Iterator[VersionSource]:  # noqa: ARG001 - the common signature
    return iter(())


class Backend(Struct, frozen=True, kw_only=True):
    """One build backend.

    ``modules`` are its values of ``build-backend``, without the object. ``table`` is its table below
    ``[tool]``; with ``describes_project`` that table alone makes a folder a project. Every sdist has
    ``build_file`` at its top.

    ``native`` returns whether the project's files show that it builds native code, ``limited_api`` whether
    they show that it builds abi3 wheels; a wrong no costs time, never a wrong wheel. With ``states_abi3``, a
    project that builds abi3 always says so. ``compiling_hook`` and ``own_code`` look at ``table``: for hooks
    that compile, and for code of the project that takes part in the build. ``runs_setup``: it runs setup.py.

    ``packs_tracked_files``: its sdist holds the files that git tracks. ``configures_for_sdist``: it needs a
    compiler even for the sdist. ``free_threaded_setting`` is the config setting that a limited-API project
    needs on free-threaded interpreters. ``cross`` is how wheelkit cross-builds it. ``programs`` are those
    that each build installs. ``builds_without_texts``: a missing readme or licence file is a warning to it.
    ``packing`` says how a ``{file}`` gets into its sdist.

    ``versions`` yields where the version is written; ``active`` is true if this is the project's backend.
    """

    modules: tuple[str, ...] = ()
    table: str = ""
    describes_project: bool = False
    build_file: str = ""
    native: Callable[[ProjectFiles], bool] = setup_is_native
    limited_api: Callable[[ProjectFiles], bool] = _setup_limited_api
    states_abi3: bool = False
    compiling_hook: Callable[[ProjectFiles], bool] = _never
    own_code: Callable[[ProjectFiles], bool] = _never
    runs_setup: bool = False
    packs_tracked_files: bool = False
    configures_for_sdist: bool = False
    free_threaded_setting: str = ""
    cross: CrossBuild = CrossBuild.NONE
    programs: tuple[str, ...] = ()
    builds_without_texts: bool = False
    packing: str = ""
    versions: Callable[..., Iterator[VersionSource]] = _no_versions


# subdir() may lead to any of them; the argument of the same name only says where files go. meson-python
# takes each binary that is installed, and each file for ``pure: false``, as native.
_MESON_NATIVE = re.compile(
    r"\b(?:extension_module|shared_module|shared_library|static_library|both_libraries|library|executable|subdir)"
    r"\s*\(|\bpure\s*:\s*false\b"
)
_ENSCONS_NATIVE = re.compile(
    r"\bget_(?:binary|abi3|universal_platform)_tag\b|\b(?:SharedLibrary|LoadableModule)\b"
)
_MESON_CUSTOM = re.compile(r"\bcustom_target\s*\(")
# What hatchling and scikit-build-core use where no expression is configured, by their documentation.
_ASSIGNED = r"(?i)^(?:__version__|VERSION)(?: ?: ?str)? *= *(['\"])v?(?P<value>.+?)\1"
_CFG_ATTR = re.compile(r"^version\s*[=:]\s*attr:\s*(?P<attr>[\w.]+)", re.MULTILINE)
_CFG_FILE = re.compile(r"^version\s*[=:]\s*file:\s*(?P<file>[^\s,]+)", re.MULTILINE)
# Folders in which the packages of a project can be.
SOURCE_FOLDERS = ("", "src/", "python/", "lib/")
_FROM_TAGS = VersionSource(from_tags=True)


def module_files(module: str) -> tuple[str, ...]:
    """Return the files in which a module such as ``demo.version`` can be."""
    path = module.replace(".", "/")
    return tuple(f"{folder}{path}{ending}" for folder in SOURCE_FOLDERS for ending in (".py", "/__init__.py"))


def _meson_native(files: ProjectFiles) -> bool:
    text = files.read("meson.build")
    if text is None:
        return True
    text = meson.blank_comments(text)
    return bool(_MESON_NATIVE.search(text) or (_MESON_CUSTOM.search(text) and files.has_sources()))


def _meson_versions(_files: ProjectFiles, *, active: bool) -> Iterator[VersionSource]:
    if active:
        yield VersionSource(files=("meson.build",), form=VersionForm.MESON)


def _scikit_build_native(files: ProjectFiles) -> bool:
    wheel = files.table("tool", "scikit-build", "wheel")
    return False not in (wheel.get("platlib"), wheel.get("cmake"))


def _scikit_build_versions(files: ProjectFiles, *, active: bool) -> Iterator[VersionSource]:  # noqa: ARG001 - the common signature
    table = files.table("tool", "scikit-build", "metadata", "version")
    provider = str(table.get("provider", ""))
    if provider.endswith(".setuptools_scm"):
        yield _FROM_TAGS
    elif provider.endswith(".regex") and isinstance(table.get("input"), str) and "result" not in table:
        pattern = table.get("regex", _ASSIGNED)
        yield VersionSource(files=(table["input"],), pattern=pattern if isinstance(pattern, str) else "")


def _runs_cmake(files: ProjectFiles) -> bool:
    """Return whether scikit-build-core's plugin for setuptools finds something to build with CMake."""
    return _scikit_build_native(files) and files.read("CMakeLists.txt") is not None


def _py_build_cmake_native(files: ProjectFiles) -> bool:
    """Return whether py-build-cmake runs CMake: without its table, it packs Python only."""
    table = files.table("tool", "py-build-cmake")
    systems = (table.get(system) for system in ("linux", "windows", "mac"))
    return any("cmake" in settings for settings in (table, *systems) if isinstance(settings, dict))


def _enscons_native(files: ProjectFiles) -> bool:
    """Return whether SConstruct tags the wheel for a platform (enscons' functions for tags)."""
    text = files.read("SConstruct")
    return text is None or bool(_ENSCONS_NATIVE.search(text))


def _maturin_limited_api(files: ProjectFiles) -> bool:
    features = files.table("tool", "maturin").get("features")
    return isinstance(features, list) and any("abi3" in str(feature) for feature in features)


def _maturin_versions(_files: ProjectFiles, *, active: bool) -> Iterator[VersionSource]:
    if active:
        yield VersionSource(form=VersionForm.CARGO)


# Build hooks of hatchling that compile. They are on by default.
_COMPILING_HOOKS = ("cython", "mypyc", "scikit-build")


def _hatch_hooks(files: ProjectFiles) -> dict[str, Any]:
    return {
        **files.table("tool", "hatch", "build", "hooks"),
        **files.table("tool", "hatch", "build", "targets", "wheel", "hooks"),
    }


def _hatch_compiles(files: ProjectFiles) -> bool:
    hooks = _hatch_hooks(files)
    settings = [hooks[name] for name in _COMPILING_HOOKS if name in hooks]
    return any(
        not isinstance(setting, dict) or setting.get("enable-by-default") is not False for setting in settings
    )


def _hatch_hook_tags(files: ProjectFiles) -> bool:
    """Return whether the project's own hook makes its wheels platform wheels."""
    for hooks in (
        files.table("tool", "hatch", "build", "hooks"),
        files.table("tool", "hatch", "build", "targets", "wheel", "hooks"),
    ):
        if isinstance(hook := hooks.get("custom"), dict):
            script = files.read(str(hook.get("path", "hatch_build.py")))
            if files.has_sources() if script is None else mentions(script, ("pure_python", "infer_tag")):
                return True
    return False


def _hatch_versions(files: ProjectFiles, *, active: bool) -> Iterator[VersionSource]:  # noqa: ARG001 - the common signature
    table = files.table("tool", "hatch", "version")
    if table.get("source") == "vcs":
        yield _FROM_TAGS
    elif isinstance(table.get("path"), str) and table.get("source") != "code":
        pattern = table.get("pattern")
        yield VersionSource(files=(table["path"],), pattern=pattern if isinstance(pattern, str) else "")


def _flit_versions(files: ProjectFiles, *, active: bool) -> Iterator[VersionSource]:
    """Yield the module of flit, which has the distribution's name unless another is configured."""
    project = files.table("project")
    names = (
        files.table("tool", "flit", "module").get("name"),
        project.get("name"),
        files.table("tool", "flit", "metadata").get("module"),
    )
    name = next(filter(None, names), None)
    dynamic = project.get("dynamic")
    if active and isinstance(name, str) and (not isinstance(dynamic, list) or "version" in dynamic):
        yield VersionSource(files=module_files(name.replace("-", "_")), variable="__version__")


def _pdm_native(files: ProjectFiles) -> bool:
    """Return whether pdm-backend is told that the wheel is one for a platform, or a hook compiles."""
    build = files.table("tool", "pdm", "build")
    if isinstance(purelib := build.get("is-purelib"), bool):
        return not purelib
    script = files.read(str(build.get("custom-hook", "pdm_build.py")))
    return script is not None and mentions(
        script, ("is_purelib", "ext_modules", "pdm_build_update_setup_kwargs")
    )


def _pdm_versions(files: ProjectFiles, *, active: bool) -> Iterator[VersionSource]:  # noqa: ARG001 - the common signature
    table = files.table("tool", "pdm", "version")
    file = table.get("path") or table.get("from")
    if table.get("source") == "scm" or table.get("use_scm") is True:
        yield _FROM_TAGS
    elif isinstance(file, str):
        yield VersionSource(files=(file,))


def _poetry_native(files: ProjectFiles) -> bool:
    """Return whether there is a build script, with which poetry-core tags each wheel for its platform."""
    build = files.table("tool", "poetry").get("build")
    return bool(build.get("script") if isinstance(build, dict) else build)


def _poetry_versions(files: ProjectFiles, *, active: bool) -> Iterator[VersionSource]:  # noqa: ARG001 - the common signature
    if files.table("tool", "poetry-dynamic-versioning").get("enable") is True:
        yield _FROM_TAGS


def _setuptools_versions(files: ProjectFiles, *, active: bool) -> Iterator[VersionSource]:
    tools = files.table("tool")
    if tools.get("setuptools_scm") is not None or tools.get("versioneer") is not None:
        yield _FROM_TAGS
        return
    # A backend of the project's own usually wraps that of setuptools.
    if not active and files.table("build-system").get("backend-path") is None:
        return
    cfg = files.read("setup.cfg") or ""
    dynamic = files.table("tool", "setuptools", "dynamic", "version")
    stated = dynamic.get("file") or []
    named = [str(file) for file in (stated if isinstance(stated, list) else [stated])]
    named += [match["file"] for match in _CFG_FILE.finditer(cfg)]
    attributes = [dynamic["attr"]] if isinstance(dynamic.get("attr"), str) else []
    attributes += [match["attr"] for match in _CFG_ATTR.finditer(cfg)]
    for file in named:
        yield VersionSource(files=(file,))
    for attribute in attributes:
        module, _, variable = attribute.rpartition(".")
        yield VersionSource(files=module_files(module), variable=variable)
    for file in ("setup.cfg", "setup.py"):
        yield VersionSource(files=(file,))
    if not files.table("project").get("version"):
        yield VersionSource(form=VersionForm.NAMED_IN_SETUP)


_MANIFEST = "add to MANIFEST.in:  include {file}"

BACKENDS = (
    Backend(
        modules=("poetry.core.masonry.api", "poetry_dynamic_versioning.backend"),
        table="poetry",
        describes_project=True,
        native=_poetry_native,
        own_code=_poetry_native,
        packing='add to [tool.poetry]:  include = [{{ path = "{file}", format = "sdist" }}]',
        versions=_poetry_versions,
    ),
    Backend(
        modules=("maturin",),
        table="maturin",
        build_file="Cargo.toml",
        native=_always,
        limited_api=_maturin_limited_api,
        packing='add to [tool.maturin]:  include = [{{ path = "{file}", format = "sdist" }}]',
        versions=_maturin_versions,
    ),
    Backend(
        modules=("mesonpy",),
        table="meson-python",
        build_file="meson.build",
        native=_meson_native,
        limited_api=lambda files: files.table("tool", "meson-python").get("limited-api") is True,
        states_abi3=True,
        packs_tracked_files=True,
        configures_for_sdist=True,
        # meson-python rejects `limited-api = true` there before 3.15; this builds a version-specific wheel.
        free_threaded_setting="setup-args=-Dpython.allow_limited_api=false",
        cross=CrossBuild.MESON,
        programs=("meson", "ninja"),
        packing="meson-python packs what git tracks:  git add {file}",
        versions=_meson_versions,
    ),
    Backend(
        modules=("flit_core.buildapi", "flit.buildapi", "flit_scm"),
        table="flit",
        describes_project=True,
        native=_never,
        packing='add to [tool.flit.sdist]:  include = ["{file}"]',
        versions=_flit_versions,
    ),
    Backend(
        modules=("hatchling.build",),
        table="hatch",
        describes_project=True,
        native=_hatch_hook_tags,
        compiling_hook=_hatch_compiles,
        own_code=lambda files: bool(_hatch_hooks(files).keys() - {"vcs", "version", "custom"}),
        versions=_hatch_versions,
    ),
    Backend(
        modules=("pdm.backend", "pdm.pep517.api"),
        table="pdm",
        describes_project=True,
        native=_pdm_native,
        own_code=lambda files: bool(files.table("tool", "pdm", "build").get("run-setuptools")),
        packing='add to [tool.pdm.build]:  source-includes = ["{file}"]',
        versions=_pdm_versions,
    ),
    Backend(
        modules=("scikit_build_core.build",),
        table="scikit-build",
        build_file="CMakeLists.txt",
        native=_scikit_build_native,
        limited_api=lambda files: "py-api" in files.table("tool", "scikit-build", "wheel"),
        states_abi3=True,
        cross=CrossBuild.CMAKE,
        packing='add to [tool.scikit-build]:  sdist.include = ["{file}"]',
        versions=_scikit_build_versions,
    ),
    Backend(
        modules=("scikit_build_core.setuptools.build_meta",),
        native=lambda files: _runs_cmake(files) or setup_is_native(files),
        runs_setup=True,
        builds_without_texts=True,
        packing=_MANIFEST,
        versions=_setuptools_versions,
    ),
    Backend(modules=("setuptools_rust",), native=_always, builds_without_texts=True, packing=_MANIFEST),
    Backend(modules=("py_build_cmake.build",), native=_py_build_cmake_native),
    Backend(modules=("sipbuild.api",), native=_always),
    Backend(modules=("enscons.api",), native=_enscons_native),
    Backend(
        modules=("uv_build",),
        native=_never,
        packing='add to [tool.uv.build-backend]:  source-include = ["{file}"]',
    ),
    Backend(
        modules=("setuptools.build_meta", ""),
        table="setuptools",
        describes_project=True,
        runs_setup=True,
        cross=CrossBuild.VARIABLES,
        builds_without_texts=True,
        packing=_MANIFEST,
        versions=_setuptools_versions,
    ),
)
_OTHER = Backend(runs_setup=True)


def find_backend(module: str) -> Backend:
    """Return the backend of a ``build-backend`` module; one without known properties for any other module."""
    return next((backend for backend in BACKENDS if module in backend.modules), _OTHER)


def version_sources(files: ProjectFiles) -> Iterator[VersionSource]:
    """Yield where the settings of all backends, the project's own included, say that the version is."""
    active = find_backend(files.backend)
    for backend in BACKENDS:
        yield from backend.versions(files, active=backend is active)
