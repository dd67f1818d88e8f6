"""What a project asks for outside ``[project]``: setup.cfg, setup.py, the files that they name, and poetry's own tables.

Nothing is run, and only what is written literally is seen. Each requirement comes with its place, so that
versions can be moved there.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from wheelkit.project.setup_files import parsed

if TYPE_CHECKING:
    import ast
    from collections.abc import Callable, Iterator, Mapping

    Read = Callable[[str], str | None]


class StatedMetadata(Struct, frozen=True, kw_only=True):
    """A requirement and where it stands.

    ``text`` is what is written there: a requirement (PEP 508), or poetry's constraint, for which ``name`` and
    ``extras`` are told aside. ``extra`` is the extra that brings it, empty for none; ``published`` is false
    for what only developers or the build need. ``start`` is its place in the file's text in characters,
    ``key`` in its TOML; both are None where it is not written in one piece.
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
        """Whether ``text`` is a constraint in poetry's language."""
        return bool(self.name)

    @property
    def requirement(self) -> str:
        """The requirement as far as it names somebody: of poetry's, the name and extras alone."""
        if not self.poetry:
            return self.text
        return f"{self.name}[{','.join(self.extras)}]" if self.extras else self.name


def stated_metadata(document: Mapping[str, Any], read: Read) -> Iterator[StatedMetadata]:
    """Walk what a project asks for in other places than ``[project]``, as far as those count.

    A ``[project]`` table that does not call its dependencies dynamic says all of them (PEP 621); poetry's
    groups stand beside it.
    """
    project = document.get("project")
    dynamic = (
        project.get("dynamic") if isinstance(project, dict) else ["dependencies", "optional-dependencies"]
    )
    dynamic = dynamic if isinstance(dynamic, list) else []
    older = [
        *setup_cfg(read("setup.cfg") or ""),
        *setup_py(read("setup.py") or ""),
        *_named_files(document, read),
    ]
    for one in (*older, *_poetry(document)):
        if not one.published or ("optional-dependencies" if one.extra else "dependencies") in dynamic:
            yield one


_SECTION = re.compile(r"\[(?P<name>[^\]]+)\]")
_OPTION = re.compile(r"(?P<name>[^\s=:#;\[][^=:]*?)\s*[=:][ \t]*(?P<value>.*)")
_CFG_OPTIONS = frozenset({"install_requires", "setup_requires", "tests_require"})


def setup_cfg(text: str) -> Iterator[StatedMetadata]:
    """Find the requirements of ``[options]`` and ``[options.extras_require]``, one a line."""
    section = option = ""
    offset = 0
    for line in text.splitlines(keepends=True):
        begin, offset = offset, offset + len(line)
        if found := _SECTION.match(line):
            section, option = found["name"].strip(), ""
            continue
        value = line if line[:1].isspace() else ""
        if not value and (assigned := _OPTION.match(line.rstrip("\r\n"))):
            option, value = assigned["name"].strip(), assigned["value"]
            begin += assigned.start("value")
        if not (section == "options" and option in _CFG_OPTIONS) and section != "options.extras_require":
            continue
        if one := _line(value):
            yield StatedMetadata(
                file="setup.cfg",
                where=f"[{section}] {option}",
                text=one,
                extra=option if section == "options.extras_require" else "",
                published=option == "install_requires" or section == "options.extras_require",
                start=begin + len(value) - len(value.lstrip()),
            )


def _line(value: str) -> str:
    """Give the requirement of a line, less its comment; empty where it holds none (an option of pip, a file that it names)."""
    text = re.split(r"(?:^|\s)#", value.strip(), maxsplit=1)[0].strip()
    return (
        text
        if re.match(r"[A-Za-z0-9]", text) and ":" not in text.split("[")[0].split(";")[0].split("@")[0]
        else ""
    )


_SETUP_WORDS = frozenset({"install_requires", "setup_requires", "tests_require", "extras_require"})


