"""Configure wheelkit in an existing project, from what the project already states."""

from __future__ import annotations

import re
from difflib import unified_diff
from typing import TYPE_CHECKING, Any

import tomlkit
from msgspec import Struct
from tomlkit.items import AoT, Array

from wheelkit import matrix as matrices
from wheelkit.config import normalise, parse
from wheelkit.config.load import OWN_FILE, PROJECT_FILE
from wheelkit.errors import OutputError, ProjectError, UsageError
from wheelkit.init import detect, losses
from wheelkit.init.as_matrix import MatrixTable, as_matrix
from wheelkit.init.outside import SCRIPT, dist_script
from wheelkit.init.repair_commands import read_repair
from wheelkit.init.tag_template import tag_scheme
from wheelkit.init.today import Today, like, read_ci, repository_root, today
from wheelkit.init.todays_builds import Build
from wheelkit.inputs import read_bytes, toml_table
from wheelkit.machine.git import Repository
from wheelkit.matrix import Target, build_identifier, default_interpreters, offered_interpreters
from wheelkit.plan import allowed_interpreters
from wheelkit.project import read
from wheelkit.project.kinds import Kind
from wheelkit.text import plural, shorten_list
from wheelkit.versions.git import DEFAULT_TEMPLATE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from wheelkit.init.today import IndexAccess
    from wheelkit.project.read import Distribution


_NAME = re.compile(r"[\w.-]+")
_WIDEST = 100


class FileChange(Struct, frozen=True, kw_only=True):
    """A file with its new text.

    ``before`` holds its present bytes, None if it does not exist; ``notes`` say what is worth a look.
    """

    path: Path
    text: str
    before: bytes | None = None
    notes: tuple[str, ...] = ()


class Evidence(Struct, frozen=True, kw_only=True):
    """What adoption looks at besides the files of the project: an index, and a release to be like.

    ``ask`` returns the index; without it, none is asked.
    """

    ask: Callable[[], IndexAccess] | None = None
    like: str | None = None


def adopt(folder: Path, evidence: Evidence | None = None) -> FileChange:
    """Compute the configuration of a project: added to its pyproject.toml, or a wheelkit.toml if it has none.

    Raises UsageError if wheelkit is already configured, ProjectError if the project cannot be read.
    """
    require_unconfigured(folder)
    _require_name(folder)
    project = read.read(folder)
    evidence = evidence or Evidence()
    scheme = tag_scheme(Repository(folder=folder).tags(), project.name)
    notes = [scheme.note] if scheme.note else []
    table: dict[str, Any] = {}
    native = project.kind is Kind.NATIVE or evidence.like is not None
    if native:
        adoption = adopt_wheels(project, scheme.newest, evidence)
        table["matrix"] = adoption.matrix.document()
        if adoption.exclude:
            table["exclude"] = {name: list(patterns) for name, patterns in adoption.exclude.items()}
        notes = [*adoption.notes, *notes]
    else:
        table["distributions"] = ["."]
    if scheme.template != DEFAULT_TEMPLATE:
        table["distribution"] = {project.key: {"tag": scheme.template}}
    script = dist_script(project, repository_root(folder))
    notes += script.notes if script is not None else ()
    return configure(folder, table, notes=(*notes, *_family_note(project, folder)))


def dist_script_change(folder: Path) -> tuple[FileChange, ...]:
    """Return the new file that copies sources from outside of the folder into the sdist, if there are any."""
    script, path = dist_script(read.read(folder), repository_root(folder)), folder / SCRIPT
    if script is None or not script.text or path.exists():
        return ()
    return (FileChange(path=path, text=script.text),)


class Adoption(Struct, frozen=True, kw_only=True):
    """A project's wheels as a matrix and an exclude list, with sentences about what differs."""

    matrix: MatrixTable
    builds: tuple[Build, ...]
    exclude: Mapping[str, tuple[str, ...]]
    notes: tuple[str, ...]


def adopt_wheels(project: Distribution, tag: str, evidence: Evidence) -> Adoption:
    """Compute the matrix of a native project; raise ProjectError if it builds no wheel at all."""
    folder = project.source
    allowed_interpreters(project)
    classifiers = read_classifiers(folder)
    if evidence.like is not None and evidence.ask is not None:
        found = like(project, evidence.like, evidence.ask())
    else:
        found = today(project, folder, read_ci(folder, tag), classifiers, evidence.ask)
    if not found.builds:
        raise ProjectError(
            f"no wheel is left for {project.name}: {_nothing(project, found)}",
            hint="write targets and interpreters into [tool.wheelkit.matrix] by hand",
        )
    builds = serving_later(project, found)
    matrix = as_matrix(builds)
    repair = read_repair(project, () if found.like else found.ci.runs)
    notes = (*_report(project, found, matrix, classifiers), *repair.notes)
    return Adoption(matrix=matrix, builds=builds, exclude=repair.exclude, notes=notes)


