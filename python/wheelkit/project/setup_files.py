"""What setup.cfg and setup.py state of a project, read without running them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import ast
    from collections.abc import Iterable


def cfg_facts(setup_cfg: str | None) -> dict[str, str]:
    """Read the name and the Pythons that setup.cfg states."""
    if setup_cfg is None:
        return {}
    from configparser import ConfigParser, Error

    parser = ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(setup_cfg)
    except Error:
        return {}
    found = {
        "name": parser.get("metadata", "name", fallback=""),
        "requires_python": parser.get("options", "python_requires", fallback=""),
    }
    return {fact: value for fact, value in found.items() if value}


_SETUP_WORDS = {"name": "name", "python_requires": "requires_python"}


def parsed(setup_py: str, words: Iterable[str]) -> ast.Module | None:
    """Parse setup.py where it holds one of these words; None where it holds none, or is no Python: the build says that better."""
    if not any(word in setup_py for word in words):
        return None
    import ast

    try:
        return ast.parse(setup_py)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def setup_facts(setup_py: str | None) -> dict[str, str]:
    """Read the name and the Pythons that setup.py gives setup() literally; what it computes is left out."""
    tree = parsed(setup_py or "", _SETUP_WORDS)
    if tree is None:
        return {}
    import ast

    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    # A name is that of setup() alone; python_requires means the same in the call that collects its arguments.
    words = (
        (word.arg, word.value, call)
        for call in reversed(calls)
        for word in reversed(call.keywords)
        if word.arg in _SETUP_WORDS
    )
    literal = (
        (arg, value.value, call)
        for arg, value, call in words
        if isinstance(value, ast.Constant) and isinstance(value.value, str)
    )
    return {
        _SETUP_WORDS[arg]: value
        for arg, value, call in literal
        if arg == "python_requires" or _calls_setup(call)
    }


def _calls_setup(call: ast.Call) -> bool:
    return getattr(call.func, "attr", getattr(call.func, "id", "")) == "setup"
