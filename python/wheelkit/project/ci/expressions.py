"""GitHub's expressions, evaluated as far as the repository alone decides them.

Grammar, operators and functions are those of "Evaluate expressions in workflows and actions" in GitHub's
documentation. What only a run can tell, such as a secret or the output of a step, is ``UNKNOWN``, and so is
what depends on it.
"""

from __future__ import annotations

import json
import re
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from wheelkit.inputs import json_value

if TYPE_CHECKING:
    from collections.abc import Mapping

    Contexts = Mapping[str, Any]
    Value = Any  # a value of JSON or YAML, or UNKNOWN


class Unknown:
    """A value that only a run of the workflow can tell; it is neither true nor false."""

    def __repr__(self) -> str:
        """Return its name."""
        return "UNKNOWN"


UNKNOWN = Unknown()


class OpenContext(dict[str, Any]):
    """A context whose other properties only a run can tell."""


_LONGEST = 20_000
_FIELD = re.compile(r"\$\{\{((?:[^'}]|'(?:[^']|'')*'|\}(?!\}))*)\}\}")
_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')"
    r"|(?P<number>-?(?:0x[0-9a-fA-F]+|\d+(?:\.\d+)?(?:[eE][-+]?\d+)?))"
    r"|(?P<name>[A-Za-z_][\w-]*)"
    r"|(?P<mark>==|!=|<=|>=|&&|\|\||[!()<>.,*]|\[|\]))"
)
_CONSTANTS: Mapping[str, Value] = {"true": True, "false": False, "null": None}
# A release goes well, so these are what they are in a run that goes well.
_STATUS: Mapping[str, bool] = {"success": True, "always": True, "failure": False, "cancelled": False}


def evaluate(text: str, contexts: Contexts) -> Value:
    """Return the value of an expression without its ``${{ }}``; ``UNKNOWN`` for what cannot be read."""
    try:
        parser = _Parser(_tokens(text), contexts)
        value = parser.either()
    except (ValueError, RecursionError):
        return UNKNOWN
    return UNKNOWN if parser.tokens else value


def fill(value: Value, contexts: Contexts) -> Value:
    """Evaluate the expressions in a text, or in all texts of a list or a mapping.

    A text that is one expression becomes its value. Others stay texts; they are ``UNKNOWN`` if a part is.
    """
    if isinstance(value, dict):
        return {key: fill(item, contexts) for key, item in value.items()}
    if isinstance(value, list):
        return [fill(item, contexts) for item in value]
    if not isinstance(value, str) or "${{" not in value:
        return value
    if whole := _FIELD.fullmatch(value.strip()):
        return evaluate(whole[1], contexts)
    values = [evaluate(match[1], contexts) for match in _FIELD.finditer(value)]
    if any(one is UNKNOWN for one in values):
        return UNKNOWN
    texts = iter(map(written, values))
    return _FIELD.sub(lambda _match: next(texts), value)


def fill_script(text: str, contexts: Contexts) -> str:
    """Evaluate the expressions in a script; what is unknown becomes a shell variable, which is, too."""

    def replacement(match: re.Match[str]) -> str:
        value = evaluate(match[1], contexts)
        return "$UNKNOWN" if value is UNKNOWN else written(value)

    return _FIELD.sub(replacement, text)


def holds(condition: object, contexts: Contexts) -> bool:
    """Return whether an ``if`` lets a job or a step run; one that only a run can tell counts as true."""
    if condition is None:
        return True
    value: Value = condition
    if isinstance(condition, str):
        whole = _FIELD.fullmatch(condition.strip())
        mixed = not whole and "${{" in condition
        value = fill(condition, contexts) if mixed else evaluate(whole[1] if whole else condition, contexts)
    return value is UNKNOWN or _truth(value) is not False


