"""Total functions for what comes from outside: files, JSON and numbers.

They return a value or raise the one kind of error that they document, whatever is read. A name such as
``x.whl`` may belong to a FIFO or a device, a number may have thousands of digits, and JSON may be nested so
deeply that a parser exhausts the stack.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from wheelkit import limits

if TYPE_CHECKING:
    from io import BufferedReader


T = TypeVar("T")
# The squares of the numbers of dots in a TOML file's lines, added up; this many take a second.
_MOST_DOTS = 3 * 10**7
_BOM = b"\xef\xbb\xbf"
_KINDS = (
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
# Without it, opening a FIFO waits for a writer. Windows has neither.
_NO_WAIT: int = getattr(os, "O_NONBLOCK", 0)


def number(text: str) -> int | None:
    """Return a natural number from up to 18 ASCII digits; None for anything else, such as ``²``."""
    return int(text) if len(text) <= limits.DIGITS and text.isascii() and text.isdigit() else None


def numbers(text: str) -> tuple[int, ...] | None:
    """Return the numbers of a version such as ``2.10``; None if a part is not a number."""
    parts = [number(part) for part in text.split(".")]
    return None if None in parts else tuple(part for part in parts if part is not None)


def encoded(text: str) -> bytes:
    """Return a text in UTF-8; what stands for bytes in file names and the environment becomes those bytes."""
    try:
        return text.encode(errors="surrogateescape")
    except UnicodeEncodeError:  # other lone surrogates
        return text.encode(errors="surrogatepass")


def json_value(data: bytes) -> Any:  # noqa: ANN401 - whatever JSON holds
    """Parse JSON; raises ValueError for everything else.

    Unlike Python's own parser it accepts no NaN, no number beyond the range of floats and no lone surrogate.
    """
    return json_struct(data, object)


def json_struct(data: bytes, kind: type[T]) -> T:
    """Parse JSON as a value of a type, such as a Struct; raises ValueError for everything else."""
    import msgspec

    try:
        return msgspec.json.decode(data.removeprefix(_BOM), type=kind)
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from error
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def toml_table(text: str) -> dict[str, Any]:
    """Parse TOML; raises ValueError for everything else.

    Python's parser takes quadratic time for keys of many parts: minutes for a file of 100 kB.
    """
    import tomllib

    if len(text) > limits.TOML:
        raise ValueError(f"larger than {limits.TOML} bytes")
    if sum(line.count(".") ** 2 for line in text.split("\n")) > _MOST_DOTS:
        raise ValueError("keys of too many parts")
    try:
        return tomllib.loads(text)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


def opener(path: str, flags: int, mode: int = 0o666) -> int:
    """Open a regular file without waiting, for ``open(…, opener=opener)``; raises OSError for all others."""
    descriptor = os.open(path, flags | _NO_WAIT, mode)
    found = os.fstat(descriptor).st_mode
    kind = next((kind for matches, kind in _KINDS if matches(found)), "")
    if kind:
        os.close(descriptor)
        raise OSError(errno.EINVAL, f"it is {kind}, not a file", path)
    return descriptor


def resolved(path: Path) -> Path:
    """Return an absolute path without links; unlike ``Path.resolve()``, it never raises, even for loops."""
    return Path(os.path.realpath(path))


def open_file(path: Path) -> BufferedReader:
    """Open a regular file to read its bytes; raises OSError, also for a FIFO, a device or a socket."""
    return open(path, "rb", opener=opener)


def read_bytes(path: Path, *, most: int | None = limits.TEXT) -> bytes:
    """Return the bytes of a regular file of up to ``most`` bytes; raises OSError."""
    with open_file(path) as file:
        data = file.read() if most is None else file.read(most + 1)
    if most is not None and len(data) > most:
        raise OSError(errno.EFBIG, f"it is larger than {most} bytes", str(path))
    return data


def read_text(path: Path, *, errors: str = "strict") -> str:
    """Return a small file's text in UTF-8, with line feeds only; raises OSError, UnicodeDecodeError."""
    return read_bytes(path).decode("utf-8", errors).replace("\r\n", "\n").replace("\r", "\n")
