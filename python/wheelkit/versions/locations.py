"""Every place in which a distribution states its version, as its backend and the configuration say, and as people are used to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wheelkit.errors import ProjectError
from wheelkit.project.backends import SOURCE_FOLDERS
from wheelkit.project.files import NOT_CODE
from wheelkit.versions import backends, locks, text_files
from wheelkit.versions.bump import same_version
from wheelkit.versions.model import FileFormat, Scheme, VersionLocation
from wheelkit.versions.toml_files import at, toml, toml_place

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from wheelkit.project.read import Distribution


_VERSION_FILES = ("VERSION", "VERSION.txt", "version.txt")
_MODULES = (
    "__init__.py",
    "__about__.py",
    "_version.py",
    "version.py",
    "__version__.py",
    "about.py",
    "_about.py",
)

_TOML_KEYS = (
    ("project", "version"),
    ("package", "version"),
    ("workspace", "package", "version"),
    ("tool", "poetry", "version"),
    ("version",),
)
_OTHERS = frozenset(
    {"_vendor", "vendor", "_vendored", "vendored", "extern", "third_party", "subprojects", "node_modules"}
)


def find_locations(
    item: Distribution, configured: Sequence[str] = ()
) -> tuple[Scheme, tuple[VersionLocation, ...]]:
    """Find where a distribution's version comes from, and every place that states it.

    ``configured`` files stand beside what the metadata says, in place of the usual files, which are looked at
    otherwise. Raises ProjectError for a configured file that is not there or states no version.
    """
    folder = item.source
    if not folder.is_dir():
        return Scheme.BUILD, ()
    document = toml(folder / "pyproject.toml")
    fixed = isinstance(at(document, "project", "version"), str)
    told = list(backends.stated(folder, document))
    # What [project] states outright, no backend computes.
    if not fixed and (Scheme.TAGS in told or (not told and backends.computed_from_tags(folder, document))):
        return Scheme.TAGS, ()
    places = [one for one in told if isinstance(one, VersionLocation)]
    places += [_configured(folder, name) for name in configured] if configured else _usual(folder, item)
    places += [
        one
        for one in (*_elsewhere(folder), *locks.own(folder, document, item))
        if places and same_version(one.text, places[0].text)
    ]
    unique = {(one.path.resolve(), one.at): one for one in places}
    return (Scheme.FILES if unique else Scheme.BUILD), tuple(unique.values())


def _configured(folder: Path, name: str) -> VersionLocation:
    path = folder / name
    if path.suffix == ".toml":
        document = toml(path)
        form = FileFormat.CARGO if path.name == "Cargo.toml" else FileFormat.PYTHON
        for key in _TOML_KEYS:
            if isinstance(text := at(document, *key), str):
                return toml_place(path, key, text, form)
    elif place := text_files.in_file(path):
        return place
    reason = "states no version that wheelkit can read" if path.is_file() else "does not exist"
    raise ProjectError(
        f"{path}, one of the version-files, {reason}",
        hint="mend it, or version-files in [tool.wheelkit.distribution]",
    )


def _usual(folder: Path, item: Distribution) -> Iterator[VersionLocation]:
    """Look where people put a version: a VERSION file at the top, and the module or package of the distribution's own name."""
    name = item.key.replace("-", "_")
    packages = dict.fromkeys((name, item.key.replace("-", "/")))  # the second for namespaces
    modules = [
        f"{source}{package}/{module}"
        for source in SOURCE_FOLDERS
        for package in packages
        for module in _MODULES
    ]
    for one in (*_VERSION_FILES, *(f"{source}{name}.py" for source in SOURCE_FOLDERS), *modules):
        if place := text_files.in_file(folder / one):
            yield place


def _elsewhere(folder: Path) -> Iterator[VersionLocation]:
    """Look at packages of another name than the distribution's; only the same version there is taken for the distribution's."""
    for source in SOURCE_FOLDERS:
        for pattern in ("*", "*/*"):
            packages = (path for path in sorted((folder / source).glob(pattern)) if _is_package(path, folder))
            for path in (package / module for package in packages for module in _MODULES):
                if place := text_files.in_file(path):
                    yield place


def _is_package(path: Path, folder: Path) -> bool:
    """Tell whether a folder can hold the distribution's own code: not its tests, what others wrote, or another distribution."""
    parts = path.relative_to(folder).parts
    if not path.is_dir() or any(
        part in NOT_CODE or part in _OTHERS or part.startswith(".") for part in parts
    ):
        return False
    between = (folder.joinpath(*parts[: index + 1]) for index in range(len(parts)))
    return not any((one / name).is_file() for one in between for name in ("pyproject.toml", "setup.py"))
