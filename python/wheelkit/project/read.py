"""A project as it describes itself, read from its folder or sdist without running anything."""

from __future__ import annotations

import json
import shlex
from os.path import lexists
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field

from wheelkit.config import normalise
from wheelkit.errors import OnlySettingsError, ProjectError
from wheelkit.inputs import toml_table
from wheelkit.project import meson
from wheelkit.project.backends import BACKENDS, Backend, find_backend
from wheelkit.project.files import NOT_CODE, FolderFiles, ProjectFiles, SdistFiles
from wheelkit.project.kinds import Kind, is_native
from wheelkit.project.poetry import specifier
from wheelkit.project.requirements import requirement_name, stated_requirements
from wheelkit.project.setup_files import cfg_facts, setup_facts

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from wheelkit.project.requirements import StatedRequirement


class Distribution(Struct, frozen=True, kw_only=True):
    """One project of the family.

    ``source`` is its folder or its sdist. ``extras`` are the optional dependencies by extra. ``version`` and
    ``requires_python`` are None if only a build can tell them. ``stated`` is false if no file states the
    name, so that it is that of the folder.
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
    dependency_groups: Mapping[str, Any] = field(default_factory=dict)
    stated: bool = True

    @property
    def key(self) -> str:
        """The normalised name, by which distributions are compared (PEP 503)."""
        return normalise(self.name)

    @property
    def from_sdist(self) -> bool:
        """Whether the project was given as an sdist file."""
        return self.source.is_file()

    @property
    def uses_nanobind(self) -> bool:
        """Whether the build requires nanobind, whose modules of all projects share a registry."""
        return "nanobind" in map(requirement_name, self.build_requires)

    @property
    def build_backend(self) -> Backend:
        """What is known of the build backend."""
        return find_backend(self.backend)


def read(source: Path) -> Distribution:
    """Read a project folder or an sdist; raises ProjectError if it is neither, or describes no project."""
    if not source.exists():
        raise ProjectError(f"{source} does not exist", hint="give a project folder or an sdist (.tar.gz)")
    if source.is_dir():
        return _read(FolderFiles(source), source)
    if source.name.endswith(".tar.gz"):
        return _read(SdistFiles(source), source)
    message = f"{source} is neither a project folder nor an sdist (.tar.gz)"
    raise ProjectError(message, hint="give one of the two")


def _read(texts: FolderFiles | SdistFiles, source: Path) -> Distribution:
    files = ProjectFiles(document=_pyproject(texts, source), read=texts.text, has_sources=texts.has_sources)
    _require_project(files, source)
    _require_list(files, source)
    project, build = files.table("project"), files.table("build-system")
    backend = str(build.get("build-backend", "setuptools.build_meta:__legacy__")).split(":")[0]
    known = find_backend(backend)
    facts = _poetry(files) | _project(project) | _pkg_info(texts.text("PKG-INFO"))
    setup = setup_facts(texts.text("setup.py")) | cfg_facts(texts.text("setup.cfg"))
    name = facts.get("name") or setup.get("name")
    elsewhere = tuple(stated for stated in stated_requirements(files) if stated.published)
    dependencies = (
        *_strings(project, "dependencies"),
        *(stated.requirement for stated in elsewhere if not stated.extra),
    )
    extras = _extras(files, elsewhere)
    version = facts.get("version")
    if not version and backend == "mesonpy":
        version = meson.project_version(texts.text)
    requires_python = facts.get("requires_python")
    if not requires_python and (not project or "requires-python" in _strings(project, "dynamic")):
        requires_python = setup.get("requires_python")
    has_dependencies = bool(dependencies or extras)
    return Distribution(
        name=name or source.name.removesuffix(".tar.gz"),
        stated=bool(name),
        version=version or None,
        kind=_kind(files, texts, has_dependencies=has_dependencies),
        source=source,
        backend=backend,
        requires_python=requires_python or None,
        dependencies=dependencies,
        extras=extras,
        build_requires=_strings(build, "requires"),
        limited_api=known.limited_api(files),
        cibuildwheel=files.table("tool", "cibuildwheel"),
        dependency_groups=files.table("dependency-groups"),
    )


def _kind(files: ProjectFiles, texts: FolderFiles | SdistFiles, *, has_dependencies: bool) -> Kind:
    """Return the kind that the files show; the wheel itself is compared with it after the build."""
    if is_native(files):
        return Kind.NATIVE
    return Kind.META if has_dependencies and not texts.has_code() else Kind.PURE


def _require_project(files: ProjectFiles, source: Path) -> None:
    """Raise ProjectError, with what to do, unless the files describe a project."""
    has_setup = files.read("setup.py") is not None or files.read("setup.cfg") is not None
    if not files.document and not has_setup:
        if files.read("pyproject.toml") is not None:
            message = f"{source / 'pyproject.toml'} is empty"
            raise ProjectError(message, hint="add a [project] table, or remove the file")
        message = f"{source} has no pyproject.toml (nor setup.py), so there is nothing to build"
        raise ProjectError(message, hint=start_hint(source))
    tables = {backend.table for backend in BACKENDS if backend.describes_project}
    described = files.document.keys() & {"project", "build-system"} or files.table("tool").keys() & tables
    if not has_setup and not described:
        raise _only_settings(source)


def _require_list(files: ProjectFiles, source: Path) -> None:
    """Raise ProjectError for dependencies in a table, as poetry's are; in ``[project]`` they are a list."""
    table = files.table("project").get("dependencies")
    if not isinstance(table, dict):
        return
    items = (
        f"{name}{constraint if str(constraint)[:1] in '<>=!~' else ''}" for name, constraint in table.items()
    )
    raise ProjectError(
        f"{source / 'pyproject.toml'}: [project.dependencies] is a table, not a list as in PEP 621",
        hint=f"write it below [project]:  dependencies = {json.dumps(list(items))}",
    )


