"""Command lines: how configured ones are split, and how cmd.exe is given the same arguments.

A configured command means the same on all systems: it is split as a POSIX shell splits it, and no shell runs
it. A command that needs a shell starts one: ``sh -c 'first | second'``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


# The quoting of POSIX shells: POSIX.1-2024, "Shell Command Language", 2.2 and 2.3.
_PIECE = re.compile(
    r"(?P<space>[ \t]+)"
    r"|'(?P<single>[^']*)'"
    r'|"(?P<double>(?:[^"\\]|\\.)*)"'
    r"|\\(?P<escaped>.)"
    r"|(?P<plain>.)",
    re.DOTALL,
)
_ESCAPED = re.compile(r'\\([$`"\\])')
# Signs that a shell acts on anywhere outside quotes ({ only in bash), and those only where a word starts.
_SIGNS, _FIRST_SIGNS = frozenset("|&;<>()$`*?[{"), frozenset("#~")
_ASSIGNMENT = re.compile(r"[ \t]*([A-Za-z_][A-Za-z0-9_]*=)")
# Reserved words, and commands that make sense only inside a shell.
_SHELL_WORDS = frozenset({
    "!", "}", "[[", "if", "for", "while", "until", "case", "function", "select", ".", ":", "alias", "break",
    "cd", "command", "continue", "eval", "exec", "exit", "export", "read", "readonly", "return", "set",
    "shift", "source", "trap", "ulimit", "umask", "unset", "wait",
})  # fmt: skip
# What cmd.exe runs itself, unless the name is quoted.
_CMD_WORDS = frozenset({
    "assoc", "break", "call", "cd", "chdir", "cls", "color", "copy", "date", "del", "dir", "echo", "endlocal",
    "erase", "exit", "for", "ftype", "goto", "if", "md", "mkdir", "mklink", "move", "path", "pause", "popd",
    "prompt", "pushd", "rd", "rem", "ren", "rename", "rmdir", "set", "setlocal", "shift", "start", "time",
    "title", "type", "ver", "verify", "vol",
})  # fmt: skip
_SAFE = re.compile(r"[A-Za-z0-9_./\\:+-]+")
_SAFE_PROGRAM = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\\:+-]*")
_CMD_SIGNS = re.compile(r'[()!^"<>&|]')
# cmd.exe replaces variables first, between quotes too. An empty part of a variable that always exists keeps
# the sign before it from starting another name.
_LITERAL_PERCENT = "%%cd:~,%"
_BACKSLASHES = re.compile(r'(\\*)("|\Z)')
_CMD_CANNOT_PASS = re.compile(r"[\x00\r\n]")


class CommandLineError(ValueError):
    """A command line has no meaning that is the same on all systems."""


def split_command(line: str) -> tuple[str, ...]:
    """Return a command's program and arguments, split as a POSIX shell splits the line.

    Raises CommandLineError for a quote that is not closed, and for whatever only a shell can do: operators,
    expansions, patterns, assignments and a shell's own commands.
    """
    if assignment := _ASSIGNMENT.match(line):
        raise _needs_shell(assignment[1], quoting="")
    words = [_word(pieces) for pieces in _split(line)]
    if not words or not words[0]:
        raise CommandLineError("names no program")
    if words[0] in _SHELL_WORDS:
        raise _needs_shell(words[0], quoting="")
    return tuple(words)


def _split(line: str) -> Iterable[list[re.Match[str]]]:
    """Yield the pieces of each word."""
    word: list[re.Match[str]] = []
    for piece in _PIECE.finditer(line):
        if piece.lastgroup != "space":
            word.append(piece)
        elif word:
            yield word
            word = []
    if word:
        yield word


def _word(pieces: Sequence[re.Match[str]]) -> str:
    if pieces[0].lastgroup == "plain" and pieces[0][0] in _FIRST_SIGNS:
        raise _needs_shell(pieces[0][0])
    return "".join(map(_text, pieces))


def _text(piece: re.Match[str]) -> str:
    kind = piece.lastgroup or ""
    text = piece[kind]
    if kind == "plain":
        if text in "'\"\\":
            what = "no escaped character" if text == "\\" else "no closing quotation"
            raise CommandLineError(f"not a command line ({what})")
        if text in _SIGNS:
            raise _needs_shell(text)
    if kind == "double":
        if expansion := re.search(r"[$`]", re.sub(r"\\.", "", text, flags=re.DOTALL)):
            raise _needs_shell(expansion[0])
        return _ESCAPED.sub(r"\1", text)
    return text


def _needs_shell(text: str, *, quoting: str = "put it into single quotes, or ") -> CommandLineError:
    return CommandLineError(
        f"{text} is for a shell, and commands run without one; {quoting}start a shell:  sh -c '...'"
    )


def cmd_line(argv: Sequence[str]) -> str:
    """Return the line with which cmd.exe starts a program (no batch file) with exactly these arguments.

    The program parses it as Microsoft's C runtime does ("Parsing C command-line arguments"), after cmd.exe
    has taken out its carets. The line is for ``cmd /c``, not for use in a batch file. Raises
    CommandLineError for what cmd.exe cannot pass on: ends of lines, NUL, and % or " in a program's name.
    """
    program, *arguments = _passable(argv)
    is_plain = _SAFE_PROGRAM.fullmatch(program) and program.lower() not in _CMD_WORDS
    first = program if is_plain else f'"{program}"'
    return " ".join([first, *map(_cmd_argument, arguments)])


def _cmd_argument(text: str) -> str:
    if _SAFE.fullmatch(text):
        return text
    quoted = quote_argument(text)
    if '"' in text:
        # A quote with a caret starts no quotation for cmd.exe, so every other sign needs one as well.
        quoted = _CMD_SIGNS.sub(r"^\g<0>", quoted)
    return quoted.replace("%", _LITERAL_PERCENT)


def quote_argument(text: str) -> str:
    r"""Quote one argument for Microsoft's C runtime: ``\`` is special only before a quote."""
    body = _BACKSLASHES.sub(lambda match: match[1] * 2 + (r"\"" if match[2] else ""), text)
    return f'"{body}"'


def batch_line(argv: Sequence[str]) -> str:
    """Return the line with which cmd.exe starts a batch file that passes these arguments on as ``%*``.

    The line is for ``cmd /c``. cmd.exe reads a batch file's arguments twice, so no sign may be outside
    quotes. Raises CommandLineError as ``cmd_line`` does, and for " and % in an argument.
    """
    program, *arguments = _passable(argv)
    bad = next((text for text in arguments if {'"', "%"} & set(text)), None)
    if bad is not None:
        raise CommandLineError(f'it is a batch file, which cannot be given " or %: {bad}')
    return " ".join([f'"{program}"', *map(quote_argument, arguments)])


def _passable(argv: Sequence[str]) -> Sequence[str]:
    if {'"', "%"} & set(argv[0]):
        raise CommandLineError(f"cmd.exe cannot start a program of this name: {argv[0]}")
    bad = next((text for text in argv if _CMD_CANNOT_PASS.search(text)), None)
    if bad is not None:
        raise CommandLineError(f"cmd.exe cannot pass on the end of a line or a NUL: {bad!r}")
    return argv
