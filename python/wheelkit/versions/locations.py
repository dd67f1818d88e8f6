"""All locations that state a distribution's version, by backend, configuration and convention."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelkit.errors import ProjectError
from wheelkit.project.backends import SOURCE_FOLDERS
from wheelkit.project.files import NOT_CODE
from wheelkit.project.read import is_project
from wheelkit.versions import backends, text_files
from wheelkit.versions.bump import same_version
from wheelkit.versions.locks import locked_versions
from wheelkit.versions.model import FileFormat, Scheme, VersionLocation
from wheelkit.versions.toml_files import first_version, read_toml, value_at

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from wheelkit.project.read import Distribution


_VERSION_FILES = ("VERSION", "VERSION.txt", "version.txt")
_MODULES = (
    "__init__.py", "__about__.py", "_version.py", "version.py", "__version__.py", "about.py", "_about.py",
)  # fmt: skip
_TOML_KEYS = (
    ("project", "version"),
    ("package", "version"),
    ("workspace", "package", "version"),
    ("tool", "poetry", "version"),
    ("version",),
)
# Folders with tests, tools and third-party code.
_NO_PACKAGES = NOT_CODE | frozenset({
    "_vendor", "vendor", "_vendored", "vendored", "extern", "third_party", "subprojects", "node_modules",
})  # fmt: skip


def find_locations(
    distribution: Distribution, configured: Sequence[str] = ()
) -> tuple[Scheme, tuple[VersionLocation, ...]]:
    """Return where a distribution's version comes from, and all locations that state it.

    ``configured`` files replace the conventional ones, not those that the metadata names. Raises ProjectError
    for a configured file that does not exist or states no version.
    """
    folder = distribution.source
    if not folder.is_dir():
        return Scheme.BUILD, ()
    document = read_toml(folder / "pyproject.toml")
    stated = list(backends.stated_versions(folder, document))
    # A version in [project] is final; no backend computes another one.
    fixed = isinstance(value_at(document, "project", "version"), str)
    if not fixed and (
        Scheme.TAGS in stated or (not stated and backends.computed_from_tags(folder, document))
    ):
        return Scheme.TAGS, ()
    locations = [location for location in stated if isinstance(location, VersionLocation)]
    locations += (
        [_configured(folder, name) for name in configured]
        if configured
        else _versions_in(folder, _conventional_files(distribution))
    )
    if locations:
        copies = (
            *_versions_in(folder, _other_modules(folder)),
            *locked_versions(folder, document, distribution),
        )
        locations += [copy for copy in copies if same_version(copy.text, locations[0].text)]
    unique = {(location.path.resolve(), location.at): location for location in locations}
    return (Scheme.FILES if unique else Scheme.BUILD), tuple(unique.values())


def _configured(folder: Path, name: str) -> VersionLocation:
    path = folder / name
    if path.suffix == ".toml":
        form = FileFormat.CARGO if path.name == "Cargo.toml" else FileFormat.PYTHON
        location = first_version(path, *_TOML_KEYS, form=form)
    else:
        location = text_files.version_in(path)
    if location is None:
        reason = "states no version that wheelkit can read" if path.is_file() else "does not exist"
        raise ProjectError(
            f"{path}, listed in version-files, {reason}",
            hint="fix the file, or version-files in [tool.wheelkit.distribution]",
        )
    return location


def _versions_in(folder: Path, names: Iterable[str]) -> Iterator[VersionLocation]:
    yield from filter(None, (text_files.version_in(folder / name) for name in names))


def _conventional_files(distribution: Distribution) -> Iterator[str]:
    """Yield VERSION files at the top, and the module or the package with the distribution's name."""
    name = distribution.key.replace("-", "_")
    packages = dict.fromkeys((name, distribution.key.replace("-", "/")))  # the second for namespaces
    yield from _VERSION_FILES
    yield from (f"{source}{name}.py" for source in SOURCE_FOLDERS)
    for source in SOURCE_FOLDERS:
        for package in packages:
            yield from (f"{source}{package}/{module}" for module in _MODULES)


def _other_modules(folder: Path) -> Iterator[str]:
    """Yield the modules of packages with other names; they count only if they state the same version."""
    for source in SOURCE_FOLDERS:
        for pattern in ("*", "*/*"):
            for path in sorted((folder / source).glob(pattern)):
                if _is_package(path, folder):
                    yield from (f"{path.relative_to(folder).as_posix()}/{module}" for module in _MODULES)


def _is_package(path: Path, folder: Path) -> bool:
    """Return whether a folder can hold the distribution's code: no tests, vendored code or nested project."""
    parts = path.relative_to(folder).parts
    if not path.is_dir() or any(part in _NO_PACKAGES or part.startswith(".") for part in parts):
        return False
    folders = (folder.joinpath(*parts[: index + 1]) for index in range(len(parts)))
    return not any(map(is_project, folders))