def _only_settings(source: Path) -> OnlySettingsError:
    below = [path.relative_to(source).as_posix() for path in projects_below(source)]
    message = (
        f"{source / 'pyproject.toml'} has no [project] and no [build-system], so it describes no project"
    )
    if below:
        folders = ", ".join(below)
        hint = f"there are projects below it, in {folders}; to add them to the configuration:  wheelkit init"
        return OnlySettingsError(message, hint=hint)
    hint = "add a [project] table, or start a project in another folder:  wheelkit init FOLDER"
    return OnlySettingsError(message, hint=hint)


def start_hint(folder: Path) -> str:
    """Return what to do about a folder without a project."""
    name = "" if folder == Path.cwd() else f" {shlex.quote(str(folder))}"
    return f"start a project there:  wheelkit init{name}\nor run wheelkit in a project's folder, or name one"


_DEPTH = 3
# Folders that hold something shared by all members, or somebody else's projects.
_NO_MEMBERS = frozenset({"node_modules", "vendor", "third_party", "subprojects", "templates", "fixtures"})


def is_project(folder: Path) -> bool:
    """Return whether a folder has a pyproject.toml or a setup.py."""
    return lexists(folder / "pyproject.toml") or lexists(folder / "setup.py")


def projects_below(folder: Path, depth: int = _DEPTH) -> Iterator[Path]:
    """Yield the projects in the folders of one that is not a project itself, sorted, without nested ones."""
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        skipped = path.name in NOT_CODE | _NO_MEMBERS or path.name.startswith(".")
        if skipped or not path.is_dir() or path.is_symlink():
            continue
        if is_project(path):
            yield path
        elif depth > 1:
            yield from projects_below(path, depth - 1)


def _extras(files: ProjectFiles, elsewhere: Iterable[StatedRequirement]) -> dict[str, tuple[str, ...]]:
    optional = files.table("project", "optional-dependencies")
    extras = {name: _strings(optional, name) for name in optional}
    for stated in elsewhere:
        if stated.extra:
            extras[stated.extra] = (*extras.get(stated.extra, ()), stated.requirement)
    return extras


def _strings(parent: Mapping[str, Any], key: str) -> tuple[str, ...]:
    """Return a list of strings; anything else is left to the backend to report."""
    value = parent.get(key)
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _pyproject(texts: FolderFiles | SdistFiles, source: Path) -> dict[str, Any]:
    path, text = source / "pyproject.toml", texts.text("pyproject.toml") or ""
    if text.startswith("\ufeff"):
        raise ProjectError(f"{path} begins with a byte order mark", hint="save it as UTF-8 without one")
    try:
        return toml_table(text)
    except ValueError as error:
        raise ProjectError(f"{path} is not valid TOML: {error}", hint="fix that line") from error


def _project(project: Mapping[str, Any]) -> dict[str, str]:
    keys = {"name": "name", "version": "version", "requires-python": "requires_python"}
    return {fact: project[key] for key, fact in keys.items() if isinstance(project.get(key), str)}


def _poetry(files: ProjectFiles) -> dict[str, str]:
    """Return the facts of poetry's own table; a version that comes from git is not one of them."""
    table = files.table("tool", "poetry")
    python = files.table("tool", "poetry", "dependencies").get("python")
    from_git = files.table("tool", "poetry-dynamic-versioning").get("enable") is True
    facts = {
        "name": table.get("name"),
        "version": None if from_git else table.get("version"),
        "requires_python": specifier(python) if isinstance(python, str) else None,
    }
    return {key: value for key, value in facts.items() if isinstance(value, str) and value}


def _pkg_info(text: str | None) -> dict[str, str]:
    if text is None:
        return {}
    from email.parser import HeaderParser

    headers = HeaderParser().parsestr(text)
    fields = {"Name": "name", "Version": "version", "Requires-Python": "requires_python"}
    return {fact: value for name, fact in fields.items() if (value := headers.get(name))}
