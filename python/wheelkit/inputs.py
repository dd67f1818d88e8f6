"""Total functions for what comes from outside: files, JSON and numbers.

They return a value or raise the one kind of error that they document, whatever is read. A name such as
``x.whl`` may belong to a FIFO or a device, a number may have thousands of digits, and JSON may be nested so
deeply that a parser exhausts the stack.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from functools import cache
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


def yaml_document(text: str) -> Any:  # noqa: ANN401 - whatever YAML holds
    """Parse one document of YAML; raises ValueError for everything else.

    As in YAML 1.2, and for CI services, ``on`` and ``yes`` are words. Few anchors can stand for more values
    than a computer can hold, and an anchor for itself.
    """
    import yaml

    if len(text) > limits.YAML:
        raise ValueError(f"larger than {limits.YAML} bytes")
    try:
        document = yaml.load(text, Loader=_yaml_loader())  # noqa: S506 - a safe loader
        _require_few_values(document)
    except yaml.YAMLError as error:
        raise ValueError(_yaml_problem(error)) from error
    except (RecursionError, TypeError, OverflowError) as error:
        raise ValueError("nested too deeply, or with keys that are no texts") from error
    return document


@cache
def _yaml_loader() -> Any:  # noqa: ANN401 - a class of yaml
    import yaml

    class Loader(yaml.SafeLoader):
        """Reads only ``true`` and ``false`` as truth values."""

    words = yaml.SafeLoader.yaml_implicit_resolvers.items()
    Loader.yaml_implicit_resolvers = {
        letter: [(tag, pattern) for tag, pattern in rows if tag not in _YAML_1_1] for letter, rows in words
    }
    pattern = re.compile(r"(?:true|True|TRUE|false|False|FALSE)$")
    Loader.add_implicit_resolver("tag:yaml.org,2002:bool", pattern, list("tTfF"))
    return Loader


_YAML_1_1 = frozenset({"tag:yaml.org,2002:bool", "tag:yaml.org,2002:timestamp"})


def _yaml_problem(error: Exception) -> str:
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    problem = problem or getattr(error, "reason", None)
    place = f"line {mark.line + 1}: " if mark is not None else ""
    return f"{place}{problem or 'it cannot be read'}"


def _require_few_values(document: object) -> None:
    """Raise ValueError for a document whose anchors make more values than any file has."""
    waiting, count = [document], 0
    while waiting:
        value = waiting.pop()
        count += 1
        if count > limits.YAML_VALUES:
            raise ValueError(f"its anchors stand for more than {limits.YAML_VALUES} values")
        if isinstance(value, dict):
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


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
