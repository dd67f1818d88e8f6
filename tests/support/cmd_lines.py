"""Argument lists and the lines with which cmd.exe passes them on; Windows' Python confirms each of them."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

PINNED: Sequence[tuple[tuple[str, ...], str]] = (
    (("plain", "--word=1", "C:\\a\\b", "a/b"), 'plain "--word=1" C:\\a\\b a/b'),
    (("two words", ""), '"two words" ""'),
    (("print(1)", "x; y"), '"print(1)" "x; y"'),
    (("a&b", "a|b", "a<b>c", "a^b", "!a!"), '"a&b" "a|b" "a<b>c" "a^b" "!a!"'),
    (("'a'", "*.py", "#", "~"), '"\'a\'" "*.py" "#" "~"'),
    (('say "hi"',), r'^"say \^"hi\^"^"'),
    (('"&"',), r'^"\^"^&\^"^"'),
    (('a^"b',), r'^"a^^\^"b^"'),
    (("%OS%", "50%", "%OS:~0,1%"), '"%%cd:~,%OS%%cd:~,%" "50%%cd:~,%" "%%cd:~,%OS:~0,1%%cd:~,%"'),
    (('%OS%"%',), r'^"%%cd:~,%OS%%cd:~,%\^"%%cd:~,%^"'),
    (("ends in\\", "\\\\", 'a\\"b', 'a\\\\"'), r'"ends in\\" \\ ^"a\\\^"b^" ^"a\\\\\^"^"'),
    (("café", "日本", "💩"), '"café" "日本" "💩"'),
    (("/c", "/d &", "@a"), '/c "/d &" "@a"'),
)
_SIGNS = (
    *" \"%^&|<>!\\()'=,;~#@*?[]{}$`\t",
    *("%PATH%", "%OS%", "%OS:~0,1%", "%OS:W=x%", "%%", "%1", "%*", "%~f0", "!OS!", "^^", "&&", "||"),
    *(
        "a",
        "b",
        "é",
        "日",
        "💩",
        "\\\\",
        '\\"',
        '\\\\"',
        "/c",
        "-x",
        "2>&1",
        "rem",
        "nul",
        "{wheel}",
        "#{project}",
    ),
)


def argument_lists(seed: int, count: int) -> list[tuple[str, ...]]:
    """Return lists of up to four arguments, made of what cmd.exe and C runtimes act on."""
    rng = random.Random(seed)  # noqa: S311 - a test's own draw, repeatable by its seed
    return [
        tuple("".join(rng.choices(_SIGNS, k=rng.randint(0, 7))) for _ in range(rng.randint(1, 4)))
        for _ in range(count)
    ]
