"""Text from files that anybody may have made, fit for a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    r"""Write what would move the cursor, change colours or cannot be encoded as ``\x1b`` and the like."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)


def encodable(text: str, encoding: str) -> str:
    r"""Write what the output's encoding lacks in ASCII: ``·`` as ``-``, the rest as ``\u1234``."""
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.replace("·", "-").encode(encoding, "backslashreplace").decode(encoding)
    return text