def _nothing(project: Distribution, found: Today) -> str:
    if found.like:
        return f'requires-python = "{project.requires_python}" admits none of {found.release}'
    source = ", ".join(found.ci.workflows) or "[tool.cibuildwheel]"
    return f"what {source} builds and skips contradicts requires-python, or leaves nothing"


def serving_later(project: Distribution, found: Today) -> tuple[Build, ...]:
    """Add the cells that wheels for the stable ABI serve, too: those of every later CPython.

    A single CPython is taken for a build for the stable ABI, unless the backend or the last release says
    otherwise.
    """
    regular = [build for build in found.builds if build.interpreter.has_stable_abi]
    pythons = {build.interpreter for build in regular}
    single = len(pythons) == 1 and not project.build_backend.states_abi3
    if found.release is not None and found.release.wheels:
        single = single and found.release.serves_later
    if found.like or not found.complete or not (project.limited_api or single):
        return found.builds
    more = (
        Build(identifier=build_identifier(python, build.target), target=build.target)
        for build in regular
        for python in default_interpreters(project.requires_python)
        if python.version > build.interpreter.version and python.tag in offered_interpreters(build.target)
    )
    known = {build.identifier for build in found.builds}
    return (
        *found.builds,
        *{build.identifier: build for build in more if build.identifier not in known}.values(),
    )


def _report(
    project: Distribution, found: Today, matrix: MatrixTable, classifiers: Sequence[str]
) -> Iterator[str]:
    """Yield what the matrix covers of today's wheels, and each thing that it does not."""
    promised = promised_identifiers(matrix, project)
    if not found.complete:
        yield "nothing says what is built today, so the common targets are promised"
        yield from _skipped_note(project, classifiers)
    elif found.release is not None and (found.like or found.origin == str(found.release)):
        wheels = found.release.wheels
        kept = sum(any(build.identifier in promised for build in wheel.builds) for wheel in wheels)
        yield f"{plural(len(wheels), 'wheel')} today ({found.origin}), {kept} promised"
    else:
        today_names = [build.identifier for build in found.builds]
        kept = sum(name in promised for name in today_names)
        yield f"{plural(len(today_names), 'wheel')} today ({found.origin}), {kept} promised"
        yield from (f"{name}: not promised" for name in today_names if name not in promised)
        yield from _more(project, found, promised)
    yield from found.notes
    if found.added:
        names = shorten_list((build.identifier for build in found.added), 8)
        yield f"taken from {found.release}, since the workflows do not show them: {names}"
    if found.release is not None:
        yield from losses.released(found.release, promised, project)
        if not found.like and found.complete:
            yield from losses.newer(found.release, found)
            yield from losses.old_glibc(found.release, map(Target.parse, matrix.targets))
    if not found.like:
        root = repository_root(project.source)
        yield from losses.words(project, found.ci.runs, root)
        yield from losses.variables(found.ci.runs)
    yield from losses.python_3_8(project)


def _more(project: Distribution, found: Today, promised: Sequence[str]) -> Iterator[str]:
    """Say which cells wheels for the stable ABI serve besides the builds."""
    names = {build.identifier for build in found.builds}
    if more := [name for name in promised if name not in names]:
        pythons = shorten_list(dict.fromkeys(name.partition("-")[0] for name in more), 8)
        why = "wheels for the stable ABI serve later Pythons"
        if not project.limited_api:
            why = "one CPython alone is built, which stands for the stable ABI and later Pythons"
        yield f"{why}, so these are promised, too: {pythons}"


def promised_identifiers(matrix: MatrixTable, project: Distribution) -> tuple[str, ...]:
    """Return cibuildwheel's names of the cells that a matrix promises, as wheelkit reads it."""
    config = parse(
        {"matrix": matrix.document()}, source=None, root=project.source, validators=(matrices.validate,)
    )
    cells = matrices.matrix_of(config, project.requires_python)
    return tuple(dict.fromkeys(cells.identifiers()))


def _skipped_note(project: Distribution, classifiers: Sequence[str]) -> Iterator[str]:
    """Name the systems without targets: classifiers are often older than the wheels."""
    if skipped := " and ".join(detect.skipped_systems(project, classifiers)):
        yield f"no targets for {skipped}, which the classifiers do not name; add them if you ship its wheels"


def _family_note(project: Distribution, folder: Path) -> Iterator[str]:
    """Name the projects below this one that depend on it, or on which it depends."""
    relatives = []
    for path in read.projects_below(folder):
        try:
            other = read.read(path)
        except ProjectError:
            continue
        requirements = (*other.dependencies, *project.dependencies)
        names = {normalise(match[0]) for text in requirements if (match := _NAME.match(text.strip()))}
        if names & {project.key, other.key}:
            relatives.append(path.relative_to(folder).as_posix())
    if relatives:
        members = ", ".join(f'"{name}"' for name in (".", *relatives))
        family = f"{', '.join(relatives)} and {project.name} are a family"
        yield f"{family}; to release them together: distributions = [{members}]"


