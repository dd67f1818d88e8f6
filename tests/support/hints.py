"""All commands that wheelkit's messages propose, read from its source, so that a test can count them.

A hint is any text of the product, or of its tables of findings, that holds a command: at its beginning, after
a colon, after two spaces or ``&&``, or between backticks, as ``wheelkit.text`` recognises commands when it
wraps lines. Docstrings are no hints. A placeholder of a template is written ``{}``.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import wheelkit

SOURCE = Path(wheelkit.__file__).parent
PROGRAMS = (
    "apk", "apt", "brew", "chmod", "codesign", "dnf", "export", "git", "keyring", "pip", "timedatectl",
    "unset", "uv", "w32tm", "wheelkit", "winget", "xcode-select", "python -m wheelkit", "python -m wheel",
    "python -m build",
)  # fmt: skip
_NAMES = "|".join(map(re.escape, PROGRAMS))
_COMMAND = re.compile(
    rf"(?:(?<=`)|^|(?<=: )|(?<=  )|(?<=&& )|(?<=\n))(?P<command>(?:{_NAMES}) [^\n`]+?)"
    r"(?= *`|  |\n| ?&&| ?[;,()·]|$)",
    re.MULTILINE,
)
# What begins like a command and is a sentence.
_PROSE = re.compile(
    r"(?:pip|uv|git|twine|wheelkit|keyring) (?:and|or|refuses?|reads?|takes?|has|finds?|fails?|was|is|are|"
    r"keeps?|does|supports|cannot|builds it|repairs|lists|inspect lists|found|ls-files|status|rev-parse|"
    r"\{\})\b"
)


def commands() -> dict[str, list[str]]:
    """Return the templates of all commands, each with the places that print it (module and line)."""
    found: dict[str, list[str]] = {}
    for path in sorted(SOURCE.rglob("*.py")):
        for line, text in _texts(ast.parse(path.read_text(encoding="utf-8"))):
            for command in commands_in(text):
                found.setdefault(command, []).append(f"{path.relative_to(SOURCE).as_posix()}:{line}")
    findings = tomllib.loads((SOURCE / "data/findings.toml").read_text(encoding="utf-8"))
    for code, table in findings.items():
        for key, text in table.items():
            if key not in {"why", "title", "severity"} and isinstance(text, str):
                for command in commands_in(text):
                    found.setdefault(command, []).append(f"data/findings.toml:{code}")
    return found


def commands_in(text: str) -> list[str]:
    """Return the commands in a text, in their order."""
    return [
        match["command"].strip() for match in _COMMAND.finditer(text) if not _PROSE.match(match["command"])
    ]


def _texts(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield the texts of a module with their lines, f-strings as templates, without docstrings."""
    skipped: set[int] = set()
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            and ast.get_docstring(node) is not None
        ):
            skipped.add(id(node.body[0].value))  # type: ignore[attr-defined] # a docstring is an expression
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            skipped |= {id(value) for value in node.values}
            yield node.lineno, "".join(map(_part, node.values))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            yield node.lineno, node.value


def _part(value: ast.expr) -> str:
    return str(value.value) if isinstance(value, ast.Constant) else "{}"
