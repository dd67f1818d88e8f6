"""The part of GitHub's expressions ("Evaluate expressions" in its docs) that generated workflows use."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Contexts = Mapping[str, Mapping[str, Any]]
Functions = Mapping[str, Callable[[], bool]]

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')"
    r"|(?P<name>[A-Za-z_][\w-]*(?:\.[A-Za-z_][\w-]*)*)"
    r"|(?P<mark>==|!=|&&|\|\||[!(),]))"
)
_FIELD = re.compile(r"\$\{\{(.*?)\}\}", re.DOTALL)
STATUS = frozenset({"success", "failure", "cancelled", "always"})


class ExpressionError(Exception):
    """An expression, or a part of one, that this runner does not know."""


def evaluate(text: str, contexts: Contexts, functions: Functions) -> Any:
    """Evaluate an expression; a context, property or function that is not given is an ExpressionError."""
    parser = _Parser(_tokens(text), contexts, functions)
    value = parser.either()
    if parser.tokens:
        raise ExpressionError(f"{text}: {parser.tokens[0][1]} is unexpected")
    return value


def fill(text: str, contexts: Contexts, functions: Functions) -> str:
    """Replace every ``${{ }}`` of a text by its value."""
    return _FIELD.sub(lambda match: _written(evaluate(match[1], contexts, functions)), text)


def condition(text: str, contexts: Contexts, functions: Functions) -> bool:
    """Evaluate an ``if:``; without a status function it also requires ``success()``."""
    plain = match[1] if (match := _FIELD.fullmatch(text.strip())) else text
    if not STATUS & {name for kind, name in _tokens(plain) if kind == "name"} and not functions["success"]():
        return False
    return truth(evaluate(plain, contexts, functions))


def truth(value: Any) -> bool:
    """Return whether a value counts as true."""
    return value not in (None, False, 0, "")


def _written(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _tokens(text: str) -> list[tuple[str, str]]:
    tokens, position = [], 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None:
            raise ExpressionError(f"{text}: this runner does not know {text[position:].strip()}")
        kind = str(match.lastgroup)
        tokens.append((kind, match[kind]))
        position = match.end()
    return tokens


class _Parser:
    """Evaluates operators by precedence; always evaluates both sides, so that unknown names are errors."""

    def __init__(self, tokens: list[tuple[str, str]], contexts: Contexts, functions: Functions) -> None:
        self.tokens = tokens
        self._contexts = contexts
        self._functions = functions

    def _take(self, *marks: str) -> str:
        if self.tokens and self.tokens[0][0] == "mark" and self.tokens[0][1] in marks:
            return self.tokens.pop(0)[1]
        return ""

    def either(self) -> Any:
        value = self._both()
        while self._take("||"):
            other = self._both()
            value = value if truth(value) else other
        return value

    def _both(self) -> Any:
        value = self._comparison()
        while self._take("&&"):
            other = self._comparison()
            value = other if truth(value) else value
        return value

    def _comparison(self) -> Any:
        value = self._single()
        while mark := self._take("==", "!="):
            value = _equal(value, self._single()) is (mark == "==")
        return value

    def _single(self) -> Any:
        if self._take("!"):
            return not truth(self._single())
        if self._take("("):
            value = self.either()
            self._close()
            return value
        if not self.tokens or self.tokens[0][0] == "mark":
            raise ExpressionError("an expression ends too early")
        kind, word = self.tokens.pop(0)
        if kind == "text":
            return word[1:-1].replace("''", "'")
        return self._call(word) if self._take("(") else self._property(word)

    def _close(self) -> None:
        if not self._take(")"):
            raise ExpressionError("a bracket is not closed, or a function is given an argument")

    def _call(self, name: str) -> bool:
        if name == "contains":
            return self._contains()
        self._close()
        if name not in self._functions:
            raise ExpressionError(f"this runner does not know the function {name}")
        return self._functions[name]()

    def _contains(self) -> bool:
        """Return whether a text contains another one, ignoring case; lists are not known here."""
        text = self.either()
        if not self._take(","):
            raise ExpressionError("contains takes two texts")
        part = self.either()
        self._close()
        return str(part).casefold() in str(text).casefold()

    def _property(self, word: str) -> Any:
        value: Any = self._contexts
        for name in word.split("."):
            if not isinstance(value, Mapping) or name not in value:
                raise ExpressionError(f"there is no {word} here")
            value = value[name]
        return value


def _equal(left: Any, right: Any) -> bool:
    """Compare as GitHub does: strings ignoring case, values of different types as numbers."""
    if isinstance(left, str) and isinstance(right, str):
        return left.casefold() == right.casefold()
    return left is right if type(left) is type(right) else _number(left) == _number(right)


def _number(value: Any) -> float:
    try:
        return float(value or 0)
    except ValueError:
        return float("nan")