def written(value: Value) -> str:
    """Return a value as GitHub writes it into a text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.15g}"
    return str(value) if isinstance(value, (str, int)) else json.dumps(value, default=str)


def _truth(value: Value) -> bool | None:
    return None if value is UNKNOWN else value not in (None, False, 0, "")


def _tokens(text: str) -> list[tuple[str, str]]:
    if len(text) > _LONGEST:
        raise ValueError("too long")
    tokens, position = [], 0
    text = text.rstrip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise ValueError(text[position:])
        kind = str(match.lastgroup)
        tokens.append((kind, match[kind]))
        position = match.end()
    return tokens


class _Parser:
    """Evaluates while it parses; each method is one level of precedence."""

    def __init__(self, tokens: list[tuple[str, str]], contexts: Contexts) -> None:
        self.tokens = tokens
        self._contexts = contexts

    def _take(self, *marks: str) -> str:
        if self.tokens and self.tokens[0][0] == "mark" and self.tokens[0][1] in marks:
            return self.tokens.pop(0)[1]
        return ""

    def _require(self, mark: str) -> None:
        if not self._take(mark):
            raise ValueError(f"{mark} is missing")

    def either(self) -> Value:
        value = self._both()
        while self._take("||"):
            other = self._both()
            known = _truth(value)
            if known is None:
                value = True if other is True else UNKNOWN
            elif not known:
                value = other
        return value

    def _both(self) -> Value:
        value = self._equality()
        while self._take("&&"):
            other = self._equality()
            known = _truth(value)
            if known is None:
                value = False if _truth(other) is False else UNKNOWN
            elif known:
                value = other
        return value

    def _equality(self) -> Value:
        value = self._order()
        while mark := self._take("==", "!="):
            other = self._order()
            equal = UNKNOWN if UNKNOWN in (value, other) else _equal(value, other)
            value = UNKNOWN if equal is UNKNOWN else equal is (mark == "==")
        return value

    def _order(self) -> Value:
        value = self._negated()
        while mark := self._take("<", "<=", ">", ">="):
            other = self._negated()
            value = UNKNOWN if UNKNOWN in (value, other) else _ordered(mark, value, other)
        return value

    def _negated(self) -> Value:
        if self._take("!"):
            known = _truth(self._negated())
            return UNKNOWN if known is None else not known
        return self._property()

    def _property(self) -> Value:
        value = self._single()
        while mark := self._take(".", "["):
            if mark == "." and self._take("*"):
                value = UNKNOWN
                continue
            if mark == ".":
                if not self.tokens or self.tokens[0][0] != "name":
                    raise ValueError("a name is missing")
                name: Value = self.tokens.pop(0)[1]
            else:
                name = self.either()
                self._require("]")
            value = _member(value, name)
        return value

    def _single(self) -> Value:
        if self._take("("):
            value = self.either()
            self._require(")")
            return value
        if not self.tokens or self.tokens[0][0] == "mark":
            raise ValueError("it ends too early")
        kind, word = self.tokens.pop(0)
        if kind == "text":
            return word[1:-1].replace("''", "'")
        if kind == "number":
            return int(word, 16) if "0x" in word else float(word) if re.search("[.eE]", word) else int(word)
        if self._take("("):
            return _call(word.lower(), self._arguments())
        if word.lower() in _CONSTANTS:
            return _CONSTANTS[word.lower()]
        return self._contexts.get(word, UNKNOWN)

    def _arguments(self) -> list[Value]:
        if self._take(")"):
            return []
        arguments = [self.either()]
        while self._take(","):
            arguments.append(self.either())
        self._require(")")
        return arguments


def _member(value: Value, name: Value) -> Value:
    if UNKNOWN in (value, name):
        return UNKNOWN
    if isinstance(value, list):
        index = _number(name)
        return value[int(index)] if 0 <= index < len(value) else None
    if not isinstance(value, dict):
        return None
    same = (key for key in value if str(key).casefold() == written(name).casefold())
    if (key := next(same, None)) is not None:
        return value[key]
    return UNKNOWN if isinstance(value, OpenContext) else None


def _equal(left: Value, right: Value) -> bool:
    """Compare as GitHub does: texts without their case, values of different types as numbers."""
    if isinstance(left, str) and isinstance(right, str):
        return left.casefold() == right.casefold()
    if isinstance(left, (dict, list)) or isinstance(right, (dict, list)):
        return left is right
    return (left is None and right is None) or _number(left) == _number(right)


def _ordered(mark: str, left: Value, right: Value) -> bool:
    pair: Value = _number(left), _number(right)
    if isinstance(left, str) and isinstance(right, str):
        pair = left.casefold(), right.casefold()
    first, second = pair
    below = {"<": first < second, ">": first > second, "<=": first <= second, ">=": first >= second}
    return bool(below[mark])


def _number(value: Value) -> float:
    if isinstance(value, (dict, list)):
        return float("nan")
    try:
        return float(value or 0)
    except ValueError:
        return float("nan")


def _call(name: str, arguments: list[Value]) -> Value:
    if name in _STATUS:
        return _STATUS[name]
    function = _FUNCTIONS.get(name)
    if function is None or any(one is UNKNOWN for one in arguments):
        return UNKNOWN
    try:
        return function(*arguments)
    except (TypeError, IndexError, KeyError) as error:
        raise ValueError(f"wrong arguments of {name}") from error


def _contains(where: Value, what: Value) -> bool:
    if isinstance(where, list):
        return any(_equal(item, what) for item in where)
    return written(what).casefold() in written(where).casefold()


def _format(text: Value, *values: Value) -> str:
    def replacement(match: re.Match[str]) -> str:
        return match[0][0] if match[1] is None else written(values[int(match[1])])

    return re.sub(r"\{\{|\}\}|\{(\d{1,3})\}", replacement, written(text))


def _join(values: Value, separator: Value = ",") -> str:
    listed = values if isinstance(values, list) else [values]
    return written(separator).join(map(written, listed))


def _from_json(text: Value) -> Value:
    return json_value(written(text).encode())


_FUNCTIONS: Mapping[str, Value] = {
    "contains": _contains,
    "startswith": lambda text, start: written(text).casefold().startswith(written(start).casefold()),
    "endswith": lambda text, end: written(text).casefold().endswith(written(end).casefold()),
    "format": _format,
    "join": _join,
    "fromjson": _from_json,
    "tojson": lambda value: json.dumps(value, indent=2, default=str),
    "case": lambda *pairs: next(
        (value for test, value in zip(pairs[::2], pairs[1::2], strict=False) if test is True), pairs[-1]
    ),
}


def matches_any(name: str, patterns: list[str]) -> bool:
    """Return whether a branch or tag matches GitHub's filter patterns; the last match decides."""
    matched = False
    for pattern in patterns:
        if fnmatchcase(name, pattern.removeprefix("!").replace("**", "*").replace("+", "*")):
            matched = not pattern.startswith("!")
    return matched
