"""The registry of wheel variants, and the valid wheel that they change."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from support import wheels
from zoo.raw_zip import Entry, RawZip

FILENAME = "demo-1.0-py3-none-any.whl"
INFO = "demo-1.0.dist-info"
TABLE, EMPTY = "demo/table.txt", "demo/empty.txt"


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A wheel that differs from a valid one."""

    name: str
    make: Callable[[], RawZip]

    def write(self, folder: Path) -> Path:
        """Write the wheel as a file."""
        path = folder / FILENAME
        path.write_bytes(self.make().write())
        return path


VARIANTS: dict[str, Variant] = {}


def texts() -> dict[str, bytes]:
    """Return the members of the valid wheel, without RECORD."""
    return {
        "demo/__init__.py": b"def main():\n    return 0\n",
        TABLE: b"one two three\n" * 50,
        EMPTY: b"",
        f"{INFO}/METADATA": wheels.metadata("demo", "1.0", "Requires-Python: >=3.8").encode(),
        f"{INFO}/WHEEL": wheels.wheel_file(FILENAME).encode(),
    }


SIZE, PACKED = len(texts()[TABLE]), len(Entry(name=b"", data=texts()[TABLE]).contents)
"""The bytes of the file that most variants change, unpacked and packed."""


def archive(members: dict[str, bytes] | None = None, record: Callable[[str], str] = str) -> RawZip:
    """Return an archive of these members, less those that are empty on purpose, and a RECORD of them."""
    members = texts() if members is None else members
    lines = record(wheels.record(members, INFO)).encode("utf-8", "surrogateescape")
    members = {**members, f"{INFO}/RECORD": lines}
    return RawZip(entries=[Entry(name=name.encode(), data=data) for name, data in members.items()])


def enter(name: str, make: Callable[[], RawZip]) -> None:
    """Add a variant to the registry."""
    assert name not in VARIANTS, name
    VARIANTS[name] = Variant(name=name, make=make)


def change(function: Callable[[RawZip], object]) -> Callable[[RawZip], object]:
    """Enter a change of the valid archive, named after the function."""

    def make() -> RawZip:
        raw = archive()
        function(raw)
        return raw

    enter(getattr(function, "__name__", ""), make)
    return function
