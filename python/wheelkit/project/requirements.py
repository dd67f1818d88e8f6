"""Requirements outside ``[project]``: in setup.cfg, setup.py, the files that they name, and poetry's tables.

Nothing is run, and only literals are found. Each requirement comes with its position, for edits.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from wheelkit.config import normalise
from wheelkit.project.setup_files import parse_setup_py

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from wheelkit.project.files import ProjectFiles


_NAME_AND_EXTRAS = re.compile(
    r"\s*(?P<name>[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)\s*(?:\[(?P<extras>[^\]]*)\])?"
)


def name_and_extras(requirement: str) -> tuple[str, tuple[str, ...]]:
    """Return the normalised name and the extras of a requirement (PEP 508); an empty name if it has none."""
    match = _NAME_AND_EXTRAS.match(requirement)
    if match is None:
        return "", ()
    extras = (extra.strip() for extra in (match["extras"] or "").split(","))
    return normalise(match["name"]), tuple(filter(None, extras))


def requirement_name(requirement: str) -> str:
    """Return the normalised name of a requirement (PEP 508); empty if it has none."""
    return name_and_extras(requirement)[0]


class StatedRequirement(Struct, frozen=True, kw_only=True):
    """A requirement and its position in a file.

    ``text`` is a requirement (PEP 508), or for poetry a constraint, whose ``name`` and ``extras`` are stated
    separately. ``extra`` is the extra to which it belongs, or empty. ``published`` is false for requirements
    of developers and of the build. ``start`` is the position in the file in characters, ``key`` that in
    TOML; both are None if the text is not written in one piece.
    """

    file: str
    where: str
    text: str
    extra: str = ""
    published: bool = True
    start: int | None = None
    key: tuple[str | int, ...] | None = None
    name: str = ""
    extras: tuple[str, ...] = ()

    @property
    def poetry(self) -> bool:
        """Whether ``text`` is a constraint of poetry."""
        return bool(self.name)

    @property
    def requirement(self) -> str:
        """The requirement; for poetry only its name and extras."""
        if not self.poetry:
            return self.text
        return f"{self.name}[{','.join(self.extras)}]" if self.extras else self.name


def stated_requirements(files: ProjectFiles) -> Iterator[StatedRequirement]:
    """Yield the requirements outside ``[project]`` that count.

    A ``[project]`` table states all dependencies that it does not declare as dynamic (PEP 621). Poetry's
    groups count in any case.
    """
    dynamic = files.table("project").get("dynamic")
    if not isinstance(files.document.get("project"), dict):
        dynamic = ["dependencies", "optional-dependencies"]
    requirements = (
        *setup_cfg(files.read("setup.cfg") or ""),
        *setup_py(files.read("setup.py") or ""),
        *_named_files(files),
        *_poetry(files),
    )
    for requirement in requirements:
        field = "optional-dependencies" if requirement.extra else "dependencies"
        if not requirement.published or (isinstance(dynamic, list) and field in dynamic):
            yield requirement


_SECTION = re.compile(r"\[(?P<name>[^\]]+)\]")
_OPTION = re.compile(r"(?P<name>[^\s=:#;\[][^=:]*?)\s*[=:][ \t]*(?P<value>.*)")
_CFG_OPTIONS = frozenset({"install_requires", "setup_requires", "tests_require"})


def setup_cfg(text: str) -> Iterator[StatedRequirement]:
    """Yield the requirements of ``[options]`` and ``[options.extras_require]``, one a line."""
    section = option = ""
    for offset, line in _lines(text):
        if match := _SECTION.match(line):
            section, option = match["name"].strip(), ""
            continue
        start, value = offset, line if line[:1].isspace() else ""
        if not value and (match := _OPTION.match(line.rstrip("\r\n"))):
            option, value = match["name"].strip(), match["value"]
            start += match.start("value")
        is_extra = section == "options.extras_require"
        if not is_extra and not (section == "options" and option in _CFG_OPTIONS):
            continue
        if requirement := _requirement_of_line(value):
            yield StatedRequirement(
                file="setup.cfg",
                where=f"[{section}] {option}",
                text=requirement,
                extra=option if is_extra else "",
                published=is_extra or option == "install_requires",
                start=start + len(value) - len(value.lstrip()),
            )


def _lines(text: str) -> Iterator[tuple[int, str]]:
    """Yield the position and the text of each line, with its end."""
    offset = 0
    for line in text.splitlines(keepends=True):
        yield offset, line
        offset += len(line)


def _requirement_of_line(line: str) -> str:
    """Return the requirement of a line without its comment; empty for pip's options, URLs and paths."""
    text = re.split(r"(?:^|\s)#", line.strip(), maxsplit=1)[0].strip()
    name = re.split(r"[\[;@]", text, maxsplit=1)[0]
    return text if re.match(r"[A-Za-z0-9]", text) and ":" not in name else ""


_SETUP_WORDS = frozenset({"install_requires", "setup_requires", "tests_require", "extras_require"})


