"""Mutants of the C core, found in lines without comments, texts and directives."""

from __future__ import annotations

import re

from mutation.mutants import Mutant

HIDDEN = re.compile(
    r'/\*[\s\S]*?\*/|//[^\n]*|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)+\''
    r"|^[ \t]*#(?!define)(?:[^\n\\]|\\[\s\S])*",
    re.MULTILINE,
)
OPERATORS = {
    "<=": ("<",),
    ">=": (">",),
    "<": ("<=",),
    ">": (">=",),
    "==": ("!=",),
    "!=": ("==",),
    "&&": ("||",),
    "||": ("&&",),
    "<<": (">>",),
    ">>": ("<<",),
    "+": ("-",),
    "-": ("+",),
    "|": ("&",),
    "&": ("|",),
    "|=": ("=", "&="),
    "+=": ("-=",),
}
# Between spaces an operator has two operands, thanks to clang-format.
OPERATOR = re.compile(r"(?<=[ \n])(<=|>=|==|!=|&&|\|\||<<|>>|\|=|\+=|[<>+\-|&])(?=[ \n])")
NUMBER = re.compile(r"(?<![\w.\"])(0[xX][0-9a-fA-F]+|\d+)(?=[uUlL]*(?![\w.]))")
STATEMENT = re.compile(
    r"^[ ]{4,}(?!return\b|const\b|break;\s*\n\s*(?:case|default))([^{}\n;]*[)\w\]];)$", re.MULTILINE
)
IS_STATEMENT = re.compile(r"(?:\(void\))?[\w.>*\[\]-]+(?:\(.*\);| [|&+-]?= .*;|\+\+;)|(?:break|continue);")
CONDITION = re.compile(r"(?<=\bif \()(.+)(?=\) \{$)", re.MULTILINE)
RESULT = re.compile(r"\breturn (true|false)\b")


def c_mutants(file: str, source: bytes) -> list[Mutant]:
    """Return all mutants of a C file in the order of their lines; some of them do not compile."""
    text = source.decode("ascii")
    code = HIDDEN.sub(lambda hidden: re.sub(r"[^\n]", "\x01", hidden[0]), text)
    changes: list[tuple[str, int, int, str]] = []
    for match in OPERATOR.finditer(code):
        changes += [("operator", match.start(1), match.end(1), new) for new in OPERATORS[match[1]]]
    for match in NUMBER.finditer(code):
        value = int(match[1], 0)
        others = (value + 1, value - 1) if value else (1,)
        changes += [("number", match.start(1), match.end(1), str(other)) for other in others]
    for match in STATEMENT.finditer(code):
        if IS_STATEMENT.fullmatch(match[1]):
            changes.append(("deleted statement", match.start(1), match.end(1), ";"))
    for match in CONDITION.finditer(code):
        changes.append(
            ("condition", match.start(1), match.end(1), f"!({text[match.start(1) : match.end(1)]})")
        )
    for match in RESULT.finditer(code):
        changes.append(("result", match.start(1), match.end(1), "false" if match[1] == "true" else "true"))
    return [
        Mutant(file=file, kind=kind, start=start, end=end, new=new, first=line, last=line)
        for kind, start, end, new in sorted(changes, key=lambda change: change[1])
        for line in [text.count("\n", 0, start) + 1]
    ]