def configure(folder: Path, table: Mapping[str, Any], notes: tuple[str, ...] = ()) -> FileChange:
    """Compute the file with a new configuration: pyproject.toml, or a wheelkit.toml if there is none.

    Raises UsageError if wheelkit is already configured in pyproject.toml.
    """
    own_file = FileChange(path=folder / OWN_FILE, text=_dumps(table), notes=notes)
    path = folder / PROJECT_FILE
    if not path.exists():
        return own_file
    before, text = _read(path)
    text = _append(text, _dumps({"tool": {"wheelkit": table}}))
    try:
        toml_table(text)
    except ValueError:  # [tool] is an inline table, which no header may extend
        return own_file
    return FileChange(path=path, text=text, before=before, notes=notes)


def _dumps(table: Mapping[str, Any]) -> str:
    """Return tables as TOML, with long lists on several lines."""
    document = tomlkit.document()
    for key, value in table.items():
        document.add(key, tomlkit.item(value))
    _break_lists(document)
    return tomlkit.dumps(document)


def _break_lists(table: Any) -> None:  # noqa: ANN401 - an item of tomlkit
    for value in table.values():
        if isinstance(value, Array):
            value.multiline(len(value.as_string()) > _WIDEST)
        elif isinstance(value, AoT):
            for row in value:
                _break_lists(row)
        elif hasattr(value, "values"):
            _break_lists(value)


def require_unconfigured(folder: Path) -> None:
    """Raise UsageError if wheelkit is already configured in a folder."""
    if (folder / OWN_FILE).is_file():
        raise _already_configured(folder / OWN_FILE)
    path = folder / PROJECT_FILE
    if path.exists() and "wheelkit" in toml_table(_read(path)[1]).get("tool", {}):
        raise _already_configured(path)


def _require_name(folder: Path) -> None:
    """Raise ProjectError for a ``[project]`` table without a name, which no backend builds."""
    path = folder / PROJECT_FILE
    project = toml_table(_read(path)[1]).get("project") if path.exists() else None
    if isinstance(project, dict) and not project.get("name"):
        raise ProjectError(f"{path} has a [project] table without a name", hint='add it: name = "…"')


def _read(path: Path) -> tuple[bytes, str]:
    """Return the bytes and the text of a pyproject.toml; raise ProjectError where it cannot be read."""
    try:
        data = read_bytes(path)
        text = data.decode("utf-8")
        toml_table(text)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ProjectError(
            f"{path} cannot be read: {reason}", hint="save it as valid TOML in UTF-8"
        ) from error
    return data, text


def _append(text: str, tables: str) -> str:
    """Append tables to a TOML text, with the line ends of the text."""
    newline = "\r\n" if "\r\n" in text else "\n"
    gap = "" if not text else newline if text.endswith("\n") else newline * 2
    return text + gap + tables.replace("\n", newline)


def _already_configured(path: Path) -> UsageError:
    return UsageError(
        f"{path} already configures wheelkit, and is never overwritten",
        hint="show what it configures: wheelkit plan",
    )


def read_classifiers(folder: Path) -> list[str]:
    """Return the classifiers of a project whose pyproject.toml, if any, is valid TOML."""
    path = folder / PROJECT_FILE
    table = toml_table(_read(path)[1]).get("project") if path.exists() else None
    classifiers = table.get("classifiers") if isinstance(table, dict) else None
    return list(map(str, classifiers)) if isinstance(classifiers, list) else []


def diff(change: FileChange, root: Path) -> str:
    """Return a change as a unified diff."""
    name = change.path.relative_to(root).as_posix()
    before = (change.before or b"").decode("utf-8").splitlines()
    lines = unified_diff(before, change.text.splitlines(), f"{name} (now)", f"{name} (new)", lineterm="")
    return "\n".join(lines)


def write(changes: Iterable[FileChange]) -> None:
    """Write the files; raise OutputError at the first that has changed, or appeared, since it was read."""
    for change in changes:
        try:
            change.path.parent.mkdir(parents=True, exist_ok=True)
            if change.before is None:
                with change.path.open("x", encoding="utf-8", newline="") as stream:
                    stream.write(change.text)
            elif read_bytes(change.path) == change.before:
                change.path.write_text(change.text, encoding="utf-8", newline="")
            else:
                raise OutputError(
                    f"{change.path} was changed in the meantime and left unchanged",
                    hint="run wheelkit init again",
                )
        except OSError as error:
            raise OutputError.of(error, change.path) from error
