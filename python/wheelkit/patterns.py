"""Regular expressions that are compiled when they are first used.

A hundred stand at the tops of modules, most runs need few of them, and to compile all takes a tenth of the time in which a small wheel is
proven.
"""

from __future__ import annotations

import re
from typing import Any, cast


def pattern(text: str, flags: re.RegexFlag = re.NOFLAG) -> re.Pattern[str]:
    """Give what ``re.compile`` gives, later."""
    return cast("re.Pattern[str]", _Pattern(text, flags))


class _Pattern:
    """Stands for a compiled expression, and keeps what was asked of it, so that only the first use takes the way round."""

    def __init__(self, text: str, flags: re.RegexFlag) -> None:
        self._text = text
        self._flags = flags

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a compiled expression has
        if name.startswith("__"):
            raise AttributeError(name)
        found = getattr(re.compile(self._text, self._flags), name)
        setattr(self, name, found)
        return found
