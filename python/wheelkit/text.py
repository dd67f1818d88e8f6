"""Text for people: short lists, plurals, sizes, versions, wrapped lines, and escapes for terminals."""

from __future__ import annotations

import re
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


_SHOWN = 3
_UNIT = 1000
_ROUNDS_TO_100 = 99.95
_NARROWEST = 20
_PROGRAMS = "apt|brew|docker|dnf|git|pip|podman|python3?|sudo|twine|uv|wheelkit|xcode-select"
# A command is between backticks, or at the beginning of a line, or after a colon or two spaces.
# A punctuation mark or two spaces end it.
_COMMAND = rf"`[^`]*`|(?:^|(?<=[: ] ))(?:{_PROGRAMS}) .+?(?=  | ?[;,()·]|$)"
_KEPT_SPACE = "\ue000"
# How the commands of CI services begin: GitHub's runner strips white space in front of "::", and looks for
# "##[name]" anywhere in a line (actions/runner, ActionCommand.cs); Azure's and TeamCity's are "##vso[" and
# "##teamcity[". The last sign of a match is the one to escape.
_WORKFLOW_COMMAND = re.compile(r"^ *:(?=:)|##(?=\w*\[)")
# Select Graphic Rendition and the erasure of a line, with which programs colour their output (ECMA-48).
_COLOUR = r"\x1b\[[0-9;]*[mK]"


def shorten_list(items: Iterable[str], shown: int = _SHOWN) -> str:
    """Join the first few items and count the rest: ``a, b, c and 4 more``."""
    names = list(items)
    rest = len(names) - shown
    # "and 1 more" is as long as the name itself.
    return ", ".join(names) if rest <= 1 else f"{', '.join(names[:shown])} and {rest} more"


def first_and_count(names: Sequence[str]) -> str:
    """Return the first name and the number of the others: ``a.so``, ``a.so (and 2 others)``."""
    others = len(names) - 1
    return f"{names[0]} (and {plural(others, 'other')})" if others else names[0]


def plural(number: int, one: str, many: str = "") -> str:
    """Return a number with its noun: ``1 wheel``, ``3 wheels``."""
    return f"{number} {one if number == 1 else many or one + 's'}"


def size(count: int) -> str:
    """Format a number of bytes with decimal units: ``84 kB``, ``1.2 MB``, ``12.3 MB``, ``123 MB``."""
    if count < _UNIT:
        return f"{count} B"
    value, unit = float(count), ""
    for unit in ("kB", "MB", "GB"):  # noqa: B007 (the unit that ends the loop is the one to show)
        value /= _UNIT
        if value < _UNIT - 0.5:
            break
    return f"{value:.0f} {unit}" if unit == "kB" or value >= _ROUNDS_TO_100 else f"{value:.1f} {unit}"


def dotted(version: Iterable[int]) -> str:
    """Join the numbers of a version: ``(3, 11)`` becomes ``3.11``."""
    return ".".join(map(str, version))


def wrap(text: str, width: int) -> list[str]:
    """Wrap one paragraph at its words (``width`` is at least 20), with commands whole; at least one line."""
    width = max(width, _NARROWEST)
    if len(text) <= width and text.isprintable() and text == text.strip():
        return [text]
    kept = re.sub(_COMMAND, lambda match: match[0].replace(" ", _KEPT_SPACE), text)
    lines = textwrap.wrap(kept, width, break_long_words=False, break_on_hyphens=False)
    return [line.replace(_KEPT_SPACE, " ") for line in lines] or [""]


def printable(text: str) -> str:
    r"""Return one line without anything that a terminal or the log of a CI service acts on.

    Control characters, line ends, and characters that are invisible or change the direction are escaped like
    ``\x1b``, and so is the first sign of a workflow command (``::error::``, ``##[error]``). The result is the
    same if it is escaped again.
    """
    if not text.isprintable():
        text = "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)
    if ":" in text[:1] or "##" in text or text[:1] == " ":
        text = _WORKFLOW_COMMAND.sub(lambda match: f"{match[0][:-1]}\\x{ord(match[0][-1]):02x}", text)
    return text


def printable_lines(text: str) -> str:
    """Return several lines, each as ``printable`` does, without tabs and the colours of programs."""
    if "\x1b" in text:
        text = re.sub(_COLOUR, "", text)
    return "\n".join(map(printable, text.expandtabs().split("\n")))


def lines_of(items: Iterable[str]) -> str:
    """Join items to lines: whatever an item contains, it stays on its own line."""
    return "\n".join(map(printable, items))


def encodable(text: str, encoding: str) -> str:
    r"""Replace what the encoding lacks by ASCII: ``·`` by ``-``, the rest by escapes like ``\u1234``."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.replace("·", "-").encode(encoding, "backslashreplace").decode(encoding)
    return text
