"""What setup.cfg and setup.py state about a project, read without running them."""

from __future__ import annotations

import ast
from configparser import ConfigParser, Error
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def cfg_facts(setup_cfg: str | None) -> dict[str, str]:
    """Return the name and the Python versions that setup.cfg states."""
    parser = ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(setup_cfg or "")
    except Error:
        return {}
    facts = {
        "name": parser.get("metadata", "name", fallback=""),
        "requires_python": parser.get("options", "python_requires", fallback=""),
    }
    return {fact: value for fact, value in facts.items() if value}


_SETUP_WORDS = {"name": "name", "python_requires": "requires_python"}


def parse_setup_py(text: str, words: Iterable[str]) -> ast.Module | None:
    """Parse setup.py; None if it has none of these words, or is invalid, which the build reports."""
    return parse_module(text) if any(word in text for word in words) else None


def parse_module(text: str) -> ast.Module | None:
    """Parse code; None if it is invalid, or written for Python 2."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def setup_facts(setup_py: str | None) -> dict[str, str]:
    """Return the name and the Python versions that setup.py passes to setup() as literals."""
    tree = parse_setup_py(setup_py or "", _SETUP_WORDS)
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)] if tree else []
    facts: dict[str, str] = {}
    for call in calls:
        for keyword in call.keywords:
            word, value = keyword.arg or "", keyword.value
            # Other calls have a name too; python_requires is unambiguous in one that collects arguments.
            is_fact = word == "python_requires" or (word == "name" and _calls_setup(call))
            if is_fact and isinstance(value, ast.Constant) and isinstance(value.value, str):
                facts.setdefault(_SETUP_WORDS[word], value.value)
    return facts


def _calls_setup(call: ast.Call) -> bool:
    return getattr(call.func, "attr", getattr(call.func, "id", "")) == "setup"