def setup_py(text: str) -> Iterator[StatedMetadata]:
    """Find the literal requirements that setup.py gives setup(), in the call itself or by the name of a variable."""
    tree = parsed(text, _SETUP_WORDS)
    if tree is None:
        return
    import ast

    names = {
        target.id: node.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    starts = _line_starts(text)
    for word, value in _arguments(tree):
        for extra, node in _literals(value, names, ""):
            yield StatedMetadata(
                file="setup.py",
                where=f"setup({word}=)",
                text=str(node.value),
                extra=extra,
                published=word in {"install_requires", "extras_require"},
                start=_inside(text, starts, node),
            )


def _arguments(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    """Find what setup() is given, as words of a call or as keys of a dictionary that becomes them."""
    import ast

    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from ((word.arg, word.value) for word in node.keywords if word.arg in _SETUP_WORDS)
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value in _SETUP_WORDS:
                    yield str(key.value), value


def _literals(
    value: ast.expr, names: Mapping[str, ast.expr], extra: str, depth: int = 4
) -> Iterator[tuple[str, ast.Constant]]:
    """Walk the texts of lists, sums of lists, and of dictionaries from an extra to its list."""
    import ast

    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        yield extra, value
    elif isinstance(value, ast.Name) and value.id in names and depth:
        yield from _literals(names[value.id], names, extra, depth - 1)
    elif isinstance(value, ast.List | ast.Tuple):
        for item in value.elts:
            yield from _literals(item, names, extra, depth)
    elif isinstance(value, ast.BinOp):
        yield from _literals(value.left, names, extra, depth)
        yield from _literals(value.right, names, extra, depth)
    elif isinstance(value, ast.Dict):
        for key, item in zip(value.keys, value.values, strict=True):
            name = str(key.value) if isinstance(key, ast.Constant) else ""
            yield from _literals(item, names, name.partition(":")[0], depth)


def _line_starts(text: str) -> list[int]:
    """Give where each line begins, as Python counts lines."""
    starts = [0]
    starts += [found.end() for found in re.finditer(r"\r\n|\r|\n", text)]
    return starts


def _inside(text: str, starts: list[int], node: ast.Constant) -> int | None:
    """Find where a literal's own text begins; None where it is not written as it reads (escapes, several pieces)."""
    line = starts[node.lineno - 1]
    before = text[line : line + node.col_offset].encode()[
        : node.col_offset
    ]  # columns are counted in bytes of UTF-8
    begin = line + len(before.decode(errors="ignore"))
    quote = re.match(r"[rRuU]?('''|\"\"\"|'|\")", text[begin : begin + 5])
    if quote is None:
        return None
    begin += quote.end()
    return begin if text.startswith(str(node.value) + quote[1], begin) else None


def _named_files(document: Mapping[str, Any], read: Read) -> Iterator[StatedMetadata]:
    """Read the files of requirements that ``[tool.setuptools.dynamic]`` names."""
    table = _table(_table(_table(document, "tool"), "setuptools"), "dynamic")
    optional = _table(table, "optional-dependencies")
    for extra, entry in (("", table.get("dependencies")), *optional.items()):
        names = entry.get("file") if isinstance(entry, dict) else None
        for name in [names] if isinstance(names, str) else names if isinstance(names, list) else []:
            yield from _requirements_file(str(name), read(str(name)) or "", str(extra))


def _requirements_file(name: str, text: str, extra: str) -> Iterator[StatedMetadata]:
    offset = 0
    for line in text.splitlines(keepends=True):
        if one := _line(line):
            yield StatedMetadata(
                file=name,
                where="a line",
                text=one,
                extra=extra,
                start=offset + len(line) - len(line.lstrip()),
            )
        offset += len(line)


def _poetry(document: Mapping[str, Any]) -> Iterator[StatedMetadata]:
    """Walk poetry's tables: what it publishes, where ``[project]`` leaves that to it, and its groups."""
    poetry = _table(_table(document, "tool"), "poetry")
    optional = _extras_of(_table(poetry, "extras"))
    yield from _constraints(poetry, ("tool", "poetry", "dependencies"), optional)
    for name in _table(poetry, "group"):
        group = _table(_table(poetry, "group"), name)
        yield from _constraints(group, ("tool", "poetry", "group", name, "dependencies"), {}, published=False)
    development = {"dependencies": poetry.get("dev-dependencies")}
    yield from _constraints(development, ("tool", "poetry", "dev-dependencies"), {}, published=False)


def _extras_of(table: Mapping[str, Any]) -> dict[str, str]:
    """Map each optional dependency to the first extra that brings it."""
    found: dict[str, str] = {}
    for extra, names in table.items():
        for name in names if isinstance(names, list) else []:
            found.setdefault(str(name), extra)
    return found


def _constraints(
    parent: Mapping[str, Any], where: tuple[str, ...], optional: Mapping[str, str], *, published: bool = True
) -> Iterator[StatedMetadata]:
    for name, value in _table(parent, "dependencies").items():
        several = value if isinstance(value, list) else [value]
        for index, one in enumerate(several):
            key = (*where, name, *((index,) if isinstance(value, list) else ()))
            table = one if isinstance(one, dict) else {"version": one}
            version = table.get("version")
            extras = table.get("extras")
            if name == "python":
                continue
            yield StatedMetadata(
                file="pyproject.toml",
                where=".".join(map(str, key)),
                text=version if isinstance(version, str) else _source(table),
                name=name,
                extras=tuple(map(str, extras)) if isinstance(extras, list) else (),
                extra=optional.get(name, "") if table.get("optional") is True else "",
                published=published,
                key=((*key, "version") if isinstance(one, dict) else key)
                if isinstance(version, str)
                else None,
            )


def _source(table: Mapping[str, Any]) -> str:
    """Name where poetry takes a dependency from that has no version."""
    return next((f"{kind} {table[kind]}" for kind in ("path", "git", "url", "file") if kind in table), "")


def _table(parent: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = parent.get(key)
    return value if isinstance(value, dict) else {}
