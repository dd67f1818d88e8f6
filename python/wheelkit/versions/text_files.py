"""Versions in files that are no TOML: one file name, one way to find where the version stands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheelkit.errors import ProjectError
from wheelkit.project.meson import VERSION_COMMAND, VERSION_FILE, VERSION_LITERAL, project_call
from wheelkit.versions.model import Scheme, Span, VersionLocation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


_NUMBER = r"v?\d+(?:!\d+)?(?:\.\d+)*[\w.+-]*"
_IMPORT = re.compile(
    r"^from\s+(?P<module>\.?[\w.]+)\s+import\s+(?:\((?P<several>[^)]*)\)|(?P<names>[^\n(]+))", re.MULTILINE
)
_WHOLE = re.compile(rf"\s*(?P<version>{_NUMBER})\s*")
_CFG = re.compile(rf"^version\s*[=:]\s*(?P<version>{_NUMBER})\s*$", re.MULTILINE)
_SETUP = re.compile(rf"\bversion\s*=\s*(?P<quote>[\"'])(?P<version>{_NUMBER})(?P=quote)")
_SETUP_NAME = re.compile(r"\bversion\s*=\s*(?P<name>[A-Za-z_]\w*)\s*[,)]")
# #define DEMO_VERSION "1.2.3"
_DEFINE = re.compile(rf'^[ \t]*#[ \t]*define[ \t]+\w*VERSION\w*[ \t]+"(?P<version>{_NUMBER})"', re.MULTILINE)
_ANY = re.compile(rf"\b(?:version|release)[\"']?\s*[:=]+\s*[\"']?(?P<version>{_NUMBER})", re.IGNORECASE)


_HEADERS = frozenset({".h", ".hh", ".hpp", ".c", ".cc", ".cpp"})


def read(path: Path) -> str | None:
    """Read a text file with its line ends as they are; None where there is none.

    Bytes that are no UTF-8 become surrogates, which :func:`encoded` turns back, so that files in another
    encoding can be edited, too.
    """
    try:
        return path.read_bytes().decode("utf-8", errors="surrogateescape")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None
    except OSError as error:
        raise ProjectError(
            f"{path} cannot be read: {error.strerror}", hint="check its permissions"
        ) from error


def encoded(text: str) -> bytes:
    """Give the bytes of a text that was read here."""
    return text.encode("utf-8", errors="surrogateescape")


def in_file(path: Path, variable: str = "") -> VersionLocation | None:
    """Find the version in a file by what kind of file it is; None where there is no file, or no version in it.

    ``variable`` is the name that a module gives it, where it is known; a name that the module imports from
    beside it is followed there.
    """
    text = read(path)
    if text is None:
        return None
    if path.name == "meson.build":
        return _meson_literal(path, text)
    if path.suffix == ".py" and path.name != "setup.py":
        match = _assignment(re.escape(variable) if variable else "__version__|VERSION").search(text)
        return (
            _place(path, match["name"], match) if match else _imported(path, text, variable or "__version__")
        )
    patterns = {"setup.cfg": (_CFG, "[metadata] version"), "setup.py": (_SETUP, "setup(version=)")}
    if path.name in patterns:
        pattern, where = patterns[path.name]
        return _found(path, text, pattern, where) or _by_name(path, text)
    if match := _WHOLE.fullmatch(text):
        return _place(path, "the whole file", match)
    defined = _found(path, text, _DEFINE, "#define") if path.suffix in _HEADERS else None
    return defined or _found(path, text, _ANY, "version")


def _assignment(names: str) -> re.Pattern[str]:
    """Match the assignment of a literal version to one of the names, which stand with ``|`` between them."""
    return re.compile(
        rf"^(?P<name>{names})(?:\s*:\s*[\w.]+)?\s*=\s*(?P<quote>[\"'])(?P<version>{_NUMBER})(?P=quote)",
        re.MULTILINE,
    )


def _imported(path: Path, text: str, variable: str) -> VersionLocation | None:
    """Follow ``from .about import __version__`` into the module beside the file, one step."""
    for found in _IMPORT.finditer(text):
        parent, _, module = found["module"].rpartition(".")
        beside = found["module"] == f".{module}" or parent.rpartition(".")[2] == path.parent.name
        origin = _origin(found["several"] or found["names"], variable)
        if not (beside and module and origin):
            continue
        for target in (path.with_name(f"{module}.py"), path.parent / module / "__init__.py"):
            if (
                place := _found(target, read(target) or "", _assignment(re.escape(origin)), origin)
            ) is not None:
                return place
    return None


def _origin(names: str, variable: str) -> str:
    """Give the name that an import takes the variable from (``from x import a as b``); empty where it brings no such variable."""
    for clause in re.sub(r"#[^\n]*", "", names).split(","):
        words = clause.split()
        if words and words[-1] == variable and len(words) in {1, 3}:
            return words[0]
    return ""


def by_pattern(path: Path, pattern: str) -> VersionLocation | None:
    """Find the version by a backend's own regular expression, in its group ``version`` or ``value``; None where it finds none."""
    try:
        match = re.compile(pattern, re.MULTILINE).search(read(path) or "")
    except re.error:
        return None  # the build says it better
    name = next((name for name in ("version", "value") if match and match.groupdict().get(name)), None)
    if match is None or name is None:
        return None
    return VersionLocation(
        path=path, where="version", text=match[name], at=Span(start=match.start(name), end=match.end(name))
    )


def _by_name(path: Path, text: str) -> VersionLocation | None:
    """Find what ``setup(version=VERSION)`` names, where the same file sets it to a literal."""
    named = _SETUP_NAME.search(text)
    pattern = (
        rf"^{named['name']}\s*=\s*(?P<quote>[\"'])(?P<version>{_NUMBER})(?P=quote)" if named else r"(?!)"
    )
    match = re.search(pattern, text, re.MULTILINE)
    return _place(path, named["name"], match) if named and match else None


def meson(folder: Path) -> Iterator[VersionLocation | Scheme]:
    """Yield the version of a folder's meson.build: its literal, the file that it names, or TAGS if a command computes it."""
    path = folder / "meson.build"
    text = read(path) or ""
    call = project_call(text)
    if call is None:
        return
    if VERSION_COMMAND.search(call[1]):
        yield Scheme.TAGS
        return
    match = VERSION_FILE.search(call[1])
    location = in_file(folder / match["file"]) if match else _meson_literal(path, text)
    if location is not None:
        yield location


def _meson_literal(path: Path, text: str) -> VersionLocation | None:
    call = project_call(text)
    match = VERSION_LITERAL.search(call[1]) if call else None
    if call is None or match is None:
        return None
    span = Span(start=call[0] + match.start("version"), end=call[0] + match.end("version"))
    return VersionLocation(path=path, where="project(version:)", text=match["version"], at=span)


def _found(path: Path, text: str, pattern: re.Pattern[str], where: str) -> VersionLocation | None:
    match = pattern.search(text)
    return _place(path, where, match) if match else None


def _place(path: Path, where: str, match: re.Match[str]) -> VersionLocation:
    return VersionLocation(
        path=path,
        where=where,
        text=match["version"],
        at=Span(start=match.start("version"), end=match.end("version")),
    )
