"""What the user is told: progress, and errors that can be mended."""

from __future__ import annotations

import sys


class ImageError(Exception):
    """Something that the caller can mend; `code` is the exit code."""

    def __init__(self, message: str, *, code: int) -> None:
        super().__init__(message)
        self.code = code


def say(message: str) -> None:
    """Tell the user how far the work is; standard output is for the result."""
    print(f"image: {message}", file=sys.stderr, flush=True)
