"""Versions in files other than TOML: the kind of file decides where the version is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from wheelkit.errors import ProjectError
from wheelkit.inputs import read_bytes
from wheelkit.project.meson import VERSION_COMMAND, VERSION_FILE, VERSION_LITERAL, project_call
from wheelkit.versions.model import Scheme, Span, VersionLocation

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


_NUMBER = r"v?\d+(?:!\d+)?(?:\.\d+)*[\w.+-]*"
_QUOTED = rf"(?P<quote>[\"'])(?P<version>{_NUMBER})(?P=quote)"
_IMPORT = re.compile(
    r"^from\s+(?P<module>\.?[\w.]+)\s+import\s+(?:\((?P<several>[^)]*)\)|(?P<names>[^\n(]+))", re.MULTILINE
)
_WHOLE = re.compile(rf"\s*(?P<version>{_NUMBER})\s*")
_CFG = re.compile(rf"^version\s*[=:]\s*(?P<version>{_NUMBER})\s*$", re.MULTILINE)
_SETUP = re.compile(rf"\bversion\s*=\s*{_QUOTED}")
_SETUP_FILES = {"setup.cfg": (_CFG, "[metadata] version"), "setup.py": (_SETUP, "setup(version=)")}
_SETUP_NAME = re.compile(r"\bversion\s*=\s*(?P<name>[A-Za-z_]\w*)\s*[,)]")
# #define DEMO_VERSION "1.2.3"
_DEFINE = re.compile(rf'^[ \t]*#[ \t]*define[ \t]+\w*VERSION\w*[ \t]+"(?P<version>{_NUMBER})"', re.MULTILINE)
_ANY = re.compile(rf"\b(?:version|release)[\"']?\s*[:=]+\s*[\"']?(?P<version>{_NUMBER})", re.IGNORECASE)
_C_FILES = frozenset({".h", ".hh", ".hpp", ".c", ".cc", ".cpp"})


def read(path: Path) -> str | None:
    """Return the text of a file with its line ends as they are; None if it does not exist.

    Bytes that are not UTF-8 become surrogates, so that files in other encodings can be edited too; see
    ``encode``.
    """
    try:
        return read_bytes(path).decode("utf-8", errors="surrogateescape")
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}"
        raise ProjectError(message, hint="check its permissions") from error


def encode(text: str) -> bytes:
    """Return the bytes of a text that ``read`` returned."""
    return text.encode("utf-8", errors="surrogateescape")


def version_in(path: Path, variable: str = "") -> VersionLocation | None:
    """Return the version that a file states; None if it does not exist or states none.

    ``variable`` is the name to which a module assigns the version, if known. A name that the module imports
    is looked up in the module beside it.
    """
    text = read(path)
    if text is None:
        return None
    if path.name == "meson.build":
        return _meson_literal(path, text)
    if path.name in _SETUP_FILES:
        return _search(path, text, *_SETUP_FILES[path.name]) or _named_in_call(path, text)
    if path.suffix == ".py":
        pattern = _assignment(re.escape(variable) if variable else "__version__|VERSION")
        return _search(path, text, pattern) or _imported(path, text, variable or "__version__")
    if match := _WHOLE.fullmatch(text):
        return _location(path, "the whole file", match)
    defined = _search(path, text, _DEFINE, "#define") if path.suffix in _C_FILES else None
    return defined or _search(path, text, _ANY, "version")


def version_by_pattern(path: Path, pattern: str) -> VersionLocation | None:
    """Return what a backend's regular expression finds in its group ``version`` or ``value``, or None."""
    try:
        match = re.compile(pattern, re.MULTILINE).search(read(path) or "")
    except re.error:
        return None  # the backend reports it
    groups = match.groupdict() if match else {}
    name = next((name for name in ("version", "value") if groups.get(name)), None)
    return _location(path, "version", match, name) if match and name else None


def meson_version(folder: Path) -> Iterator[VersionLocation | Scheme]:
    """Yield the version of a folder's meson.build, of the file that it names, or TAGS for a command."""
    path = folder / "meson.build"
    text = read(path) or ""
    call = project_call(text)
    if call is None:
        return
    if VERSION_COMMAND.search(call[1]):
        yield Scheme.TAGS
        return
    match = VERSION_FILE.search(call[1])
    location = version_in(folder / match["file"]) if match else _meson_literal(path, text)
    if location is not None:
        yield location


def _meson_literal(path: Path, text: str) -> VersionLocation | None:
    call = project_call(text)
    match = VERSION_LITERAL.search(call[1]) if call else None
    if call is None or match is None:
        return None
    span = Span(start=call[0] + match.start("version"), end=call[0] + match.end("version"))
    return VersionLocation(path=path, where="project(version:)", text=match["version"], at=span)


def _assignment(names: str) -> re.Pattern[str]:
    """Match the assignment of a literal version to one of the names, which are separated by ``|``."""
    return re.compile(rf"^(?P<name>{names})(?:\s*:\s*[\w.]+)?\s*=\s*{_QUOTED}", re.MULTILINE)


def _imported(path: Path, text: str, variable: str) -> VersionLocation | None:
    """Follow an import such as ``from .about import __version__`` to the module beside the file, one step."""
    for match in _IMPORT.finditer(text):
        parent, _, module = match["module"].rpartition(".")
        beside = match["module"] == f".{module}" or parent.rpartition(".")[2] == path.parent.name
        original = _original_name(match["several"] or match["names"], variable)
        if not (beside and module and original):
            continue
        for target in (path.with_name(f"{module}.py"), path.parent / module / "__init__.py"):
            if location := _search(target, read(target) or "", _assignment(re.escape(original))):
                return location
    return None


def _original_name(names: str, variable: str) -> str:
    """Return the name that is imported as the variable (``from x import name as variable``), or empty."""
    for clause in re.sub(r"#[^\n]*", "", names).split(","):
        words = clause.split()
        if words and words[-1] == variable and len(words) in {1, 3}:
            return words[0]
    return ""


def _named_in_call(path: Path, text: str) -> VersionLocation | None:
    """Return the literal to which the same file sets the variable of ``setup(version=VERSION)``."""
    name = _SETUP_NAME.search(text)
    return _search(path, text, _assignment(name["name"])) if name else None


def _search(path: Path, text: str, pattern: re.Pattern[str], where: str = "") -> VersionLocation | None:
    """Return what a pattern finds; ``where`` defaults to its group ``name``."""
    match = pattern.search(text)
    return _location(path, where or match["name"], match) if match else None


def _location(path: Path, where: str, match: re.Match[str], group: str = "version") -> VersionLocation:
    span = Span(start=match.start(group), end=match.end(group))
    return VersionLocation(path=path, where=where, text=match[group], at=span)
