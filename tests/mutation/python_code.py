"""Mutants of Python sources, found in the syntax tree."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any

from mutation.mutants import Mutant

COMPARISONS = {
    ast.Lt: (r"<", "<="),
    ast.LtE: (r"<=", "<"),
    ast.Gt: (r">", ">="),
    ast.GtE: (r">=", ">"),
    ast.Eq: (r"==", "!="),
    ast.NotEq: (r"!=", "=="),
    ast.In: (r"\bin\b", "not in"),
    ast.NotIn: (r"\bnot\s+in\b", "in"),
    ast.Is: (r"\bis\b", "is not"),
    ast.IsNot: (r"\bis\s+not\b", "is"),
}
ARITHMETIC = {ast.Add: (r"\+", "-"), ast.Sub: (r"-", "+"), ast.Mult: (r"\*", "+"), ast.FloorDiv: (r"//", "*")}
# What a function returns instead, by the annotation of its result.
EMPTY = {"bool": ("True", "False"), "str": ('""',), "int": ("0", "1"), "tuple": ("()",), "list": ("[]",)}
# Their arguments cannot be exchanged, are types, or are in no order (names of an option).
NO_SWAP = {"isinstance", "issubclass", "cast", "getattr", "hasattr", "option"}
Span = tuple[int, int]


def python_mutants(file: str, source: bytes) -> list[Mutant]:
    """Return all mutants of a Python file in the order of their lines."""
    mutants = Finder(file, source).find()
    return sorted(mutants, key=lambda mutant: (mutant.first, mutant.start, mutant.new))


class Finder:
    """Walk a module and collect its mutants; annotations, docstrings and f-strings stay as they are."""

    def __init__(self, file: str, source: bytes) -> None:
        self.file, self.source = file, source
        self.starts = [0, *(match.end() for match in re.finditer(rb"\n", source))]
        self.mutants: dict[tuple[int, int, str], Mutant] = {}
        self.lines = (1, 1)
        self.kinds: dict[type[ast.AST], Callable[[Any], None]] = {
            ast.Compare: self.comparison,
            ast.BoolOp: self.both_or_one,
            ast.BinOp: self.arithmetic,
            ast.UnaryOp: self.negation,
            ast.IfExp: self.branches,
            ast.comprehension: self.conditions,
            ast.Call: self.swapped_arguments,
            ast.Constant: self.constant,
        }

    def find(self) -> list[Mutant]:
        """Return the mutants in the order in which they are found."""
        self.block(ast.parse(self.source).body)
        return list(self.mutants.values())

    def span(self, node: ast.expr | ast.stmt) -> Span:
        """Return where a node starts and ends, in bytes."""
        end_line, end_column = node.end_lineno or node.lineno, node.end_col_offset or 0
        return self.starts[node.lineno - 1] + node.col_offset, self.starts[end_line - 1] + end_column

    def text(self, node: ast.expr) -> str:
        """Return the source of an expression."""
        start, end = self.span(node)
        return self.source[start:end].decode()

    def add(self, kind: str, span: Span, new: str) -> None:
        """Collect one mutant."""
        first, last = self.lines
        mutant = Mutant(
            file=self.file, kind=kind, start=span[0], end=span[1], new=new, first=first, last=last
        )
        self.mutants.setdefault((*span, new), mutant)

    def between(self, kind: str, left: ast.expr, right: ast.expr, change: tuple[str, str]) -> None:
        """Collect the change of the operator between two operands."""
        start, end = self.span(left)[1], self.span(right)[0]
        found = re.search(change[0], self.source[start:end].decode())
        if found:
            self.add(kind, (start + found.start(), start + found.end()), change[1])

    def block(self, body: list[ast.stmt], result: str = "") -> None:
        """Collect the mutants of statements in a function that returns ``result``."""
        for statement in body:
            if not is_left_alone(statement):
                self.statement(statement, result)

    def statement(self, node: ast.stmt, result: str) -> None:
        """Collect the mutants of one statement and of the blocks in it."""
        blocks = inner_blocks(node)
        header_end = min((block[0].lineno for block in blocks), default=(node.end_lineno or node.lineno) + 1)
        self.lines = (node.lineno, max(node.lineno, header_end - 1))
        self.removed(node, result)
        if isinstance(node, ast.If | ast.While):
            self.add("condition", self.span(node.test), f"not ({self.text(node.test)})")
        for expression in own_expressions(node):
            self.expression(expression)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            result = ast.unparse(node.returns) if node.returns else ""
        for block in blocks:
            self.block(block, result)

    def removed(self, node: ast.stmt, result: str) -> None:
        """Collect the mutants without a statement, or with another result."""
        span = self.span(node)
        text = self.source[span[0] : span[1]].decode()
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Yield | ast.YieldFrom):
            self.add("deleted yield", span, f"False and ({text})")
        elif isinstance(node, ast.Raise):
            self.add("deleted raise", span, "pass")
        elif isinstance(node, ast.Expr | ast.AugAssign | ast.Continue | ast.Break) or (
            isinstance(node, ast.Assign) and not isinstance(node.targets[0], ast.Name | ast.Tuple)
        ):
            self.add("deleted statement", span, "pass")
        elif isinstance(node, ast.Return) and node.value is not None:
            for value in EMPTY.get(re.split(r"[\[ |]", result)[0], ("None",)):
                if value != self.text(node.value):
                    self.add("returned constant", self.span(node.value), value)

    def expression(self, node: ast.AST) -> None:
        """Collect the mutants of an expression and of those in it."""
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Call) and is_cast(node)):
            return
        if collect := self.kinds.get(type(node)):
            collect(node)
        for child in ast.iter_child_nodes(node):
            self.expression(child)

    def comparison(self, node: ast.Compare) -> None:
        """Collect each operator of a chain exchanged for its neighbour or opposite."""
        operands = [node.left, *node.comparators]
        for left, operator, right in zip(operands, node.ops, operands[1:], strict=False):
            self.between("comparison", left, right, COMPARISONS[type(operator)])

    def both_or_one(self, node: ast.BoolOp) -> None:
        """Collect each "and" as "or", and each "or" as "and"."""
        change = (r"\band\b", "or") if isinstance(node.op, ast.And) else (r"\bor\b", "and")
        for left, right in itertools.pairwise(node.values):
            self.between("and/or", left, right, change)

    def arithmetic(self, node: ast.BinOp) -> None:
        """Collect another operator of two operands."""
        if type(node.op) in ARITHMETIC:
            self.between("arithmetic", node.left, node.right, ARITHMETIC[type(node.op)])

    def negation(self, node: ast.UnaryOp) -> None:
        """Collect the operand of "not" without it."""
        if isinstance(node.op, ast.Not):
            self.add("not", self.span(node), f"({self.text(node.operand)})")

    def branches(self, node: ast.IfExp) -> None:
        """Collect a conditional expression with its branches exchanged."""
        swapped = f"({self.text(node.orelse)}) if ({self.text(node.test)}) else ({self.text(node.body)})"
        self.add("swapped branches", self.span(node), swapped)

    def conditions(self, node: ast.comprehension) -> None:
        """Collect the conditions of a comprehension negated."""
        for test in node.ifs:
            self.add("condition", self.span(test), f"not ({self.text(test)})")

    def swapped_arguments(self, node: ast.Call) -> None:
        """Collect the call with its first two arguments exchanged."""
        if len(node.args) > 1 and not any(isinstance(argument, ast.Starred) for argument in node.args[:2]):
            one, two = (self.text(argument) for argument in node.args[:2])
            (start, middle), (next_start, end) = self.span(node.args[0]), self.span(node.args[1])
            if one != two and ast.unparse(node.func).rpartition(".")[2] not in NO_SWAP:
                separator = self.source[middle:next_start].decode()
                self.add("swapped arguments", (start, end), f"{two}{separator}{one}")

    def constant(self, node: ast.Constant) -> None:
        """Collect other values of a number, a text or a flag."""
        value, span, text = node.value, self.span(node), self.text(node)
        if isinstance(value, bool):
            self.add("flag", span, str(not value))
        elif isinstance(value, int):
            self.add("number", span, str(value + 1))
            self.add("number", span, f"({value - 1})" if value == 0 else str(value - 1))
        elif isinstance(value, float):
            self.add("number", span, repr(value * 2))
        elif isinstance(value, str | bytes) and is_one_literal(text, value):
            cross = "X" if isinstance(value, str) else b"X"
            middle = len(value) // 2
            self.add("text", span, repr(value[:middle] + cross + value[middle:]))  # type: ignore[operator]


def is_one_literal(text: str, value: str | bytes) -> bool:
    """Return whether a source text is one literal of this value, rather than several in a row."""
    try:
        return "\n" not in text and ast.literal_eval(text) == value
    except (SyntaxError, ValueError):
        return False


def is_cast(node: ast.Call) -> bool:
    """Return whether a call is for the type checker only."""
    return ast.unparse(node.func) in {"cast", "typing.cast", "TypeVar", "ParamSpec", "NewType"}


def is_left_alone(node: ast.stmt) -> bool:
    """Return whether a statement is a docstring, for the type checker, or about names."""
    return (
        isinstance(node, ast.Import | ast.ImportFrom)
        or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test))
        or (isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in {"__all__", "__slots__"})
    )


def inner_blocks(node: ast.stmt) -> list[list[ast.stmt]]:
    """Return the blocks of a compound statement."""
    holders: list[Any] = [node, *getattr(node, "handlers", ()), *getattr(node, "cases", ())]
    names = ("body", "orelse", "finalbody")
    return [block for holder in holders for name in names if (block := getattr(holder, name, None))]


def own_expressions(node: ast.stmt) -> Iterator[ast.AST]:
    """Yield the expressions of a statement, without those of its blocks and without annotations."""
    annotations = {getattr(node, "annotation", None), getattr(node, "returns", None)}
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr) and child not in annotations:
            yield child
        elif isinstance(child, ast.arguments):
            yield from (default for default in (*child.defaults, *child.kw_defaults) if default)
        elif isinstance(child, ast.withitem):
            yield child.context_expr
