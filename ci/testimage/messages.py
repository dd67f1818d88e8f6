"""Messages for the user: progress, and errors that the user can fix."""

from __future__ import annotations

import sys


class ImageError(Exception):
    """An error that the caller can fix; `code` is the exit code."""

    def __init__(self, message: str, *, code: int) -> None:
        super().__init__(message)
        self.code = code


def say(message: str) -> None:
    """Print progress to standard error; standard output is for the result."""
    print(f"image: {message}", file=sys.stderr, flush=True)