def setup_py(text: str) -> Iterator[StatedRequirement]:
    """Yield the literal requirements that setup.py passes to setup(), directly or through a variable."""
    tree = parse_setup_py(text, _SETUP_WORDS)
    if tree is None:
        return
    variables = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    line_starts = [0, *(match.end() for match in re.finditer(r"\r\n|\r|\n", text))]
    for word, value in _arguments(tree):
        for extra, node in _literals(value, variables, ""):
            yield StatedRequirement(
                file="setup.py",
                where=f"setup({word}=)",
                text=str(node.value),
                extra=extra,
                published=word in {"install_requires", "extras_require"},
                start=_literal_start(text, line_starts[node.lineno - 1], node),
            )


def _arguments(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Yield the arguments for setup(): keywords of a call, or keys of a dictionary that is passed on."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from ((word.arg, word.value) for word in node.keywords if word.arg in _SETUP_WORDS)
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value in _SETUP_WORDS:
                    yield str(key.value), value


def _literals(
    value: ast.expr, variables: Mapping[str, ast.expr], extra: str, depth: int = 4
) -> Iterator[tuple[str, ast.Constant]]:
    """Yield the extra and the text of each entry of lists, sums of lists, and dictionaries by extra."""
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield extra, value
    elif isinstance(value, ast.Name) and value.id in variables and depth:
        yield from _literals(variables[value.id], variables, extra, depth - 1)
    elif isinstance(value, ast.List | ast.Tuple):
        for element in value.elts:
            yield from _literals(element, variables, extra, depth)
    elif isinstance(value, ast.BinOp):
        yield from _literals(value.left, variables, extra, depth)
        yield from _literals(value.right, variables, extra, depth)
    elif isinstance(value, ast.Dict):
        for key, element in zip(value.keys, value.values, strict=True):
            name = str(key.value) if isinstance(key, ast.Constant) else ""
            yield from _literals(element, variables, name.partition(":")[0], depth)


def _literal_start(text: str, line_start: int, node: ast.Constant) -> int | None:
    """Return the position of a literal's text; None if it has escapes or is written in several pieces."""
    # Python counts columns in bytes of UTF-8.
    before = text[line_start : line_start + node.col_offset].encode()[: node.col_offset]
    start = line_start + len(before.decode(errors="ignore"))
    quote = re.match(r"[rRuU]?('''|\"\"\"|'|\")", text[start : start + 5])
    if quote is None:
        return None
    start += quote.end()
    return start if text.startswith(str(node.value) + quote[1], start) else None


def _named_files(files: ProjectFiles) -> Iterator[StatedRequirement]:
    """Yield the requirements of the files that ``[tool.setuptools.dynamic]`` names."""
    dynamic = ("tool", "setuptools", "dynamic")
    optional = files.table(*dynamic, "optional-dependencies")
    for extra, entry in (("", files.table(*dynamic).get("dependencies")), *optional.items()):
        stated = entry.get("file") if isinstance(entry, dict) else None
        for name in [stated] if isinstance(stated, str) else stated if isinstance(stated, list) else []:
            for offset, line in _lines(files.read(str(name)) or ""):
                if requirement := _requirement_of_line(line):
                    yield StatedRequirement(
                        file=str(name),
                        where="a line",
                        text=requirement,
                        extra=extra,
                        start=offset + len(line) - len(line.lstrip()),
                    )


def _poetry(files: ProjectFiles) -> Iterator[StatedRequirement]:
    """Yield the constraints of poetry's tables: the published ones, then those of its groups."""
    poetry = ("tool", "poetry")
    extras: dict[str, str] = {}
    for extra, names in files.table(*poetry, "extras").items():
        for name in names if isinstance(names, list) else []:
            extras.setdefault(str(name), extra)
    yield from _constraints(files, (*poetry, "dependencies"), extras)
    groups = [(*poetry, "group", name, "dependencies") for name in files.table(*poetry, "group")]
    for key in (*groups, (*poetry, "dev-dependencies")):
        yield from _constraints(files, key, {}, published=False)


def _constraints(
    files: ProjectFiles, table: tuple[str, ...], extra_of: Mapping[str, str], *, published: bool = True
) -> Iterator[StatedRequirement]:
    """Yield the constraints of a table; ``extra_of`` maps optional dependencies to their extra."""
    for name, value in files.table(*table).items():
        if name == "python":
            continue
        several = isinstance(value, list)
        for index, entry in enumerate(value if several else [value]):
            key: tuple[str | int, ...] = (*table, name, index) if several else (*table, name)
            settings = entry if isinstance(entry, dict) else {"version": entry}
            version, extras = settings.get("version"), settings.get("extras")
            version_key = (*key, "version") if isinstance(entry, dict) else key
            yield StatedRequirement(
                file="pyproject.toml",
                where=".".join(map(str, key)),
                text=version if isinstance(version, str) else _direct_reference(settings),
                name=name,
                extras=tuple(map(str, extras)) if isinstance(extras, list) else (),
                extra=extra_of.get(name, "") if settings.get("optional") is True else "",
                published=published,
                key=version_key if isinstance(version, str) else None,
            )


def _direct_reference(settings: Mapping[str, Any]) -> str:
    """Return the source of a dependency without a version, such as ``path ../core``."""
    kinds = ("path", "git", "url", "file")
    return next((f"{kind} {settings[kind]}" for kind in kinds if kind in settings), "")
